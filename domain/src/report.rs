//! Reports: what an agent brings home from a sync server.
//!
//! An agent reads *sections*, each on its own schedule, and writes every reading down as a
//! [`Record`] with a number of its own. A [`Batch`] carries records home; the service answers with
//! an [`Answer`] that names the last record it has committed, and only then the agent forgets them.
//! The same batch twice changes nothing. Both ways home, asked for and pushed, carry the same batch.
//!
//! What a section holds is read from JSON by the modules below, which accept what the agent's
//! scripts print and every raw form of Windows PowerShell 5.1 and PowerShell 7. A section nobody
//! knows is kept as it came.

pub mod company_features;
pub mod connector_status;
pub mod connectors;
pub mod containers;
pub mod database;
pub mod events;
pub mod forms;
mod markup;
pub mod password_sync;
pub mod pending_exports;
pub mod reachability;
pub mod rules;
pub mod runs;
pub mod scheduler;
pub mod services;
pub mod settings;
pub mod settings_export;
pub mod versions;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lane::words;
use crate::time::{Timestamp, millis, span_of_millis};

/// Version of the format that this build writes. A reader refuses a newer one with a sentence.
pub const SCHEMA: u32 = 1;

/// No batch has more records than this.
pub const MOST_RECORDS: usize = 500;

/// No batch is longer than this many bytes; a single record that is longer travels alone.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

words! {
    /// What an agent reads; the word on the wire.
    Section {
        /// Connect's scheduler.
        Scheduler = "scheduler",
        /// Connectors that are busy at present.
        ConnectorStatus = "connector_status",
        /// Run history with step counters and errors.
        Runs = "runs",
        /// State of password hash sync per domain, and whether it is switched on.
        PasswordSync = "password_sync",
        /// Events of the Windows event logs.
        Events = "events",
        /// Connectors with their partitions and container filters.
        Connectors = "connectors",
        /// Sync rules with scope filters and flows.
        Rules = "rules",
        /// Global settings of Connect, with its optional features.
        Settings = "settings",
        /// What the tenant says about Connect's features.
        CompanyFeatures = "company_features",
        /// Size and kind of Connect's database.
        Database = "database",
        /// Which domains can be reached.
        Reachability = "reachability",
        /// Windows services of Connect and the agents.
        Services = "services",
        /// Versions of what is installed.
        Versions = "versions",
        /// What waits to be exported, per connector.
        PendingExports = "pending_exports",
        /// Containers that Cloud Sync configurations name, looked up in the directory.
        Containers = "containers",
    }
}

words! {
    /// What a server does; found by the agent itself.
    Role {
        /// Connect Sync that exports.
        ConnectActive = "connect_active",
        /// Connect Sync in staging mode.
        ConnectStaging = "connect_staging",
        /// An agent of Cloud Sync.
        CloudAgent = "cloud_agent",
    }
}

/// Who sends a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentIdentity {
    /// Made once when the agent is set up; tells agents apart when hosts are renamed.
    pub id: String,
    /// Name of the host.
    pub host: String,
    /// Version of the agent.
    pub version: String,
    /// Operating system, for people.
    #[serde(default)]
    pub system: String,
    /// What the server does, as far as the agent knows yet.
    #[serde(default)]
    pub roles: BTreeSet<Role>,
}

/// How far a run of the agent has come: a clock that nobody sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elapsed {
    /// The run of the agent that counts; another run, another count.
    pub run: String,
    /// Milliseconds since it began.
    pub ms: u64,
}

words! {
    /// How a reading ended.
    Outcome {
        /// The section was read.
        Read = "read",
        /// It was not; the record says why.
        Failed = "failed",
        /// There is nothing of the kind on this server.
        Absent = "absent",
    }
}

