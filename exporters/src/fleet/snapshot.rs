//! Reading the store for one page.

use std::collections::HashMap;

use serde::Deserialize as _;
use syncwatch_domain::job::Job;
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::sync_server::{self, Database, Part, fact_name};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    AgentsByHost, AlertTotal, CycleTotal, EventTotal, LaneFilter, LaneView, OutboxDepth,
    OwnerCount, StoredAgent, StoredFact,
};
use syncwatch_store::{Store, StoreError};

/// What the store knew at one moment. Each part is read by itself: a page needs no more agreement between families
/// than that, and a transaction over all of them would make writers wait on some databases.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) lanes: Vec<LaneView>,
    pub(crate) cycles: Vec<CycleTotal>,
    pub(crate) sources: Vec<SourceState>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) events: Vec<EventTotal>,
    pub(crate) provisioning_agents: Vec<ProvisioningAgent>,
    pub(crate) local_agents: Vec<LocalAgent>,
    pub(crate) owners: Vec<OwnerCount>,
    pub(crate) alerts: Vec<AlertTotal>,
    pub(crate) outbox: OutboxDepth,
}

/// A provisioning agent as the cloud sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProvisioningAgent {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) machine: String,
    pub(crate) active: bool,
}

/// An agent of ours that the config names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LocalAgent {
    pub(crate) tenant: String,
    /// Its server, as the config has it.
    pub(crate) host: String,
    /// When its newest report came; `None` while none did.
    pub(crate) reported_at: Option<Timestamp>,
    /// No report has come for too long.
    pub(crate) silent: bool,
    /// What it said about itself.
    pub(crate) known: Option<StoredAgent>,
    /// Space that the database of its Connect Sync uses, as it said last.
    pub(crate) database_bytes: Option<f64>,
}

impl Snapshot {
    /// Reads everything.
    pub(crate) async fn read(store: &Store) -> Result<Self, StoreError> {
        let sources = store
            .sources(None)
            .await?
            .into_iter()
            .map(|source| source.state)
            .collect::<Vec<_>>();
        let listed = store.facts_named(PROVISIONING_FACT, "").await?;
        Ok(Self {
            lanes: store.lanes(&LaneFilter::default()).await?,
            cycles: store.cycle_totals().await?,
            jobs: store.jobs().await?,
            events: store.event_totals().await?,
            provisioning_agents: provisioning_agents(&sources, &listed),
            local_agents: read_local_agents(store, &sources).await?,
            owners: store.owner_counts(None).await?,
            alerts: store.alert_totals().await?,
            outbox: store.outbox().await?,
            sources,
        })
    }
}

/// The agents of ours that the config names: each has a source that tells whether its reports come.
async fn read_local_agents(
    store: &Store,
    sources: &[SourceState],
) -> Result<Vec<LocalAgent>, StoreError> {
    let is_one = |source: &&SourceState| source.key.poll == Poll::AgentReports && !source.retired;
    if !sources.iter().any(|source| is_one(&source)) {
        return Ok(Vec::new());
    }
    let known = AgentsByHost::of(store.agents(None).await?);
    let databases = store
        .facts_named(sync_server::PREFIX, &format!("/{}", Part::Database))
        .await?;
    let databases = databases
        .iter()
        .map(|fact| ((fact.tenant.as_str(), fact.name.as_str()), fact))
        .collect::<HashMap<_, _>>();
    let agents = sources.iter().filter(is_one).map(|source| {
        let key = &source.key;
        let known = known.on(&key.tenant, &key.instance).cloned();
        let database = known.as_ref().and_then(|known| {
            let name = fact_name(&known.identity.id, Part::Database);
            let fact = databases.get(&(key.tenant.as_str(), name.as_str()))?;
            Database::deserialize(&fact.value).ok()
        });
        LocalAgent {
            tenant: key.tenant.clone(),
            host: key.instance.clone(),
            reported_at: source.read_at,
            silent: source.failing_since.is_some(),
            known,
            database_bytes: database.map(|database| (database.used_mb * BYTES_PER_MB).round()),
        }
    });
    Ok(agents.collect())
}

