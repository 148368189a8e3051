//! The interpreter's process: what goes in, what comes out, and within which bounds.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child as Process, ChildStderr, ChildStdin, ChildStdout, Command};

use super::failure::one_line;
use super::script::ARGUMENTS;

/// No answer is longer than this; the scripts keep theirs below it.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
/// What is kept of the error output: its end, which says why the process ended.
const KEPT_ERRORS: usize = 4 * 1024;

/// Why the process is of no use any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChildError {
    /// It could not be started.
    #[error("cannot start {program}")]
    Start {
        /// Which program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be written to or read from.
    #[error("the connection to PowerShell broke")]
    Pipe(#[source] std::io::Error),
    /// It ended.
    #[error("PowerShell ended{}", after_words(.said))]
    Ended {
        /// The end of its error output.
        said: String,
    },
    /// It prints without end.
    #[error("PowerShell printed a line of more than {LONGEST_LINE} bytes")]
    TooLong,
}

fn after_words(said: &str) -> String {
    if said.is_empty() {
        " without a word".to_owned()
    } else {
        format!(": {said}")
    }
}

/// The running interpreter. It is killed when the value is dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: Option<ChildStderr>,
    line: Vec<u8>,
    said: Vec<u8>,
}

impl Child {
    /// Starts the interpreter; it waits for its text.
    pub(super) fn start(program: &Path) -> Result<Self, ChildError> {
        let failed = |source| ChildError::Start {
            program: program.display().to_string(),
            source,
        };
        let mut command = Command::new(program);
        command
            .args(ARGUMENTS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        hide_window(&mut command);
        let mut process = command.spawn().map_err(failed)?;
        let pipes = (
            process.stdin.take(),
            process.stdout.take(),
            process.stderr.take(),
        );
        let (Some(stdin), Some(stdout), stderr) = pipes else {
            return Err(failed(std::io::Error::other("it has no pipes")));
        };
        Ok(Self {
            process,
            stdin,
            stdout: BufReader::new(stdout),
            stderr,
            line: Vec::new(),
            said: Vec::new(),
        })
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Writes to it. What it cannot take because it has ended is told as its end.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), ChildError> {
        let written = match self.stdin.write_all(bytes).await {
            Ok(()) => self.stdin.flush().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(self.ended().await),
            Err(error) => Err(ChildError::Pipe(error)),
        }
    }

    /// The next line it prints, without its end. Its error output is drained meanwhile, so that it
    /// never waits for somebody to read that.
    pub(super) async fn next_line(&mut self) -> Result<Vec<u8>, ChildError> {
        self.line.clear();
        let mut chunk = [0; 1024];
        loop {
            tokio::select! {
                biased;
                read = read_errors(self.stderr.as_mut(), &mut chunk), if self.stderr.is_some() => match read {
                    Ok(length) if length > 0 => keep_end(&mut self.said, &chunk[..length]),
                    _ => self.stderr = None,
                },
                filled = self.stdout.fill_buf() => {
                    let bytes = filled.map_err(ChildError::Pipe)?;
                    if bytes.is_empty() {
                        return Err(self.ended().await);
                    }
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let taken = end.unwrap_or(bytes.len());
                    self.line.extend_from_slice(&bytes[..taken]);
                    self.stdout.consume(end.map_or(taken, |end| end + 1));
                    if self.line.len() > LONGEST_LINE {
                        return Err(ChildError::TooLong);
                    }
                    if end.is_some() {
                        return Ok(std::mem::take(&mut self.line));
                    }
                }
            }
        }
    }

    /// It has closed its output: what it said last.
    async fn ended(&mut self) -> ChildError {
        let mut chunk = [0; 1024];
        while let Ok(length @ 1..) = read_errors(self.stderr.as_mut(), &mut chunk).await {
            keep_end(&mut self.said, &chunk[..length]);
        }
        ChildError::Ended {
            said: one_line(&String::from_utf8_lossy(&self.said)),
        }
    }
}

async fn read_errors(stderr: Option<&mut ChildStderr>, chunk: &mut [u8]) -> std::io::Result<usize> {
    match stderr {
        Some(stderr) => stderr.read(chunk).await,
        None => Ok(0),
    }
}

/// Appends, and drops from the beginning what is too much.
fn keep_end(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    let excess = kept.len().saturating_sub(KEPT_ERRORS);
    kept.drain(..excess);
}

/// A service has no desktop, and on one nobody wants to see a window flash.
#[cfg(windows)]
fn hide_window(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

#[cfg(not(windows))]
fn hide_window(_command: &mut Command) {}