words! {
    /// Why a section was not read; a closed set.
    SectionFailure {
        /// No answer in time.
        Timeout = "timeout",
        /// The command reported an error.
        CommandFailed = "command_failed",
        /// The account of the agent lacks a right.
        AccessDenied = "access_denied",
        /// What came cannot be read, or was cut off by a depth limit.
        Unreadable = "unreadable",
        /// The interpreter could not be started.
        NotStarted = "not_started",
        /// It was read, and somebody on the way home takes no record of its size.
        TooLarge = "too_large",
    }
}

/// One reading of one section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Number within the spool, from 1, without holes but for dropped ones.
    pub seq: u64,
    /// The section's word; one that this build does not know is kept.
    pub section: String,
    /// When it was read, by the server's own clock.
    pub collected_at: Timestamp,
    /// The same by the agent's count.
    pub elapsed: Elapsed,
    /// How long the reading took, in milliseconds.
    #[serde(default)]
    pub took_ms: u64,
    /// Offset of the server's local time from UTC at that instant, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset_minutes: Option<i32>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<SectionFailure>,
    /// The same for people, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_text: Option<String>,
    /// What was read; always a list.
    #[serde(default)]
    pub data: Vec<Value>,
}

/// Records that were dropped because the spool was full: the oldest ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Number of the first record that is gone.
    pub from: u64,
    /// Number of the last one.
    pub to: u64,
    /// When the first one was read, by the server's clock.
    pub oldest_at: Timestamp,
    /// When the last one was read.
    pub newest_at: Timestamp,
}

/// What the spool holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolState {
    /// Made with the spool: numbers of another spool say nothing about this one.
    pub id: String,
    /// Number of the oldest record it holds; that of the next one when it is empty.
    pub first: u64,
    /// Number that the next record will have.
    pub next: u64,
    /// What was dropped and not told yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Records on their way home.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// Who sends it.
    pub agent: AgentIdentity,
    /// When it was sent, by the server's own clock.
    pub sent_at: Timestamp,
    /// The same by the agent's count.
    pub elapsed: Elapsed,
    /// What the spool holds.
    pub spool: SpoolState,
    /// Records, in the order of their numbers.
    pub records: Vec<Record>,
}

/// What the service wants to know; it names data, never commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// Distinguished names to look up in the directory: containers and groups that Cloud Sync
    /// configurations name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
}

/// What the service says to a batch; asking for one, it says the same about the batch before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// [`SCHEMA`] of the writer.
    pub schema: u32,
    /// The spool that is meant; `None` before the first batch.
    #[serde(default)]
    pub spool: Option<String>,
    /// Every record up to this number is committed.
    pub acknowledged: u64,
    /// The service's clock.
    pub now: Timestamp,
    /// What it wants to know.
    #[serde(default)]
    pub wishes: Wishes,
}

/// How to turn the instants of a server's clock into true ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// What to add to instants by the server's clock, in milliseconds; negative when it is ahead.
    ms: i64,
}

impl Correction {
    /// How far the clock of a server is off as this batch shows it, received at `received_at`.
    /// The time the batch took is part of it.
    #[must_use]
    pub const fn of_batch(batch: &Batch, received_at: Timestamp) -> Self {
        Self {
            ms: received_at
                .as_millis()
                .saturating_sub(batch.sent_at.as_millis()),
        }
    }

    /// The correction for what was read with a record. Where the same run of the agent read and
    /// sent it, its count tells how long ago that was, whatever was done to the clock meanwhile.
    #[must_use]
    pub fn of_record(self, batch: &Batch, record: &Record, received_at: Timestamp) -> Self {
        let counted = (record.elapsed.run == batch.elapsed.run)
            .then(|| batch.elapsed.ms.checked_sub(record.elapsed.ms))
            .flatten();
        match counted {
            Some(age) => {
                let read_at = received_at - Duration::from_millis(age);
                Self {
                    ms: read_at
                        .as_millis()
                        .saturating_sub(record.collected_at.as_millis()),
                }
            }
            None => self,
        }
    }

