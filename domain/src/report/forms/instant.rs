//! Instants.

use chrono::{DateTime, Datelike, NaiveDateTime, Offset as _, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde_json::Value;

use super::scalar::unwrapped;
use super::{Fault, Forms};
use crate::time::Timestamp;

const EXPECTED: &str = "an instant, /Date(ms)/ or ISO 8601";
const LAST_MILLIS: i64 = 253_402_300_799_999; // end of year 9999, the last one of .NET

const NEEDS_OFFSET: &str = "is off by the server's UTC offset, and the offset at that instant is not known: \
     write it as [DateTime]::SpecifyKind(x, 'Utc').ToString('o')";
const EITHER_KIND: &str = "is true or off by the server's UTC offset, depending on a kind that nobody knows: \
     write it in UTC, with Z";
const NO_ZONE: &str = "is local time or UTC: write it in UTC, with Z";

/// What is known of the kind that an instant has on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Kind {
    /// UTC or local: JSON tells the true instant.
    Marked,
    /// Unspecified, and holds UTC: Windows PowerShell 5.1 takes it for local time.
    UtcReading,
    /// One of the two.
    Unsure,
}

/// An instant as it is written; milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// `/Date(ms)/`, with the offset of the server where it stands behind.
    Ticks { ms: i64, suffix: Option<i32> },
    /// ISO 8601 with `Z` or an offset.
    Zoned { ms: i64 },
    /// ISO 8601 with neither.
    Bare { ms: i64 },
}

impl Forms {
    /// Reads an instant; `None` where the server says that there is none.
    pub(super) fn instant(self, value: &Value, kind: Kind) -> Result<Option<Timestamp>, Fault> {
        let Value::String(text) = unwrapped(value) else {
            return match unwrapped(value) {
                Value::Null => Ok(None),
                _ => Err(Fault::Unexpected(EXPECTED)),
            };
        };
        if text.trim().is_empty() {
            return Ok(None);
        }
        let written = written(text.trim()).ok_or(Fault::Unexpected(EXPECTED))?;
        if written.ms() < 0 {
            return Ok(None);
        }
        if written.ms() > LAST_MILLIS {
            return Err(Fault::Unexpected(EXPECTED));
        }
        self.meant(written, kind)
            .map(|ms| Some(Timestamp::from_millis(ms)))
    }

    /// The true instant, in milliseconds since 1970.
    fn meant(self, written: Written, kind: Kind) -> Result<i64, Fault> {
        match (written, kind) {
            (Written::Zoned { ms }, _)
            | (Written::Ticks { ms, .. }, Kind::Marked)
            | (Written::Bare { ms }, Kind::UtcReading | Kind::Unsure) => Ok(ms),
            (Written::Ticks { ms, suffix }, Kind::UtcReading) => suffix
                .or_else(|| self.offset_at(ms))
                .map(|minutes| ms + i64::from(minutes) * 60_000)
                .ok_or(Fault::Ambiguous(NEEDS_OFFSET)),
            (Written::Ticks { ms, suffix }, Kind::Unsure) => {
                match suffix.or_else(|| self.offset_at(ms)) {
                    Some(0) => Ok(ms),
                    _ => Err(Fault::Ambiguous(EITHER_KIND)),
                }
            }
            (Written::Bare { ms }, Kind::Marked) => match self.offset_at(ms) {
                Some(0) => Ok(ms),
                _ => Err(Fault::Ambiguous(NO_ZONE)),
            },
        }
    }

    /// Offset of the server from UTC at an instant, in minutes, when there is no doubt about it.
    ///
    /// Known is the offset at the time of the reading. Clocks may have been put forward or back in
    /// between: the offset holds for an instant only if every time zone of the world that had it
    /// at the reading had it at that instant too.
    fn offset_at(self, ms: i64) -> Option<i32> {
        let known = self.offset?;
        let reading = known.at.to_utc()?.naive_utc();
        let then = DateTime::from_timestamp_millis(ms)?.naive_utc();
        let mut zones = TZ_VARIANTS
            .iter()
            .filter(|zone| offset_minutes(zone, &reading) == known.minutes)
            .peekable();
        zones.peek()?;
        zones
            .all(|zone| offset_minutes(zone, &then) == known.minutes)
            .then_some(known.minutes)
    }
}

impl Written {
    const fn ms(self) -> i64 {
        match self {
            Self::Ticks { ms, .. } | Self::Zoned { ms } | Self::Bare { ms } => ms,
        }
    }
}

fn offset_minutes(zone: &Tz, utc: &NaiveDateTime) -> i32 {
    zone.offset_from_utc_datetime(utc).fix().local_minus_utc() / 60
}

fn written(text: &str) -> Option<Written> {
    if let Some(ticks) = ticks(text) {
        return Some(ticks);
    }
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(Written::Zoned {
            ms: zoned.timestamp_millis(),
        });
    }
    let bare = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    (0..=9999).contains(&bare.year()).then(|| Written::Bare {
        ms: bare.and_utc().timestamp_millis(),
    })
}

/// `/Date(ms)/` and `/Date(ms+zzzz)/`; the slashes may still have their backslashes.
fn ticks(text: &str) -> Option<Written> {
    let text = text.strip_prefix('\\').unwrap_or(text);
    let inner = text.strip_prefix("/Date(")?;
    let inner = inner
        .strip_suffix(")/")
        .or_else(|| inner.strip_suffix(")\\/"))?;
    let split = inner
        .char_indices()
        .skip(1)
        .find(|(_, letter)| matches!(letter, '+' | '-'))
        .map(|(at, _)| at);
    let (ms, suffix) = match split {
        Some(at) => (&inner[..at], Some(zone_minutes(&inner[at..])?)),
        None => (inner, None),
    };
    if ms.starts_with('+') {
        return None;
    }
    Some(Written::Ticks {
        ms: ms.parse().ok()?,
        suffix,
    })
}

/// `+0100` in minutes.
fn zone_minutes(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
#[path = "instant_tests.rs"]
mod tests;
