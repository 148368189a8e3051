//! Sync servers in a judgement: what their detectors need beyond facts and sources.

use std::collections::{BTreeMap, BTreeSet};

use syncwatch_domain::alert::{Alert, Condition, Rule};
use syncwatch_domain::lane::{Engine, LaneKind, LaneStatus};
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{LaneFilter, Store, StoreError, StoredFact};

use super::firing::Firing;
use super::judge;
use crate::config::AlertSettings;
use crate::detect::servers::{self, Beyond, Found, Input, Needs};
use crate::detect::{credentials, lanes};

/// What the servers of a tenant mean. `sources` are those of the tenant.
pub(super) async fn look(
    store: &Store,
    tenant: &str,
    (facts, sources): (&[StoredFact], &[SourceState]),
    firing: &Firing,
    settings: &AlertSettings,
    now: Timestamp,
) -> Result<Found, StoreError> {
    if !facts.iter().any(servers::is_about_one) {
        return Ok(Found::default());
    }
    let facts: Vec<&StoredFact> = facts.iter().collect();
    let sources: Vec<&SourceState> = sources.iter().filter(|source| !source.retired).collect();
    let needs = servers::needs(tenant, &facts, &sources, settings);
    let mut beyond = beyond(store, tenant, needs).await?;
    let credentials = sources
        .iter()
        .find(|source| source.key.poll == Poll::Credentials);
    let read_at = credentials.and_then(|source| source.read_at);
    beyond.certificate_ends_at = credentials::connect_ends_at(&facts, read_at);
    let of_servers = |alert: &&Alert| alert.labels.contains_key("server");
    let firing: Vec<&Alert> = firing.of_tenant(tenant).filter(of_servers).collect();
    Ok(servers::look(&Input {
        tenant,
        facts: &facts,
        sources: &sources,
        firing: &firing,
        beyond: &beyond,
        settings,
        now,
    }))
}

/// Asked for only where it decides something.
async fn beyond(store: &Store, tenant: &str, needs: Needs) -> Result<Beyond, StoreError> {
    let mut beyond = Beyond::default();
    if needs.cloud_runs {
        let on_time = LaneFilter {
            tenant: Some(tenant.to_owned()),
            engine: Some(Engine::Cloud),
            kind: Some(LaneKind::Objects),
            status: Some(LaneStatus::OnTime),
        };
        beyond.cloud_runs = !store.lanes(&on_time).await?.is_empty();
    }
    if needs.templates {
        let jobs = store.jobs().await?.into_iter();
        let of_tenant = jobs.filter(|job| job.tenant == tenant);
        beyond.templates = of_tenant.map(|job| job.template).collect();
    }
    for host in needs.gaps {
        let path = servers::gap_path(tenant, &host);
        let ended = store.last_resolved(Rule::AgentGap, tenant, &path).await?;
        beyond.gaps_over.extend(ended.map(|at| (host, at)));
    }
    Ok(beyond)
}

/// Adds to the conditions of lanes what explains them: what a server is up to must be known before
/// its lanes are. Lanes of Connect that Microsoft Graph tells of belong to the active server.
pub(super) async fn explain(
    store: &Store,
    tenants: &BTreeSet<String>,
    conditions: &mut Vec<Condition>,
    firing: &Firing,
    settings: &AlertSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    for tenant in tenants {
        let facts = store.facts(Some(tenant)).await?;
        let sources: Vec<SourceState> = store
            .sources(Some(tenant))
            .await?
            .into_iter()
            .map(|source| source.state)
            .collect();
        let found = look(store, tenant, (&facts, &sources), firing, settings, now).await?;
        let active = {
            let facts: Vec<&StoredFact> = facts.iter().collect();
            let sources: Vec<&SourceState> = sources.iter().collect();
            servers::active_hosts(tenant, &facts, &sources)
        };
        if let [only] = active.as_slice() {
            let of_tenant = conditions
                .iter_mut()
                .filter(|condition| condition.subject.tenant == *tenant);
            of_tenant.for_each(|condition| lanes::belongs_to(condition, only));
        }
        let found = found.conditions.into_iter();
        conditions.extend(found.filter(|condition| judge::matters(condition, firing)));
    }
    Ok(())
}

/// When to look at the servers of tenants again.
#[derive(Debug, Default)]
pub(super) struct Looks(BTreeMap<String, Timestamp>);

impl Looks {
    /// The tenants that are due.
    pub(super) fn due(&self, now: Timestamp) -> BTreeSet<String> {
        let due = self.0.iter().filter(|(_, at)| **at <= now);
        due.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// The next instant at which one is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// What a look found out about when to look again.
    pub(super) fn note(&mut self, found: BTreeMap<String, Option<Timestamp>>) {
        for (tenant, at) in found {
            match at {
                Some(at) => self.0.insert(tenant, at),
                None => self.0.remove(&tenant),
            };
        }
    }
}
