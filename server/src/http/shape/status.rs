//! Everything at a glance, and what it is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use syncwatch_domain::alert::Alert;
use syncwatch_domain::delivery::Delivery;
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::source::{Poll, ReadFailure, SourceState};
use syncwatch_domain::time::Timestamp;

use super::AgentHealth;

/// `GET /-/ready`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// The service does its work.
    pub ready: bool,
    /// Why not, one sentence each.
    pub reasons: Vec<String>,
}

/// `GET /api/v1/status`: everything at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// When this was said.
    pub now: Timestamp,
    /// Version of the service.
    pub version: String,
    /// Whether the service does its work.
    pub readiness: Readiness,
    /// Lanes per status; statuses without lanes are zero.
    pub lanes: BTreeMap<LaneStatus, usize>,
    /// What is firing, newest first.
    pub alerts: Vec<Alert>,
    /// What is polled.
    pub sources: Vec<Source>,
    /// Agents on sync servers per state; states without agents are zero.
    #[serde(default)]
    pub agents: BTreeMap<AgentHealth, usize>,
    /// Messages that were given up, newest first.
    pub dead_letters: Vec<DeadLetter>,
    /// Messages not finished.
    pub outbox_depth: i64,
    /// The oldest of them.
    pub outbox_oldest_at: Option<Timestamp>,
}

/// How a source is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceHealth {
    /// The newest read succeeded.
    Up,
    /// It cannot be read at present.
    Failing,
    /// A right, a licence or the feature is missing: the poll is off, the rest works.
    Off,
    /// Not tried yet.
    Waiting,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Tenant.
    pub tenant: String,
    /// What is asked.
    pub poll: Poll,
    /// Which one, where there are several.
    pub instance: String,
    /// How it is doing.
    pub health: SourceHealth,
    /// Start of the newest read that succeeded.
    pub read_at: Option<Timestamp>,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// Why the newest attempt failed.
    pub failure: Option<ReadFailure>,
    /// The same for people.
    pub error: Option<String>,
    /// Length of the newest attempt in milliseconds.
    pub took_ms: Option<i64>,
}

impl From<SourceState> for Source {
    fn from(state: SourceState) -> Self {
        let health = match (state.attempted_at, state.failing_since, state.failure) {
            (None, ..) => SourceHealth::Waiting,
            (_, Some(_), Some(failure)) if !failure.is_outage() => SourceHealth::Off,
            (_, Some(_), _) => SourceHealth::Failing,
            _ => SourceHealth::Up,
        };
        Self {
            tenant: state.key.tenant,
            poll: state.key.poll,
            instance: state.key.instance,
            health,
            read_at: state.read_at,
            failing_since: state.failing_since,
            failure: state.failure,
            error: state.failure_text,
            took_ms: state.took_ms,
        }
    }
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Who was not told.
    pub receiver: String,
    /// What it would have been told.
    pub summary: String,
    /// When it was given up.
    pub finished_at: Option<Timestamp>,
    /// Attempts made.
    pub attempts: i64,
    /// Why the last one failed.
    pub error: Option<String>,
}

impl From<Delivery> for DeadLetter {
    fn from(delivery: Delivery) -> Self {
        Self {
            receiver: delivery.receiver,
            summary: delivery.notification.alert.summary,
            finished_at: delivery.finished_at,
            attempts: delivery.attempts,
            error: delivery.last_error,
        }
    }
}
