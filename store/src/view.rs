//! What comes out for people and metrics, and what goes for good.

use std::time::Duration;

use syncwatch_domain::alert::{AlertState, Rule, Severity};
use syncwatch_domain::cadence::{Intervals, Timing};
use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_domain::source::SourceKey;
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::LaneFacts;

use crate::model::LaneId;

/// How many alerts there are of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTotal {
    /// Tenant.
    pub tenant: String,
    /// Rule.
    pub rule: Rule,
    /// Severity.
    pub severity: Severity,
    /// State.
    pub state: AlertState,
    /// How many are kept.
    pub count: i64,
}

/// Which lanes to list; an absent field matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneFilter {
    /// Tenant.
    pub tenant: Option<String>,
    /// Engine.
    pub engine: Option<Engine>,
    /// Kind.
    pub kind: Option<LaneKind>,
    /// Status.
    pub status: Option<LaneStatus>,
}

/// A lane as shown to people and metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneView {
    /// Number of its row.
    pub id: LaneId,
    /// Which lane.
    pub key: LaneKey,
    /// The Cloud Sync job behind it.
    pub job_id: Option<String>,
    /// Its source.
    pub source_key: SourceKey,
    /// Status on record.
    pub status: LaneStatus,
    /// Since when, in event time.
    pub status_at: Option<Timestamp>,
    /// Facts behind it.
    pub facts: LaneFacts,
    /// Its three intervals.
    pub intervals: Intervals,
    /// Its timing.
    pub timing: Timing,
    /// Why it is paused or masked.
    pub idle_reason: Option<String>,
    /// Missed windows since it is known.
    pub missed_windows: i64,
}

/// Cycles of a lane since it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleTotal {
    /// Which lane.
    pub key: LaneKey,
    /// Outcome.
    pub outcome: CycleOutcome,
    /// How many.
    pub count: i64,
    /// How many of them had a known length.
    pub timed: i64,
    /// Sum of the known lengths.
    pub duration_ms: i64,
}

/// Log rows of a job since it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTotal {
    /// Tenant.
    pub tenant: String,
    /// Job.
    pub job_id: String,
    /// What was tried.
    pub action: ProvisioningAction,
    /// How it went.
    pub status: ProvisioningStatus,
    /// Group of the error; `None` without one.
    pub error_group: Option<ErrorGroup>,
    /// How many.
    pub count: i64,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only firing ones.
    pub firing_only: bool,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// At most this many, newest first; 0 for the default of 500.
    pub limit: u32,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Log rows and records of agents.
    pub observations: Duration,
    /// Cycles and transitions.
    pub cycles: Duration,
    /// Resolved alerts with their deliveries and attempts, and ledger entries.
    pub alerts: Duration,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Log rows and records of agents.
    pub observations: u64,
    /// Cycles and transitions.
    pub cycles: u64,
    /// Alerts, deliveries, attempts and ledger entries.
    pub alerts: u64,
    /// There is more to remove; call again.
    pub more: bool,
}
