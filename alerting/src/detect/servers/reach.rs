//! Domains that a sync server does not reach (`Get-ADSyncDomainReachabilityStatus`).

use std::collections::BTreeSet;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::sync_server::{DomainReach, Part, Reachability};
use syncwatch_domain::time::Timestamp;

use super::super::words::{cut, evidence, holds, known, named};
use super::look::{Look, connect_labels, level, over_about};
use super::view::Server;

const RULE: Rule = Rule::DomainUnreachable;

pub(super) fn conditions(look: &mut Look<'_>, server: &Server<'_>) -> Vec<Condition> {
    let Some(seen) = server.part::<Reachability>(Part::Reachability) else {
        return Vec::new();
    };
    let domains = seen.value.unwrap_or_default().domains;
    let listed: BTreeSet<String> = domains
        .iter()
        .map(|domain| subject(server, domain).path)
        .collect();
    let mut found = look.gone(server, &[RULE], &listed, seen.read_at);
    for domain in &domains {
        found.extend(of_domain(look, server, domain, seen.read_at));
    }
    found
}

fn subject(server: &Server<'_>, domain: &DomainReach) -> Subject {
    let title = format!("Domain {} seen from {}", domain.domain, server.host);
    let name = domain.domain.to_lowercase();
    Subject::part_of_server(server.tenant, server.host, ("domain", &name), title)
}

fn of_domain(
    look: &mut Look<'_>,
    server: &Server<'_>,
    domain: &DomainReach,
    read_at: Timestamp,
) -> Option<Condition> {
    let subject = subject(server, domain);
    if domain.reachable {
        let what = format!("it has been reachable since {}", domain.since);
        return Some(over_about(server, RULE, subject, domain.since, &what));
    }
    let patience = look.settings().domain_unreachable_after;
    if !look.reached(read_at, domain.since + patience) {
        return None;
    }
    let mut labels = connect_labels(server);
    labels.insert("partition".into(), domain.domain.clone());
    let text = domain.message.as_deref().map(cut);
    let facts = [
        Some(evidence("unreachable since", domain.since)),
        known("message", text.filter(|text| !text.is_empty())),
        Some(evidence("reachability last read", read_at)),
    ];
    Some(Condition {
        summary: format!(
            "{}: no domain controller has been reached since {}",
            named(&subject),
            domain.since
        ),
        mend: format!(
            "Look from {} whether the name of the domain resolves and whether its domain controllers answer: LDAP, RPC, firewall. If only some do, name those as preferred ones.",
            server.host
        ),
        evidence: facts.into_iter().flatten().collect(),
        labels,
        ..holds(
            RULE,
            subject,
            level(server, Severity::Warning),
            domain.since,
        )
    })
}
