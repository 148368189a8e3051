//! What is said in the log of requests that are turned away: one line of each kind a minute, with
//! the number of those that were passed over.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use syncwatch_domain::time::Timestamp;

/// Time between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(60);

/// Why a report is turned away; a closed set, so that what is remembered stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    Starting,
    NoToken,
    WrongToken,
    WrongCertificate,
    TokenUnreadable,
    Busy,
    TooLong,
    Unreadable,
    OtherHost,
    NotKept,
}

/// When each kind was last told, and how many came since.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<Refusal, Told>>);

#[derive(Debug)]
struct Told {
    at: Timestamp,
    passed_over: u64,
}

impl Refusals {
    /// Writes a line about a refusal, unless one of its kind was written lately.
    pub(super) fn note(&self, refusal: Refusal, sentence: &str, now: Timestamp) {
        if let Some(passed_over) = self.is_due(refusal, now) {
            tracing::warn!(
                kind = ?refusal,
                reason = sentence,
                passed_over,
                "a report of an agent was turned away"
            );
        }
    }

    /// How many were passed over since the last line; `None` when it is too early for another.
    fn is_due(&self, refusal: Refusal, now: Timestamp) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = told.get_mut(&refusal) else {
            told.insert(
                refusal,
                Told {
                    at: now,
                    passed_over: 0,
                },
            );
            return Some(0);
        };
        // A clock that was put back must not silence it for hours.
        if now >= last.at && now.since(last.at) < PAUSE {
            last.passed_over += 1;
            return None;
        }
        last.at = now;
        Some(std::mem::take(&mut last.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_once_a_minute_with_the_number_passed_over() {
        let refusals = Refusals::default();
        let at = |seconds: i64| Timestamp::from_millis(1_790_000_000_000 + seconds * 1000);
        assert_eq!(refusals.is_due(Refusal::NoToken, at(0)), Some(0));
        assert_eq!(refusals.is_due(Refusal::WrongToken, at(1)), Some(0));
        for second in 1..60 {
            assert_eq!(refusals.is_due(Refusal::NoToken, at(second)), None);
        }
        assert_eq!(refusals.is_due(Refusal::NoToken, at(60)), Some(59));
        assert_eq!(refusals.is_due(Refusal::NoToken, at(-500)), Some(0));
    }
}
