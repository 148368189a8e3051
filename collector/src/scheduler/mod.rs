//! The collector: polls every source when it is due, and at the very instant a lane of it turns
//! late or closes its window, because only a read after that instant proves or refutes a miss.

mod nap;
mod slot;
mod start;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use syncwatch_domain::clock::Clock;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{SourceId, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::slot::Slot;
use self::work::{Finished, Work};
use crate::agents::{Agents, Intake};
use crate::auth::Environment;
use crate::config::TenantConfig;
use crate::error::CollectorError;
use crate::metrics::Metrics;
use crate::polls::tenant::Tenant;

/// The service looks again at least this often, whatever it waits for.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// One call of `run_once` polls a source at most so many times: more is a fault of ours.
const ROUNDS_MOST: usize = 1_000;

/// What a collector is made of.
pub struct Parts<'a> {
    /// Where everything is kept.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The tenants to watch.
    pub tenants: Vec<TenantConfig>,
    /// What the operator wants of lanes.
    pub policy: LanePolicy,
    /// Where metrics are registered.
    pub registry: &'a Registry,
}

/// Reads Microsoft Graph for all tenants.
pub struct Collector {
    store: Store,
    clock: Arc<dyn Clock>,
    tenants: BTreeMap<String, Arc<Tenant>>,
    slots: BTreeMap<SourceId, Slot>,
    agents: Agents,
    policy: watch::Receiver<Arc<LanePolicy>>,
    handle: CollectorHandle,
    caught_up: watch::Sender<bool>,
    started: bool,
}

/// Speaks to a running collector.
#[derive(Clone, Debug)]
pub struct CollectorHandle {
    policy: watch::Sender<Arc<LanePolicy>>,
}

impl CollectorHandle {
    /// The operator changed what is wanted of lanes. The store must have applied it already.
    pub fn set_policy(&self, policy: LanePolicy) {
        self.policy.send_replace(Arc::new(policy));
    }
}

/// What a call of [`Collector::run_once`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs of polls in the order they ended.
    pub did: Vec<Did>,
    /// When something is due again.
    pub next_due: Option<Timestamp>,
}

/// A run of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Did {
    /// Which source.
    pub source: SourceKey,
    /// How it ended.
    pub end: RunEnd,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// The source was read.
    Read,
    /// Only lanes that crossed an instant were.
    Confirmed,
    /// It could not be read; that is on record.
    Failed(ReadFailure),
    /// The own request budget is used up, or others get their turn; it goes on later.
    Paused,
    /// It waits until the logs are read back.
    AwaitsLogs,
}

impl Collector {
    /// Builds a collector; nothing is asked or read yet.
    ///
    /// # Errors
    /// When a metric is registered already or no HTTP client can be built.
    pub fn new(parts: Parts<'_>) -> Result<Self, CollectorError> {
        // Managed identities may rotate their variables, so these are read at use.
        Self::with_environment(
            parts,
            &(Arc::new(|name: &str| std::env::var(name).ok()) as Environment),
        )
    }

    fn with_environment(
        parts: Parts<'_>,
        environment: &Environment,
    ) -> Result<Self, CollectorError> {
        let metrics = Metrics::register(parts.registry)?;
        let (sender, policy) = watch::channel(Arc::new(parts.policy));
        let agents = Agents::new(&parts.tenants, &parts.store, &parts.clock, policy.clone())?;
        let mut tenants = BTreeMap::new();
        for config in parts.tenants {
            let name = config.name.clone();
            let tenant = Tenant::new(config, &parts.clock, &metrics, environment)?;
            tenants.insert(name, Arc::new(tenant));
        }
        Ok(Self {
            store: parts.store,
            clock: parts.clock,
            tenants,
            slots: BTreeMap::new(),
            agents,
            policy,
            handle: CollectorHandle { policy: sender },
            caught_up: watch::Sender::new(false),
            started: false,
        })
    }

