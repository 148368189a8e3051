//! A Windows server, asked through one PowerShell that stays alive.
//!
//! The interpreter is started once, given the embedded text ([`script`]) and then asked for one
//! section after the other; loading Connect's module costs seconds, so it is done once as well.
//! Whatever goes wrong with it, a section that takes too long, a crash, a line that is no answer,
//! ends that process and the next reading begins with a fresh one. Failing starts are spaced out.
//!
//! What is sent is the embedded text and requests of JSON, and nothing else. What came over the
//! network is in those requests only, as data.

mod child;
mod envelope;
mod failure;
mod request;
pub mod script;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::report::{Outcome, Section, SectionFailure};
use syncwatch_domain::span::Span;

use crate::count::Times;
use crate::host::{Answering, Asked, Host, Reading};
use child::{Child, ChildError};
use envelope::{Envelope, Garbage};
use request::{FEW_RUNS, MANY_RUNS};

/// Number of the answer by which the text says that it runs.
const READY: u64 = 0;
/// Wait before a start, from the second failure in a row on: one failing section must not keep
/// the others from being read.
const BACKOFF: Backoff = Backoff {
    first: Span::secs(2),
    cap: Span::minutes(5),
};

/// The interpreter of a Windows server: Windows PowerShell 5.1, by its full path, so that nothing
/// on the search path can take its place.
#[must_use]
pub fn default_program() -> PathBuf {
    let windows = std::env::var_os("SystemRoot").unwrap_or_else(|| "C:\\Windows".into());
    let mut program = PathBuf::from(windows);
    program.extend(["System32", "WindowsPowerShell", "v1.0", "powershell.exe"]);
    program
}

/// A server asked through PowerShell.
#[derive(Debug)]
pub struct PowerShell {
    program: PathBuf,
    times: Times,
    child: Option<Child>,
    last_id: u64,
    /// Failures of the process in a row.
    failures: u32,
    /// No start before this, by the agent's count.
    not_before: Duration,
    /// What went wrong last.
    trouble: String,
    /// Runs were read with the present bookkeeping; few are enough then.
    runs_read: bool,
}

/// Why there is no answer.
#[derive(Debug)]
enum Trouble {
    NotStarted(String),
    Ended(String),
    Unreadable(String),
}

impl PowerShell {
    /// A server asked through this interpreter.
    #[must_use]
    pub fn new(program: PathBuf, times: Times) -> Self {
        Self {
            program,
            times,
            child: None,
            last_id: READY,
            failures: 0,
            not_before: Duration::ZERO,
            trouble: String::new(),
            runs_read: false,
        }
    }

    async fn read_section(&mut self, section: Section, asked: &Asked) -> Reading {
        if let Some(wait) = self.wait() {
            let trouble = &self.trouble;
            let text = format!(
                "PowerShell is started again in {} s: {trouble}",
                wait.as_secs()
            );
            return Reading::failed(SectionFailure::NotStarted, text);
        }
        let answer = tokio::time::timeout(asked.timeout, self.ask(section, asked)).await;
        match answer {
            Ok(Ok(envelope)) => {
                self.failures = 0;
                let reading = envelope.reading(section, asked);
                if section == Section::Runs {
                    self.runs_read = reading.outcome == Outcome::Read;
                }
                reading
            }
            Ok(Err(Trouble::NotStarted(text))) => self.failed(SectionFailure::NotStarted, text),
            Ok(Err(Trouble::Ended(text))) => self.failed(SectionFailure::CommandFailed, text),
            Ok(Err(Trouble::Unreadable(text))) => self.failed(SectionFailure::Unreadable, text),
            // The process went with the future that owned it.
            Err(_) => {
                let seconds = asked.timeout.as_secs_f64();
                let text = format!("no answer within {seconds} s");
                self.failed(SectionFailure::Timeout, text)
            }
        }
    }

    /// How long no process is started yet.
    fn wait(&self) -> Option<Duration> {
        let wait = self.not_before.saturating_sub(self.times.elapsed());
        (self.child.is_none() && !wait.is_zero()).then_some(wait)
    }

    /// Asks a process for a section. While it is asked it belongs to this future: one that is
    /// dropped takes it along, and its late answer is never taken for that to another question.
    async fn ask(&mut self, section: Section, asked: &Asked) -> Result<Envelope, Trouble> {
        let kept = self.child.take();
        let running = kept.and_then(|mut child| (!child.has_ended()).then_some(child));
        let mut child = match running {
            Some(child) => child,
            None => self.start().await?,
        };
        self.last_id += 1;
        let line = request::line(self.last_id, section, &self.arguments(section, asked));
        child.send(&line).await?;
        let answer = child.next_line().await?;
        let envelope = Envelope::read(&answer, self.last_id)?;
        self.child = Some(child);
        Ok(envelope)
    }

    /// Starts a process and waits until its text runs.
    async fn start(&mut self) -> Result<Child, Trouble> {
        let not_started = |error: &dyn std::error::Error| Trouble::NotStarted(told(error));
        let mut child = Child::start(&self.program).map_err(|error| not_started(&error))?;
        let sent = child.send(script::text().as_bytes()).await;
        sent.map_err(|error| not_started(&error))?;
        let line = child
            .next_line()
            .await
            .map_err(|error| not_started(&error))?;
        Envelope::read(&line, READY).map_err(|error| not_started(&error))?;
        Ok(child)
    }

    fn arguments(&self, section: Section, asked: &Asked) -> Value {
        let runs = if self.runs_read { FEW_RUNS } else { MANY_RUNS };
        request::arguments(section, asked, runs)
    }

    fn failed(&mut self, failure: SectionFailure, text: String) -> Reading {
        self.failures = self.failures.saturating_add(1);
        self.runs_read = false;
        let wait = match self.failures {
            1 => Duration::ZERO,
            failures => BACKOFF.wait(failures - 1, self.last_id),
        };
        self.not_before = self.times.elapsed() + wait;
        self.trouble.clone_from(&text);
        Reading::failed(failure, text)
    }
}

impl Host for PowerShell {
    fn read<'a>(&'a mut self, section: Section, asked: &'a Asked) -> Answering<'a> {
        Box::pin(self.read_section(section, asked))
    }
}

impl From<ChildError> for Trouble {
    fn from(error: ChildError) -> Self {
        match error {
            ChildError::TooLong => Self::Unreadable(told(&error)),
            _ => Self::Ended(told(&error)),
        }
    }
}

impl From<Garbage> for Trouble {
    fn from(error: Garbage) -> Self {
        Self::Unreadable(told(&error))
    }
}

/// An error with its causes, on one line.
fn told(error: &dyn std::error::Error) -> String {
    failure::one_line(&crate::chain(error))
}
