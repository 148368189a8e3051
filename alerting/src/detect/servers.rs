//! Sync servers, as the agents on them report: Connect Sync itself, and the agents of Cloud Sync.
//!
//! Pure, like every detector. What is judged against time is judged as of the read that showed it:
//! a server that is out of sight is neither well nor ill, and silence ends nothing. Two things are
//! judged against the calendar: versions and the end of their support.
//!
//! Levels: what is called an error where the levels come from is critical here; there are three
//! severities. On a server in staging mode each level is a step lower.

mod active;
mod agents;
mod builds;
mod certificate;
mod containers;
mod database;
mod deletions;
mod grade;
mod hung;
mod look;
mod passwords;
mod purge;
mod reach;
mod redundancy;
mod runs;
mod scheduler;
mod services;
mod versions;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use syncwatch_domain::alert::{Alert, Condition};
use syncwatch_domain::source::SourceState;
use syncwatch_domain::sync_server::{self, Agent, Part, Versions};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoredFact;

use self::look::Look;
use self::view::{Server, servers};
use crate::config::{AlertSettings, Version};

/// What else is known of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Objects are on time in Cloud Sync: a Connect server may have been put to rest on purpose.
    pub cloud_runs: bool,
    /// Templates of the jobs of Cloud Sync.
    pub templates: BTreeSet<String>,
    /// The last end of a certificate of Connect that Microsoft Graph shows.
    pub certificate_ends_at: Option<Timestamp>,
    /// When the loss of records of a host was last over.
    pub gaps_over: BTreeMap<String, Timestamp>,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Name of the tenant.
    pub tenant: &'a str,
    /// All facts of the tenant.
    pub facts: &'a [&'a StoredFact],
    /// All sources of the tenant that are asked for.
    pub sources: &'a [&'a SourceState],
    /// The alerts that fire about the tenant.
    pub firing: &'a [&'a Alert],
    /// What else is known.
    pub beyond: &'a Beyond,
    /// From when on something is worth an alert.
    pub settings: &'a AlertSettings,
    /// When it is.
    pub now: Timestamp,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What holds, and what was seen to be over.
    pub conditions: Vec<Condition>,
    /// When time alone can change that.
    pub next_due: Option<Timestamp>,
}

/// What the servers of a tenant mean.
#[must_use]
pub fn look(input: &Input<'_>) -> Found {
    let servers = servers(input.tenant, input.facts, input.sources);
    if servers.is_empty() {
        return Found::default();
    }
    let mut look = Look::new(input);
    let mut conditions = active::conditions(&look, &servers);
    for server in &servers {
        conditions.extend(of_server(&mut look, server, &servers));
    }
    conditions.extend(containers::conditions(&mut look, &servers));
    conditions.extend(builds::condition(&mut look, &servers));
    conditions.extend(redundancy::condition(
        &look,
        &servers,
        input.facts,
        input.sources,
    ));
    Found {
        conditions,
        next_due: look.next_due(),
    }
}

fn of_server(look: &mut Look<'_>, server: &Server<'_>, servers: &[Server<'_>]) -> Vec<Condition> {
    let mut found = agents::conditions(look, server);
    found.extend(services::conditions(look, server, servers));
    found.extend(scheduler::conditions(look, server, servers));
    found.extend(hung::conditions(look, server));
    found.extend(reach::conditions(look, server));
    found.extend(runs::conditions(look, server));
    found.extend(deletions::condition(server));
    found.extend(purge::condition(look, server));
    found.extend(passwords::conditions(look, server));
    found.extend(database::condition(look, server));
    found.extend(certificate::condition(look, server));
    found.extend(versions::conditions(look, server));
    found
}

/// What else must be known before the servers of a tenant can be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether Cloud Sync runs: a Connect server rests.
    pub cloud_runs: bool,
    /// Which jobs there are: an agent of Cloud Sync is too old for some.
    pub templates: bool,
    /// When the loss of records of these hosts was over.
    pub gaps: Vec<String>,
}

/// What else must be known before these servers can be judged.
#[must_use]
pub fn needs(
    tenant: &str,
    facts: &[&StoredFact],
    sources: &[&SourceState],
    settings: &AlertSettings,
) -> Needs {
    let mut needs = Needs::default();
    for server in servers(tenant, facts, sources) {
        needs.cloud_runs |= server
            .scheduler()
            .is_some_and(|scheduler| scheduler.staging_mode || !scheduler.sync_cycle_enabled);
        let installed: Option<Versions> = server.last(Part::Versions);
        let agent = installed
            .and_then(|installed| Version::parse(installed.provisioning_agent.as_deref()?));
        let features = settings.versions.features.iter();
        needs.templates |= agent.is_some_and(|agent| {
            features
                .map(|feature| feature.version)
                .any(|least| agent < least)
        });
        let agent: Option<Agent> = server.last(Part::Agent);
        if agent.is_some_and(|agent| agent.newest_gap.is_some()) {
            needs.gaps.push(server.host.to_owned());
        }
    }
    needs
}

/// Path of the alert about lost records of a host.
#[must_use]
pub fn gap_path(tenant: &str, host: &str) -> String {
    syncwatch_domain::alert::Subject::server(tenant, host).path
}

/// Hosts of the Connect servers that export, as far as they were seen.
#[must_use]
pub fn active_hosts(tenant: &str, facts: &[&StoredFact], sources: &[&SourceState]) -> Vec<String> {
    servers(tenant, facts, sources)
        .iter()
        .filter(|server| {
            server
                .scheduler()
                .is_some_and(|scheduler| !scheduler.staging_mode)
        })
        .map(|server| server.host.to_owned())
        .collect()
}

/// Whether a fact is about a sync server.
#[must_use]
pub fn is_about_one(fact: &StoredFact) -> bool {
    fact.name.starts_with(sync_server::PREFIX)
}

#[cfg(test)]
mod tests;
