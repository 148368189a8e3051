//! How often a lane is expected to succeed, and how much tolerance it gets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lane::{Engine, LaneKind, words};
use crate::span::Span;
use crate::time::{Timestamp, millis, span_of_millis};

words! {
    /// Where an interval comes from.
    IntervalBasis {
        /// Set by the operator; wins over all.
        Configured = "configured",
        /// Said by the source: the job's schedule, the scheduler.
        Promised = "promised",
        /// Observed: the median distance of recent cycles.
        Learned = "learned",
    }
}

/// The three intervals of a lane, each kept and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervals {
    /// From the config.
    pub configured: Option<Duration>,
    /// From the source.
    pub promised: Option<Duration>,
    /// From observed cycles.
    pub learned: Option<Duration>,
}

impl Intervals {
    /// The interval that sets `missed`: configured, else promised, else what the engine is
    /// documented to do. The learned one never does: schedules promise less than what happens,
    /// and a fast habit is not a promise.
    #[must_use]
    pub fn effective(&self, engine: Engine, kind: LaneKind) -> (Duration, Option<IntervalBasis>) {
        if let Some(interval) = self.configured {
            return (interval, Some(IntervalBasis::Configured));
        }
        if let Some(interval) = self.promised {
            return (interval, Some(IntervalBasis::Promised));
        }
        (documented_interval(engine, kind), None)
    }
}

/// The interval an engine is documented to keep when its source does not say.
///
/// Connect: 30 min for objects and 2 min for password hashes (Connect Sync scheduler
/// documentation). Cloud Sync: job schedules show 20 min for both (published job records).
#[must_use]
pub const fn documented_interval(engine: Engine, kind: LaneKind) -> Duration {
    match (engine, kind) {
        (Engine::Connect, LaneKind::Objects) => Duration::from_secs(30 * 60),
        (Engine::Connect, LaneKind::PasswordHash) => Duration::from_secs(2 * 60),
        (Engine::Cloud, _) => Duration::from_secs(20 * 60),
    }
}

/// How tolerance grows from an interval: `factor` intervals, at least `floor`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// Multiples of the interval.
    pub factor: f64,
    /// Added to the product.
    pub plus: Span,
    /// Never less than this.
    pub floor: Span,
}

impl Tolerance {
    /// The tolerance for `interval`.
    #[must_use]
    pub fn of(&self, interval: Duration) -> Duration {
        let product = Duration::try_from_secs_f64(interval.as_secs_f64() * self.factor)
            .unwrap_or(Duration::MAX);
        product.saturating_add(self.plus.0).max(self.floor.0)
    }
}

/// When a lane turns late and when its window closes, counted from its last success.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// The lane is `late` from here (a warning).
    pub late: Tolerance,
    /// The window closes here (critical). Interval plus grace in one figure.
    pub missed: Tolerance,
}

impl Levels {
    /// The levels a lane gets unless the config says otherwise.
    ///
    /// | lane | late | missed | source |
    /// | --- | --- | --- | --- |
    /// | connect objects | 2 intervals + 10 min | 4 intervals, at least 2 h | lateness rule of the Connect scheduler |
    /// | connect password_hash | 30 min | 2 h | Connect Health alerts at 120 min |
    /// | cloud objects | 3 intervals, at least 45 min | 6 intervals, at least 2 h | Cloud Sync interval survey: never alarm below 45 min |
    /// | cloud password_hash | 30 min | 1 h | Cloud Sync interval survey |
    ///
    /// Password-hash levels follow longer schedules by the same multiples as objects.
    #[must_use]
    pub const fn documented(engine: Engine, kind: LaneKind) -> Self {
        let (late, missed) = match (engine, kind) {
            (Engine::Connect, LaneKind::Objects) => ((2.0, 10, 0), (4.0, 0, 120)),
            (Engine::Connect, LaneKind::PasswordHash) => ((1.0, 0, 30), (1.0, 0, 120)),
            (Engine::Cloud, LaneKind::Objects) => ((3.0, 0, 45), (6.0, 0, 120)),
            (Engine::Cloud, LaneKind::PasswordHash) => ((1.5, 0, 30), (3.0, 0, 60)),
        };
        Self {
            late: Tolerance {
                factor: late.0,
                plus: Span::minutes(late.1),
                floor: Span::minutes(late.2),
            },
            missed: Tolerance {
                factor: missed.0,
                plus: Span::minutes(missed.1),
                floor: Span::minutes(missed.2),
            },
        }
    }
}

/// The lengths of a lane's window, all counted from its last success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// The expected distance of two successes.
    pub interval: Duration,
    /// The lane is late after this.
    pub late_after: Duration,
    /// The window closes after this: interval plus grace.
    pub missed_after: Duration,
}