    /// An instant of the server's clock as a true one.
    #[must_use]
    pub fn apply(self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.as_millis().saturating_add(self.ms))
    }

    /// How far the server's clock is ahead, in milliseconds; negative when it is behind.
    #[must_use]
    pub const fn ahead_ms(self) -> i64 {
        self.ms.saturating_neg()
    }

    /// How far the clock is off, either way.
    #[must_use]
    pub fn size(self) -> Duration {
        Duration::from_millis(self.ms.unsigned_abs())
    }
}

/// Why a batch is refused; nothing of it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A newer agent.
    #[error(
        "the batch has format {found}, this build reads up to {SCHEMA}: update syncwatch before its agents"
    )]
    NewerSchema {
        /// Format of the batch.
        found: u32,
    },
    /// A name is empty or too long.
    #[error("{what} of the agent must have 1 to 255 characters, none of them a control character")]
    Name {
        /// Which one.
        what: &'static str,
    },
    /// The word of a section is none.
    #[error("record {seq}: the section must be 1 to 64 small letters, digits and underscores")]
    Section {
        /// The record.
        seq: u64,
    },
    /// Too much at once.
    #[error("the batch has {found} records, at most {MOST_RECORDS} are taken at a time")]
    TooMany {
        /// Its records.
        found: usize,
    },
    /// Numbers must grow, and lie in the spool.
    #[error("record {seq} is out of order: numbers begin at 1 and grow")]
    OutOfOrder {
        /// The record.
        seq: u64,
    },
}

impl Batch {
    /// Whether the batch is one that this build can take.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self) -> Result<(), BatchError> {
        if self.schema > SCHEMA {
            return Err(BatchError::NewerSchema { found: self.schema });
        }
        for (what, name) in [
            ("the id", &self.agent.id),
            ("the host", &self.agent.host),
            ("the spool", &self.spool.id),
        ] {
            let is_odd = name.chars().any(char::is_control);
            if name.trim().is_empty() || is_odd || name.chars().count() > 255 {
                return Err(BatchError::Name { what });
            }
        }
        if self.records.len() > MOST_RECORDS {
            return Err(BatchError::TooMany {
                found: self.records.len(),
            });
        }
        let mut before = 0;
        for record in &self.records {
            if record.seq <= before || i64::try_from(record.seq).is_err() {
                return Err(BatchError::OutOfOrder { seq: record.seq });
            }
            before = record.seq;
            if !is_word(&record.section) {
                return Err(BatchError::Section { seq: record.seq });
            }
        }
        Ok(())
    }

    /// How many records with numbers after `from` up to `to` were dropped on the server.
    #[must_use]
    pub fn dropped(&self, from: u64, to: u64) -> u64 {
        let within = |gap: &Gap| {
            let (first, last) = (gap.from.max(from.saturating_add(1)), gap.to.min(to));
            last.saturating_add(1).saturating_sub(first)
        };
        let dropped = self.spool.gaps.iter().map(within);
        // Gaps that overlap are a fault of the sender; there were no more records than numbers.
        dropped
            .fold(0, u64::saturating_add)
            .min(to.saturating_sub(from))
    }

    /// How many records the spool holds after number `to`: what still has to come home.
    #[must_use]
    pub const fn waiting_after(&self, to: u64) -> u64 {
        self.spool.next.saturating_sub(to).saturating_sub(1)
    }
}

/// Whether a text can be the word of a section, also of one that a later version knows.
fn is_word(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(letter)
}

impl Record {
    /// The section, when this build knows it.
    #[must_use]
    pub fn known_section(&self) -> Option<Section> {
        Section::from_word(&self.section)
    }

    /// How long the reading took.
    #[must_use]
    pub fn took(&self) -> Duration {
        span_of_millis(i64::try_from(self.took_ms).unwrap_or(i64::MAX))
    }

    /// When the reading began, by the server's clock: what it is sure to cover.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        self.collected_at - Duration::from_millis(u64::try_from(millis(self.took())).unwrap_or(0))
    }
}

#[cfg(test)]
mod batch_tests;
