//! The deadline engine: pure judgement of a lane at an instant.
//!
//! `judge` looks at facts only, never at the previous status, so judging in steps equals judging
//! at once and judging again changes nothing.

use std::time::Duration;

use crate::cadence::Timing;
use crate::lane::LaneStatus;
use crate::time::Timestamp;

/// How long a due lane may wait for the read that proves or refutes the miss before it is
/// called blind, when its source neither answers nor fails. Longer than any request timeout.
pub const READ_PATIENCE: Duration = Duration::from_secs(60);

/// The facts that decide a lane's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneFacts {
    /// The newest success, by its own clock.
    pub last_success_at: Option<Timestamp>,
    /// The lane is late from here. `None` while nothing is expected.
    pub late_at: Option<Timestamp>,
    /// The window closes here. `None` while nothing is expected.
    pub deadline_at: Option<Timestamp>,
    /// Start of the newest read of the lane's source that succeeded.
    pub read_at: Option<Timestamp>,
    /// First failure since the source was last read; `None` while it answers.
    pub failing_since: Option<Timestamp>,
    /// Nothing is expected of the lane at present.
    pub paused: bool,
}

impl LaneFacts {
    /// Sets the window that follows `last_success_at`.
    #[must_use]
    pub fn with_window(mut self, timing: &Timing) -> Self {
        self.late_at = self.last_success_at.map(|at| at + timing.late_after);
        self.deadline_at = self.last_success_at.map(|at| at + timing.missed_after);
        self
    }
}

/// What a lane is at an instant, since when, and when to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The status.
    pub status: LaneStatus,
    /// The instant from which the status holds: the deadline itself, not the moment of looking.
    pub occurred_at: Option<Timestamp>,
    /// The lane passed an instant but its source was not read since: the answer is on its way.
    pub awaits_read: bool,
}

/// Judges a lane at `now`.
///
/// Guarantee 2: a window is missed only if its source was read successfully after the deadline;
/// a lane whose source cannot be read is blind, and neither late nor recovered.
#[must_use]
pub fn judge(facts: &LaneFacts, now: Timestamp) -> Verdict {
    let settled = |status, occurred_at| Verdict {
        status,
        occurred_at,
        awaits_read: false,
    };
    if facts.paused {
        return settled(LaneStatus::Paused, None);
    }
    let (Some(late_at), Some(deadline_at)) = (facts.late_at, facts.deadline_at) else {
        return settled(LaneStatus::Unknown, None);
    };
    let read_since = |at: Timestamp| facts.read_at.is_some_and(|read_at| read_at >= at);
    if now < late_at {
        return settled(LaneStatus::OnTime, facts.last_success_at);
    }
    if now >= deadline_at {
        if read_since(deadline_at) {
            return settled(LaneStatus::Missed, Some(deadline_at));
        }
        if let Some(blind_at) = blind_at(facts, deadline_at, now) {
            return settled(LaneStatus::Blind, Some(blind_at));
        }
    }
    let (status, since) = if read_since(late_at) {
        (LaneStatus::Late, Some(late_at))
    } else {
        (LaneStatus::OnTime, facts.last_success_at)
    };
    let awaits_read = now >= deadline_at || !read_since(late_at);
    Verdict {
        status,
        occurred_at: since,
        awaits_read,
    }
}

/// The instant a lane past its unread deadline turned blind, if it has.
fn blind_at(facts: &LaneFacts, deadline_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    match facts.failing_since {
        Some(since) => Some(since.max(deadline_at)),
        None => {
            let patience_over = deadline_at + READ_PATIENCE;
            (now >= patience_over).then_some(patience_over)
        }
    }
}

