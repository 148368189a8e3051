use syncwatch_domain::cycle::{CycleEvidence, CycleOutcome};
use syncwatch_domain::source::{Poll, SourceKey};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_793_000_000_000 + minutes * 60_000)
}

fn cycle(ended: i64) -> Cycle {
    Cycle {
        began_at: None,
        ended_at: minute(ended),
        outcome: CycleOutcome::Succeeded,
        evidence: CycleEvidence::Log,
        exported: None,
        escrowed: None,
    }
}

fn state(read_at: Option<i64>, failing_since: Option<i64>) -> SourceState {
    SourceState {
        key: SourceKey {
            tenant: "t".into(),
            poll: Poll::Jobs,
            instance: "i".into(),
        },
        first_seen_at: minute(0),
        attempted_at: None,
        read_at: read_at.map(minute),
        failing_since: failing_since.map(minute),
        failures: 0,
        failure: None,
        failure_text: None,
        took_ms: None,
        retired: false,
    }
}

#[test]
fn sight_is_regained_after_failures_or_a_long_absence() {
    let due = Some(minute(11));
    for (read_at, failing, now, gap) in [
        (Some(10), None, 11, false),
        (Some(10), None, 13, false),
        (Some(10), None, 14, true),
        (Some(10), Some(11), 12, true),
        (None, Some(11), 12, false),
        (None, None, 12, false),
    ] {
        let found = regained(&state(read_at, failing), due, minute(now));
        assert_eq!(
            found,
            gap.then(|| Gap::new(minute(10), minute(now))),
            "{read_at:?} {failing:?} {now}"
        );
    }
}

#[test]
fn an_open_gap_grows_and_ends_when_it_is_settled() {
    let first = Gap::new(minute(1), minute(5));
    let second = Gap::new(minute(9), minute(12));
    let open = JobsResume {
        unsettled: Some(first),
    };
    let read = |text: Option<String>| JobsResume::parse(text.as_deref()).unsettled;
    assert_eq!(
        read(JobsResume::default().after(Some(first), false)),
        Some(first)
    );
    assert_eq!(
        read(open.after(Some(second), false)),
        Some(Gap::new(minute(1), minute(12)))
    );
    assert_eq!(open.after(None, false), None, "nothing changed");
    assert_eq!(
        JobsResume::parse(open.after(None, true).as_deref()),
        JobsResume::default()
    );
    assert_eq!(read(open.after(Some(second), true)), Some(second));
    assert_eq!(JobsResume::default().after(None, false), None);
}

#[test]
fn only_a_log_that_speaks_in_every_window_proves_silence() {
    let window = 10 * MINUTE;
    let gap = Gap::new(minute(100), minute(140));
    let talk = |ends: &[i64]| {
        is_talkative(
            &ends.iter().copied().map(cycle).collect::<Vec<_>>(),
            &gap,
            window,
        )
    };
    assert!(talk(&[81, 86, 91, 96, 99, 120]));
    assert!(talk(&[90, 100]), "exactly a window apart");
    assert!(!talk(&[]), "a log without this job");
    assert!(!talk(&[120, 130]), "rows only inside the gap");
    assert!(!talk(&[99]), "one change shortly before");
    assert!(!talk(&[81, 86]), "silent before the gap");
    assert!(!talk(&[81, 99]), "silent in between");
}

#[test]
fn cycles_the_status_named_are_not_told_twice() {
    let gap = Gap::new(minute(100), minute(140));
    let mut told = cycle(138);
    told.began_at = Some(minute(137));
    let found = only_in_logs(
        &[
            cycle(99),
            cycle(100),
            cycle(101),
            cycle(120),
            cycle(137),
            cycle(139),
            cycle(141),
        ],
        &gap,
        &[&cycle(100), &told],
        20 * MINUTE,
    );
    let ends: Vec<_> = found.iter().map(|cycle| cycle.ended_at).collect();
    assert_eq!(ends, [minute(101), minute(120), minute(139)]);
}

#[test]
fn the_logs_are_read_back_two_windows_but_no_more_than_a_day() {
    assert_eq!(
        lookback([10 * MINUTE, 120 * MINUTE].into_iter()),
        240 * MINUTE
    );
    assert_eq!(lookback([13 * 60 * MINUTE].into_iter()), LOOKBACK_MOST);
    assert_eq!(lookback(std::iter::empty()), Duration::ZERO);
}

#[test]
fn a_run_that_was_under_way_when_sight_was_lost_is_told_by_the_logs() {
    let gap = Gap::new(minute(100), minute(140));
    let ended = |logged: &[Cycle], told: &[&Cycle]| {
        let found = only_in_logs(logged, &gap, told, 20 * MINUTE);
        found.iter().map(|cycle| cycle.ended_at).collect::<Vec<_>>()
    };
    let logged = [cycle(95), cycle(100), cycle(105)];
    assert_eq!(ended(&logged, &[&cycle(95)]), [minute(100), minute(105)]);
    assert_eq!(
        ended(&logged, &[&cycle(100)]),
        [minute(105)],
        "its end was named"
    );
    assert_eq!(
        ended(&[cycle(80), cycle(105)], &[]),
        [minute(105)],
        "too old to be under way"
    );
}

#[test]
fn neighbouring_cycles_of_a_fast_lane_are_not_taken_for_one() {
    let second = |n: i64| Timestamp::from_millis(minute(0).as_millis() + n * 1_000);
    let at = |n: i64| Cycle {
        ended_at: second(n),
        ..cycle(0)
    };
    let gap = Gap::new(second(0), second(13));
    let told = Cycle {
        began_at: Some(second(12)),
        ..at(12)
    };
    let logged: Vec<_> = (0..=6).map(|n| at(2 * n)).collect();
    let found = only_in_logs(&logged, &gap, &[&at(0), &told], Duration::from_secs(4));
    let ends: Vec<_> = found.iter().map(|cycle| cycle.ended_at).collect();
    assert_eq!(ends, [2, 4, 6, 8, 10].map(second));
}