    /// Takes in the reports of agents that push them.
    #[must_use]
    pub fn intake(&self) -> Intake {
        self.agents.intake()
    }

    /// A handle that outlives the call of [`Collector::run`].
    #[must_use]
    pub fn handle(&self) -> CollectorHandle {
        self.handle.clone()
    }

    /// Turns `true` once every source was tried since the start and what was missed is read back.
    ///
    /// Judging before that would call lanes blind whose windows closed while the process was down.
    #[must_use]
    pub fn caught_up(&self) -> watch::Receiver<bool> {
        self.caught_up.subscribe()
    }

    /// Polls everything that is due at `now`, until nothing is, and waits for all of it.
    ///
    /// # Errors
    /// When the store refuses; what was read is then lost, and read again later.
    pub async fn run_once(&mut self, now: Timestamp) -> Result<Report, CollectorError> {
        self.start(now).await?;
        self.take_policy().await?;
        let mut report = Report::default();
        for _ in 0..ROUNDS_MOST {
            let mut running = JoinSet::new();
            for id in self.due(now) {
                self.spawn(id, now, &mut running);
            }
            if running.is_empty() {
                break;
            }
            let mut refused = None;
            while let Some(ended) = running.join_next().await {
                match self.apply(joined(ended)).await {
                    Ok(did) => report.did.push(did),
                    Err(error) => refused = Some(error),
                }
            }
            if let Some(error) = refused {
                return Err(error.into());
            }
        }
        report.next_due = self.next_due();
        Ok(report)
    }

    /// Polls until `stop` is cancelled, then waits for the polls under way.
    ///
    /// # Errors
    /// When the store refuses at the start. Later refusals are logged, and the poll is repeated.
    pub async fn run(&mut self, stop: CancellationToken) -> Result<(), CollectorError> {
        self.start(self.clock.now()).await?;
        let mut agents = JoinSet::new();
        agents.spawn(self.agents.clone().run(stop.clone()));
        let mut policy = self.policy.clone();
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            for id in self.due(self.clock.now() + nap::HEAD_START) {
                self.spawn(id, self.clock.now(), &mut running);
            }
            let due = self.next_due().map_or(LOOK_AGAIN, |due| {
                due.since(self.clock.now() + nap::HEAD_START)
            });
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = running.join_next() => self.apply_logged(joined(ended)).await,
                Ok(()) = policy.changed() => {
                    if let Err(error) = self.take_policy().await {
                        tracing::error!("{}", crate::http::chain(&error));
                    }
                }
                () = tokio::time::sleep(due.min(LOOK_AGAIN)) => {}
            }
        }
        while let Some(ended) = running.join_next().await {
            self.apply_logged(joined(ended)).await;
        }
        agents.join_all().await;
        Ok(())
    }

    /// Sources that are due.
    fn due(&self, now: Timestamp) -> Vec<SourceId> {
        self.slots
            .iter()
            .filter(|(_, slot)| slot.due_at().is_some_and(|due| due <= now))
            .map(|(id, _)| *id)
            .collect()
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.slots.values().filter_map(Slot::due_at).min()
    }

    fn spawn(&mut self, id: SourceId, now: Timestamp, running: &mut JoinSet<Finished>) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        let Some(tenant) = self.tenants.get(&slot.source.state.key.tenant) else {
            return;
        };
        let started_at = slot.due_at().map_or(now, |due| due.max(now));
        let errand = slot.errand(started_at);
        slot.begin(errand, started_at);
        let work = Work {
            tenant: Arc::clone(tenant),
            store: self.store.clone(),
            policy: Arc::clone(&self.policy.borrow()),
            source: slot.source.clone(),
            covered_at: slot.covered_at(),
            errand,
            started_at: started_at.max(self.clock.now()),
        };
        running.spawn(work.run());
    }
}

/// The result of a task; a panic in it goes on in whoever waits.
fn joined(ended: Result<Finished, tokio::task::JoinError>) -> Finished {
    match ended {
        Ok(finished) => finished,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
