//! The cause tree: tenant > engine > server or agent > job or connector > lane.
//!
//! Which alerts could explain another one follows from its rule, its path and its labels alone,
//! so that an alert on record finds its causes as well as a fresh condition does.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Rule, Subject};
use syncwatch_domain::lane::{Engine, LaneKind};

/// States of a job that stop or hinder its cycles.
const OF_JOB: [Rule; 4] = [
    Rule::JobFailing,
    Rule::JobPaused,
    Rule::JobDisabled,
    Rule::JobQuarantined,
];

/// What stops Connect on its server.
const OF_SERVER: [Rule; 10] = [
    Rule::ServiceStopped,
    Rule::SchedulerDisabled,
    Rule::SchedulerHung,
    Rule::SchedulerSuspended,
    Rule::SchedulerStalled,
    Rule::DeletionsStopped,
    Rule::DomainUnreachable,
    Rule::RunFailed,
    Rule::PasswordHashOffInCloud,
    Rule::PasswordHashFailing,
];

/// Path of the alert about password hashes being off in the tenant.
pub const PASSWORD_HASH: &str = "password_hash";

/// Sections of an agent that are read without the service ADSync.
const WITHOUT_CONNECT: [&str; 4] = ["events", "services", "versions", "containers"];

/// Causes that outlive their end: what they explained passes with the next cycle, not with them.
pub fn lingering() -> impl Iterator<Item = Rule> {
    OF_JOB.into_iter().chain(OF_SERVER)
}

/// Whether a cause outlives its end.
#[must_use]
pub fn lingers(rule: Rule) -> bool {
    lingering().any(|one| one == rule)
}

/// Whether a cause becomes as grave as what hangs under it. A server that stalls is worth a
/// warning; once a window is missed by it, it is as grave as that, and still one matter.
#[must_use]
pub fn takes_over_severity(rule: Rule) -> bool {
    OF_SERVER.contains(&rule)
}

/// Rule and path of the alerts that would explain an alert, nearest cause last.
///
/// An unreachable source explains no missed window: a window is missed only after its source was
/// read.
#[must_use]
pub fn of(rule: Rule, path: &str, labels: &BTreeMap<String, String>) -> Vec<(Rule, String)> {
    match rule {
        Rule::LaneLate | Rule::WindowMissed if path.starts_with("lane/") => of_lane(rule, labels),
        Rule::ObjectErrors => {
            let stopped = [Rule::JobFailing, Rule::JobQuarantined];
            let jobs = labels.get("job").into_iter();
            jobs.flat_map(|job| stopped.map(|rule| (rule, format!("job/{job}"))))
                .collect()
        }
        Rule::SourceUnreachable => of_source(path),
        Rule::SchedulerStalled => vec![(Rule::SchedulerSuspended, path.to_owned())],
        Rule::RunFailed | Rule::PasswordHashFailing => of_part(rule, path, labels),
        _ => Vec::new(),
    }
}

fn of_lane(rule: Rule, labels: &BTreeMap<String, String>) -> Vec<(Rule, String)> {
    let mut causes = Vec::new();
    if let Some(engine) = labels.get("engine") {
        let engine = format!("engine/{engine}");
        causes.push((Rule::WindowMissed, engine.clone()));
        if rule == Rule::LaneLate {
            causes.push((Rule::LaneLate, engine));
        }
    }
    if let Some(job) = labels.get("job") {
        causes.extend(OF_JOB.map(|rule| (rule, format!("job/{job}"))));
    }
    let (kind, partition) = (labels.get("kind"), labels.get("partition"));
    if let (Some(server), Some(kind), Some(partition)) = (labels.get("server"), kind, partition) {
        causes.extend(of_connect_lane(server, kind, partition));
    }
    causes
}

