//! Agents of Cloud Sync stand in for one another: one is none. And the last ones must not live on
//! a Connect server, which goes away at the end of a migration.
//!
//! Microsoft Graph lists every agent, where it may be asked; else the servers that report count.

use std::collections::BTreeSet;

use serde::Deserialize;
use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::sync_server::{Part, ServiceKind, Services};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoredFact;

use super::super::words::{clear, evidence, holds, labels, named};
use super::look::Look;
use super::view::Server;

/// First part of the names of facts about agents as Microsoft Graph lists them.
const LISTED: &str = "agent/";

/// The value of such a fact.
#[derive(Deserialize)]
struct Listed {
    machine: String,
    status: String,
}

/// Hosts with an agent of Cloud Sync.
struct Agents {
    hosts: BTreeSet<String>,
    /// How many agents there are.
    count: usize,
    /// Who says so.
    source: Poll,
    read_at: Timestamp,
}

pub(super) fn condition(
    look: &Look<'_>,
    servers: &[Server<'_>],
    facts: &[&StoredFact],
    sources: &[&SourceState],
) -> Option<Condition> {
    const RULE: Rule = Rule::AgentsNotRedundant;
    let agents = listed(facts, sources).or_else(|| seen(servers))?;
    if agents.count == 0 {
        return None;
    }
    let subject = Subject {
        tenant: look.tenant.to_owned(),
        path: "provisioning_agents".to_owned(),
        title: "Cloud Sync agents".to_owned(),
    };
    let labels = labels([("engine", "cloud"), ("source", agents.source.as_str())]);
    let hosts: Vec<&str> = agents.hosts.iter().map(String::as_str).collect();
    let hosts = hosts.join(", ");
    let least = look.settings().agents_at_least;
    let Some((severity, what)) = agents.weakness(&hosts, least, servers) else {
        let summary = format!("{}: they run on {hosts}", named(&subject));
        return Some(Condition {
            labels,
            ..clear(RULE, subject, agents.read_at, summary)
        });
    };
    Some(Condition {
        summary: format!("{}: {what}", named(&subject)),
        mend: "Install an agent of Cloud Sync on a server of its own; three are recommended, on servers that stay when Connect goes. An agent that is not listed here has no syncwatch agent beside it.".to_owned(),
        evidence: vec![
            evidence("servers with an agent", &hosts),
            evidence("agents", agents.count),
            evidence("read at", agents.read_at),
        ],
        labels,
        ..holds(RULE, subject, severity, agents.read_at)
    })
}

impl Agents {
    /// What is weak about them; `None` when enough servers have one and one of those stays.
    fn weakness(
        &self,
        hosts: &str,
        least: usize,
        servers: &[Server<'_>],
    ) -> Option<(Severity, String)> {
        const ALONE: &str = "when it fails, nothing takes over";
        let on_connect = self.all_on_connect(servers);
        let what = match self.hosts.len() {
            enough if enough >= least && on_connect => {
                let what = format!(
                    "all of them run on Connect servers ({hosts}) and would go away with Connect"
                );
                return Some((Severity::Info, what));
            }
            enough if enough >= least => return None,
            1 if self.count > 1 => {
                format!("there are {}, all on {hosts}; {ALONE}", self.count)
            }
            1 if on_connect => {
                format!(
                    "there is only one, on the Connect server {hosts}; {ALONE}, and it would go away with Connect"
                )
            }
            1 => format!("there is only one, on {hosts}; {ALONE}"),
            _ => format!("they run on {hosts} alone, {least} servers are wanted"),
        };
        Some((Severity::Warning, what))
    }

    fn all_on_connect(&self, servers: &[Server<'_>]) -> bool {
        self.hosts.iter().all(|host| {
            servers
                .iter()
                .any(|server| short(server.host) == *host && server.scheduler().is_some())
        })
    }
}

/// The name of a host without its domain: Microsoft Graph gives it with, agents without.
fn short(host: &str) -> String {
    let name = host.split('.').next().unwrap_or(host);
    name.to_uppercase()
}

/// Agents that are active, as Microsoft Graph lists them.
fn listed(facts: &[&StoredFact], sources: &[&SourceState]) -> Option<Agents> {
    let source = sources.iter().find(|source| {
        source.key.poll == Poll::Agents && !source.retired && source.failing_since.is_none()
    })?;
    let read_at = source.read_at?;
    let active: Vec<String> = facts
        .iter()
        .filter(|fact| fact.name.starts_with(LISTED) && fact.read_at >= read_at)
        .filter_map(|fact| Listed::deserialize(&fact.value).ok())
        .filter(|agent| agent.status == "active")
        .map(|agent| short(&agent.machine))
        .collect();
    Some(Agents {
        count: active.len(),
        hosts: active.into_iter().collect(),
        source: Poll::Agents,
        read_at,
    })
}

/// Agents on servers that report; nothing while one of them is silent. A service that is stopped
/// is told by a rule of its own: the agent is there.
fn seen(servers: &[Server<'_>]) -> Option<Agents> {
    let mut hosts = BTreeSet::new();
    let mut read_at = None;
    for server in servers {
        let seen = server.part::<Services>(Part::Services)?;
        read_at = read_at.max(Some(seen.read_at));
        let services = seen.value.unwrap_or_default().services;
        if services
            .iter()
            .any(|service| service.kind == ServiceKind::Provisioning)
        {
            hosts.insert(short(server.host));
        }
    }
    Some(Agents {
        count: hosts.len(),
        hosts,
        source: Poll::AgentSection,
        read_at: read_at?,
    })
}
