//! The budget of the reporting service: at most so many requests in any window of time.

use std::collections::VecDeque;
use std::time::Duration;

use syncwatch_domain::time::Timestamp;

/// The window of the service's limit, and a margin for requests that travel at unequal speed.
const WINDOW: Duration = Duration::from_millis(10_000 + 500);

/// Counts requests; time is passed in.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    sent: VecDeque<Timestamp>,
}

impl Budget {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1),
            sent: VecDeque::new(),
        }
    }

    /// Takes one request out of the budget, or says when there will be one.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        // A clock that was set back must not lock the budget until it is there again.
        while self.sent.back().is_some_and(|at| *at > now) {
            self.sent.pop_back();
        }
        while self.sent.front().is_some_and(|at| *at + WINDOW <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() >= self.limit {
            let oldest = self.sent.front().copied().unwrap_or(now);
            return Err(oldest + WINDOW);
        }
        self.sent.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_limit(
            limit in 1..8_u32,
            steps in prop::collection::vec(0..4_000_i64, 1..200),
        ) {
            let mut budget = Budget::new(limit);
            let mut now = Timestamp::from_millis(0);
            let mut sent = Vec::new();
            for step in steps {
                now = now + Duration::from_millis(step.unsigned_abs());
                if budget.take(now).is_ok() {
                    sent.push(now);
                }
            }
            for (index, start) in sent.iter().enumerate() {
                let within = sent[index..].iter().filter(|at| at.since(*start) < WINDOW).count();
                prop_assert!(within <= limit as usize, "{within} from {start}");
            }
        }

        #[test]
        fn the_named_instant_is_the_first_that_works(limit in 1..8_u32, gaps in prop::collection::vec(0..3_000_u64, 0..40)) {
            let mut budget = Budget::new(limit);
            let mut now = Timestamp::from_millis(0);
            for gap in gaps {
                now = now + Duration::from_millis(gap);
                if let Err(at) = budget.take(now) {
                    prop_assert!(at > now);
                    prop_assert!(budget.take(at - Duration::from_millis(1)).is_err());
                    prop_assert!(budget.take(at).is_ok());
                    now = at;
                }
            }
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lock_the_budget() {
        let mut budget = Budget::new(1);
        assert_eq!(budget.take(Timestamp::from_millis(9_000_000)), Ok(()));
        assert_eq!(budget.take(Timestamp::from_millis(5_000)), Ok(()));
    }
}
