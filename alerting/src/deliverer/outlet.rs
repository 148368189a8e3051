//! One receiver's place in the deliverer: what it holds, and how fast it may go.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use syncwatch_domain::delivery::{AttemptOutcome, AttemptResult, Delivery};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{AttemptRecord, StoreError, Topic, Want};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};
use url::Url;

use super::settle::settle;
use super::{Crew, PERIOD, Shared};
use crate::config::ReceiverConfig;
use crate::notify::{Notifier, NotifierError};

/// Deliveries taken ahead of the attempts, so that a burst needs few looks at the store.
const AHEAD: usize = 256;

/// How long to wait when the store cannot be read.
const STORE_TROUBLE: Duration = Duration::from_secs(1);

/// A receiver with the deliveries it has taken.
#[derive(Debug)]
pub(super) struct Outlet {
    config: ReceiverConfig,
    notifier: Notifier,
    state: Mutex<State>,
    /// A place became free, or an attempt was written down.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Taken, and not yet written down.
    in_flight: HashSet<i64>,
    /// Taken, and not yet begun.
    queue: VecDeque<Delivery>,
    /// Workers at work.
    running: usize,
    /// The pace allows no further one before.
    paced_until: Timestamp,
    /// The receiver asked to be left alone until.
    held_until: Timestamp,
}

/// An attempt that ended, to be written down.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) delivery: Delivery,
    pub(super) record: AttemptRecord,
    /// Whose it is; `None` for a receiver that is no longer configured.
    pub(super) outlet: Option<Arc<Outlet>>,
}