/// The next instant after `now` at which the passing of time alone can change the verdict.
#[must_use]
pub fn next_due(facts: &LaneFacts, now: Timestamp) -> Option<Timestamp> {
    if facts.paused {
        return None;
    }
    let (late_at, deadline_at) = (facts.late_at?, facts.deadline_at?);
    [late_at, deadline_at, deadline_at + READ_PATIENCE]
        .into_iter()
        .find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Last success at 0, late at 60 s, deadline at 120 s.
    fn lane(read_at: i64, failing_since: Option<i64>) -> LaneFacts {
        LaneFacts {
            last_success_at: Some(at(0)),
            late_at: Some(at(60_000)),
            deadline_at: Some(at(120_000)),
            read_at: Some(at(read_at)),
            failing_since: failing_since.map(at),
            paused: false,
        }
    }

    #[test]
    fn a_lane_is_judged_by_what_was_read_and_not_by_the_clock_alone() {
        use LaneStatus::{Blind, Late, Missed, OnTime};
        for (now, read_at, failing, status, awaits) in [
            (59_999, 59_000, None, OnTime, false),
            (60_000, 59_000, None, OnTime, true),
            (60_000, 60_000, None, Late, false),
            (119_999, 119_000, None, Late, false),
            (120_000, 119_000, None, Late, true),
            (120_000, 120_000, None, Missed, false),
            (130_000, 119_000, Some(119_500), Blind, false),
            (119_999, 50_000, Some(51_000), OnTime, true),
            (500_000, 130_000, Some(131_000), Missed, false),
            (179_999, 119_000, None, Late, true),
            (180_000, 119_000, None, Blind, false),
        ] {
            let verdict = judge(&lane(read_at, failing), at(now));
            assert_eq!(
                (verdict.status, verdict.awaits_read),
                (status, awaits),
                "at {now}, read {read_at}"
            );
        }
    }

    #[test]
    fn a_miss_is_stamped_with_the_deadline_and_not_with_the_moment_of_looking() {
        let verdict = judge(&lane(900_000, None), at(900_000));
        assert_eq!(verdict.occurred_at, Some(at(120_000)));
    }

    #[test]
    fn a_lane_that_never_succeeded_is_unknown_and_a_paused_one_is_paused() {
        assert_eq!(
            judge(&LaneFacts::default(), at(5)).status,
            LaneStatus::Unknown
        );
        let paused = LaneFacts {
            paused: true,
            ..lane(0, None)
        };
        assert_eq!(judge(&paused, at(900_000)).status, LaneStatus::Paused);
        assert_eq!(next_due(&paused, at(0)), None);
    }

    prop_compose! {
        fn facts()(
            success in prop::option::of(0..500_i64),
            late in 0..300_i64,
            more in 0..300_i64,
            read in prop::option::of(0..200_000_i64),
            failing in prop::option::of(0..200_000_i64),
            paused in prop::bool::weighted(0.1),
        ) -> LaneFacts {
            LaneFacts {
                last_success_at: success.map(at),
                late_at: success.map(|s| at(s + late)),
                deadline_at: success.map(|s| at(s + late + more)),
                read_at: read.map(at),
                failing_since: failing.map(at),
                paused,
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_changes_between_due_instants(facts in facts(), now in 0..200_000_i64, step in 0..100_000_i64) {
            let until = next_due(&facts, at(now)).map_or(i64::MAX, Timestamp::as_millis);
            let later = (now + step).min(until - 1).max(now);
            prop_assert_eq!(judge(&facts, at(now)), judge(&facts, at(later)));
        }

        #[test]
        fn judging_in_steps_equals_judging_at_once(facts in facts(), end in 0..200_000_i64) {
            let mut now = at(0);
            let mut stepped = judge(&facts, now);
            while let Some(due) = next_due(&facts, now).filter(|due| *due <= at(end)) {
                now = due;
                stepped = judge(&facts, now);
            }
            prop_assert_eq!(stepped, judge(&facts, at(end)));
        }

        #[test]
        fn a_lane_is_never_missed_or_late_unread(facts in facts(), now in 0..200_000_i64) {
            let verdict = judge(&facts, at(now));
            if verdict.status == LaneStatus::Missed {
                prop_assert!(facts.read_at >= facts.deadline_at && facts.deadline_at.is_some());
            }
            if verdict.status == LaneStatus::Late {
                prop_assert!(facts.read_at >= facts.late_at && facts.late_at.is_some());
            }
        }

        #[test]
        fn a_newer_success_never_moves_the_deadline_back(a in 0..1_000_000_i64, b in 0..1_000_000_i64) {
            use crate::lane::{Engine, LaneKind};
            let (engine, kind) = (Engine::Cloud, LaneKind::Objects);
            let timing = Timing::of(&Default::default(), &crate::cadence::Levels::documented(engine, kind), engine, kind);
            let window = |success| LaneFacts { last_success_at: Some(at(success)), ..LaneFacts::default() }.with_window(&timing);
            prop_assert!(window(a.max(b)).deadline_at >= window(a).deadline_at);
        }
    }
}
