//! Instants and spans. One instant type for the whole product: UTC milliseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, in UTC milliseconds since 1970-01-01.
///
/// It is what the store keeps (`bigint`), what loops compare and what pages print. Arithmetic
/// saturates, so a hostile or absurd input cannot overflow a deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that a text of the outside world may mean. Microsoft Graph writes
    /// "never" as the .NET zero date; any year before 1970 is treated as "none"
    /// (Microsoft Graph conventions, `Edm.DateTimeOffset`).
    pub const EPOCH: Self = Self(0);

    /// Wraps UTC milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// UTC milliseconds since 1970-01-01.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds with a fraction, the unit of Prometheus time stamps.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this century need 41 bits, a double holds 53"
    )]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads RFC 3339. Empty texts, unreadable texts and zero dates (any year before 1970) are `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = DateTime::parse_from_rfc3339(text.trim()).ok()?;
        (parsed.year() >= 1970).then(|| Self(parsed.timestamp_millis()))
    }

    /// The same instant as a calendar value, `None` beyond the calendar's range.
    #[must_use]
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value.timestamp_millis())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_utc() {
            Some(at) if self.0 % 1000 == 0 => {
                f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            Some(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not an RFC 3339 instant")))
    }
}

/// Whole milliseconds of a span, saturating at the largest instant.
#[must_use]
pub fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A span from whole milliseconds; negative input is zero.
#[must_use]
pub fn span_of_millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn zero_dates_and_empty_texts_are_none() {
        for text in [
            "",
            "  ",
            "0001-01-01T00:00:00Z",
            "1601-01-01T00:00:00Z",
            "soon",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn fractions_of_any_length_are_read() {
        let base = Timestamp::parse("2026-08-20T09:13:20Z").unwrap();
        for (text, plus) in [
            ("2026-08-20T09:13:20.1Z", 100),
            ("2026-08-20T09:13:20.108333Z", 108),
            ("2026-08-20T09:13:20.1083345Z", 108),
            ("2026-08-20T11:13:20+02:00", 0),
        ] {
            let at = Timestamp::parse(text).unwrap();
            assert_eq!(at.as_millis() - base.as_millis(), plus, "{text}");
        }
    }

    #[test]
    fn absurd_spans_saturate() {
        let at = Timestamp::from_millis(5);
        assert_eq!((at + Duration::MAX).as_millis(), i64::MAX);
        assert_eq!((at - Duration::MAX).as_millis(), 5 - i64::MAX);
    }

    #[test]
    fn text_form_round_trips() {
        for millis in [0, 1_792_000_000_000, 1_792_000_000_123] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        }
    }
}
