#![expect(clippy::unwrap_used, reason = "tests")]

use syncwatch_domain::delivery::AttemptOutcome;

use super::*;
use crate::testing::START;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap()))
        .collect()
}

#[test]
fn every_http_status_has_its_meaning() {
    let wish = Some(Duration::from_secs(7));
    for status in 100..=599 {
        let verdict = judge(status, wish, "");
        let expected = match status {
            200..=299 => AttemptOutcome::Delivered,
            408 | 425 | 429 | 100..=199 | 500..=599 => AttemptOutcome::Retry,
            _ => AttemptOutcome::GivenUp,
        };
        assert_eq!(verdict.outcome(), expected, "{status}: {verdict:?}");
        match verdict {
            AttemptResult::Delivered => {}
            AttemptResult::Retry { after, reason } => {
                assert_eq!(after, wish, "{status}");
                assert!(reason.contains(&status.to_string()), "{reason}");
            }
            AttemptResult::GiveUp { reason } => {
                assert!(reason.contains(&status.to_string()), "{reason}");
                assert_eq!(reason.contains("redirects"), status < 400, "{reason}");
            }
        }
    }
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let date = "Sun, 22 Nov 2026 08:00:42 GMT";
    for (pairs, seconds) in [
        (vec![("retry-after", "17")], Some(17)),
        (vec![("retry-after", " 0 ")], Some(0)),
        (vec![("retry-after", date)], Some(42)),
        // The receiver's clock is ten minutes behind: it still means 42 seconds.
        (
            vec![
                ("retry-after", "Sun, 22 Nov 2026 07:50:42 GMT"),
                ("date", "Sun, 22 Nov 2026 07:50:00 GMT"),
            ],
            Some(42),
        ),
        (
            vec![("retry-after", "Sun, 22 Nov 2026 07:00:00 GMT")],
            Some(0),
        ),
        (
            vec![("retry-after", "99999999999999999999999")],
            Some(u64::MAX),
        ),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "-5")], None),
        (vec![("retry-after", "")], None),
        (vec![], None),
    ] {
        let found = retry_after(&headers(&pairs), START);
        assert_eq!(found, seconds.map(Duration::from_secs), "{pairs:?}");
    }
}
