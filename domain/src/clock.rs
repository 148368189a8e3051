//! The one allowed reading of the system clock, and a clock that tests move by hand.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::time::{Timestamp, millis};

/// Tells the time; nothing else. Passed in wherever time matters.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system clock"
    )]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }
}

/// A clock that stands still until it is moved; it never runs backwards by itself.
#[derive(Debug)]
pub struct ScriptedClock(AtomicI64);

impl ScriptedClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_millis()))
    }

    /// Moves the clock on by `span` and returns the new instant.
    pub fn advance(&self, span: Duration) -> Timestamp {
        let before = self.0.fetch_add(millis(span), Ordering::SeqCst);
        Timestamp::from_millis(before) + span
    }

    /// Sets the clock, also backwards: a machine's clock may be corrected.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ScriptedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripted_clock_moves_only_when_told() {
        let clock = ScriptedClock::new(Timestamp::from_millis(1_000));
        assert_eq!(clock.now(), clock.now());
        let later = clock.advance(Duration::from_secs(2));
        assert_eq!(later, Timestamp::from_millis(3_000));
        assert_eq!(clock.now(), later);
    }
}
