//! The tenant-wide sync time stamps. Either engine moves them, so they judge Connect Sync only
//! while no Cloud Sync job of the kind is at work.

use std::time::Duration;

use serde_json::json;
use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_domain::report::Role;
use syncwatch_domain::source::Poll;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{Expectation, Fact, LaneUpdate};

use super::{Learned, PollError, PollRun, Ran, fact, readable};
use crate::config::ConnectLanes;
use crate::graph::Endpoint;
use crate::parse::organization::{Organization, organization};

/// Partition of lanes that Graph alone tells of: it knows no servers and no domains of Connect.
pub(crate) const TENANT_WIDE: &str = "tenant";

/// Reads the tenant's own record.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let beta = run.source.state.key.poll == Poll::OrganizationBeta;
    let (endpoint, path, select) = if beta {
        let select = "id,onPremisesSyncEnabled,onPremisesLastSyncDateTime,onPremisesLastPasswordSyncDateTime";
        (Endpoint::OrganizationBeta, "beta/organization", select)
    } else {
        let select =
            "id,displayName,onPremisesSyncEnabled,onPremisesLastSyncDateTime,verifiedDomains";
        (Endpoint::Organization, "v1.0/organization", select)
    };
    let graph = &run.tenant.graph;
    let url = graph.url(path, &[("$select", select)]);
    let body = graph.get(endpoint, &url).await?;
    let read = readable(run, endpoint, &body, organization(&body))?;
    let (kind, stamp) = if beta {
        (LaneKind::PasswordHash, read.last_password_sync_at)
    } else {
        (LaneKind::Objects, read.last_sync_at)
    };
    let agent = agent_of_connect(run).await?;
    Ok(Ran::Learned(Box::new(Learned {
        facts: vec![record(&read, beta)],
        lanes: lane(run, &read, kind, stamp, agent).into_iter().collect(),
        ..Learned::default()
    })))
}

fn record(read: &Organization, beta: bool) -> Fact {
    if beta {
        return fact(
            "organization_beta".to_owned(),
            json!({ "last_password_sync_at": read.last_password_sync_at }),
        );
    }
    fact(
        "organization".to_owned(),
        json!({
            "name": read.name, "sync_enabled": read.sync_enabled, "last_sync_at": read.last_sync_at,
            "initial_domain": read.initial_domain,
        }),
    )
}

/// Reports of an agent that are older than this speak for nobody any more.
const AGENT_SPEAKS_FOR: Duration = Duration::from_secs(60 * 60);

/// Host of the agent on the active Connect server, while it reports.
async fn agent_of_connect(run: &PollRun<'_>) -> Result<Option<String>, PollError> {
    let tenant = Some(run.tenant.config.name.as_str());
    let agents = run.store.agents(tenant).await?;
    let now = run.started_at;
    let mut active = agents.into_iter().filter(|agent| {
        agent.identity.roles.contains(&Role::ConnectActive)
            && now.since(agent.reported_at) < AGENT_SPEAKS_FOR
    });
    Ok(active.next().map(|agent| agent.identity.host))
}

/// What the stamps say of Connect, if they say anything.
fn lane(
    run: &PollRun<'_>,
    read: &Organization,
    kind: LaneKind,
    stamp: Option<Timestamp>,
    agent: Option<String>,
) -> Option<LaneUpdate> {
    let mut shared = run.tenant.shared();
    let written = shared.last_writes.get(&(Engine::Connect, kind)).copied();
    let facts = ConnectFacts {
        judged: run.tenant.config.connect_lanes == ConnectLanes::UnlessMasked,
        sync_enabled: read.sync_enabled == Some(true),
        stamp,
        written,
        masked: shared.cloud_sync(kind),
        known: shared.connect_lanes.contains(&kind),
        agent,
    };
    let (expectation, cycles) = facts.lane()?;
    shared.connect_lanes.insert(kind);
    Some(LaneUpdate {
        key: LaneKey {
            tenant: run.tenant.config.name.clone(),
            engine: Engine::Connect,
            kind,
            partition: TENANT_WIDE.to_owned(),
        },
        job_id: None,
        cycles,
        promised: None,
        expectation,
        confirmed: false,
        gaps_between: None,
    })
}

/// Whether Cloud Sync moves the stamps, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloudSync {
    /// A job of the kind is at work.
    AtWork,
    /// None is.
    Idle,
    /// Not all configurations were read yet.
    Unknown,
}

/// What is known when a Connect lane is made or renewed.
#[derive(Clone, Debug)]
struct ConnectFacts {
    /// The operator wants Connect judged by the stamps.
    judged: bool,
    sync_enabled: bool,
    stamp: Option<Timestamp>,
    /// Newest write of Connect that the audits show.
    written: Option<Timestamp>,
    masked: CloudSync,
    /// The lane exists.
    known: bool,
    /// Host of an agent that tells of every connector and domain by itself.
    agent: Option<String>,
}

impl ConnectFacts {
    /// What becomes of the lane; `None` while nothing shows that there is a Connect server.
    fn lane(&self) -> Option<(Expectation, Vec<Cycle>)> {
        let mut cycles: Vec<Cycle> = self
            .written
            .map(|at| cycle(at, CycleEvidence::Log))
            .into_iter()
            .collect();
        let off = match (self.judged, self.sync_enabled) {
            (true, true) => None,
            (true, false) => Some("directory synchronization is switched off for the tenant"),
            (false, _) => Some("switched off in the config (connect_lanes)"),
        };
        if let Some(reason) = off {
            let reason = reason.to_owned();
            return self
                .known
                .then_some((Expectation::Paused { reason }, cycles));
        }
        if let Some(host) = &self.agent {
            let reason = format!("the agent on {host} tells of every connector and domain");
            return self
                .known
                .then_some((Expectation::Masked { reason }, cycles));
        }
        let reason = match self.masked {
            CloudSync::Idle => {
                let stamp = self.stamp?;
                if self.written != Some(stamp) {
                    cycles.push(cycle(stamp, CycleEvidence::Status));
                }
                return Some((Expectation::Expected, cycles));
            }
            CloudSync::AtWork => {
                "masked by Cloud Sync: both engines move the tenant-wide time stamp"
            }
            CloudSync::Unknown => {
                "not all Cloud Sync configurations were read, and both engines move the tenant-wide time stamp"
            }
        };
        let reason = reason.to_owned();
        (self.known || self.written.is_some()).then_some((Expectation::Masked { reason }, cycles))
    }
}

fn cycle(at: Timestamp, evidence: CycleEvidence) -> Cycle {
    Cycle {
        began_at: None,
        ended_at: at,
        outcome: CycleOutcome::Succeeded,
        evidence,
        exported: None,
        escrowed: None,
    }
}

#[cfg(test)]
#[path = "organization_tests.rs"]
mod tests;
