//! Reads the section that is due and writes down what comes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use syncwatch_domain::report::{Outcome, Record, Section, SectionFailure};

use crate::containers::Containers;
use crate::count::Times;
use crate::host::{Asked, Bookmarks, Host, Reading};
use crate::plan::{Change, Health, Plan, Schedule};
use crate::privacy;
use crate::roles::Found;
use crate::shared::Shared;
use crate::spool::SpoolError;

/// No reading brings more events than this.
pub(crate) const MOST_EVENTS: usize = 1000;
/// What a host is given beyond its own time limit before it is given up.
const GRACE: Duration = Duration::from_secs(10);

/// Reads sections, one at a time.
pub struct Reader {
    shared: Arc<Shared>,
    host: Box<dyn Host>,
    plan: Plan,
    found: Found,
    user_names: bool,
    most_events: usize,
    wishes: Arc<[String]>,
    containers: Containers,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("plan", &self.plan).finish()
    }
}

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Did {
    /// The section that was read, or tried to be.
    pub read: Option<Section>,
    /// When there is more to do, by the agent's count; `None` when nothing is planned.
    pub next_due: Option<Duration>,
}

impl Reader {
    /// A reader for which everything is due. `containers` are those that were found before.
    #[must_use]
    pub fn new(
        shared: Arc<Shared>,
        host: Box<dyn Host>,
        schedule: impl Fn(Section) -> Schedule,
        user_names: bool,
        containers: Containers,
    ) -> Self {
        Self {
            wishes: shared.wishes(),
            containers,
            shared,
            host,
            plan: Plan::new(schedule),
            found: Found::default(),
            user_names,
            most_events: MOST_EVENTS,
        }
    }

    /// How a section fares.
    #[must_use]
    pub fn health(&self, section: Section) -> &Health {
        self.plan.health(section)
    }

    /// Reads the section that is due, if there is one.
    pub async fn run_once(&mut self) -> Did {
        let now = self.shared.times.elapsed();
        let wishes = self.shared.wishes();
        if *wishes != *self.wishes {
            self.wishes = wishes;
            self.plan.hurry(Section::Containers, now);
        }
        let read = match self.next() {
            Some((section, due)) if due <= now => {
                self.read(section).await;
                Some(section)
            }
            _ => None,
        };
        Did {
            read,
            next_due: self.next().map(|(_, due)| due),
        }
    }

    /// Reads on schedule, for ever.
    pub async fn run(&mut self) {
        loop {
            let did = self.run_once().await;
            let now = self.shared.times.elapsed();
            let wait = did
                .next_due
                .map_or(Duration::MAX, |due| due.saturating_sub(now));
            if wait.is_zero() {
                // Lets the ways home have their turn between two readings.
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.shared.wished.notified() => {}
            }
        }
    }

    fn next(&self) -> Option<(Section, Duration)> {
        self.plan.next(&self.found, !self.wishes.is_empty())
    }

    async fn read(&mut self, section: Section) {
        let asked = self.asked(section);
        let began = self.shared.times.elapsed();
        let reading = ask(self.host.as_mut(), section, &asked).await;
        let took = self.shared.times.elapsed().saturating_sub(began);
        self.learn(section, &reading);
        let more = reading.more;
        let kept = self.keep(section, reading, took);
        self.note(section, began, kept);
        if more && section == Section::Events {
            self.plan.hurry(section, self.shared.times.elapsed());
        }
    }

    fn asked(&self, section: Section) -> Asked {
        let is_events = section == Section::Events;
        Asked {
            timeout: self.plan.timeout(section),
            containers: if section == Section::Containers {
                self.containers.wanted(&self.wishes)
            } else {
                Vec::new()
            },
            bookmarks: if is_events {
                self.shared.with_spool(|spool| spool.bookmarks().clone())
            } else {
                Bookmarks::default()
            },
            most_events: self.most_events,
            user_names: self.user_names,
        }
    }

    fn learn(&mut self, section: Section, reading: &Reading) {
        if reading.outcome != Outcome::Failed {
            self.found.learn(section, &reading.data);
        }
        if section == Section::Containers {
            self.containers.learn(&self.wishes, &reading.data);
        }
        let roles = self.found.roles();
        let system = system(reading);
        self.shared.with_agent(|agent| {
            agent.roles = roles;
            if let Some(system) = system {
                agent.system = system;
            }
        });
    }

