//! From due lanes to their judgements.

use syncwatch_domain::alert::{Condition, Finding, Subject};
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::{LaneFacts, Verdict, judge};
use syncwatch_store::{DueLane, LaneJudgement};

use super::TICK;
use super::firing::Firing;
use crate::detect::lanes;

/// Judges a lane and says when to look again.
///
/// A lane that an alert is about and whose window began anew without a success (cycles are
/// expected again) is not called on time: nothing is known of it until its next success, and
/// that one must be looked at, because it ends the alert.
pub(crate) fn judge_lane(
    lane: &DueLane,
    firing: &Firing,
    now: Timestamp,
) -> (LaneJudgement, Verdict) {
    let mut verdict = judge(&lane.facts, now);
    let mut due_at = due_at(&lane.facts, verdict.status);
    if verdict.status == LaneStatus::OnTime
        && lanes::success_behind(lane).is_none()
        && is_alerted(lane, firing)
    {
        verdict.status = LaneStatus::Unknown;
        verdict.occurred_at = None;
        due_at = lane.facts.late_at;
    }
    if let Some(again_at) = unconfirmed(lane, verdict.status) {
        verdict.status = LaneStatus::Unknown;
        verdict.occurred_at = None;
        due_at = Some(again_at);
    }
    let judgement = LaneJudgement {
        id: lane.id,
        version: lane.version,
        from: lane.status,
        to: verdict.status,
        occurred_at: verdict.occurred_at,
        due_at,
    };
    (judgement, verdict)
}

/// When a lane that is late or missed its window at first sight must have been read again.
///
/// A replica of Microsoft Graph may answer with what was true a cadence ago. A lane that is known
/// has shown a newer success before; of a new one nothing is known, and one answer proves nothing.
fn unconfirmed(lane: &DueLane, status: LaneStatus) -> Option<Timestamp> {
    let again_at = lane.first_seen_at + TICK;
    let fails = matches!(status, LaneStatus::Late | LaneStatus::Missed);
    let is_new = fails && lane.status == LaneStatus::Unknown;
    (is_new && lane.facts.read_at < Some(again_at)).then_some(again_at)
}

fn is_alerted(lane: &DueLane, firing: &Firing) -> bool {
    let subject = Subject::lane(&lane.key);
    !firing.about(&subject.tenant, &subject.path).is_empty()
}

/// The instant whose crossing can change the verdict, once a read covers it. It stays in the past
/// while that read is awaited, so that the store finds the lane as soon as it is there.
fn due_at(facts: &LaneFacts, status: LaneStatus) -> Option<Timestamp> {
    match status {
        LaneStatus::OnTime => facts.late_at,
        LaneStatus::Late | LaneStatus::Blind => facts.deadline_at,
        LaneStatus::Missed | LaneStatus::Paused | LaneStatus::Unknown => None,
    }
}

/// Whether a lane begins to be late or missed: only then does it matter what its job is up to.
pub(crate) fn begins_to_fail(judgement: &LaneJudgement) -> bool {
    judgement.from != judgement.to && matches!(judgement.to, LaneStatus::Late | LaneStatus::Missed)
}

/// Whether a condition can have consequences. Clearing what does not fire has none, and most lanes
/// that are on time were so before.
pub(crate) fn matters(condition: &Condition, firing: &Firing) -> bool {
    condition.finding == Finding::Holds
        || !firing
            .about(&condition.subject.tenant, &condition.subject.path)
            .is_empty()
}

#[cfg(test)]
mod tests {
    use syncwatch_domain::window::READ_PATIENCE;

    use super::*;
    use crate::detect::testing::{due_lane, minute};

    /// Late at 60 min, deadline at 120 min after the success at minute 0.
    #[test]
    fn a_lane_is_looked_at_again_at_the_instant_that_can_change_it() {
        for (now, read, status, due) in [
            (10, 9, LaneStatus::OnTime, Some(60)),
            (61, 59, LaneStatus::OnTime, Some(60)),
            (61, 60, LaneStatus::Late, Some(120)),
            (120, 119, LaneStatus::Late, Some(120)),
            (121, 120, LaneStatus::Missed, None),
        ] {
            let mut lane = due_lane();
            lane.facts.read_at = Some(minute(read));
            let (judgement, _) = judge_lane(&lane, &Firing::default(), minute(now));
            assert_eq!(
                (judgement.to, judgement.due_at),
                (status, due.map(minute)),
                "at {now}, read {read}"
            );
        }
    }

    #[test]
    fn a_blind_lane_waits_for_a_read_past_its_deadline() {
        let mut lane = due_lane();
        lane.facts.read_at = Some(minute(100));
        let (judgement, _) = judge_lane(&lane, &Firing::default(), minute(120) + READ_PATIENCE);
        assert_eq!(
            (judgement.to, judgement.due_at),
            (LaneStatus::Blind, Some(minute(120)))
        );
    }
}
