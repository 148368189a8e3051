//! Receivers of notifications that remember everything and can be told to misbehave.

pub(crate) mod card;
pub(crate) mod card_rules;
pub(crate) mod smtp;
pub(crate) mod smtp_session;
pub(crate) mod teams;
pub(crate) mod webhook;

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;

pub use card::validate_card;
pub use smtp::Mail;
pub use teams::TeamsPost;
pub use webhook::{SignatureCheck, WebhookCall};

/// A list of arrivals one can wait on.
#[derive(Debug)]
pub struct Sink<T> {
    arrivals: Mutex<Vec<T>>,
    count: watch::Sender<usize>,
}

/// What had arrived when waiting came to its end.
#[derive(Debug, thiserror::Error)]
#[error("no matching arrival within {waited:?}; {} arrived", arrivals.len())]
pub struct NothingArrived<T: std::fmt::Debug> {
    /// How long was waited.
    pub waited: Duration,
    /// Everything there is.
    pub arrivals: Vec<T>,
}

impl<T: Clone + std::fmt::Debug> Default for Sink<T> {
    fn default() -> Self {
        Self {
            arrivals: Mutex::new(Vec::new()),
            count: watch::Sender::new(0),
        }
    }
}

impl<T: Clone + std::fmt::Debug> Sink<T> {
    pub(crate) fn push(&self, arrival: T) {
        let count = {
            let mut list = self.lock();
            list.push(arrival);
            list.len()
        };
        self.count.send_replace(count);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<T>> {
        self.arrivals
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Everything that arrived, in order, accepted or refused.
    pub fn arrivals(&self) -> Vec<T> {
        self.lock().clone()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.lock().clear();
        self.count.send_replace(0);
    }

    /// Follows the number of arrivals.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Waits until the list of arrivals satisfies a predicate and returns it; on timeout the error holds the list.
    pub async fn wait_for(
        &self,
        predicate: impl Fn(&[T]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<T>, NothingArrived<T>> {
        let mut count = self.watch();
        let waiting = async {
            loop {
                count.borrow_and_update();
                {
                    let list = self.lock();
                    if predicate(&list) {
                        return list.clone();
                    }
                }
                if count.changed().await.is_err() {
                    // The sender lives in this sink: it cannot be gone while the sink is borrowed.
                    return self.arrivals();
                }
            }
        };
        tokio::time::timeout(timeout, waiting)
            .await
            .map_err(|_| NothingArrived {
                waited: timeout,
                arrivals: self.arrivals(),
            })
    }
}
