use proptest::prelude::*;

use super::*;

const REACH: Reach = Reach {
    overlap: Duration::from_secs(2 * 3600),
    first_read: Duration::from_secs(24 * 3600),
};
const MINUTE: Duration = Duration::from_secs(60);

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn read_to(at: Timestamp) -> Resume {
    Resume {
        read_to_ms: Some(at.as_millis()),
        page_size: None,
    }
}

#[test]
fn the_first_read_goes_back_as_configured() {
    let now = at("2026-10-05T12:07:31.250Z");
    let span = plan(now, &Resume::default(), None, None, &REACH);
    assert_eq!(span.from, at("2026-10-04T12:07:31Z"));
    assert!(span.to > now + SKEW);
}

#[test]
fn most_reads_overlap_a_little_and_one_per_quarter_of_an_hour_overlaps_fully() {
    let now = at("2026-10-05T12:07:30Z");
    for (last, expected) in [
        (now - 2 * MINUTE, now - 2 * MINUTE - SHORT_OVERLAP),
        (now - 8 * MINUTE, now - 8 * MINUTE - REACH.overlap),
    ] {
        assert_eq!(
            plan(now, &read_to(last), Some(last), None, &REACH).from,
            expected,
            "{last}"
        );
    }
    let last = now - MINUTE;
    assert_eq!(
        plan(now, &read_to(last), None, None, &REACH).from,
        last - REACH.overlap,
        "the first read of a process"
    );
}

#[test]
fn after_a_long_absence_everything_since_is_read_but_no_more_than_is_kept() {
    let now = at("2026-10-05T12:00:00Z");
    let week = Duration::from_secs(7 * 24 * 3600);
    assert_eq!(
        plan(now, &read_to(now - week), Some(now - week), None, &REACH).from,
        now - week - REACH.overlap
    );
    let year = 52 * week;
    assert_eq!(
        plan(now, &read_to(now - year), None, None, &REACH).from,
        now - RETENTION
    );
    assert_eq!(
        plan(now, &read_to(now), Some(now), Some(now - week), &REACH).from,
        now - week,
        "read back on demand"
    );
    assert_eq!(
        plan(now, &read_to(now + week), Some(now), None, &REACH).from,
        now - SHORT_OVERLAP,
        "a clock set back"
    );
}

#[test]
fn filters_are_written_as_each_log_takes_them() {
    let window = Span {
        from: at("2026-10-05T12:00:00Z"),
        to: at("2026-10-05T13:00:00Z"),
    };
    assert_eq!(
        strict_filter(window),
        "activityDateTime gt 2026-10-05T11:59:59Z and activityDateTime lt 2026-10-05T13:00:00Z"
    );
    assert_eq!(
        inclusive_filter(window),
        "activityDateTime ge 2026-10-05T12:00:00Z and activityDateTime le 2026-10-05T13:00:00Z"
    );
}

#[test]
fn what_is_kept_between_reads_is_read_back_and_garbage_is_a_first_read() {
    let resume = Resume {
        read_to_ms: Some(5),
        page_size: Some(500),
    };
    assert_eq!(Resume::parse(Some(&resume.to_text())), resume);
    for garbage in [None, Some(""), Some("{"), Some("[]")] {
        assert_eq!(Resume::parse(garbage).read_to_ms, None);
    }
}

proptest! {
    #[test]
    fn windows_cover_the_span_without_a_hole(
        from in 0..1_000_000_000_i64, length in 1..500_000_000_i64, width in 0..50_000_000_u64, event in 0..500_000_000_i64,
    ) {
        let span = plan(
            Timestamp::from_millis(from + length),
            &read_to(Timestamp::from_millis(from)), None, None,
            &Reach { overlap: Duration::ZERO, first_read: Duration::ZERO },
        );
        let event = Timestamp::from_millis(from + event % length);
        let mut rest = Some(span);
        let mut found = 0;
        let mut windows = 0_u32;
        while let Some(part) = rest {
            let window = part.first(Duration::from_millis(width.max(1_000_000)));
            // As the strict filter reads it: gt from - 1 s, lt to.
            if event > window.from - Duration::from_secs(1) && event < window.to {
                found += 1;
            }
            prop_assert!(window.to > window.from);
            rest = part.after(window);
            windows += 1;
            prop_assert!(windows < 10_000);
        }
        prop_assert!(found >= 1, "{event} lies in no window of {span:?}");
    }
}
