//! Agents on sync servers: who may report, what a report means, and who has fallen silent.
//!
//! Both ways home end at [`Intake::take`]: agents that push come through the HTTP surface, those
//! that are asked through `ask`. A batch is committed as a whole, with what was learned from it,
//! before it is acknowledged; the same batch twice changes nothing. Clocks of servers are
//! corrected, never trusted.

mod access;
mod ask;
mod intake;
mod learn;
mod silence;
#[cfg(test)]
mod tests;
mod trouble;
mod wishes;

use std::sync::Arc;

use syncwatch_domain::clock::Clock;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::SourceKey;
use syncwatch_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use access::{AccessError, Who};
pub use intake::{Intake, IntakeError};

use crate::config::{AgentConfig, TenantConfig};
use crate::error::CollectorError;

/// An agent that the config names.
#[derive(Clone, Debug)]
pub(super) struct Enrolled {
    who: Who,
    config: AgentConfig,
}

/// The agents of all tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    enrolled: Arc<[Enrolled]>,
    intake: Intake,
    store: Store,
    clock: Arc<dyn Clock>,
    policy: watch::Receiver<Arc<LanePolicy>>,
}

impl Agents {
    pub(crate) fn new(
        tenants: &[TenantConfig],
        store: &Store,
        clock: &Arc<dyn Clock>,
        policy: watch::Receiver<Arc<LanePolicy>>,
    ) -> Result<Self, CollectorError> {
        let enrolled: Arc<[Enrolled]> = tenants.iter().flat_map(enrolled).collect();
        let intake = Intake::new(
            store.clone(),
            Arc::clone(clock),
            policy.clone(),
            Arc::clone(&enrolled),
        );
        Ok(Self {
            intake: intake.map_err(|_| CollectorError::Random)?,
            enrolled,
            store: store.clone(),
            clock: Arc::clone(clock),
            policy,
        })
    }

    /// Takes in reports.
    pub(crate) fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Whether a source belongs to an agent that the config names.
    pub(crate) fn is_enrolled(&self, key: &SourceKey) -> bool {
        let host = key.instance.split('/').next().unwrap_or_default();
        let mut agents = self.enrolled.iter();
        agents.any(|agent| agent.who.tenant == key.tenant && agent.who.host == host)
    }

    /// Asks those that are to be asked, and watches for silence, until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        tokio::join!(
            ask::ask(&self.enrolled, &self.intake, &self.clock, &stop),
            silence::watch(
                &self.enrolled,
                &self.store,
                &self.clock,
                &self.policy,
                self.intake.troubles(),
                &stop
            ),
        );
    }
}

fn enrolled(tenant: &TenantConfig) -> impl Iterator<Item = Enrolled> + '_ {
    tenant.agents.iter().map(|agent| Enrolled {
        who: Who {
            tenant: tenant.name.clone(),
            host: agent.host.clone(),
        },
        config: agent.clone(),
    })
}
