//! The two clocks of a record: the server's own, which may be set, and a count that nobody sets.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use syncwatch_domain::clock::{Clock, SystemClock};
use syncwatch_domain::report::Elapsed;
use syncwatch_domain::time::Timestamp;
use uuid::Uuid;

/// How long the agent has been running; never goes back.
pub trait Count: Debug + Send + Sync + 'static {
    /// Time since the run began.
    fn elapsed(&self) -> Duration;
}

/// The machine's count.
#[derive(Clone, Copy, Debug)]
struct SystemCount(Instant);

impl Count for SystemCount {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A count that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ScriptedCount(AtomicU64);

impl ScriptedCount {
    /// Moves the count on.
    pub fn advance(&self, span: Duration) {
        let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Count for ScriptedCount {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Tells the time in both ways. Schedules and waits go by the count, so that a clock that is set
/// neither stops nor hurries them; the clock is only written down.
#[derive(Clone, Debug)]
pub struct Times {
    clock: Arc<dyn Clock>,
    count: Arc<dyn Count>,
    run: Arc<str>,
}

impl Times {
    /// The machine's clock, and a count that begins now.
    #[must_use]
    pub fn of_the_machine() -> Self {
        let count = Arc::new(SystemCount(Instant::now()));
        Self::new(Arc::new(SystemClock), count)
    }

    /// Clocks of the caller's choice; a run of its own.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, count: Arc<dyn Count>) -> Self {
        Self {
            clock,
            count,
            run: Uuid::new_v4().to_string().into(),
        }
    }

    /// The present instant by the server's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.count.elapsed()
    }

    /// The count as it is written down.
    #[must_use]
    pub fn mark(&self) -> Elapsed {
        Elapsed {
            run: self.run.to_string(),
            ms: u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}