/// Objects hang on the scheduler and on their connector, password hashes on neither: they have a
/// scheduler of their own.
fn of_connect_lane(server: &str, kind: &str, partition: &str) -> Vec<(Rule, String)> {
    let server = format!("server/{server}");
    let domain = format!("{server}/domain/{}", partition.to_lowercase());
    let service = (Rule::ServiceStopped, format!("{server}/service/connect"));
    if kind == LaneKind::PasswordHash.as_str() {
        return vec![
            service,
            (Rule::PasswordHashOffInCloud, PASSWORD_HASH.to_owned()),
            (Rule::DomainUnreachable, domain.clone()),
            (Rule::PasswordStateNotStored, domain.clone()),
            (Rule::PasswordHashFailing, domain),
        ];
    }
    let mut causes = vec![service];
    let of_scheduler = [
        Rule::SchedulerDisabled,
        Rule::SchedulerHung,
        Rule::SchedulerSuspended,
        Rule::SchedulerStalled,
        Rule::DeletionsStopped,
    ];
    causes.extend(of_scheduler.map(|rule| (rule, server.clone())));
    causes.push((Rule::DomainUnreachable, domain));
    causes.push((Rule::RunFailed, format!("{server}/connector/{partition}")));
    causes
}

fn of_source(path: &str) -> Vec<(Rule, String)> {
    let unreachable = |path: String| (Rule::SourceUnreachable, path);
    let Some(agent) = path.strip_prefix("agent/") else {
        return if path == "graph" {
            Vec::new()
        } else {
            vec![unreachable("graph".to_owned())]
        };
    };
    let Some((host, section)) = agent.split_once('/') else {
        return Vec::new();
    };
    let mut causes = vec![unreachable(format!("agent/{host}"))];
    if !WITHOUT_CONNECT.contains(&section) {
        let service = format!("server/{host}/service/connect");
        causes.push((Rule::ServiceStopped, service));
    }
    if section != "sections" {
        causes.push(unreachable(format!("agent/{host}/sections")));
    }
    causes
}

/// What explains that a part of a server fails: its service, its domain, its database.
fn of_part(rule: Rule, path: &str, labels: &BTreeMap<String, String>) -> Vec<(Rule, String)> {
    let Some(server) = labels.get("server") else {
        return Vec::new();
    };
    let server = format!("server/{server}");
    let mut causes = vec![(Rule::ServiceStopped, format!("{server}/service/connect"))];
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let trouble = labels.get("trouble").map(String::as_str);
    if trouble == Some("database") {
        causes.push((Rule::DatabaseFilling, server.clone()));
    }
    // A connector to AD has the name of its forest.
    if rule == Rule::PasswordHashFailing || trouble == Some("connection") {
        let domain = format!("{server}/domain/{}", name.to_lowercase());
        causes.push((Rule::DomainUnreachable, domain));
    }
    causes
}

/// Rules about the same subject that end without a word when `rule` begins to hold: it says more,
/// or it says what became of them.
#[must_use]
pub const fn superseded_by(rule: Rule) -> &'static [Rule] {
    match rule {
        Rule::WindowMissed => &[Rule::LaneLate],
        Rule::RunFailed => &[Rule::RunWithErrors],
        Rule::JobQuarantined => &[Rule::JobFailing, Rule::JobPaused, Rule::JobDisabled],
        Rule::JobDisabled => &[Rule::JobFailing, Rule::JobPaused, Rule::JobQuarantined],
        Rule::JobPaused => &[Rule::JobFailing, Rule::JobDisabled, Rule::JobQuarantined],
        Rule::JobFailing => &[Rule::JobPaused, Rule::JobDisabled, Rule::JobQuarantined],
        _ => &[],
    }
}

/// Rules about the same subject that keep `rule` from being said: a lane that missed its window
/// is not on time again because it is only late now, and a stall names the wizard behind it.
#[must_use]
pub const fn outranked_by(rule: Rule) -> &'static [Rule] {
    match rule {
        Rule::LaneLate => &[Rule::WindowMissed],
        Rule::SchedulerSuspended => &[Rule::SchedulerStalled],
        _ => &[],
    }
}

/// One engine of a tenant, for an event that struck many of its lanes at once.
#[must_use]
pub fn engine_subject(tenant: &str, engine: Engine) -> Subject {
    let title = match engine {
        Engine::Connect => "Connect Sync",
        Engine::Cloud => "Cloud Sync",
    };
    Subject {
        tenant: tenant.to_owned(),
        path: format!("engine/{engine}"),
        title: title.to_owned(),
    }
}

#[cfg(test)]
mod tests;
