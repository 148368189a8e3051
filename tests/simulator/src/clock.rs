//! The simulator's only source of time, handed in by whoever starts it.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Utc;

/// Tells what time it is in the simulated world, as UTC milliseconds since 1970.
pub trait SimClock: Send + Sync {
    /// The present instant.
    fn now_ms(&self) -> i64;
}

/// The clock of the machine: for demos, where seconds really pass.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl SimClock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock; the simulator may not use that of the product"
    )]
    fn now_ms(&self) -> i64 {
        Utc::now().timestamp_millis()
    }
}

/// A clock that stands still until it is moved: for scenarios, where a month passes in a millisecond.
#[derive(Debug)]
pub struct ScriptedClock {
    now_ms: AtomicI64,
}

impl ScriptedClock {
    /// A clock that shows `now_ms` until it is moved.
    #[must_use]
    pub fn new(now_ms: i64) -> Self {
        Self {
            now_ms: AtomicI64::new(now_ms),
        }
    }

    /// Moves the clock to an instant. Going back is allowed, because real servers do it too.
    pub fn set(&self, now_ms: i64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }

    /// Moves the clock forward (or back, if negative) and returns the new instant.
    pub fn advance(&self, by_ms: i64) -> i64 {
        self.now_ms.fetch_add(by_ms, Ordering::SeqCst) + by_ms
    }
}

impl SimClock for ScriptedClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}
