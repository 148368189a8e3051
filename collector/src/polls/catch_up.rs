//! What happened while a source could not be seen: when it matters, what the logs can prove, and
//! when they are final; pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use syncwatch_domain::cycle::Cycle;
use syncwatch_domain::source::SourceState;
use syncwatch_domain::time::Timestamp;

/// The logs are read back no further than this before a time without sight.
const LOOKBACK_MOST: Duration = Duration::from_secs(24 * 3600);
/// Log rows this close to an execution that the status named belong to it, at most.
const SAME_RUN: Duration = Duration::from_secs(10);
/// A run whose last row is older than this was not under way any more: the service gives an agent
/// ten minutes for a request (Cloud Sync interval survey).
const RUN_MOST: Duration = Duration::from_secs(600);

/// A time in which a source was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gap {
    /// The last read before, as milliseconds.
    from_ms: i64,
    /// The first read after, as milliseconds.
    to_ms: i64,
}

impl Gap {
    pub(crate) fn new(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from_ms: from.as_millis(),
            to_ms: to.as_millis(),
        }
    }

    pub(crate) const fn from(&self) -> Timestamp {
        Timestamp::from_millis(self.from_ms)
    }

    pub(crate) const fn to(&self) -> Timestamp {
        Timestamp::from_millis(self.to_ms)
    }

    /// The span that holds both.
    fn with(self, other: Self) -> Self {
        Self {
            from_ms: self.from_ms.min(other.from_ms),
            to_ms: self.to_ms.max(other.to_ms),
        }
    }
}

/// What a jobs source keeps in the store between reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobsResume {
    /// A time without sight whose logs are not final yet.
    #[serde(default)]
    pub(crate) unsettled: Option<Gap>,
}

impl JobsResume {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// What is kept after a read: the open gap grows by a new one, and ends once it is settled.
    /// `None` when nothing changed.
    pub(crate) fn after(self, regained: Option<Gap>, settled: bool) -> Option<String> {
        let kept = self.unsettled.filter(|_| !settled);
        let unsettled = match (kept, regained) {
            (Some(kept), Some(new)) => Some(kept.with(new)),
            (kept, new) => kept.or(new),
        };
        let after = Self { unsettled };
        (after != self).then(|| serde_json::to_string(&after).expect("numbers are always JSON"))
    }
}

/// The time without sight that a read begun at `started_at` ends, if there was one: the source
/// failed, or the process was away for longer than its schedule explains.
pub(crate) fn regained(
    state: &SourceState,
    next_due: Option<Timestamp>,
    started_at: Timestamp,
) -> Option<Gap> {
    let read_at = state.read_at?;
    let period = next_due.map_or(Duration::ZERO, |due| due.since(read_at));
    let patience = period * 2 + Duration::from_secs(60);
    let lost = state.failing_since.is_some() || started_at.since(read_at) > patience;
    lost.then(|| Gap::new(read_at, started_at))
}

/// How far before a gap the logs are wanted: two windows of the slowest lane, to see whether the
/// log of a lane speaks in every window at all.
pub(crate) fn lookback(windows: impl Iterator<Item = Duration>) -> Duration {
    windows
        .max()
        .unwrap_or_default()
        .saturating_mul(2)
        .min(LOOKBACK_MOST)
}

/// Whether silence of a lane's log proves a missed window.
///
/// A log names objects that changed, so a quiet domain is silent although its cycles run. It
/// proves something only if the log was never silent for a whole window in the two windows
/// before the gap.
pub(crate) fn is_talkative(cycles: &[Cycle], gap: &Gap, window: Duration) -> bool {
    let begin = gap.from() - window.saturating_mul(2);
    let before: Vec<Timestamp> = cycles
        .iter()
        .map(|cycle| cycle.ended_at)
        .filter(|at| *at >= begin && *at <= gap.from())
        .collect();
    let (Some(first), Some(last)) = (before.first(), before.last()) else {
        return false;
    };
    first.since(begin) <= window
        && gap.from().since(*last) <= window
        && before
            .windows(2)
            .all(|pair| pair[1].since(pair[0]) <= window)
}

/// The cycles that only the logs tell of: those inside the gap, and the one that was under way
/// when sight was lost, that no execution of the status is.
///
/// A cycle under way has rows from before the gap, but no status named its end: the log alone
/// knows of it. `told` are the executions that statuses named, before the gap and after.
/// The rows of an execution lie a little beside its times, but never a quarter of an interval:
/// otherwise neighbouring cycles of a fast lane would be taken for one.
pub(crate) fn only_in_logs(
    logged: &[Cycle],
    gap: &Gap,
    told: &[&Cycle],
    interval: Duration,
) -> Vec<Cycle> {
    let beside = SAME_RUN.min(interval / 4);
    let is_told = |cycle: &Cycle| {
        told.iter().any(|status| {
            let began_at = status.began_at.unwrap_or(status.ended_at);
            cycle.ended_at >= began_at - beside && cycle.ended_at <= status.ended_at + beside
        })
    };
    let under_way = logged
        .iter()
        .filter(|cycle| cycle.ended_at <= gap.from() && cycle.ended_at > gap.from() - RUN_MOST)
        .max_by_key(|cycle| cycle.ended_at);
    let inside = logged
        .iter()
        .filter(|cycle| cycle.ended_at > gap.from() && cycle.ended_at <= gap.to());
    under_way
        .into_iter()
        .chain(inside)
        .filter(|cycle| !is_told(cycle))
        .cloned()
        .collect()
}

#[cfg(test)]
#[path = "catch_up_tests.rs"]
mod tests;
