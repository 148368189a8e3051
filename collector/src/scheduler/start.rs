//! Before the first poll: what the store knows is recalled, sources of the config are made, and
//! those the config no longer names are retired.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::scope::cloud;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    Fact, LaneFilter, PollCommit, PollOutcome, StoreError, StoredFact, StoredSource,
};

use super::{Collector, Slot};
use crate::error::CollectorError;
use crate::polls::fact;
use crate::polls::organization::TENANT_WIDE;
use crate::polls::tenant::{Shared, Tenant};

impl Collector {
    /// Gets ready once; later calls do nothing.
    pub(super) async fn start(&mut self, now: Timestamp) -> Result<(), CollectorError> {
        if self.started {
            return Ok(());
        }
        let tenants: Vec<_> = self.tenants.values().map(Arc::clone).collect();
        for tenant in &tenants {
            for key in configured(tenant) {
                self.store.ensure_source(&key, now).await?;
            }
            self.recall(tenant).await?;
        }
        for source in self.store.sources(None).await? {
            if !source.state.key.poll.is_graph() {
                if !self.agents.is_enrolled(&source.state.key) {
                    self.retire(&source, now).await?;
                }
            } else if self.is_wanted(&source.state.key) {
                self.recall_source(&source);
                self.add(source);
            } else {
                self.retire(&source, now).await?;
            }
        }
        for slot in self.slots.values_mut() {
            let at = self
                .store
                .next_lane_instant(slot.source.id, slot.covered_at())
                .await?;
            slot.confirm_at(at);
        }
        self.started = true;
        // With nothing to poll there is nothing to wait for.
        self.note_caught_up();
        Ok(())
    }

    /// Polls a source from now on.
    pub(super) fn add(&mut self, source: StoredSource) {
        let Some(tenant) = self.tenants.get(&source.state.key.tenant) else {
            return;
        };
        let key = &source.state.key;
        if key.poll == Poll::JobSchemas {
            tenant.shared().schemas.insert(key.instance.clone());
        }
        let settings = tenant.config.poll(key.poll);
        self.slots
            .entry(source.id)
            .or_insert_with(|| Slot::new(source, settings.schedule, tenant.config.log_settle));
    }

    fn is_wanted(&self, key: &SourceKey) -> bool {
        self.tenants.get(&key.tenant).is_some_and(|tenant| {
            tenant.config.poll(key.poll).enabled
                && (key.poll != Poll::JobSchemas || tenant.config.poll(Poll::Jobs).enabled)
                && (key.poll != Poll::Credentials || tenant.config.client_id().is_some())
        })
    }

    /// The config no longer wants the source: it must not be reported as unread for ever.
    async fn retire(&self, source: &StoredSource, now: Timestamp) -> Result<(), StoreError> {
        let commit = PollCommit {
            unwatched: vec![source.state.key.clone()],
            facts: self.stale_facts(&source.state.key).await?,
            ..PollCommit::bare(source.id, now, now, PollOutcome::Partial)
        };
        let policy = Arc::clone(&self.policy.borrow());
        self.store.commit_poll(&commit, &policy).await.map(drop)
    }

    /// Facts that nobody keeps true any more, taken back: agents would go on looking up containers
    /// of a scope that is no longer read.
    async fn stale_facts(&self, key: &SourceKey) -> Result<Vec<Fact>, StoreError> {
        if key.poll != Poll::JobSchemas {
            return Ok(Vec::new());
        }
        let prefix = cloud::fact_name(&key.instance, "");
        let known = self.store.facts(Some(&key.tenant)).await?;
        let stale = known
            .into_iter()
            .filter(|fact| fact.name.starts_with(&prefix));
        Ok(stale.map(|known| fact(known.name, Value::Null)).collect())
    }

    fn recall_source(&self, source: &StoredSource) {
        let key = &source.state.key;
        let Some(tenant) = self.tenants.get(&key.tenant) else {
            return;
        };
        let mut shared = tenant.shared();
        match key.poll {
            Poll::ServicePrincipals => shared.discovered |= source.state.read_at.is_some(),
            Poll::Jobs => {
                shared
                    .configurations
                    .entry(key.instance.clone())
                    .or_default();
                if source.state.read_at.is_some() {
                    shared.jobs_read.insert(key.instance.clone());
                }
            }
            Poll::ProvisioningLogs => {
                shared.logs_usable = source.state.failure.is_none_or(ReadFailure::is_outage);
            }
            _ => {}
        }
    }

    /// What earlier polls learned of the tenant.
    async fn recall(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let name = &tenant.config.name;
        let lanes = self
            .store
            .lanes(&LaneFilter {
                tenant: Some(name.clone()),
                ..LaneFilter::default()
            })
            .await?;
        let jobs = self.store.jobs().await?;
        let facts = self.store.facts(Some(name)).await?;
        let mut shared = tenant.shared();
        let partitions: BTreeMap<&str, &str> = lanes
            .iter()
            .filter_map(|lane| Some((lane.job_id.as_deref()?, lane.key.partition.as_str())))
            .collect();
        for job in jobs.iter().filter(|job| job.tenant == *name) {
            shared
                .book
                .recall(job, partitions.get(job.job_id.as_str()).copied());
        }
        let connect = lanes
            .iter()
            .filter(|lane| lane.key.engine == Engine::Connect && lane.key.partition == TENANT_WIDE);
        shared.connect_lanes = connect.map(|lane| lane.key.kind).collect();
        for fact in &facts {
            recall_fact(&mut shared, fact);
        }
        // Without discovery there are no configurations but those of the config.
        shared.discovered = !tenant.config.poll(Poll::ServicePrincipals).enabled;
        Ok(())
    }
}

/// Sources that exist because of the config alone.
fn configured(tenant: &Tenant) -> Vec<SourceKey> {
    let config = &tenant.config;
    let mut keys: Vec<_> = Poll::GRAPH
        .iter()
        .filter(|poll| !Poll::PER_CONFIGURATION.contains(poll) && config.poll(**poll).enabled)
        .filter(|poll| **poll != Poll::Credentials || config.client_id().is_some())
        .map(|poll| tenant.source(*poll, ""))
        .collect();
    if config.poll(Poll::Jobs).enabled {
        let principals = config.service_principals.iter();
        keys.extend(principals.map(|id| tenant.source(Poll::Jobs, id)));
    }
    keys
}

fn recall_fact(shared: &mut Shared, fact: &StoredFact) {
    if fact.value.is_null() {
        return;
    }
    shared.facts.insert(fact.name.clone());
    match fact.name.split('/').collect::<Vec<_>>().as_slice() {
        ["configuration", id] => {
            let name = fact.value["name"].as_str().unwrap_or_default().to_owned();
            shared.configurations.insert((*id).to_owned(), name);
        }
        ["connect_application", id] => {
            shared.connect_principals.insert((*id).to_owned());
        }
        ["last_write", engine, kind] => {
            let at = fact.value["at"].as_str().and_then(Timestamp::parse);
            if let (Some(engine), Some(kind), Some(at)) =
                (Engine::from_word(engine), LaneKind::from_word(kind), at)
            {
                shared.last_writes.insert((engine, kind), at);
            }
        }
        _ => {}
    }
}
