//! Services that should run and do not (`Get-Service`). Only those that start by themselves: one
//! that is disabled or started by hand is stopped on purpose.

use std::collections::BTreeSet;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::sync_server::{
    Part, Service, ServiceKind, ServiceState, Services, StartType,
};
use syncwatch_domain::time::Timestamp;

use super::super::words::{evidence, holds, known, labels, named};
use super::look::{Look, level, over_about};
use super::view::Server;

const RULE: Rule = Rule::ServiceStopped;

pub(super) fn conditions(
    look: &mut Look<'_>,
    server: &Server<'_>,
    servers: &[Server<'_>],
) -> Vec<Condition> {
    let Some(seen) = server.part::<Services>(Part::Services) else {
        return Vec::new();
    };
    let services = seen.value.unwrap_or_default().services;
    let listed: BTreeSet<String> = services
        .iter()
        .map(|service| subject(server, service).path)
        .collect();
    let mut found = look.gone(server, &[RULE], &listed, seen.read_at);
    for service in &services {
        // One service may be known under two names; it runs if one of them does.
        let twin_runs = services
            .iter()
            .any(|other| other.kind == service.kind && other.state == ServiceState::Running);
        found.extend(of_service(
            look,
            server,
            servers,
            (service, twin_runs),
            seen.read_at,
        ));
    }
    found
}

fn subject(server: &Server<'_>, service: &Service) -> Subject {
    let title = format!("Service {} on {}", service.display_name, server.host);
    let part = ("service", service.kind.as_str());
    Subject::part_of_server(server.tenant, server.host, part, title)
}

fn of_service(
    look: &mut Look<'_>,
    server: &Server<'_>,
    servers: &[Server<'_>],
    (service, twin_runs): (&Service, bool),
    read_at: Timestamp,
) -> Option<Condition> {
    let subject = subject(server, service);
    if twin_runs {
        let what = format!("it has been running since {}", service.since);
        return Some(over_about(server, RULE, subject, read_at, &what));
    }
    match service.start_type {
        Some(StartType::Manual | StartType::Disabled) => {
            let what = "it is not meant to start by itself any more";
            return Some(over_about(server, RULE, subject, read_at, what));
        }
        None => return None,
        Some(StartType::Automatic | StartType::Boot | StartType::System) => {}
    }
    let is_stopped = matches!(service.state, ServiceState::Stopped | ServiceState::Paused);
    let lasts = is_stopped
        && look.reached(
            read_at,
            service.since + look.settings().service_stopped_after,
        );
    lasts.then(|| stopped(server, servers, service, subject, read_at))
}

fn stopped(
    server: &Server<'_>,
    servers: &[Server<'_>],
    service: &Service,
    subject: Subject,
    read_at: Timestamp,
) -> Condition {
    let engine = match service.kind {
        ServiceKind::Provisioning => "cloud",
        _ => "connect",
    };
    let is_last = !servers
        .iter()
        .any(|other| other.host != server.host && runs_on(other, service.kind));
    let (severity, lost) = match service.kind {
        ServiceKind::Connect => (
            level(server, Severity::Critical),
            "nothing is synchronized by this server, neither objects nor password hashes",
        ),
        ServiceKind::Provisioning if is_last => (
            Severity::Critical,
            "no other agent of Cloud Sync is known to run",
        ),
        ServiceKind::Provisioning => (Severity::Warning, "another agent of Cloud Sync takes over"),
        ServiceKind::PassThrough if is_last => (
            Severity::Critical,
            "no other pass-through authentication agent is known to run: people may not be able to sign in",
        ),
        ServiceKind::PassThrough => (
            Severity::Warning,
            "another pass-through authentication agent takes over",
        ),
        ServiceKind::Updater => (
            Severity::Warning,
            "Connect and its agents are not updated any more",
        ),
        ServiceKind::Health => (
            Severity::Info,
            "Connect Health does not see this server any more",
        ),
    };
    let facts = [
        Some(evidence("service", &service.name)),
        Some(evidence("state", service.state)),
        known("starts", service.start_type),
        Some(evidence("services last read", read_at)),
    ];
    Condition {
        summary: format!(
            "{} has not been running since {}: {lost}",
            named(&subject),
            service.since
        ),
        mend: format!(
            "Start the service {} on {}. If it does not stay up, look at events 7000, 7009, 7031 and 7034 in the System log, and whether its account may still sign in.",
            service.name, server.host
        ),
        evidence: facts.into_iter().flatten().collect(),
        labels: labels([
            ("engine", engine),
            ("server", server.host),
            ("source", "agent_section"),
        ]),
        ..holds(RULE, subject, severity, service.since)
    }
}

fn runs_on(server: &Server<'_>, kind: ServiceKind) -> bool {
    let services = server
        .part::<Services>(Part::Services)
        .and_then(|seen| seen.value)
        .unwrap_or_default();
    services
        .services
        .iter()
        .any(|service| service.kind == kind && service.state == ServiceState::Running)
}
