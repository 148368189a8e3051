//! The seam between the agent and the server it stands on: what can be asked, and what comes back.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncwatch_domain::report::{Outcome, Section, SectionFailure};
use syncwatch_domain::time::Timestamp;

/// What a reading comes as: [`Host`] is used as a trait object.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Reading> + Send + 'a>>;

/// What a server can be asked.
///
/// One section is asked for at a time. A host never fails as such: whatever goes wrong is a
/// [`Reading`] that says so, within [`Asked::timeout`]. The future may be dropped at any point;
/// the host must be of use afterwards, if need be with a fresh interpreter.
pub trait Host: Send {
    /// Reads a section.
    fn read<'a>(&'a mut self, section: Section, asked: &'a Asked) -> Answering<'a>;
}

/// What is asked for along with a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The reading must be over within this time.
    pub timeout: Duration,
    /// For [`Section::Containers`] alone: distinguished names to look up in the directory. They
    /// came over the network: data, never part of a script's text.
    pub containers: Vec<Wanted>,
    /// For [`Section::Events`] alone: how far each log was read. A log without a bookmark is read
    /// from as far back as the host sees fit.
    pub bookmarks: Bookmarks,
    /// For [`Section::Events`] alone: no reading brings more events than this. The oldest come
    /// first, and [`Reading::more`] says that some were left.
    pub most_events: usize,
    /// Names of users may leave the server. What is read is cleaned afterwards in any case; a host
    /// need not fetch what would be thrown away.
    pub user_names: bool,
}

/// A name to look up in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Distinguished name.
    pub name: String,
    /// `objectGUID` of what was last found under it: by that it is found again when it was renamed.
    pub known_id: Option<String>,
}

/// How far the event logs were read, by the name of the log (`Application`, `System`, and the
/// channels of the agents).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bookmarks(pub BTreeMap<String, Bookmark>);

/// The last event of a log that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Its `RecordId`. When the oldest event of the log has a larger one than the next, events
    /// between them are lost, which the host reports among its data.
    pub record_id: u64,
    /// Its `TimeCreated`, by the server's clock: a log that was cleared may count anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a host says about a section.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// How the reading ended.
    pub outcome: Outcome,
    /// Why the section was not read; given exactly when the outcome is [`Outcome::Failed`].
    pub failure: Option<SectionFailure>,
    /// The same for people. Long texts are cut, and names of users hidden, before they leave.
    pub failure_text: Option<String>,
    /// What was read; empty unless the outcome is [`Outcome::Read`].
    pub data: Vec<Value>,
    /// Offset of the server's local time from UTC at that instant, in minutes.
    pub utc_offset_minutes: Option<i32>,
    /// Version of the interpreter, e.g. `5.1.20348.2849`.
    pub interpreter_version: Option<String>,
    /// Version of the module `ADSync`, where it is there.
    pub module_version: Option<String>,
    /// For [`Section::Events`]: where every log asked about was left; saved together with the
    /// record that holds the events. `None` leaves the bookmarks as they were.
    pub bookmarks: Option<Bookmarks>,
    /// For [`Section::Events`]: there is more to read at once.
    pub more: bool,
}

impl Reading {
    /// A section that was read.
    #[must_use]
    pub const fn of(data: Vec<Value>) -> Self {
        Self {
            outcome: Outcome::Read,
            failure: None,
            failure_text: None,
            data,
            utc_offset_minutes: None,
            interpreter_version: None,
            module_version: None,
            bookmarks: None,
            more: false,
        }
    }

    /// A section that was not read.
    #[must_use]
    pub fn failed(failure: SectionFailure, text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed,
            failure: Some(failure),
            failure_text: Some(text.into()),
            ..Self::of(Vec::new())
        }
    }

    /// There is nothing of the kind on this server.
    #[must_use]
    pub fn absent() -> Self {
        Self {
            outcome: Outcome::Absent,
            ..Self::of(Vec::new())
        }
    }
}
