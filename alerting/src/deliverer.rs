//! The deliverer: takes due deliveries from the outbox, lets notifiers try them, and writes down
//! what came of it.
//!
//! At least once: a delivery is done when its receiver acknowledged it and that is committed. A
//! process that dies in between sends it again, with the same idempotency key. Every receiver
//! has an outlet of its own, so none waits for another one; messages about one alert
//! reach a receiver in their order.

mod fallback;
mod metrics;
mod outlet;
mod recorder;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::delivery::AttemptOutcome;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub use self::metrics::DeliveryMetrics;
use self::outlet::{Finished, Outlet};
use crate::config::{Notifications, ReceiverConfig};
use crate::notify::NotifierError;

/// Finished attempts that wait to be written down. When it is full, attempts wait with their end:
/// nothing is lost, receivers are told later.
const RECORDS: usize = 1_024;

/// Each loop looks at least this often, whatever it was told.
const PERIOD: Duration = Duration::from_secs(30);

/// How long after an attempt's own limit its delivery stays ours.
const LEASE_MARGIN: Duration = Duration::from_secs(120);

/// What all outlets share.
#[derive(Debug)]
struct Shared {
    store: Store,
    clock: Arc<dyn Clock>,
    receivers: Vec<ReceiverConfig>,
    metrics: DeliveryMetrics,
    lease: Duration,
}

/// What a running outlet works with.
#[derive(Clone, Debug)]
struct Crew {
    shared: Arc<Shared>,
    sender: mpsc::Sender<Finished>,
    workers: TaskTracker,
    stop: CancellationToken,
    /// Cancelled when a worker panicked.
    broken: CancellationToken,
}

/// Delivers what the outbox holds.
#[derive(Debug)]
pub struct Deliverer {
    shared: Arc<Shared>,
    outlets: Vec<Arc<Outlet>>,
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Acknowledged.
    pub delivered: usize,
    /// To be tried again.
    pub retried: usize,
    /// Given up.
    pub given_up: usize,
    /// When something can be sent next.
    pub next_due: Option<Timestamp>,
}

impl DeliveryReport {
    /// How many attempts were made.
    #[must_use]
    pub const fn did(&self) -> usize {
        self.delivered + self.retried + self.given_up
    }
}

impl Deliverer {
    /// A deliverer for the receivers of `config`. Messages link to `page`.
    ///
    /// # Errors
    /// Every receiver that cannot be set up.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        config: &Notifications,
        page: Option<&Url>,
        metrics: DeliveryMetrics,
    ) -> Result<Self, Vec<NotifierError>> {
        let mut outlets = Vec::new();
        let mut failures = Vec::new();
        for receiver in &config.receivers {
            metrics.prepare(&receiver.name);
            match Outlet::new(receiver, page) {
                Ok(outlet) => outlets.push(Arc::new(outlet)),
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let longest = config.receivers.iter().map(|one| one.timeout).max();
        let shared = Shared {
            store,
            clock,
            receivers: config.receivers.clone(),
            metrics,
            lease: longest.unwrap_or_default() + LEASE_MARGIN,
        };
        Ok(Self {
            shared: Arc::new(shared),
            outlets,
        })
    }

    /// Tries what is due, each receiver within its limits, and writes down what came of it.
    ///
    /// # Errors
    /// When the store cannot be read or written; then nothing is lost, it is tried again.
    pub async fn run_once(&self, now: Timestamp) -> Result<DeliveryReport, StoreError> {
        let given_up = recorder::give_up_orphans(&self.shared, now).await?;
        for outlet in &self.outlets {
            outlet.take(&self.shared, now).await?;
        }
        let (sender, mut inbox) = mpsc::channel(RECORDS);
        let never = CancellationToken::new();
        let work: Vec<_> = self
            .outlets
            .iter()
            .flat_map(|outlet| {
                let places = outlet.hire();
                (0..places).map(|_| outlet.work(&self.shared, sender.clone(), &never))
            })
            .collect();
        drop(sender);
        let mut finished = Vec::new();
        let collect = async {
            while let Some(one) = inbox.recv().await {
                finished.push(one);
            }
        };
        join(join_all(work), collect).await;
        let mut report = DeliveryReport {
            given_up,
            ..DeliveryReport::default()
        };
        for one in &finished {
            match one.record.result.outcome() {
                AttemptOutcome::Delivered => report.delivered += 1,
                AttemptOutcome::Retry => report.retried += 1,
                AttemptOutcome::GivenUp => report.given_up += 1,
            }
        }
        recorder::record(&self.shared, &mut finished, now).await?;
        report.next_due = self.next_due(now).await?;
        Ok(report)
    }

    /// Delivers until `stop`; then finishes what is under way and writes it down.
    ///
    /// # Panics
    /// When an attempt panicked: a deliverer that is half dead must be started anew.
    pub async fn run(self, stop: CancellationToken) {
        let broken = CancellationToken::new();
        let workers = TaskTracker::new();
        let (sender, inbox) = mpsc::channel(RECORDS);
        let loops: Vec<_> = self
            .outlets
            .iter()
            .map(|outlet| {
                let crew = Crew {
                    shared: Arc::clone(&self.shared),
                    sender: sender.clone(),
                    workers: workers.clone(),
                    stop: stop.clone(),
                    broken: broken.clone(),
                };
                outlet.run(crew)
            })
            .collect();
        drop(sender);
        let everything = async {
            tokio::join!(
                join_all(loops),
                recorder::run(&self.shared, inbox, &stop),
                recorder::run_orphans(&self.shared, &stop),
            );
        };
        tokio::select! {
            () = everything => {}
            () = broken.cancelled() => panic!("an attempt to deliver panicked"),
        }
        workers.close();
        workers.wait().await;
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let stored = self.shared.store.next_delivery_due(now).await?;
        let gates = self
            .outlets
            .iter()
            .filter_map(|outlet| outlet.opens_at(now));
        Ok(gates.chain(stored).min())
    }
}

#[cfg(test)]
mod tests;