impl Timing {
    /// Works out a lane's timing from its intervals and levels.
    ///
    /// A learned cadence that is faster than the effective interval brings `late` forward,
    /// down to the floor of the level; it never touches `missed`.
    #[must_use]
    pub fn of(intervals: &Intervals, levels: &Levels, engine: Engine, kind: LaneKind) -> Self {
        let (interval, basis) = intervals.effective(engine, kind);
        let missed_after = levels.missed.of(interval).max(interval);
        let mut late_after = levels.late.of(interval);
        if basis != Some(IntervalBasis::Configured)
            && let Some(learned) = intervals.learned
        {
            late_after = late_after.min(levels.late.of(learned));
        }
        Self {
            interval,
            late_after: late_after.min(missed_after),
            missed_after,
        }
    }

    /// The grace: what the window adds to the interval.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.missed_after.saturating_sub(self.interval)
    }
}

/// How many distances a learned cadence is made of.
const LEARNED_FROM: usize = 16;
/// Fewer distances than this teach nothing.
const LEARNED_AT_LEAST: usize = 6;

/// Learns a lane's cadence from its successes: the median of the last distances.
///
/// The median, because one outage or one burst of catch-up cycles must not move it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CadenceLearner {
    distances_ms: Vec<i64>,
}

impl CadenceLearner {
    /// Takes in the distance between two neighbouring successes.
    pub fn observe(&mut self, earlier: Timestamp, later: Timestamp) {
        let distance = millis(later.since(earlier));
        if distance == 0 {
            return;
        }
        if self.distances_ms.len() == LEARNED_FROM {
            self.distances_ms.remove(0);
        }
        self.distances_ms.push(distance);
    }

    /// The learned interval, `None` until enough distances were seen.
    #[must_use]
    pub fn learned(&self) -> Option<Duration> {
        if self.distances_ms.len() < LEARNED_AT_LEAST {
            return None;
        }
        let mut sorted = self.distances_ms.clone();
        sorted.sort_unstable();
        Some(span_of_millis(sorted[sorted.len() / 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn timing(intervals: Intervals, engine: Engine, kind: LaneKind) -> Timing {
        Timing::of(&intervals, &Levels::documented(engine, kind), engine, kind)
    }

    #[test]
    fn documented_levels_hold_at_documented_intervals() {
        for (engine, kind, late, missed) in [
            (Engine::Connect, LaneKind::Objects, 70, 120),
            (Engine::Connect, LaneKind::PasswordHash, 30, 120),
            (Engine::Cloud, LaneKind::Objects, 60, 120),
            (Engine::Cloud, LaneKind::PasswordHash, 30, 60),
        ] {
            let timing = timing(Intervals::default(), engine, kind);
            assert_eq!(timing.late_after, late * MINUTE, "{engine} {kind}");
            assert_eq!(timing.missed_after, missed * MINUTE, "{engine} {kind}");
        }
    }

    #[test]
    fn a_learned_faster_cadence_brings_late_forward_but_never_missed() {
        let promised = Intervals {
            promised: Some(40 * MINUTE),
            ..Intervals::default()
        };
        let learned = Intervals {
            learned: Some(2 * MINUTE),
            ..promised
        };
        let slow = timing(promised, Engine::Cloud, LaneKind::Objects);
        let fast = timing(learned, Engine::Cloud, LaneKind::Objects);
        assert_eq!(slow.late_after, 120 * MINUTE);
        assert_eq!(fast.late_after, 45 * MINUTE, "never below the floor");
        assert_eq!(fast.missed_after, slow.missed_after);
    }

    #[test]
    fn a_learned_slower_cadence_changes_nothing() {
        let promised = Intervals {
            promised: Some(20 * MINUTE),
            ..Intervals::default()
        };
        let learned = Intervals {
            learned: Some(90 * MINUTE),
            ..promised
        };
        assert_eq!(
            timing(promised, Engine::Cloud, LaneKind::Objects),
            timing(learned, Engine::Cloud, LaneKind::Objects)
        );
    }

    #[test]
    fn the_configured_interval_wins_over_promise_and_habit() {
        let intervals = Intervals {
            configured: Some(60 * MINUTE),
            promised: Some(20 * MINUTE),
            learned: Some(2 * MINUTE),
        };
        let timing = timing(intervals, Engine::Cloud, LaneKind::Objects);
        assert_eq!(timing.interval, 60 * MINUTE);
        assert_eq!(timing.late_after, 180 * MINUTE);
        assert_eq!(timing.missed_after, 360 * MINUTE);
    }

    #[test]
    fn one_outage_does_not_move_the_learned_cadence() {
        let mut learner = CadenceLearner::default();
        let mut at = Timestamp::from_millis(0);
        for minutes in [2, 2, 2, 2, 90, 2, 2, 2] {
            let next = at + minutes * MINUTE;
            learner.observe(at, next);
            at = next;
        }
        assert_eq!(learner.learned(), Some(2 * MINUTE));
    }

    #[test]
    fn few_cycles_teach_nothing() {
        let mut learner = CadenceLearner::default();
        let start = Timestamp::from_millis(0);
        for _ in 0..LEARNED_AT_LEAST - 1 {
            learner.observe(start, start + MINUTE);
        }
        assert_eq!(learner.learned(), None);
        learner.observe(start, start);
        assert_eq!(learner.learned(), None, "a repeated success is no distance");
    }
}
