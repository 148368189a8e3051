//! When to do something again: after a span, or by a cron expression in a time zone.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::span::Span;
use crate::time::Timestamp;

/// A text that is no schedule.
#[derive(Debug, Error)]
pub enum ScheduleError {
    /// Neither a span nor a cron expression.
    #[error(
        "{text:?} is neither a duration such as 15m nor a cron expression such as \"0 */15 * * * *\" (seconds first, optional \"TZ=Europe/Berlin \" in front)"
    )]
    Unreadable {
        /// The text.
        text: String,
    },
    /// A time zone that does not exist.
    #[error("{zone:?} is not an IANA time zone such as Europe/Berlin")]
    UnknownZone {
        /// The name.
        zone: String,
    },
    /// A span of zero.
    #[error("a schedule needs a duration above zero")]
    Zero,
}

/// When to do something again.
#[derive(Clone)]
pub enum Schedule {
    /// A fixed span after the start of the last time.
    Every(Span),
    /// At the instants of a cron expression, read in a time zone.
    Cron {
        /// The expression, seconds first.
        expression: Box<cron::Schedule>,
        /// The zone its fields are read in.
        zone: Tz,
    },
}

impl Schedule {
    /// The next instant after `last` at which it is time again.
    ///
    /// `None` for a cron expression that never comes again.
    #[must_use]
    pub fn next_after(&self, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(span) => Some(last + span.0),
            Self::Cron { expression, zone } => {
                let local = last.to_utc()?.with_timezone(zone);
                let next = expression.after(&local).next()?;
                Some(next.with_timezone(&chrono::Utc).into())
            }
        }
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        if let Ok(span) = Span::parse(text) {
            return if span.0.is_zero() {
                Err(ScheduleError::Zero)
            } else {
                Ok(Self::Every(span))
            };
        }
        let (zone, expression) = match text.trim().strip_prefix("TZ=") {
            Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
            None => ("UTC", text),
        };
        let zone = zone.parse().map_err(|_| ScheduleError::UnknownZone {
            zone: zone.to_owned(),
        })?;
        let expression =
            cron::Schedule::from_str(expression.trim()).map_err(|_| ScheduleError::Unreadable {
                text: text.to_owned(),
            })?;
        Ok(Self::Cron {
            expression: Box::new(expression),
            zone,
        })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(span) => span.fmt(f),
            Self::Cron { expression, zone } => write!(f, "TZ={zone} {}", expression.source()),
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({self})")
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_span_counts_from_the_last_start() {
        let schedule: Schedule = "15m".parse().unwrap();
        assert_eq!(
            schedule.next_after(at("2026-03-01T10:00:00Z")),
            Some(at("2026-03-01T10:15:00Z"))
        );
    }

    #[test]
    fn a_cron_expression_follows_its_zone_over_the_change_of_clocks() {
        let schedule: Schedule = "TZ=Europe/Berlin 0 30 6 * * *".parse().unwrap();
        assert_eq!(
            schedule.next_after(at("2026-03-28T00:00:00Z")),
            Some(at("2026-03-28T05:30:00Z"))
        );
        assert_eq!(
            schedule.next_after(at("2026-03-29T00:00:00Z")),
            Some(at("2026-03-29T04:30:00Z"))
        );
    }

    #[test]
    fn an_hour_that_does_not_exist_is_passed_over() {
        let schedule: Schedule = "TZ=Europe/Berlin 0 30 2 * * *".parse().unwrap();
        let next = schedule.next_after(at("2026-03-28T12:00:00Z")).unwrap();
        assert!(next > at("2026-03-29T00:00:00Z"), "{next}");
        assert!(next <= at("2026-03-30T00:30:00Z"), "{next}");
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_a_hint() {
        for (text, hint) in [
            ("whenever", "cron"),
            ("0s", "above zero"),
            ("TZ=Mars/Olympus 0 0 * * * *", "IANA"),
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn text_form_reads_back() {
        for text in ["15m", "TZ=Europe/Berlin 0 30 6 * * *"] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule, schedule.to_string().parse().unwrap());
        }
    }
}
