//! The fleet: what the store knows, read at the moment of the scrape.

mod agents;
mod alerts;
mod jobs;
mod lanes;
mod owners;
mod snapshot;
mod sources;

pub(crate) use snapshot::Snapshot;
#[cfg(test)]
pub(crate) use snapshot::{LocalAgent, ProvisioningAgent};

use crate::page::Page;

impl Snapshot {
    /// Writes every family that comes from the store.
    pub(crate) fn render(&self, page: &mut Page) {
        lanes::render(&self.lanes, &self.cycles, page);
        sources::render(&self.sources, page);
        jobs::render_status(&self.jobs, page);
        agents::render(&self.provisioning_agents, &self.local_agents, page);
        jobs::render_events(&self.events, page);
        owners::render(&self.owners, page);
        alerts::render(&self.alerts, self.outbox, page);
    }
}
