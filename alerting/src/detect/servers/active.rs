//! Exactly one Connect server of a tenant exports; and what the tenant says about password hashes
//! fits what its servers do.

use syncwatch_domain::alert::{Condition, Evidence, Rule, Severity, Subject};
use syncwatch_domain::report::Section;
use syncwatch_domain::sync_server::{CloudFeatures, Part, PasswordSync, Scheduler};
use syncwatch_domain::time::Timestamp;

use super::super::causes::PASSWORD_HASH;
use super::super::words::{clear, evidence, holds, labels, named};
use super::look::Look;
use super::view::Server;

/// A Connect server that can be seen.
struct Connect<'a> {
    host: &'a str,
    scheduler: Scheduler,
    read_at: Timestamp,
}

pub(super) fn conditions(look: &Look<'_>, servers: &[Server<'_>]) -> Vec<Condition> {
    let mut found = of_servers(look, servers);
    found.extend(cloud_flag(look, servers));
    found
}

fn of_servers(look: &Look<'_>, servers: &[Server<'_>]) -> Vec<Condition> {
    let known = servers
        .iter()
        .filter(|server| server.scheduler().is_some())
        .count();
    let seen: Vec<Connect<'_>> = servers
        .iter()
        .filter_map(|server| {
            let seen = server.part::<Scheduler>(Part::Scheduler)?;
            Some(Connect {
                host: server.host,
                scheduler: seen.value?,
                read_at: seen.read_at,
            })
        })
        .collect();
    // Who has not said yet what it is may be the active one.
    let all_said = servers
        .iter()
        .all(|server| server.is_heard() && server.section_read_at(Section::Scheduler).is_some());
    let all_seen = seen.len() == known && all_said && look.are_all_known(servers);
    let (staging, active): (Vec<Connect<'_>>, Vec<Connect<'_>>) = seen
        .into_iter()
        .partition(|server| server.scheduler.staging_mode);
    let mut found = Vec::new();
    match active.as_slice() {
        [_, _, ..] => found.push(too_many(look, &active)),
        // A server that is out of sight may be the second one.
        _ if all_seen => found.push(over(look, Rule::TwoActiveServers, &active)),
        _ => {}
    }
    match active.as_slice() {
        [] if all_seen && !staging.is_empty() => found.push(none(look, &staging)),
        [] => {}
        active => found.push(over(look, Rule::NoActiveServer, active)),
    }
    found
}

fn subject(look: &Look<'_>) -> Subject {
    Subject {
        tenant: look.tenant.to_owned(),
        path: "servers".to_owned(),
        title: "Connect servers".to_owned(),
    }
}

fn over(look: &Look<'_>, rule: Rule, active: &[Connect<'_>]) -> Condition {
    let subject = subject(look);
    let named = named(&subject);
    let summary = match active {
        [] => format!("{named}: none is active"),
        active => format!("{named}: active is {}", hosts(active)),
    };
    let at = active.iter().map(|server| server.read_at).max();
    Condition {
        labels: labels([("engine", "connect"), ("source", "agent_section")]),
        ..clear(rule, subject, at.unwrap_or(look.now), summary)
    }
}

/// When nobody is active and Cloud Sync runs, the server may have been put to rest on purpose: the
/// official way of a migration ends in staging mode.
fn none(look: &Look<'_>, staging: &[Connect<'_>]) -> Condition {
    let subject = subject(look);
    let hosts = hosts(staging);
    let (severity, more) = if look.beyond.cloud_runs {
        (Severity::Warning, "; Cloud Sync runs")
    } else {
        (Severity::Critical, "")
    };
    let are = if staging.len() == 1 { "is" } else { "are" };
    Condition {
        summary: format!(
            "{}: none is active, {hosts} {are} in staging mode; Connect exports nothing and synchronizes no password hashes{more}",
            named(&subject)
        ),
        mend: "If this was not meant, take one server out of staging mode with its configuration wizard, exactly one. If an active server has no syncwatch agent, install one there: what it does is not seen.".to_owned(),
        evidence: facts(staging),
        labels: labels([("engine", "connect"), ("source", "agent_section")]),
        ..holds(Rule::NoActiveServer, subject, severity, newest(look, staging))
    }
}

