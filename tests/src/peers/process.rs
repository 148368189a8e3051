//! A child process that ends with its value.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::usage::Usage;
use crate::wait;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const LOG_TAIL_LINES: usize = 30;

/// How a peer is asked to stop before it is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum StopSignal {
    /// Most servers.
    Terminate,
    /// PostgreSQL: end the sessions and stop ("fast shutdown").
    Interrupt,
}

impl StopSignal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
        }
    }
}

/// A running peer.
#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stop: StopSignal,
}

impl Process {
    /// Starts `command` with its output in `log`.
    pub(super) fn spawn(
        name: &'static str,
        command: &mut Command,
        log: PathBuf,
        stop: StopSignal,
    ) -> anyhow::Result<Self> {
        let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let err = out
            .try_clone()
            .with_context(|| format!("open {} twice", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| {
                format!("start {name} ({})", command.get_program().to_string_lossy())
            })?;
        Ok(Self {
            name,
            child,
            log,
            stop,
        })
    }

    /// The process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the process has used so far.
    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.pid())
    }

    /// Waits until `probe` succeeds; fails at once when the process has ended.
    pub(super) async fn ready<E: Display>(
        &mut self,
        mut probe: impl AsyncFnMut() -> Result<(), E>,
    ) -> anyhow::Result<()> {
        let (name, child) = (self.name, &mut self.child);
        let what = format!("{name} to answer");
        let outcome = wait::until(&what, START_LIMIT, async || {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                return Ok(Some(status));
            }
            probe()
                .await
                .map(|()| None)
                .map_err(|error| format!("{error:#}"))
        })
        .await;
        match outcome {
            Ok(None) => Ok(()),
            Ok(Some(status)) => bail!(
                "{name} ended at its start ({status}):\n{}",
                log_tail(&self.log)
            ),
            Err(error) => Err(error.context(log_tail(&self.log))),
        }
    }

    fn stop(&mut self) -> std::io::Result<()> {
        if self.child.try_wait()?.is_none() {
            signal(self.stop, self.child.id())?;
        }
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP_LIMIT {
                self.child.kill()?;
            }
            pause();
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!(
                "could not stop {} (process {}): {error}",
                self.name,
                self.child.id()
            );
        }
    }
}

/// The standard library can only kill; the shell knows every signal.
fn signal(signal: StopSignal, pid: u32) -> std::io::Result<()> {
    Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{} {pid}", signal.name()))
        .status()
        .map(drop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a drop cannot await; bounded by STOP_LIMIT"
)]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

/// The last lines of a log, for an error text.
pub(super) fn log_tail(path: &Path) -> String {
    let text = std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines = text.lines().collect::<Vec<_>>();
    let shown = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
    format!("end of {}:\n{}", path.display(), shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::spawn(
            "a shell",
            &mut command,
            folder.join("log"),
            StopSignal::Terminate,
        )
        .expect("sh starts")
    }

    fn exists(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[tokio::test]
    async fn process_that_ends_at_its_start_fails_with_its_log() {
        let folder = tempfile::tempdir().expect("folder");
        let mut process = shell("echo no such setting >&2; exit 7", folder.path());
        let error = process
            .ready(async || Err("not up"))
            .await
            .expect_err("it ended");
        let text = format!("{error:#}");
        assert!(
            text.contains("exit status: 7") && text.contains("no such setting"),
            "{text}"
        );
    }

    #[test]
    fn dropped_process_is_gone() {
        let folder = tempfile::tempdir().expect("folder");
        let process = shell("exec sleep 600", folder.path());
        let pid = process.pid();
        assert!(exists(pid));
        drop(process);
        assert!(!exists(pid), "process {pid} outlives its value");
    }
}
