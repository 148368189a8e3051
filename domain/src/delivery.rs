//! Deliveries: a notification on its way to one receiver, and what became of each attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alert::Notification;
use crate::lane::words;
use crate::time::Timestamp;

words! {
    /// State of a delivery.
    DeliveryState {
        /// Waits for its time or its turn.
        Pending = "pending",
        /// Acknowledged by the receiver.
        Delivered = "delivered",
        /// Given up; listed for people and told to another receiver.
        Dead = "dead",
    }
}

words! {
    /// How an attempt ended; a closed set, fit for a metric label.
    AttemptOutcome {
        /// The receiver acknowledged.
        Delivered = "delivered",
        /// To be tried again.
        Retry = "retry",
        /// Refused for good.
        GivenUp = "given_up",
    }
}

/// What a notifier says after one attempt. The receiver decides, by what it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The receiver acknowledged.
    Delivered,
    /// Try again; not before `after` when the receiver named a time.
    Retry {
        /// The receiver's own wish (Retry-After), honoured in full.
        after: Option<Duration>,
        /// What went wrong, without secrets.
        reason: String,
    },
    /// Trying again cannot help.
    GiveUp {
        /// What went wrong, without secrets.
        reason: String,
    },
}

impl AttemptResult {
    /// The outcome as a word.
    #[must_use]
    pub const fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::Delivered => AttemptOutcome::Delivered,
            Self::Retry { .. } => AttemptOutcome::Retry,
            Self::GiveUp { .. } => AttemptOutcome::GivenUp,
        }
    }
}

/// A delivery to be written: who is told what, and when at the earliest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Name of the receiver in the config.
    pub receiver: String,
    /// What it is told.
    pub notification: Notification,
    /// Not before this instant.
    pub due_at: Timestamp,
}

/// A delivery as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Number of its row.
    pub id: i64,
    /// Lets the receiver drop repetitions.
    pub idempotency_key: String,
    /// Name of the receiver in the config.
    pub receiver: String,
    /// What the receiver is told.
    pub notification: Notification,
    /// State.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Not before this instant.
    pub due_at: Timestamp,
    /// When the receiver acknowledged, or when it was given up.
    pub finished_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}
