//! What both engines of a tenant are told, put together from what is on record: scopes of Cloud
//! Sync from Graph, scopes and rules of Connect Sync from the agent on its active server.

use std::collections::BTreeMap;

use syncwatch_domain::job::Job;
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::owner::Activity;
use syncwatch_domain::report::forms::Forms;
use syncwatch_domain::report::{Outcome, Section, connectors, rules};
use syncwatch_domain::scope::cloud::{self, CloudScope};
use syncwatch_domain::scope::connect::ConnectConfiguration;
use syncwatch_domain::scope::site::{CloudConfiguration, Configuration};
use syncwatch_domain::sync_server::{Part, Scheduler, of_fact_name};
use syncwatch_store::{LaneFilter, Store, StoreError, StoredFact, StoredRecord};

/// Template of the job that provisions users, groups and contacts.
const PROVISIONING: &str = "AD2AADProvisioning";
/// Records looked through for one that was read.
const LOOKED_AT: u32 = 5;

pub(super) async fn load(store: &Store, tenant: &str) -> Result<Configuration, StoreError> {
    let facts = store.facts(Some(tenant)).await?;
    let jobs = store.jobs().await?;
    let jobs = jobs.into_iter().filter(|job| job.tenant == tenant);
    let servers = schedulers(&facts);
    let (activity, connect) = match speaker(&servers) {
        Some((agent_id, scheduler)) => {
            let exports = !scheduler.staging_mode && scheduler.sync_cycle_enabled;
            let activity = if exports {
                Activity::Active
            } else {
                Activity::Dormant
            };
            (Some(activity), connect(store, tenant, agent_id).await?)
        }
        None if has_connect(store, tenant).await? => (None, None),
        None => (Some(Activity::Absent), None),
    };
    Ok(Configuration {
        activity,
        connect,
        cloud: cloud(jobs, &facts),
    })
}

/// What changed from one configuration to the next, in words for a record of changes.
pub(super) fn difference(before: Option<&Configuration>, after: &Configuration) -> &'static str {
    let Some(before) = before else {
        return "the service started";
    };
    if before == after {
        return "the object changed";
    }
    if before.activity != after.activity {
        return "Connect Sync was switched on or off, or its staging mode";
    }
    let rules = |one: &Configuration| one.connect.as_ref().map(|connect| connect.rules.clone());
    match (before.connect == after.connect, before.cloud == after.cloud) {
        (false, true) if rules(before) == rules(after) => "the scope of Connect Sync changed",
        (false, true) => "the rules of Connect Sync changed",
        (true, false) => "the scope of Cloud Sync changed, or whether its jobs run",
        _ => "both configurations changed",
    }
}

fn schedulers(facts: &[StoredFact]) -> BTreeMap<&str, Scheduler> {
    let schedulers = facts.iter().filter_map(|fact| {
        let (agent_id, part) = of_fact_name(&fact.name)?;
        let scheduler = serde_json::from_value(fact.value.clone()).ok()?;
        (part == Part::Scheduler).then_some((agent_id, scheduler))
    });
    schedulers.collect()
}

/// The server whose configuration counts: the active one; where none is, one that would become it.
/// With two active ones either may be asked: that there are two is an alert of its own.
fn speaker<'a>(servers: &'a BTreeMap<&'a str, Scheduler>) -> Option<(&'a str, &'a Scheduler)> {
    let rank = |scheduler: &Scheduler| (scheduler.staging_mode, !scheduler.sync_cycle_enabled);
    let best = servers.iter().min_by_key(|(_, scheduler)| rank(scheduler));
    best.map(|(agent_id, scheduler)| (*agent_id, scheduler))
}

/// Whether Connect Sync is known from elsewhere.
async fn has_connect(store: &Store, tenant: &str) -> Result<bool, StoreError> {
    let filter = LaneFilter {
        tenant: Some(tenant.to_owned()),
        engine: Some(Engine::Connect),
        kind: Some(LaneKind::Objects),
        ..LaneFilter::default()
    };
    Ok(!store.lanes(&filter).await?.is_empty())
}

async fn connect(
    store: &Store,
    tenant: &str,
    agent_id: &str,
) -> Result<Option<ConnectConfiguration>, StoreError> {
    let newest = async |section: Section| -> Result<Option<StoredRecord>, StoreError> {
        let section = section.as_str();
        let records = store.agent_records(tenant, agent_id, section, LOOKED_AT);
        let mut records = records.await?.into_iter();
        Ok(records.find(|stored| stored.record.outcome == Outcome::Read))
    };
    let Some(stored) = newest(Section::Connectors).await? else {
        return Ok(None);
    };
    // A record that cannot be read is told where it is taken in.
    let forms = Forms::of(&stored.record);
    let Ok(connectors) = connectors::read(&stored.record.data, &forms) else {
        return Ok(None);
    };
    let rules = newest(Section::Rules).await?.and_then(|stored| {
        let forms = Forms::of(&stored.record);
        rules::read(&stored.record.data, &forms).ok()
    });
    Ok(Some(ConnectConfiguration {
        connectors,
        rules,
        group_filters: Vec::new(),
    }))
}

fn cloud(jobs: impl Iterator<Item = Job>, facts: &[StoredFact]) -> Vec<CloudConfiguration> {
    let mut configurations: Vec<(String, CloudConfiguration)> = jobs
        .filter(|job| job.template.eq_ignore_ascii_case(PROVISIONING))
        .map(|job| {
            let name = cloud::fact_name(&job.service_principal_id, &job.job_id);
            let fact = facts.iter().find(|fact| fact.name == name);
            let scope = fact.and_then(|fact| {
                serde_json::from_value::<Option<CloudScope>>(fact.value.clone()).ok()
            });
            let configuration = CloudConfiguration {
                domain: job.domain.clone(),
                runs: job.is_expected_to_run() && job.quarantine.is_none(),
                scope: scope.flatten(),
            };
            (job.job_id, configuration)
        })
        .collect();
    // Always in the same order, so that the same configuration is equal.
    configurations.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    configurations.into_iter().map(|(_, one)| one).collect()
}
