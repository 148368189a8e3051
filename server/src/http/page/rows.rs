//! The rows of the status page, in words.

use syncwatch_domain::alert::{Alert, Severity};
use syncwatch_domain::cadence::IntervalBasis;
use syncwatch_domain::lane::{LaneKind, LaneStatus};
use syncwatch_domain::time::Timestamp;

use crate::http::shape::{DeadLetter, Lane, Source, SourceHealth};
use crate::words::{distance, span, waits};

/// Something that fires.
pub(super) struct AlertRow {
    pub(super) id: String,
    pub(super) class: &'static str,
    pub(super) severity: &'static str,
    pub(super) title: String,
    pub(super) tenant: String,
    pub(super) summary: String,
    pub(super) mend: String,
    pub(super) since: Moment,
    pub(super) caused: bool,
    /// Why it was not told yet; empty for most.
    pub(super) waits: String,
}

/// A lane.
pub(super) struct LaneRow {
    pub(super) class: &'static str,
    pub(super) status: &'static str,
    pub(super) tenant: String,
    pub(super) engine: &'static str,
    pub(super) kind: &'static str,
    pub(super) partition: String,
    pub(super) last_success: Moment,
    pub(super) deadline: Moment,
    pub(super) interval: String,
    pub(super) read: Moment,
    pub(super) missed: i64,
    pub(super) remark: String,
}

/// A source.
pub(super) struct SourceRow {
    pub(super) class: &'static str,
    pub(super) health: &'static str,
    pub(super) name: String,
    pub(super) read: Moment,
    pub(super) error: String,
}

/// A message that was given up.
pub(super) struct DeadRow {
    pub(super) receiver: String,
    pub(super) summary: String,
    pub(super) at: Moment,
    pub(super) error: String,
}

/// An instant as a person reads it, with the exact one behind it.
pub(super) struct Moment {
    pub(super) text: String,
    pub(super) exact: String,
}

impl Moment {
    pub(super) fn of(at: Option<Timestamp>, now: Timestamp, never: &str) -> Self {
        match at {
            Some(at) => Self {
                text: distance(at, now),
                exact: at.to_string(),
            },
            None => Self {
                text: never.to_owned(),
                exact: String::new(),
            },
        }
    }
}

/// The status of a lane in words.
pub(super) const fn word_of(status: LaneStatus) -> &'static str {
    match status {
        LaneStatus::OnTime => "on time",
        other => other.as_str(),
    }
}

impl AlertRow {
    pub(super) fn of(alert: &Alert, now: Timestamp) -> Self {
        Self {
            id: alert.id.to_string(),
            class: match alert.severity {
                Severity::Critical => "missed",
                Severity::Warning => "late",
                Severity::Info => "unknown",
            },
            severity: alert.severity.as_str(),
            title: alert.subject.title.clone(),
            tenant: alert.subject.tenant.clone(),
            summary: alert.summary.clone(),
            mend: alert.mend.clone(),
            since: Moment::of(Some(alert.occurred_at), now, ""),
            caused: alert.cause.is_some(),
            waits: alert
                .speaks_at
                .map_or_else(String::new, |at| waits(at, now)),
        }
    }
}

impl LaneRow {
    pub(super) fn of(lane: Lane, now: Timestamp) -> Self {
        let basis = lane
            .interval_basis
            .map_or("documented", IntervalBasis::as_str);
        let remark = lane.idle_reason.or_else(|| {
            lane.source_failing_since
                .map(|since| format!("source not readable for {}", span(now.since(since))))
        });
        Self {
            class: lane.status.as_str(),
            status: word_of(lane.status),
            tenant: lane.tenant,
            engine: lane.engine.as_str(),
            kind: match lane.kind {
                LaneKind::Objects => "objects",
                LaneKind::PasswordHash => "password hashes",
            },
            partition: lane.partition,
            last_success: Moment::of(lane.last_success_at, now, "never seen"),
            deadline: Moment::of(lane.deadline_at, now, "-"),
            interval: format!("{} {basis}", lane.interval),
            read: Moment::of(lane.read_at, now, "never"),
            missed: lane.missed_windows,
            remark: remark.unwrap_or_default(),
        }
    }
}

impl SourceRow {
    pub(super) fn of(source: &Source, now: Timestamp) -> Self {
        let (class, health) = match source.health {
            SourceHealth::Up => ("on_time", "up"),
            SourceHealth::Failing => ("blind", "failing"),
            SourceHealth::Off => ("paused", "off"),
            SourceHealth::Waiting => ("unknown", "waiting"),
        };
        let instance = if source.instance.is_empty() {
            String::new()
        } else {
            format!(" {}", source.instance)
        };
        Self {
            class,
            health,
            name: format!(
                "{} {}{instance}",
                source.tenant,
                source.poll.as_str().replace('_', " ")
            ),
            read: Moment::of(source.read_at, now, "never"),
            error: source.error.clone().unwrap_or_default(),
        }
    }
}

impl DeadRow {
    pub(super) fn of(dead: DeadLetter, now: Timestamp) -> Self {
        Self {
            receiver: dead.receiver,
            summary: dead.summary,
            at: Moment::of(dead.finished_at, now, "-"),
            error: dead.error.unwrap_or_default(),
        }
    }
}
