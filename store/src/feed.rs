//! What the store announces after a commit: hints to look, never the truth itself.
//!
//! Losing a hint may cost latency, never correctness: every loop also wakes on a period.

use tokio::sync::{broadcast, watch};

use syncwatch_domain::alert::Alert;
use syncwatch_domain::lane::{LaneKey, LaneStatus};
use syncwatch_domain::time::Timestamp;

/// How many events an observer may lag behind before it loses the oldest.
const EVENT_CAPACITY: usize = 1_024;

/// What a loop waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The collector committed something.
    Observed,
    /// Lanes were judged, alerts changed.
    Judged,
    /// Deliveries were written.
    Outbox,
}

/// Something that was committed, for observers such as the event stream of the API.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreEvent {
    /// A lane changed its status.
    LaneJudged {
        /// Number of the lane's row; readers look its key up.
        lane: i64,
        /// Before.
        from: LaneStatus,
        /// After.
        to: LaneStatus,
        /// Since when, in event time.
        occurred_at: Option<Timestamp>,
    },
    /// An alert was opened, changed or resolved.
    AlertChanged(Box<Alert>),
    /// A lane is known for the first time.
    LaneFound(LaneKey),
}

/// A coalescing wake-up: any number of announcements since the last look are one.
pub type Wake = watch::Receiver<u64>;

/// The announcements of one store.
#[derive(Debug)]
pub struct Feed {
    observed: watch::Sender<u64>,
    judged: watch::Sender<u64>,
    outbox: watch::Sender<u64>,
    events: broadcast::Sender<StoreEvent>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            observed: watch::Sender::new(0),
            judged: watch::Sender::new(0),
            outbox: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENT_CAPACITY),
        }
    }
}

impl Feed {
    /// A wake-up for `topic`. Subscribe first, then query, then wait: nothing is missed.
    #[must_use]
    pub fn subscribe(&self, topic: Topic) -> Wake {
        self.sender(topic).subscribe()
    }

    /// The stream of events; an observer that lags loses the oldest and is told how many.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<StoreEvent> {
        self.events.subscribe()
    }

    pub(crate) fn announce(&self, topic: Topic) {
        self.sender(topic)
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn publish(&self, event: StoreEvent) {
        // No observer is no error.
        let _unobserved = self.events.send(event);
    }

    const fn sender(&self, topic: Topic) -> &watch::Sender<u64> {
        match topic {
            Topic::Observed => &self.observed,
            Topic::Judged => &self.judged,
            Topic::Outbox => &self.outbox,
        }
    }
}
