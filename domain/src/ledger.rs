//! The missed-window ledger: a lasting record of gaps between successes, whenever learned.

use serde::{Deserialize, Serialize};

use crate::cadence::Timing;
use crate::lane::words;
use crate::time::{Timestamp, millis};

words! {
    /// How sure an entry of the ledger is.
    LedgerProof {
        /// The source was read after the deadline and showed no success.
        Observed = "observed",
        /// Learned afterwards from logs that cover the gap.
        Logs = "logs",
    }
}

/// One gap in which windows of a lane were missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedWindows {
    /// The last success before the gap.
    pub from_at: Timestamp,
    /// The deadline that passed first.
    pub deadline_at: Timestamp,
    /// The success that ended the gap; `None` while it is open.
    pub caught_up_at: Option<Timestamp>,
    /// How many expected cycles fell into the gap so far.
    pub windows: i64,
    /// How it is known.
    pub proof: LedgerProof,
}

/// How many expected cycles fall between a success and `until`: at least one once a window closed.
#[must_use]
pub fn windows_between(from_at: Timestamp, until: Timestamp, timing: &Timing) -> i64 {
    let interval = millis(timing.interval).max(1);
    (millis(until.since(from_at)) / interval).max(1)
}

/// The gaps among `successes` that exceed the window, with event times.
///
/// `successes` may come in any order and with repetitions. Used after a time without sight, when
/// logs that cover it were read back: windows that were met are not reported, others are.
#[must_use]
pub fn gaps(successes: &[Timestamp], timing: &Timing) -> Vec<MissedWindows> {
    let mut ordered = successes.to_vec();
    ordered.sort_unstable();
    ordered
        .windows(2)
        .filter(|pair| pair[1] > pair[0] + timing.missed_after)
        .map(|pair| MissedWindows {
            from_at: pair[0],
            deadline_at: pair[0] + timing.missed_after,
            caught_up_at: Some(pair[1]),
            windows: windows_between(pair[0], pair[1], timing),
            proof: LedgerProof::Logs,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TIMING: Timing = Timing {
        interval: Duration::from_secs(30 * 60),
        late_after: Duration::from_secs(60 * 60),
        missed_after: Duration::from_secs(120 * 60),
    };

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    #[test]
    fn a_gap_beyond_the_window_is_entered_with_event_times() {
        let found = gaps(&[minute(185), minute(0), minute(30), minute(30)], &TIMING);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].from_at, minute(30));
        assert_eq!(found[0].deadline_at, minute(150));
        assert_eq!(found[0].caught_up_at, Some(minute(185)));
        assert_eq!(found[0].windows, 5);
    }

    #[test]
    fn windows_that_were_met_are_not_reported() {
        let met: Vec<_> = (0..10).map(|n| minute(n * 120)).collect();
        assert_eq!(gaps(&met, &TIMING), []);
        assert_eq!(gaps(&[], &TIMING), []);
    }

    #[test]
    fn a_closed_window_counts_at_least_once() {
        assert_eq!(windows_between(minute(0), minute(1), &TIMING), 1);
        assert_eq!(windows_between(minute(0), minute(125), &TIMING), 4);
    }
}