impl Outlet {
    pub(super) fn new(
        receiver: &ReceiverConfig,
        page: Option<&Url>,
    ) -> Result<Self, NotifierError> {
        Ok(Self {
            config: receiver.clone(),
            notifier: Notifier::new(receiver, page)?,
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds this lock")
    }

    /// When it may take deliveries again, if it may not now.
    pub(super) fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.state();
        Some(state.paced_until.max(state.held_until)).filter(|opens_at| *opens_at > now)
    }

    /// How many deliveries may be taken now.
    fn room(&self, now: Timestamp) -> usize {
        let state = self.state();
        let busy = state.queue.len() + state.running;
        if now < state.paced_until.max(state.held_until) {
            0
        } else if !self.notifier.pace().is_zero() {
            1_usize.saturating_sub(busy)
        } else if state.queue.len() > self.notifier.concurrency() {
            // Plenty: the workers ask for more when it runs low.
            0
        } else {
            AHEAD.saturating_sub(busy)
        }
    }

    /// Takes due deliveries into the queue, as many as there is room for.
    pub(super) async fn take(&self, shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
        let room = self.room(now);
        if room == 0 {
            return Ok(());
        }
        let want = Want {
            receiver: self.config.name.clone(),
            limit: u32::try_from(room).unwrap_or(u32::MAX),
        };
        let in_flight = self.state().in_flight.clone();
        let taken = shared
            .store
            .claim_deliveries(now, shared.lease, &[want], &in_flight)
            .await?;
        let mut state = self.state();
        if !taken.is_empty() {
            state.paced_until = now + self.notifier.pace();
        }
        state
            .in_flight
            .extend(taken.iter().map(|delivery| delivery.id));
        state.queue.extend(taken);
        Ok(())
    }

    /// How many workers to start; they count as running from here on.
    pub(super) fn hire(&self) -> usize {
        let mut state = self.state();
        let places = self.notifier.concurrency().saturating_sub(state.running);
        let hired = places.min(state.queue.len());
        state.running += hired;
        hired
    }

    /// The next delivery for a worker; `None` dismisses it.
    fn next(&self, now: Timestamp, stop: &CancellationToken) -> Option<Delivery> {
        let mut state = self.state();
        if stop.is_cancelled() || now < state.held_until {
            // They stay leased and are taken again later.
            let State {
                queue, in_flight, ..
            } = &mut *state;
            for delivery in queue.drain(..) {
                in_flight.remove(&delivery.id);
            }
        }
        let next = state.queue.pop_front();
        if next.is_none() {
            state.running -= 1;
        }
        if state.queue.len() == self.notifier.concurrency() || next.is_none() {
            self.changed.notify_one();
        }
        next
    }

    /// A worker: tries one delivery after the other until there is none.
    pub(super) async fn work(
        self: &Arc<Self>,
        shared: &Shared,
        sender: mpsc::Sender<Finished>,
        stop: &CancellationToken,
    ) {
        while let Some(delivery) = self.next(shared.clock.now(), stop) {
            let record = self.attempt(&delivery, shared).await;
            let outlet = Some(Arc::clone(self));
            let finished = Finished {
                delivery,
                record,
                outlet,
            };
            if sender.send(finished).await.is_err() {
                // The recorder gave up at the end of a stop; the delivery stays leased.
                self.state().running -= 1;
                return;
            }
        }
    }

    async fn attempt(&self, delivery: &Delivery, shared: &Shared) -> AttemptRecord {
        let began_at = shared.clock.now();
        let result = self.notifier.send(delivery, began_at).await;
        let ended_at = shared.clock.now();
        if let AttemptResult::Retry {
            after: Some(after), ..
        } = result
        {
            // Its other messages wait as well; but an absurd wish must not silence it for ever.
            let until = ended_at + after.min(self.config.give_up_after);
            let mut state = self.state();
            state.held_until = state.held_until.max(until);
        }
        let (result, next_due_at) = settle(result, delivery, &self.config, ended_at);
        self.note(delivery, &result, next_due_at);
        shared
            .metrics
            .attempted(&self.config.name, result.outcome());
        if result.outcome() == AttemptOutcome::Delivered {
            shared
                .metrics
                .acknowledged(ended_at.since(delivery.notification.decided_at));
        }
        AttemptRecord {
            delivery_id: delivery.id,
            began_at,
            ended_at,
            result,
            next_due_at,
            fallback: None,
        }
    }

    fn note(&self, delivery: &Delivery, result: &AttemptResult, next_due_at: Option<Timestamp>) {
        let (receiver, alert) = (&self.config.name, &delivery.notification.alert.id);
        match result {
            AttemptResult::Delivered => {
                debug!(receiver.name = receiver, alert.id = %alert, delivery.id, "delivered");
            }
            AttemptResult::Retry { reason, .. } => {
                let next_due = next_due_at.map(|at| at.to_string());
                warn!(receiver.name = receiver, alert.id = %alert, delivery.id, next_due, reason, "not delivered, will be tried again");
            }
            AttemptResult::GiveUp { reason } => {
                error!(receiver.name = receiver, alert.id = %alert, delivery.id, reason, "given up");
            }
        }
    }

    /// An attempt at this delivery was written down.
    pub(super) fn recorded(&self, delivery: i64) {
        self.state().in_flight.remove(&delivery);
        self.changed.notify_one();
    }

    /// The loop of one receiver, until the stop.
    pub(super) async fn run(self: &Arc<Self>, crew: Crew) {
        let mut wake = crew.shared.store.feed().subscribe(Topic::Outbox);
        let mut in_trouble = false;
        loop {
            // What is announced from here on wakes again; what was before is found by the look.
            wake.borrow_and_update();
            let wait = match self.look(&crew).await {
                Ok(wait) => {
                    in_trouble = false;
                    wait
                }
                Err(error) => {
                    if !in_trouble {
                        let error: &dyn std::error::Error = &error;
                        error!(
                            receiver.name = self.config.name,
                            error, "cannot read the outbox"
                        );
                    }
                    in_trouble = true;
                    STORE_TROUBLE
                }
            };
            tokio::select! {
                () = crew.stop.cancelled() => return,
                announced = wake.changed() => if announced.is_err() { return },
                () = self.changed.notified() => {}
                () = tokio::time::sleep(wait) => {
                    let idle = Arc::clone(self);
                    crew.workers.spawn(async move { idle.notifier.tend().await });
                }
            }
        }
    }

    /// Takes what is due and sets workers on it. Says how long nothing more is due.
    async fn look(self: &Arc<Self>, crew: &Crew) -> Result<Duration, StoreError> {
        let now = crew.shared.clock.now();
        self.take(&crew.shared, now).await?;
        for _ in 0..self.hire() {
            let (outlet, crew) = (Arc::clone(self), crew.clone());
            crew.workers.clone().spawn(async move {
                let alarm = Alarm(crew.broken);
                outlet.work(&crew.shared, crew.sender, &crew.stop).await;
                drop(alarm);
            });
        }
        let due = crew.shared.store.next_delivery_due(now).await?;
        let wait = due
            .into_iter()
            .chain(self.opens_at(now))
            .min()
            .map(|at| at.since(now));
        Ok(wait.map_or(PERIOD, |wait| wait.min(PERIOD)))
    }
}

/// Tells of a worker that panics; its delivery would wait for ever.
struct Alarm(CancellationToken);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}