    /// Writes a reading down; gives why there is nothing new, if so.
    fn keep(
        &mut self,
        section: Section,
        mut reading: Reading,
        took: Duration,
    ) -> Result<(), NotKept> {
        privacy::clean(section, &mut reading, self.user_names);
        let failure = reading.failure;
        let text = reading.failure_text.clone();
        let bookmarks = reading.bookmarks.take();
        let mut record = record(&self.shared.times, section, reading, took);
        let written = self.append(&mut record, bookmarks.as_ref());
        match written {
            Ok(()) if section == Section::Events => {
                self.most_events = (self.most_events * 2).min(MOST_EVENTS);
            }
            Ok(()) => {}
            Err(SpoolError::TooLong { .. })
                if section == Section::Events && self.most_events > 1 =>
            {
                // Nothing was kept, the bookmarks neither: the same events come again, fewer at a time.
                self.most_events = (record.data.len().min(self.most_events) / 2).max(1);
                return Err(NotKept::Again);
            }
            Err(error @ SpoolError::TooLong { .. }) => {
                let text = error.to_string();
                record.outcome = Outcome::Failed;
                record.failure = Some(SectionFailure::Unreadable);
                record.failure_text = Some(text.clone());
                record.data = Vec::new();
                self.append(&mut record, bookmarks.as_ref())
                    .map_err(|error| NotKept::Spool(crate::chain(&error)))?;
                return Err(NotKept::Failed(SectionFailure::Unreadable, text));
            }
            Err(error) => return Err(NotKept::Spool(crate::chain(&error))),
        }
        match failure {
            Some(failure) => Err(NotKept::Failed(failure, text.unwrap_or_default())),
            None => Ok(()),
        }
    }

    fn append(&self, record: &mut Record, bookmarks: Option<&Bookmarks>) -> Result<(), SpoolError> {
        self.shared
            .with_spool(|spool| spool.append(record, bookmarks))?;
        self.shared.written.notify_one();
        Ok(())
    }

    /// Tells the plan how it went, and the log when that is news.
    fn note(&mut self, section: Section, began: Duration, kept: Result<(), NotKept>) {
        let now = self.shared.times.now();
        let (failure, text) = match kept {
            Ok(()) => {
                if let Change::Recovered(times) = self.plan.worked(section, began, now) {
                    tracing::info!(%section, failures = times, "a section is read again");
                }
                return;
            }
            Err(NotKept::Again) => return self.plan.hurry(section, began),
            Err(NotKept::Failed(failure, text)) => (Some(failure), text),
            Err(NotKept::Spool(text)) => (None, text),
        };
        if self.plan.failed(section, began, now, failure, &text) == Change::Failed {
            let failure = failure.map_or("not_kept", SectionFailure::as_str);
            tracing::warn!(%section, failure, reason = text, "a section is not read");
        }
    }
}

/// Why a reading brought nothing new.
enum NotKept {
    /// It failed, which was written down.
    Failed(SectionFailure, String),
    /// It was too long and is tried again at once, with fewer events.
    Again,
    /// The spool refused it.
    Spool(String),
}

/// Asks, and gives up a host that does not keep its time.
pub(crate) async fn ask(host: &mut dyn Host, section: Section, asked: &Asked) -> Reading {
    let patience = asked.timeout + GRACE;
    match tokio::time::timeout(patience, host.read(section, asked)).await {
        Ok(reading) => reading,
        Err(_) => Reading::failed(
            SectionFailure::Timeout,
            format!("no answer within {} seconds", patience.as_secs()),
        ),
    }
}

fn system(reading: &Reading) -> Option<String> {
    let interpreter = reading.interpreter_version.as_ref()?;
    let mut text = format!(
        "{} {}, PowerShell {interpreter}",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    if let Some(module) = &reading.module_version {
        text.push_str(&format!(", ADSync module {module}"));
    }
    Some(text)
}

/// The record of a reading, without its number.
pub(crate) fn record(times: &Times, section: Section, reading: Reading, took: Duration) -> Record {
    let data: Vec<Value> = reading.data;
    Record {
        seq: 0,
        section: section.as_str().to_owned(),
        collected_at: times.now(),
        elapsed: times.mark(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        utc_offset_minutes: reading.utc_offset_minutes,
        outcome: reading.outcome,
        failure: reading.failure,
        failure_text: reading.failure_text,
        data,
    }
}
