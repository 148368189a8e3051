//! `/api/v1/agents`: agents on sync servers, put together from what is stored.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use syncwatch_collector::config::TenantConfig;
use syncwatch_domain::source::Poll;
use syncwatch_domain::span::Span;
use syncwatch_domain::sync_server::{self, Part, of_fact_name};
use syncwatch_store::{AgentsByHost, Store, StoreError, StoredAgent, StoredFact};

use super::api::{Answer, Asked, asked};
use super::shape::{Agent, AgentHealth, AgentSection, Agents, Read, Server, Source, Spool, Way};
use super::stage::{Serving, Surface};

/// An agent that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledAgent {
    tenant: String,
    host: String,
    way: Way,
    silent_after: Duration,
}

/// The agents that the configuration names.
#[must_use]
pub(crate) fn enrolled(tenants: &[TenantConfig]) -> Arc<[EnrolledAgent]> {
    let of_tenant = |tenant: &TenantConfig| {
        let name = tenant.name.clone();
        let agents = tenant.agents.clone().into_iter();
        agents.map(move |agent| EnrolledAgent {
            tenant: name.clone(),
            host: agent.host,
            way: if agent.url.is_some() {
                Way::Ask
            } else {
                Way::Push
            },
            silent_after: agent.silent_after,
        })
    };
    tenants.iter().flat_map(of_tenant).collect()
}

/// Which agents are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentQuery {
    tenant: Option<String>,
}

pub(super) async fn agents(
    State(surface): State<Surface>,
    query: Asked<AgentQuery>,
) -> Answer<Agents> {
    let AgentQuery { tenant } = asked(query)?;
    let serving = surface.serving()?;
    let sources = serving.store.sources(tenant.as_deref()).await?;
    let sources: Vec<Source> = sources
        .into_iter()
        .map(|source| source.state.into())
        .collect();
    Ok(Json(Agents {
        now: surface.clock.now(),
        agents: behind(&serving, &sources).await?,
    }))
}

/// The agents behind the sources of their reports. Asks for nothing more where there are none.
pub(super) async fn behind(
    serving: &Serving,
    sources: &[Source],
) -> Result<Vec<Agent>, StoreError> {
    let mut reports: Vec<&Source> = sources.iter().filter(|source| is_agent(source)).collect();
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    reports
        .sort_by(|one, other| (&one.tenant, &one.instance).cmp(&(&other.tenant, &other.instance)));
    let stored = Stored::load(&serving.store).await?;
    let facts = stored.by_agent();
    let sections = by_server(sources);
    let agents = reports.into_iter().map(|source| {
        let place = (source.tenant.as_str(), source.instance.as_str());
        let known = stored.agents.on(place.0, place.1);
        let of_agent = known.and_then(|known| facts.get(&(place.0, known.identity.id.as_str())));
        let enrolled = serving
            .agents
            .iter()
            .find(|agent| (agent.tenant.as_str(), agent.host.as_str()) == place);
        let mut agent = agent(source, known, enrolled);
        agent.sections = sections.get(&place).cloned().unwrap_or_default();
        if let Some(parts) = of_agent {
            let itself = value::<sync_server::Agent>(parts, Part::Agent);
            agent.newest_gap = itself.and_then(|itself| itself.newest_gap);
            agent.server = server(parts);
        }
        agent
    });
    Ok(agents.collect())
}

/// How many agents are heard and how many are not; states without agents are zero.
pub(super) fn tally(sources: &[Source]) -> BTreeMap<AgentHealth, usize> {
    let mut tally: BTreeMap<_, _> = AgentHealth::ALL.iter().map(|health| (*health, 0)).collect();
    for source in sources.iter().filter(|source| is_agent(source)) {
        *tally.entry(AgentHealth::of(source.health)).or_default() += 1;
    }
    tally
}

fn is_agent(source: &Source) -> bool {
    source.poll == Poll::AgentReports
}

/// Tenant, and host or id of an agent.
type Place<'a> = (&'a str, &'a str);
type Parts<'a> = BTreeMap<Part, &'a StoredFact>;

/// What the store knows of all agents.
struct Stored {
    agents: AgentsByHost,
    facts: Vec<StoredFact>,
}

impl Stored {
    async fn load(store: &Store) -> Result<Self, StoreError> {
        Ok(Self {
            agents: AgentsByHost::of(store.agents(None).await?),
            facts: store.facts_named(sync_server::PREFIX, "").await?,
        })
    }

