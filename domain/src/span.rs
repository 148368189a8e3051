//! Spans as people write them (`15m`, `1h30m`) and as Graph writes them (`PT20M`).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A text that is not a span.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{text:?} is not a duration; write a number and a unit, such as 500ms, 30s, 15m, 2h or 1d")]
pub struct SpanError {
    text: String,
}

/// A span in the notation of the config file: `15m`, `1h30m`, `500ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl Span {
    /// A span of whole seconds.
    #[must_use]
    pub const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(minutes * 60))
    }

    /// Reads the notation of the config file.
    ///
    /// # Errors
    /// When a number or a unit (`ms`, `s`, `m`, `h`, `d`) is missing, unknown or too large.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let refuse = || SpanError {
            text: text.to_owned(),
        };
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(refuse());
        }
        let mut total = Duration::ZERO;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count: u64 = rest[..digits].parse().map_err(|_| refuse())?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit_millis: u64 = match &rest[..letters] {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(refuse()),
            };
            let part = count.checked_mul(unit_millis).ok_or_else(refuse)?;
            total = total
                .checked_add(Duration::from_millis(part))
                .ok_or_else(refuse)?;
            rest = rest[letters..].trim_start();
        }
        Ok(Self(total))
    }

    /// Reads an ISO 8601 duration as Graph sends it (`PT20M`, `P1DT2H`, `PT0.5S`).
    ///
    /// `None` for anything unreadable and for the .NET maximum
    /// (`P10675199DT2H48M5.4775807S`), by which Graph says "never".
    #[must_use]
    pub fn parse_iso(text: &str) -> Option<Self> {
        const NEVER_DAYS: f64 = 3_650_000.0;
        let body = text.trim().strip_prefix('P')?;
        let (days, clock) = body.split_once('T').unwrap_or((body, ""));
        let mut seconds = iso_part(days, &[('W', 604_800.0), ('D', 86_400.0)])?;
        seconds += iso_part(clock, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)])?;
        if body.is_empty() || seconds >= NEVER_DAYS * 86_400.0 {
            return None;
        }
        Duration::try_from_secs_f64(seconds).ok().map(Self)
    }
}

/// Sums `<number><unit>` pairs; `None` on an unknown unit or a stray number.
fn iso_part(text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut seconds = 0.0;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            continue;
        }
        let (_, factor) = units.iter().find(|(unit, _)| *unit == c)?;
        seconds += number.parse::<f64>().ok()? * factor;
        number.clear();
    }
    number.is_empty().then_some(seconds)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_millis();
        if total == 0 {
            return f.write_str("0s");
        }
        let units = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1_000, "s"),
            (1, "ms"),
        ];
        let mut rest = total;
        for (size, name) in units {
            if rest >= size {
                write!(f, "{}{name}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn config_notation_is_read_and_written_back() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("0s", 0),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(span.0.as_millis(), millis, "{text}");
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn a_number_without_unit_is_refused_with_a_hint() {
        for text in [
            "",
            "15",
            "m",
            "15 minutes",
            "-5m",
            "1.5h",
            "99999999999999999999d",
        ] {
            let error = Span::parse(text).unwrap_err().to_string();
            assert!(error.contains("such as"), "{text}: {error}");
        }
    }

    #[test]
    fn graph_durations_are_read_and_never_is_none() {
        assert_eq!(Span::parse_iso("PT20M"), Some(Span::minutes(20)));
        assert_eq!(Span::parse_iso("P1DT2H"), Some(Span::secs(93_600)));
        assert_eq!(
            Span::parse_iso("PT0.5S"),
            Some(Span(Duration::from_millis(500)))
        );
        for never in [
            "P10675199DT2H48M5.4775807S",
            "",
            "P",
            "20M",
            "PT20X",
            "PT20",
        ] {
            assert_eq!(Span::parse_iso(never), None, "{never}");
        }
    }
}