/// Connect tells the size of its database in units of 2^20 bytes, as Windows does.
const BYTES_PER_MB: f64 = 1_048_576.0;

/// Name of a fact about a provisioning agent, before the agent's id.
const PROVISIONING_FACT: &str = "agent/";

/// The agents that were listed by the newest read of a poll that works. While it does not, nothing is known of them,
/// and a fact that the newest read did not renew is about an agent that is gone.
fn provisioning_agents(sources: &[SourceState], facts: &[StoredFact]) -> Vec<ProvisioningAgent> {
    let listed_at = |tenant: &str| {
        let poll = sources
            .iter()
            .find(|source| source.key.poll == Poll::Agents && source.key.tenant == tenant)?;
        poll.failing_since.is_none().then_some(poll.read_at?)
    };
    let mut agents = facts
        .iter()
        .filter_map(|fact| {
            let id = fact.name.strip_prefix(PROVISIONING_FACT)?;
            let listed = fact.read_at >= listed_at(&fact.tenant)?;
            let machine = fact.value.get("machine")?.as_str()?;
            let active =
                fact.value.get("status").and_then(|status| status.as_str()) == Some("active");
            listed.then(|| ProvisioningAgent {
                tenant: fact.tenant.clone(),
                id: id.to_owned(),
                machine: machine.to_owned(),
                active,
            })
        })
        .collect::<Vec<_>>();
    agents.sort_by(|one, other| {
        (&one.tenant, &one.machine, &one.id).cmp(&(&other.tenant, &other.machine, &other.id))
    });
    agents
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use syncwatch_domain::source::{ReadFailure, SourceKey};

    use super::*;

    fn poll(read_at: Option<i64>, failing_since: Option<i64>) -> SourceState {
        SourceState {
            key: SourceKey {
                tenant: "hauser".into(),
                poll: Poll::Agents,
                instance: String::new(),
            },
            first_seen_at: Timestamp::from_millis(0),
            attempted_at: read_at.map(Timestamp::from_millis),
            read_at: read_at.map(Timestamp::from_millis),
            failing_since: failing_since.map(Timestamp::from_millis),
            failures: i64::from(failing_since.is_some()),
            failure: failing_since.map(|_| ReadFailure::RightMissing),
            failure_text: None,
            took_ms: None,
            retired: false,
        }
    }

    fn fact(name: &str, value: serde_json::Value, read_at: i64) -> StoredFact {
        StoredFact {
            tenant: "hauser".into(),
            name: name.into(),
            value,
            read_at: Timestamp::from_millis(read_at),
        }
    }

    #[test]
    fn agents_are_those_of_the_newest_read() {
        let facts = [
            fact(
                "agent/b",
                json!({"machine": "sync2.hauser.example", "status": "inactive"}),
                100,
            ),
            fact(
                "agent/a",
                json!({"machine": "sync1.hauser.example", "status": "active", "groups": []}),
                100,
            ),
            fact(
                "agent/gone",
                json!({"machine": "sync0.hauser.example", "status": "active"}),
                99,
            ),
            fact("agent/odd", json!({"status": "active"}), 100),
            fact("organization", json!({"machine": "x"}), 100),
        ];
        let found = provisioning_agents(&[poll(Some(100), None)], &facts);
        let seen = found
            .iter()
            .map(|agent| (agent.machine.as_str(), agent.active))
            .collect::<Vec<_>>();
        assert_eq!(
            seen,
            [
                ("sync1.hauser.example", true),
                ("sync2.hauser.example", false)
            ]
        );
    }

    #[test]
    fn nothing_is_said_of_agents_that_cannot_be_listed() {
        let facts = [fact(
            "agent/a",
            json!({"machine": "sync1.hauser.example", "status": "active"}),
            100,
        )];
        assert_eq!(
            provisioning_agents(&[poll(Some(100), Some(160))], &facts),
            []
        );
        assert_eq!(provisioning_agents(&[poll(None, None)], &facts), []);
        assert_eq!(provisioning_agents(&[], &facts), []);
    }
}
