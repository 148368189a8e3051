//! Lines of the log that must not come in floods: one of a kind a minute.

use std::collections::BTreeMap;
use std::time::Duration;

/// Time between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(60);

/// When a line of each kind was last written. Kinds are a closed set, so it stays small.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seldom<K>(BTreeMap<K, (Duration, u64)>);

impl<K: Ord> Seldom<K> {
    /// How many lines of the kind were left out since the last one; `None` when it is too early
    /// for another. `elapsed` is the agent's count.
    pub(crate) fn is_due(&mut self, kind: K, elapsed: Duration) -> Option<u64> {
        match self.0.get_mut(&kind) {
            None => {
                self.0.insert(kind, (elapsed, 0));
                Some(0)
            }
            Some((at, left_out)) if elapsed.saturating_sub(*at) < PAUSE => {
                *left_out += 1;
                None
            }
            Some((at, left_out)) => {
                *at = elapsed;
                Some(std::mem::take(left_out))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_once_a_minute_with_what_was_left_out() {
        let mut seldom = Seldom::default();
        let second = Duration::from_secs;
        assert_eq!(seldom.is_due("a", second(5)), Some(0));
        assert_eq!(seldom.is_due("b", second(6)), Some(0));
        for now in 7..65 {
            assert_eq!(seldom.is_due("a", second(now)), None);
        }
        assert_eq!(seldom.is_due("a", second(65)), Some(58));
        assert_eq!(seldom.is_due("a", second(66)), None);
    }
}