fn too_many(look: &Look<'_>, active: &[Connect<'_>]) -> Condition {
    let subject = subject(look);
    let exporting = active
        .iter()
        .filter(|server| server.scheduler.sync_cycle_enabled)
        .count();
    let (severity, more) = if exporting > 1 {
        (
            Severity::Critical,
            "each overwrites what the other one exports",
        )
    } else {
        (
            Severity::Warning,
            "the scheduler of all but one is disabled, but both synchronize password hashes",
        )
    };
    Condition {
        summary: format!(
            "{}: {} are active at the same time, none of them in staging mode; {more}",
            named(&subject),
            hosts(active)
        ),
        mend: "Decide which one is to export, and put the other one into staging mode with its configuration wizard now. Then compare what both exported meanwhile: the event logs of both have it.".to_owned(),
        evidence: facts(active),
        labels: labels([("engine", "connect"), ("source", "agent_section")]),
        ..holds(Rule::TwoActiveServers, subject, severity, newest(look, active))
    }
}

fn newest(look: &Look<'_>, servers: &[Connect<'_>]) -> Timestamp {
    let reads = servers.iter().map(|server| server.read_at);
    reads.max().unwrap_or(look.now)
}

/// All names: `SYNC01 and SYNC02`.
fn hosts(servers: &[Connect<'_>]) -> String {
    let names: Vec<&str> = servers.iter().map(|server| server.host).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn facts(servers: &[Connect<'_>]) -> Vec<Evidence> {
    servers
        .iter()
        .map(|server| {
            let mode = if server.scheduler.staging_mode {
                "in staging mode"
            } else {
                "active"
            };
            let cycles = if server.scheduler.sync_cycle_enabled {
                "cycles enabled"
            } else {
                "cycles disabled"
            };
            evidence(
                server.host,
                format!("{mode}, {cycles}, read at {}", server.read_at),
            )
        })
        .collect()
}

/// Password hash sync is on at an active server, but the tenant refuses it
/// (`Get-ADSyncAADCompanyFeature`). Since 2.6.84 Connect does not mend that by itself.
fn cloud_flag(look: &Look<'_>, servers: &[Server<'_>]) -> Option<Condition> {
    const RULE: Rule = Rule::PasswordHashOffInCloud;
    let (is_on, read_at, host) = servers
        .iter()
        .filter_map(|server| {
            let seen = server.part::<CloudFeatures>(Part::CloudFeatures)?;
            Some((seen.value?.password_hash_sync?, seen.read_at, server.host))
        })
        .max_by_key(|(_, read_at, _)| *read_at)?;
    let subject = Subject {
        tenant: look.tenant.to_owned(),
        path: PASSWORD_HASH.to_owned(),
        title: "Password hash sync of Connect".to_owned(),
    };
    let labels = labels([
        ("engine", "connect"),
        ("kind", "password_hash"),
        ("source", "agent_section"),
    ]);
    let over = |what: &str| {
        let summary = format!("{}: {what}", named(&subject));
        Some(Condition {
            labels: labels.clone(),
            ..clear(RULE, subject.clone(), read_at, summary)
        })
    };
    if is_on {
        return over("it is on in the tenant");
    }
    let mut seen_off = true;
    let mut domains = Vec::new();
    for server in servers.iter().filter(|server| !server.is_staging()) {
        match server.part::<PasswordSync>(Part::PasswordSync) {
            Some(seen) => {
                let enabled = seen.value.unwrap_or_default().domains.into_iter();
                let enabled = enabled.filter(|domain| domain.enabled == Some(true));
                domains
                    .extend(enabled.map(|domain| format!("{} on {}", domain.domain, server.host)));
            }
            None => seen_off &= server.scheduler().is_none(),
        }
    }
    if domains.is_empty() {
        return if seen_off {
            over("it is off at the servers as well")
        } else {
            None
        };
    }
    Some(Condition {
        summary: format!(
            "{} is off in the tenant while it is on at the server ({}): no password change reaches Microsoft Entra ID",
            named(&subject),
            domains.join(", ")
        ),
        mend: "Somebody switched the feature off in the tenant. Switch password hash synchronization on again with the configuration wizard of the active server; versions from 2.6.84 on do not mend this by themselves.".to_owned(),
        evidence: vec![
            evidence("switched on at", domains.join(", ")),
            evidence("tenant asked by", host),
            evidence("tenant last asked", read_at),
        ],
        labels,
        ..holds(RULE, subject, Severity::Critical, read_at)
    })
}
