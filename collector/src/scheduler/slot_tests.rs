use syncwatch_domain::source::{SourceKey, SourceState};
use syncwatch_store::SourceId;

use super::*;
use crate::polls::catch_up::Gap;

const MINUTE: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_793_000_000_000) + Duration::from_secs(seconds)
}

fn slot() -> Slot {
    let state = SourceState {
        key: SourceKey {
            tenant: "t".into(),
            poll: Poll::Jobs,
            instance: "i".into(),
        },
        first_seen_at: at(0),
        attempted_at: None,
        read_at: None,
        failing_since: None,
        failures: 0,
        failure: None,
        failure_text: None,
        took_ms: None,
        retired: false,
    };
    let source = StoredSource {
        id: SourceId(7),
        state,
        resume: None,
    };
    Slot::new(source, Schedule::Every(Span::secs(60)), 30 * MINUTE)
}

fn fail(slot: &mut Slot, now: Timestamp, failure: ReadFailure, next: Next) -> bool {
    slot.failed(now, now, failure, next, "x".to_owned())
}

#[test]
fn a_source_is_due_at_once_then_by_schedule_and_at_the_instants_of_its_lanes() {
    let mut slot = slot();
    assert!(slot.due_at() < Some(at(0)));
    slot.read(at(0), None, Some(at(42)), 30 * MINUTE);
    assert_eq!(slot.due_at(), Some(at(42)));
    assert_eq!(slot.errand(at(42)).confirms_since, Some(at(0)));
    slot.confirmed(at(42), Some(at(90)));
    assert_eq!(
        slot.due_at(),
        Some(at(60)),
        "a confirm read does not put off the regular one"
    );
    assert_eq!(slot.errand(at(60)).confirms_since, None);
}

/// Begins what is due at `now`; gives what it is.
fn begin(slot: &mut Slot, now: Timestamp) -> Errand {
    let errand = slot.errand(now);
    slot.begin(errand, now);
    errand
}

#[test]
fn a_lane_that_crosses_an_instant_while_the_list_is_read_is_confirmed_beside_it() {
    let mut slot = slot();
    slot.read(at(0), None, Some(at(62)), 30 * MINUTE);
    let list = begin(&mut slot, at(60));
    assert!(!list.is_confirm());
    assert_eq!(slot.due_at(), Some(at(62)));
    let confirm = begin(&mut slot, at(62));
    assert_eq!(confirm.confirms_since, Some(at(0)));
    assert!(!confirm.may_wait);
    assert_eq!(slot.due_at(), None, "both run");
    slot.end(confirm);
    slot.confirmed(at(62), Some(at(70)));
    assert!(slot.take_overlap(), "the list will move instants");
    assert_eq!(slot.due_at(), Some(at(70)));
    slot.end(list);
    slot.read(at(60), None, Some(at(62)), 30 * MINUTE);
    assert!(slot.take_overlap(), "it knew nothing of the confirm read");
    assert!(!slot.take_overlap());
    assert_eq!(slot.covered_at(), at(62));
    assert_eq!(slot.source.state.read_at, Some(at(60)));
}

#[test]
fn nothing_is_confirmed_beside_the_list_that_covers_it_or_that_makes_up_for_lost_sight() {
    let mut slot = slot();
    begin(&mut slot, at(0));
    slot.confirm_at(Some(at(1)));
    assert_eq!(slot.due_at(), None, "nothing was read yet");
    let mut slot = self::slot();
    slot.read(at(0), None, Some(at(60)), 30 * MINUTE);
    begin(&mut slot, at(60));
    assert_eq!(slot.due_at(), None, "this very read covers it");
    let mut slot = self::slot();
    fail(&mut slot, at(0), ReadFailure::Network, Next::Retry(None));
    let due = slot.due_at().expect("not running");
    begin(&mut slot, due);
    slot.confirm_at(Some(due + MINUTE));
    assert_eq!(slot.due_at(), None, "it is out of sight");
}

#[test]
fn what_the_store_refuses_is_read_again_after_a_pause_whatever_it_was_for() {
    let mut slot = slot();
    slot.read(at(0), None, Some(at(42)), 30 * MINUTE);
    let confirm = begin(&mut slot, at(42));
    slot.end(confirm);
    slot.not_kept(at(42));
    let due = slot.due_at().expect("not running");
    assert!(due > at(43), "{due}");
    assert!(due < at(60) + MINUTE, "{due}");
}

