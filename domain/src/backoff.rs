//! Waiting between attempts: exponential, capped, with jitter from a seed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// How the wait between attempts grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// Wait after the first failure.
    pub first: Span,
    /// Never wait longer than this.
    pub cap: Span,
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 for the first).
    ///
    /// Doubles each time up to the cap, then loses up to a quarter by jitter. `seed` (an id of
    /// what is retried) makes the jitter repeatable and spreads neighbours.
    #[must_use]
    pub fn wait(&self, failures: u32, seed: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(32);
        let grown = self
            .first
            .0
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        let wait = grown.min(self.cap.0);
        let share = mix(seed ^ u64::from(failures)) % 1_000;
        let loss = wait.as_nanos() / 4 * u128::from(share) / 1_000;
        wait.saturating_sub(Duration::from_nanos(
            u64::try_from(loss).unwrap_or(u64::MAX),
        ))
    }
}

/// Spreads neighbouring numbers (the finaliser of SplitMix64).
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Span::secs(1),
        cap: Span::minutes(1),
    };

    proptest! {
        #[test]
        fn the_wait_stays_between_three_quarters_and_the_whole(failures in 1..200_u32, seed: u64) {
            let whole = Duration::from_secs(1_u64.checked_shl(failures - 1).unwrap_or(60).clamp(1, 60));
            let whole = if failures > 6 { Duration::from_secs(60) } else { whole };
            let wait = BACKOFF.wait(failures, seed);
            prop_assert!(wait <= whole && wait >= whole * 3 / 4, "{wait:?} of {whole:?}");
            prop_assert_eq!(wait, BACKOFF.wait(failures, seed));
        }
    }

    #[test]
    fn neighbours_do_not_wait_alike() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|seed| BACKOFF.wait(3, seed)).collect();
        assert!(waits.len() > 80);
    }
}
