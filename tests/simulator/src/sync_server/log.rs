//! Event logs: who wrote what, numbered, the oldest overwritten.

use serde_json::{Value, json};

use super::at::At;
use super::forms::Forms;
use super::model::SyncServer;
use super::trouble::Trouble;

/// Provider of the scheduler, of password hash sync and of the connector to Entra ID.
pub(super) const DIRECTORY_SYNC: &str = "Directory Synchronization";
/// Provider of the engine.
pub(super) const ENGINE: &str = "ADSync";
/// Provider of the audit of administrators' actions.
pub(super) const ADMIN: &str = "Entra Connect Admin Actions";
/// Provider of starts and stops of services.
pub(super) const SERVICE_CONTROL: &str = "Service Control Manager";
pub(super) const APPLICATION: &str = "Application";
pub(super) const SYSTEM: &str = "System";

pub(super) const ERROR: u8 = 2;
pub(super) const WARNING: u8 = 3;
pub(super) const INFORMATION: u8 = 4;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) provider: &'static str,
    pub(super) id: u32,
    pub(super) level: u8,
    pub(super) message: String,
    /// Its data where that is not the whole text.
    pub(super) data: Vec<String>,
}

impl Event {
    pub(super) fn new(
        at: i64,
        provider: &'static str,
        id: u32,
        level: u8,
        message: impl Into<String>,
    ) -> Self {
        Self {
            at,
            provider,
            id,
            level,
            message: message.into(),
            data: Vec::new(),
        }
    }

    /// Log that its provider writes to.
    pub(super) fn log(&self) -> &'static str {
        if self.provider == SERVICE_CONTROL {
            SYSTEM
        } else {
            APPLICATION
        }
    }
}

/// An event with its number in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) record: u64,
    pub(super) event: Event,
}

/// What is left of a log, the oldest first.
pub(super) fn records(at: &At<'_>, log: &str, mut events: Vec<Event>) -> Vec<Numbered> {
    events.retain(|event| event.log() == log);
    events.sort_by_key(|event| event.at);
    let cleared = at.troubles().filter_map(|(from, _, one)| match one {
        Trouble::LogCleared { log: name } => (name == log).then_some(from),
        _ => None,
    });
    let cleared = cleared.max();
    let kept = events
        .iter()
        .position(|event| cleared.is_none_or(|cleared| event.at >= cleared))
        .unwrap_or(events.len());
    let mut record = match cleared {
        Some(_) => 0,
        None => at.server.log.first_record,
    };
    let numbered = events.drain(kept..).map(|event| {
        // Others write to the log as well.
        record += 1 + at.chance_at("log", event.at).below(3);
        Numbered { record, event }
    });
    let mut all: Vec<_> = numbered.collect();
    let excess = all.len().saturating_sub(at.server.log.keeps);
    all.drain(..excess);
    all
}

/// An event as a row.
pub(super) fn row(server: &SyncServer, forms: Forms, record: &Numbered) -> Value {
    let event = &record.event;
    let texts = if event.data.is_empty() {
        vec![event.message.clone()]
    } else {
        event.data.clone()
    };
    let mut row = json!({
        "LogName": event.log(),
        "ProviderName": event.provider,
        "Id": event.id,
        "Level": event.level,
        "RecordId": record.record,
        "TimeCreated": forms.marked(event.at),
        "Message": event.message,
        "Properties": texts,
    });
    if forms.raw {
        row["MachineName"] = server.host.clone().into();
        row["LevelDisplayName"] = "Informationen".into();
    }
    row
}
