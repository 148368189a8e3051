//! What the API says, as JSON. The commands read the same shapes back.

mod agents;
mod owners;
mod status;

use serde::{Deserialize, Serialize};
use syncwatch_domain::alert::Alert;
use syncwatch_domain::cadence::IntervalBasis;
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::ledger::{LedgerProof, MissedWindows};
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::LaneView;

pub use self::agents::{Agent, AgentHealth, AgentSection, Agents, Read, Server, Spool, Way};
pub use self::owners::{Change, Count, Owners};
pub use self::status::{DeadLetter, Readiness, Source, SourceHealth, Status};

/// `GET /api/v1/lanes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lanes {
    /// When this was said.
    pub now: Timestamp,
    /// The lanes, by key.
    pub lanes: Vec<Lane>,
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Tenant.
    pub tenant: String,
    /// Engine.
    pub engine: Engine,
    /// Kind.
    pub kind: LaneKind,
    /// AD domain, job or connector.
    pub partition: String,
    /// Status on record.
    pub status: LaneStatus,
    /// Since when, in event time.
    pub status_since: Option<Timestamp>,
    /// The newest success.
    pub last_success_at: Option<Timestamp>,
    /// Late from here.
    pub late_at: Option<Timestamp>,
    /// The window closes here.
    pub deadline_at: Option<Timestamp>,
    /// The interval that counts.
    pub interval: Span,
    /// Where it comes from; absent when it is the documented one of the engine.
    pub interval_basis: Option<IntervalBasis>,
    /// Interval set by the operator.
    pub configured_interval: Option<Span>,
    /// Interval the source promises.
    pub promised_interval: Option<Span>,
    /// Interval learned from recent cycles.
    pub learned_interval: Option<Span>,
    /// Tolerance before the lane is late.
    pub late_after: Span,
    /// What the window adds to the interval.
    pub grace: Span,
    /// Missed windows since the lane is known.
    pub missed_windows: i64,
    /// Cloud Sync job behind the lane.
    pub job_id: Option<String>,
    /// The source it is read from, as `tenant/poll/instance`.
    pub source: String,
    /// Start of the newest read that succeeded.
    pub read_at: Option<Timestamp>,
    /// Since when the source cannot be read.
    pub source_failing_since: Option<Timestamp>,
    /// Why nothing is expected of the lane, or why it cannot be told apart.
    pub idle_reason: Option<String>,
}

impl From<LaneView> for Lane {
    fn from(view: LaneView) -> Self {
        let (interval, interval_basis) = view.intervals.effective(view.key.engine, view.key.kind);
        let LaneKey {
            tenant,
            engine,
            kind,
            partition,
        } = view.key;
        Self {
            tenant,
            engine,
            kind,
            partition,
            status: view.status,
            status_since: view.status_at,
            last_success_at: view.facts.last_success_at,
            late_at: view.facts.late_at,
            deadline_at: view.facts.deadline_at,
            interval: Span(interval),
            interval_basis,
            configured_interval: view.intervals.configured.map(Span),
            promised_interval: view.intervals.promised.map(Span),
            learned_interval: view.intervals.learned.map(Span),
            late_after: Span(view.timing.late_after),
            grace: Span(view.timing.grace()),
            missed_windows: view.missed_windows,
            job_id: view.job_id,
            source: view.source_key.to_string(),
            read_at: view.facts.read_at,
            source_failing_since: view.facts.failing_since,
            idle_reason: view.idle_reason,
        }
    }
}

/// `GET /api/v1/windows`: the ledger of missed windows, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    /// When this was said.
    pub now: Timestamp,
    /// Gaps in which windows were missed.
    pub missed: Vec<Missed>,
}

/// A gap in which windows of a lane were missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    /// Tenant.
    pub tenant: String,
    /// Engine.
    pub engine: Engine,
    /// Kind.
    pub kind: LaneKind,
    /// AD domain, job or connector.
    pub partition: String,
    /// The last success before the gap.
    pub from_at: Timestamp,
    /// The deadline that passed first.
    pub deadline_at: Timestamp,
    /// The success that ended the gap; absent while it is open.
    pub caught_up_at: Option<Timestamp>,
    /// How many expected cycles fell into it.
    pub windows: i64,
    /// How it is known.
    pub proof: LedgerProof,
}

impl From<(LaneKey, MissedWindows)> for Missed {
    fn from((key, entry): (LaneKey, MissedWindows)) -> Self {
        let LaneKey {
            tenant,
            engine,
            kind,
            partition,
        } = key;
        let MissedWindows {
            from_at,
            deadline_at,
            caught_up_at,
            windows,
            proof,
        } = entry;
        Self {
            tenant,
            engine,
            kind,
            partition,
            from_at,
            deadline_at,
            caught_up_at,
            windows,
            proof,
        }
    }
}

/// `GET /api/v1/alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    /// When this was said.
    pub now: Timestamp,
    /// The alerts, newest first.
    pub alerts: Vec<Alert>,
}

/// Any answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong, as a sentence.
    pub error: String,
}
