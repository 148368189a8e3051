//! How the parts of a tenant are made from a story.

use crate::chance::Seed;
use crate::story::{self, Shape};
use crate::world::job::JobState;
use crate::world::tenant::{AgentState, App, CLOUD_SYNC_TEMPLATE, ConnectState};

pub(crate) fn cloud_sync_app(
    seed: Seed,
    tenant: &story::Tenant,
    spec: &story::Configuration,
    origin: i64,
    jobs: &mut Vec<JobState>,
) -> App {
    let own = seed.corner("configuration").corner(&spec.domain);
    let first_label = spec.domain.split('.').next().unwrap_or(&spec.domain);
    App {
        service_principal: spec
            .service_principal_id
            .clone()
            .unwrap_or_else(|| own.corner("sp").guid()),
        app_id: match spec.shape {
            Shape::Template => own.corner("app").guid(),
            Shape::Legacy => CLOUD_SYNC_TEMPLATE.to_owned(),
        },
        name: spec.domain.clone(),
        shape: Some(spec.shape),
        netbios: spec
            .netbios
            .clone()
            .unwrap_or_else(|| first_label.to_uppercase()),
        containers: spec.containers.clone(),
        groups: spec.groups.clone(),
        jobs: spec
            .jobs
            .iter()
            .map(|job| new_job(seed, tenant, &spec.domain, job, origin, jobs))
            .collect(),
    }
}

pub(crate) fn foreign_app(
    seed: Seed,
    tenant: &story::Tenant,
    spec: &story::ForeignApp,
    origin: i64,
    jobs: &mut Vec<JobState>,
) -> App {
    let own = seed.corner("foreign").corner(&spec.name);
    App {
        service_principal: own.corner("sp").guid(),
        app_id: own.corner("app").guid(),
        name: spec.name.clone(),
        shape: None,
        netbios: String::new(),
        containers: Vec::new(),
        groups: Vec::new(),
        jobs: vec![new_job(seed, tenant, &spec.name, &spec.job, origin, jobs)],
    }
}

fn new_job(
    seed: Seed,
    tenant: &story::Tenant,
    app: &str,
    spec: &story::Job,
    origin: i64,
    jobs: &mut Vec<JobState>,
) -> u16 {
    jobs.push(JobState::new(
        seed,
        &tenant.id,
        app,
        spec,
        origin,
        tenant.directory.users,
    ));
    u16::try_from(jobs.len() - 1).unwrap_or(u16::MAX)
}

pub(crate) fn connect_state(seed: Seed, spec: &story::Connect, origin: i64) -> ConnectState {
    let own = seed.corner("connect").corner(&spec.server);
    ConnectState {
        next_objects: origin + own.corner("phase").upto(spec.interval.as_ms()),
        next_passwords: origin
            + own
                .corner("password phase")
                .upto(spec.password_interval.as_ms()),
        stopped: false,
        hash: own.corner("hash").hex(12),
        service_principal: own.corner("sp").guid(),
        app_id: own.corner("app").guid(),
        spec: spec.clone(),
    }
}

pub(crate) fn agent_state(seed: Seed, spec: &story::Agent) -> AgentState {
    AgentState {
        id: seed.corner("agent").corner(&spec.machine).guid(),
        machine: spec.machine.clone(),
        domain: spec.domain.clone(),
        down_since: None,
    }
}
