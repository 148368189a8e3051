//! Answers: one line of JSON for each request, as the text prints them, or what a fault makes of it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Value, json};

use super::FAILED;
use crate::clock::{SimClock as _, SystemClock};
use crate::sync_server::at::At;
use crate::sync_server::fault::FaultKind;
use crate::sync_server::forms::{Forms, cut_off};
use crate::sync_server::model::SyncServer;
use crate::sync_server::sections::{Printed, broken, denied, is_of_connect, needs, run, unknown};

/// How deep objects are printed when nobody says how deep.
const DEFAULT_DEPTH: u32 = 3;
/// A line without an end is given up here when nobody stops reading.
const ENDLESS: usize = 64 * 1024 * 1024;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    GoOn,
    End(u8),
    Hang,
}

/// The running text.
#[derive(Debug)]
pub(super) struct Interpreter<'a> {
    text: &'a str,
    state_file: PathBuf,
    loaded: bool,
}

impl<'a> Interpreter<'a> {
    pub(super) const fn new(text: &'a str, state_file: PathBuf) -> Self {
        Self {
            text,
            state_file,
            loaded: false,
        }
    }

    /// Answers a request; the first answer, to none, says that the text runs.
    pub(super) fn answer(
        &mut self,
        line: Option<&str>,
        output: &mut impl Write,
        errors: &mut impl Write,
    ) -> Answered {
        let server = match SyncServer::load(&self.state_file) {
            Ok(server) => server,
            Err(error) => {
                let _ = writeln!(errors, "{error}");
                return Answered::End(FAILED);
            }
        };
        let now = server.now_ms.unwrap_or_else(|| SystemClock.now_ms());
        let at = At::new(&server, now);
        let request = match line.map(serde_json::from_str::<Value>) {
            None if at.faults("").any(|one| *one == FaultKind::NeverReady) => {
                let _ = writeln!(errors, "Windows PowerShell ne peut pas démarrer.");
                return Answered::End(FAILED);
            }
            None => return self.print(&at, 0, &Printed::default(), output),
            Some(Ok(request)) => request,
            Some(Err(error)) => {
                let printed = Printed::failed(unknown(&error.to_string()));
                return self.print(&at, -1, &printed, output);
            }
        };
        self.answer_request(&at, &request, output, errors)
    }

    fn answer_request(
        &mut self,
        at: &At<'_>,
        request: &Value,
        output: &mut impl Write,
        errors: &mut impl Write,
    ) -> Answered {
        let id = request["id"].as_i64().unwrap_or(-1);
        let section = request["section"].as_str().unwrap_or_default();
        self.load_module(at, section);
        let mut printed = self.run(at, section, &request["arguments"]);
        for fault in at.faults(section) {
            match fault {
                FaultKind::Hang => return Answered::Hang,
                FaultKind::Crash => return Answered::End(FAILED),
                FaultKind::Garbage => {
                    return said(&writeln!(output, "WARNING: the module is out of date."));
                }
                FaultKind::EndlessLine => return endless(output),
                FaultKind::WrongRequest => return self.print(at, id - 1, &printed, output),
                FaultKind::AccessDenied => printed = Printed::failed(denied()),
                FaultKind::CommandFailed => printed = Printed::failed(broken()),
                FaultKind::Truncated => {
                    let rows = printed.rows.into_iter();
                    printed.rows = rows.map(|row| cut_off(row, DEFAULT_DEPTH)).collect();
                }
                FaultKind::Noise(bytes) => {
                    let noise = vec![b'!'; usize::try_from(*bytes).unwrap_or(0)];
                    let _ = errors.write_all(&noise).and_then(|()| errors.flush());
                }
                FaultKind::NeverReady | FaultKind::RawForms | FaultKind::SlowModule(_) => {}
            }
        }
        self.print(at, id, &printed, output)
    }

    /// Loads the module of Connect, once.
    fn load_module(&mut self, at: &At<'_>, section: &str) {
        if self.loaded || !is_of_connect(section) || at.server.connect.is_none() {
            return;
        }
        self.loaded = true;
        for fault in at.faults(section) {
            if let FaultKind::SlowModule(takes) = fault {
                wait(Duration::from_millis(
                    u64::try_from(takes.as_ms()).unwrap_or(0),
                ));
            }
        }
    }

    /// Runs a section of the text; one whose commands the text does not call cannot work.
    fn run(&self, at: &At<'_>, section: &str, arguments: &Value) -> Printed {
        let Some(needs) = needs(section) else {
            return Printed::failed(unknown(section));
        };
        if let Some(missing) = needs.iter().find(|word| !self.text.contains(*word)) {
            return Printed::failed(unknown(missing));
        }
        run(at, forms(at, section), section, arguments)
    }

    fn print(&self, at: &At<'_>, id: i64, printed: &Printed, output: &mut impl Write) -> Answered {
        let server = at.server;
        let module = server.connect.as_ref().filter(|_| self.loaded);
        let envelope = json!({
            "schema": 1,
            "id": id,
            "host": server.host,
            "collectedAt": forms(at, "").marked(at.now),
            "utcOffsetMinutes": server.utc_offset_minutes,
            "psVersion": server.interpreter,
            "moduleVersion": module.map(|connect| connect.version.as_str()),
            "data": printed.rows,
            "errors": printed.errors,
        });
        let mut line = Vec::new();
        let written = envelope.serialize(&mut Serializer::with_formatter(&mut line, Windows));
        line.push(b'\n');
        said(
            &written
                .map_err(io::Error::other)
                .and_then(|()| output.write_all(&line)),
        )
    }
}

fn forms(at: &At<'_>, section: &str) -> Forms {
    Forms {
        raw: !section.is_empty() && at.faults(section).any(|one| *one == FaultKind::RawForms),
        offset_ms: i64::from(at.server.utc_offset_minutes) * 60_000,
        ahead_ms: at.server.clock_ahead.as_ms(),
    }
}

/// Whoever does not listen any more has gone.
fn said(written: &io::Result<()>) -> Answered {
    match written {
        Ok(()) => Answered::GoOn,
        Err(_) => Answered::End(FAILED),
    }
}

fn endless(output: &mut impl Write) -> Answered {
    let chunk = [b'x'; 64 * 1024];
    for _ in 0..ENDLESS / chunk.len() {
        if output.write_all(&chunk).is_err() {
            break;
        }
    }
    Answered::End(FAILED)
}

/// Lets real time pass: nothing is ever sent, so the wait ends with its time.
fn wait(time: Duration) {
    let (_kept, nothing) = sync_channel::<()>(1);
    let _ = nothing.recv_timeout(time);
}

/// Writes texts as Windows PowerShell 5.1 does: what could end an element of a page is escaped.
struct Windows;

impl Formatter for Windows {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_escaped = |letter: char| matches!(letter, '<' | '>' | '&' | '\'');
        for part in fragment.split_inclusive(is_escaped) {
            let (plain, last) = match part.chars().next_back() {
                Some(last) if is_escaped(last) => (&part[..part.len() - 1], Some(last)),
                _ => (part, None),
            };
            writer.write_all(plain.as_bytes())?;
            if let Some(last) = last {
                write!(writer, "\\u{:04x}", u32::from(last))?;
            }
        }
        Ok(())
    }
}
