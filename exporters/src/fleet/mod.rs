//! The fleet: what the store knows, read at the moment of the scrape.

mod alerts;
mod jobs;
mod lanes;
mod snapshot;
mod sources;

#[cfg(test)]
pub(crate) use snapshot::Agent;
pub(crate) use snapshot::Snapshot;

use crate::page::Page;

impl Snapshot {
    /// Writes every family that comes from the store.
    pub(crate) fn render(&self, page: &mut Page) {
        lanes::render(&self.lanes, &self.cycles, page);
        sources::render(&self.sources, page);
        jobs::render(self, page);
        alerts::render(&self.alerts, self.outbox, page);
    }
}