#[test]
fn a_wait_that_a_confirm_read_was_told_outlives_the_end_of_an_older_list() {
    let mut slot = slot();
    slot.read(at(0), None, Some(at(62)), 30 * MINUTE);
    let list = begin(&mut slot, at(60));
    let confirm = begin(&mut slot, at(62));
    slot.end(confirm);
    let wait = Next::Retry(Some(5 * MINUTE));
    fail(&mut slot, at(62), ReadFailure::Throttled, wait);
    slot.end(list);
    slot.read(at(60), None, None, 30 * MINUTE);
    assert_eq!(slot.due_at(), Some(at(62) + 5 * MINUTE));
}

#[test]
fn failures_back_off_but_never_beyond_the_schedule() {
    let mut slot = slot();
    let mut now = at(0);
    for failures in 1..12 {
        let news = fail(&mut slot, now, ReadFailure::Network, Next::Retry(None));
        assert_eq!(news, failures == 1);
        let due = slot.due_at().expect("not running");
        assert!(due > now && due <= now + MINUTE, "{due}");
        now = due;
    }
    assert_eq!(slot.source.state.failing_since, Some(at(0)));
    slot.read(now, None, None, 30 * MINUTE);
    assert_eq!(
        (slot.source.state.failing_since, slot.source.state.failures),
        (None, 0)
    );
}

#[test]
fn a_wait_named_by_the_service_is_kept_even_at_a_deadline() {
    let mut slot = slot();
    slot.read(at(0), None, Some(at(10)), 30 * MINUTE);
    fail(
        &mut slot,
        at(5),
        ReadFailure::Throttled,
        Next::Retry(Some(5 * MINUTE)),
    );
    slot.confirm_at(Some(at(10)));
    assert_eq!(slot.due_at(), Some(at(305)));
}

#[test]
fn a_missing_right_is_looked_for_again_slowly() {
    for (failure, after) in [
        (ReadFailure::RightMissing, 3600),
        (ReadFailure::LicenceMissing, 900),
        (ReadFailure::NotAvailable, 900),
        (ReadFailure::Refused, 900),
    ] {
        let mut slot = slot();
        fail(&mut slot, at(0), failure, Next::Slowly);
        assert_eq!(slot.due_at(), Some(at(after)), "{failure}");
    }
}

#[test]
fn waiting_for_the_logs_happens_once_and_not_for_ever() {
    let mut slot = slot();
    assert!(slot.errand(at(0)).may_wait);
    slot.wait(at(0));
    assert_eq!(slot.due_at(), Some(at(120)));
    assert!(!slot.errand(at(120)).may_wait);
    slot.stop_waiting(at(3));
    assert!(slot.due_at() <= Some(at(3)));
    assert!(!slot.errand(at(3)).may_wait);
    slot.read(at(3), None, None, 30 * MINUTE);
    assert!(slot.errand(at(63)).may_wait);
}

#[test]
fn a_gap_is_settled_when_its_logs_are_final() {
    let mut slot = slot();
    let resume = JobsResume::default().after(Some(Gap::new(at(0), at(600))), false);
    slot.read(at(600), resume, None, 30 * MINUTE);
    let due: Vec<_> = (0..2)
        .map(|_| {
            slot.next_at = NEVER;
            let due = slot.due_at().expect("not running");
            slot.read(due, None, None, 30 * MINUTE);
            due
        })
        .collect();
    assert_eq!(
        due,
        [at(600 + 1800), at(600 + 1800 + 600)],
        "tried again while it stays unsettled"
    );
    slot.read(at(5000), Some("{}".to_owned()), None, 30 * MINUTE);
    slot.next_at = NEVER;
    assert_eq!(slot.due_at(), Some(NEVER));
}

#[test]
fn sources_that_began_together_are_spread_over_their_interval() {
    let spread = |id: i64| {
        let mut slot = slot();
        slot.source.id = SourceId(id);
        slot.read(at(0), None, None, 30 * MINUTE);
        slot.spread(at(0));
        slot.due_at().expect("not running")
    };
    let mut due: Vec<Timestamp> = (1..=100).map(spread).collect();
    due.sort();
    assert!(due[0] > at(0) && due[99] <= at(60), "{due:?}");
    let widest = due.windows(2).map(|pair| pair[1].since(pair[0])).max();
    assert!(widest < Some(Duration::from_secs(6)), "{widest:?}");
}

#[test]
fn a_time_of_day_is_not_spread() {
    let mut slot = slot();
    slot.schedule = "0 0 2 * * *".parse().expect("a schedule");
    slot.read(at(0), None, None, 30 * MINUTE);
    let due = slot.due_at();
    slot.spread(at(0));
    assert_eq!(slot.due_at(), due);
    slot.next_at = NEVER;
    slot.spread(at(0));
    assert_eq!(slot.due_at(), Some(NEVER));
}