    fn by_agent(&self) -> HashMap<Place<'_>, Parts<'_>> {
        let mut sorted: HashMap<_, Parts<'_>> = HashMap::new();
        for fact in &self.facts {
            if let Some((agent_id, part)) = of_fact_name(&fact.name) {
                let place = (fact.tenant.as_str(), agent_id);
                sorted.entry(place).or_default().insert(part, fact);
            }
        }
        sorted
    }
}

fn by_server(sources: &[Source]) -> HashMap<Place<'_>, Vec<AgentSection>> {
    let mut sorted: HashMap<_, Vec<AgentSection>> = HashMap::new();
    for source in sources {
        if source.poll != Poll::AgentSection {
            continue;
        }
        if let Some((host, section)) = source.instance.split_once('/') {
            let place = (source.tenant.as_str(), host);
            let section = AgentSection::of(section, source);
            sorted.entry(place).or_default().push(section);
        }
    }
    for sections in sorted.values_mut() {
        sections.sort_by(|one, other| one.section.cmp(&other.section));
    }
    sorted
}

fn agent(reports: &Source, known: Option<&StoredAgent>, enrolled: Option<&EnrolledAgent>) -> Agent {
    let identity = known.map(|known| &known.identity);
    let spool = known.and_then(|known| known.spool.as_ref());
    Agent {
        tenant: reports.tenant.clone(),
        host: reports.instance.clone(),
        health: AgentHealth::of(reports.health),
        id: identity.map(|identity| identity.id.clone()),
        version: identity.map(|identity| identity.version.clone()),
        system: identity.map(|identity| identity.system.clone()),
        roles: identity.map_or_else(Default::default, |identity| identity.roles.clone()),
        way: enrolled.map(|agent| agent.way),
        silent_after: enrolled.map(|agent| Span(agent.silent_after)),
        first_seen_at: known.map(|known| known.first_seen_at),
        reported_at: reports.read_at,
        silent_since: reports.failing_since,
        error: reports.error.clone(),
        clock_ahead_ms: known.map(|known| known.clock_ahead_ms),
        spool: spool.map(|spool| Spool {
            id: spool.spool.clone(),
            acknowledged: spool.acknowledged,
            waiting: spool.waiting,
            lost: spool.lost,
        }),
        newest_gap: None,
        sections: Vec::new(),
        server: Server::default(),
    }
}

fn server(parts: &Parts<'_>) -> Server {
    Server {
        scheduler: read(parts, Part::Scheduler),
        runs: read(parts, Part::Runs),
        password_sync: read(parts, Part::PasswordSync),
        cloud_features: read(parts, Part::CloudFeatures),
        database: read(parts, Part::Database),
        reachability: read(parts, Part::Reachability),
        services: read(parts, Part::Services),
        versions: read(parts, Part::Versions),
        deletion_stop: read(parts, Part::DeletionStop),
        certificate: read(parts, Part::Certificate),
        pending_exports: read(parts, Part::PendingExports),
    }
}

fn read<T: DeserializeOwned>(parts: &Parts<'_>, part: Part) -> Option<Read<T>> {
    Some(Read {
        read_at: parts.get(&part)?.read_at,
        value: value(parts, part)?,
    })
}

/// A part, unless there is nothing of the kind on the server. What another version wrote and this
/// one cannot read is not there.
fn value<T: DeserializeOwned>(parts: &Parts<'_>, part: Part) -> Option<T> {
    T::deserialize(&parts.get(&part)?.value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_with_an_address_is_asked_and_one_without_pushes() {
        let text = "[store]\nurl = \"sqlite:x.db\"\n[[tenant]]\nname = \"orchard\"\n\
             id = \"00000000-0000-4000-8000-000000000001\"\n\
             client_id = \"00000000-0000-4000-8000-000000000002\"\nclient_secret = \"x\"\n\
             [[tenant.agent]]\nhost = \"SYNC01\"\ntoken_file = \"/x\"\n\
             [[tenant.agent]]\nhost = \"SYNC02\"\ntoken_file = \"/y\"\n\
             url = \"https://sync02.orchard.example:9749\"\nsilent_after = \"5m\"\n";
        let config =
            crate::config::load("test.toml", text, []).unwrap_or_else(|report| panic!("{report}"));
        let enrolled = enrolled(&config.tenants);
        let told: Vec<_> = enrolled
            .iter()
            .map(|agent| {
                (
                    agent.tenant.as_str(),
                    agent.host.as_str(),
                    agent.way,
                    agent.silent_after.as_secs(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("orchard", "SYNC01", Way::Push, 600),
                ("orchard", "SYNC02", Way::Ask, 300)
            ]
        );
    }
}
