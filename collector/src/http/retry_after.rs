//! `Retry-After` in all the forms services send it.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use syncwatch_domain::time::Timestamp;

/// How long the service asks to be left alone; `None` when it does not say, or not readably.
///
/// Seconds (also decimal) or an HTTP date, which is counted from `now`. Always rounded up: coming
/// back a moment too early counts against the next budget.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    parse(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if text.bytes().next()?.is_ascii_digit() {
        let seconds: f64 = text.parse().ok()?;
        let millis = Duration::try_from_secs_f64(seconds)
            .ok()?
            .as_nanos()
            .div_ceil(1_000_000);
        return Some(Duration::from_millis(u64::try_from(millis).ok()?));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_millis(at.timestamp_millis()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read_and_others_are_not() {
        let now = Timestamp::from_millis(1_792_000_000_000); // 2026-10-14T17:46:40Z
        for (text, millis) in [
            ("10", Some(10_000)),
            (" 0 ", Some(0)),
            ("1.5", Some(1_500)),
            ("2.0004", Some(2_001)),
            ("86400", Some(86_400_000)),
            ("Wed, 14 Oct 2026 17:47:10 GMT", Some(30_000)),
            ("Wed, 14 Oct 2026 17:46:00 GMT", Some(0)),
            ("soon", None),
            ("", None),
            ("-5", None),
            ("1e400", None),
            ("10 s", None),
        ] {
            assert_eq!(
                parse(text, now),
                millis.map(Duration::from_millis),
                "{text:?}"
            );
        }
    }
}
