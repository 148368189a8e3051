//! Spans: `TimeSpan` in every form, and ISO 8601 durations.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Fault;
use super::scalar::{number, unwrapped};
use crate::span::Span;

const EXPECTED: &str = "a span, hh:mm:ss or an object of a TimeSpan";
const TICKS_PER_SECOND: u64 = 10_000_000;

/// A span that is not negative.
pub(super) fn span(value: &Value) -> Result<Duration, Fault> {
    let read = match unwrapped(value) {
        Value::String(text) => of_text(text),
        Value::Object(fields) => of_object(fields),
        _ => None,
    };
    read.ok_or(Fault::Unexpected(EXPECTED))
}

/// `d.hh:mm:ss.fffffff` with or without days and fraction, or `PT30M`.
pub(in crate::report) fn of_text(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.starts_with('P') {
        return Span::parse_iso(text).map(|span| span.0);
    }
    let mut parts = text.split(':');
    let (head, minutes, tail) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = head.split_once('.').unwrap_or(("0", head));
    let (seconds, fraction) = tail.split_once('.').unwrap_or((tail, "0"));
    let whole = digits(days, u64::from(u32::MAX))? * 86_400
        + digits(hours, 23)? * 3_600
        + digits(minutes, 59)? * 60
        + digits(seconds, 59)?;
    Some(Duration::new(whole, nanos(fraction)?))
}

fn of_object(fields: &Map<String, Value>) -> Option<Duration> {
    if let Some(ticks) = fields.get("Ticks") {
        let ticks = u64::try_from(number(ticks).ok()?).ok()?;
        let rest = u32::try_from(ticks % TICKS_PER_SECOND).ok()?;
        return Some(Duration::new(ticks / TICKS_PER_SECOND, rest * 100));
    }
    let mut total = Duration::ZERO;
    let mut told = false;
    for (name, unit_ms) in [
        ("Days", 86_400_000_u64),
        ("Hours", 3_600_000),
        ("Minutes", 60_000),
        ("Seconds", 1_000),
        ("Milliseconds", 1),
    ] {
        if let Some(part) = fields.get(name) {
            let part = u64::try_from(number(part).ok()?).ok()?;
            total = total.checked_add(Duration::from_millis(part.checked_mul(unit_ms)?))?;
            told = true;
        }
    }
    told.then_some(total)
}

/// A number of digits alone, not above `most`.
fn digits(text: &str, most: u64) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= most)
}

/// A decimal fraction of a second in nanoseconds.
fn nanos(fraction: &str) -> Option<u32> {
    if fraction.len() > 9 {
        return None;
    }
    let number = digits(fraction, u64::from(u32::MAX))?;
    let power = 9 - u32::try_from(fraction.len()).ok()?;
    u32::try_from(number * 10_u64.pow(power)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const MINUTE: u64 = 60;

    #[test]
    fn every_form_of_half_an_hour_is_the_same() {
        for value in [
            json!("00:30:00"),
            json!("0.00:30:00"),
            json!("00:30:00.0000000"),
            json!("PT30M"),
            json!("PT0.5H"),
            json!({"Ticks": 18_000_000_000_u64, "Minutes": 30, "TotalHours": 0.5}),
            json!({"Ticks": "18000000000"}),
            json!({"Days": 0, "Hours": 0, "Minutes": 30, "Seconds": 0}),
            json!({"value": "00:30:00"}),
        ] {
            assert_eq!(
                span(&value),
                Ok(Duration::from_secs(30 * MINUTE)),
                "{value}"
            );
        }
    }

    #[test]
    fn days_and_fractions_count() {
        assert_eq!(
            span(&json!("7.00:00:00")),
            Ok(Duration::from_secs(7 * 86_400))
        );
        assert_eq!(
            span(&json!("1.02:03:04.0050000")),
            Ok(Duration::from_millis(93_784_005))
        );
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for value in [
            json!("30"),
            json!("-00:30:00"),
            json!("00:30"),
            json!("00:60:00"),
            json!("24:00:00"),
            json!("a.00:00:00"),
            json!("00:00:00.12345678901"),
            json!("P1M"),
            json!("30 minutes"),
            json!(30),
            json!({}),
            json!({"Ticks": -5}),
            json!({"Days": u64::MAX}),
        ] {
            assert!(span(&value).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn constant_format_and_object_agree(ticks in 0_u64..(400 * 86_400 * TICKS_PER_SECOND)) {
            let seconds = ticks / TICKS_PER_SECOND;
            let text = format!(
                "{}.{:02}:{:02}:{:02}.{:07}",
                seconds / 86_400,
                seconds / 3_600 % 24,
                seconds / 60 % 60,
                seconds % 60,
                ticks % TICKS_PER_SECOND
            );
            let object = span(&json!({"Ticks": ticks}));
            prop_assert!(object.is_ok());
            prop_assert_eq!(span(&json!(text)), object);
        }

        #[test]
        fn no_text_makes_a_span_panic(text in "[P0-9.:TDHMS -]{0,30}") {
            let _ = span(&json!(text));
        }
    }
}
