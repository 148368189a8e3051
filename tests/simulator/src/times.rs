//! Instants and durations in the spellings of Graph, and durations in the spelling of stories.

use std::fmt::{self, Display};
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// "Never", as .NET writes it.
pub(crate) const ZERO_DATE: &str = "0001-01-01T00:00:00Z";
/// The longest .NET duration: "never again".
pub(crate) const MAX_INTERVAL: &str = "P10675199DT2H48M5.4775807S";

fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
}

/// `2026-08-20T09:12:41Z`: whole seconds, as logs and directory objects often have it.
pub(crate) fn seconds(ms: i64) -> String {
    instant(ms).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// With as few of the three digits as needed: trailing zeros are dropped, as .NET does.
pub(crate) fn trimmed(ms: i64) -> String {
    let text = instant(ms).to_rfc3339_opts(SecondsFormat::Millis, true);
    if !text.ends_with("0Z") {
        return text;
    }
    let body = text.trim_end_matches('Z').trim_end_matches('0');
    format!("{}Z", body.trim_end_matches('.'))
}

/// Seven digits, the last four from `ticks` (0 to 9999): how jobs write their times.
pub(crate) fn ticks(ms: i64, ticks: u64) -> String {
    let text = instant(ms).to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("{}{:04}Z", text.trim_end_matches('Z'), ticks % 10_000)
}

/// `2026-08-20 09:14:22Z`, the spelling of token errors.
pub(crate) fn login_stamp(ms: i64) -> String {
    seconds(ms).replace('T', " ")
}

/// `Thu, 20 Aug 2026 09:14:22 GMT`, for the Date header.
pub(crate) fn http_date(ms: i64) -> String {
    instant(ms).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads an RFC 3339 instant as 100 ns ticks since 1970.
pub(crate) fn parse_ticks(text: &str) -> Option<i64> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let sub = i64::from(at.timestamp_subsec_nanos()) / 100;
    at.timestamp().checked_mul(10_000_000)?.checked_add(sub)
}

/// Reads an RFC 3339 instant as milliseconds since 1970.
pub(crate) fn parse_ms(text: &str) -> Option<i64> {
    parse_ticks(text).map(|ticks| ticks.div_euclid(10_000))
}

/// ISO 8601 duration, as job schedules write it.
pub(crate) fn iso_duration(ms: i64) -> String {
    let (minutes, seconds, millis) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    let mut text = String::from("PT");
    if minutes > 0 {
        text.push_str(&format!("{minutes}M"));
    }
    if millis > 0 {
        text.push_str(format!("{seconds}.{millis:03}").trim_end_matches('0'));
        text.push('S');
    } else if seconds > 0 || minutes == 0 {
        text.push_str(&format!("{seconds}S"));
    }
    text
}

/// A length of time in a story: `300ms`, `12s`, `5m`, `2h`, `1d`, or several in a row (`1m30s`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(i64);

impl Span {
    /// From milliseconds.
    #[must_use]
    pub const fn ms(ms: i64) -> Self {
        Self(ms)
    }

    /// From seconds.
    #[must_use]
    pub const fn secs(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// From minutes.
    #[must_use]
    pub const fn mins(minutes: i64) -> Self {
        Self(minutes * 60_000)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }
}

/// A duration of a story that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a duration; write it like 300ms, 12s, 5m, 2h or 1d")]
pub struct BadSpan(String);

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let bad = || BadSpan(text.to_owned());
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut total = 0_i64;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: i64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(rest.len());
            let unit = match &rest[..letters] {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(bad()),
            };
            total = number
                .checked_mul(unit)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(bad)?;
            rest = &rest[letters..];
        }
        Ok(Self(if negative { -total } else { total }))
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, ms) = if self.0 < 0 {
            ("-", -self.0)
        } else {
            ("", self.0)
        };
        if ms % 1000 == 0 {
            write!(f, "{sign}{}s", ms / 1000)
        } else {
            write!(f, "{sign}{ms}ms")
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_every_unit() {
        for (text, ms) in [
            ("300ms", 300),
            ("12s", 12_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("-5s", -5000),
        ] {
            assert_eq!(text.parse::<Span>().unwrap().as_ms(), ms, "{text}");
        }
        for text in ["", "-", "5", "s", "5 s", "5x", "99999999999999999999s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn instants_have_the_digits_of_graph() {
        let ms = parse_ms("2026-08-20T09:12:41.120Z").unwrap();
        assert_eq!(trimmed(ms), "2026-08-20T09:12:41.12Z");
        assert_eq!(trimmed(ms - 120), "2026-08-20T09:12:41Z");
        assert_eq!(trimmed(ms - 41_120), "2026-08-20T09:12:00Z");
        assert_eq!(ticks(ms, 7), "2026-08-20T09:12:41.1200007Z");
        assert_eq!(login_stamp(ms), "2026-08-20 09:12:41Z");
        assert_eq!(http_date(ms), "Thu, 20 Aug 2026 09:12:41 GMT");
        assert_eq!(parse_ticks("1970-01-01T00:00:00.0000001Z"), Some(1));
    }

    #[test]
    fn durations_are_iso_8601() {
        assert_eq!(iso_duration(1_200_000), "PT20M");
        assert_eq!(iso_duration(4000), "PT4S");
        assert_eq!(iso_duration(90_500), "PT1M30.5S");
        assert_eq!(iso_duration(0), "PT0S");
    }
}
