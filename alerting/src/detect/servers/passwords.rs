//! Password hashes of Connect, per domain (events 611, 662, 665 and 667 of Directory
//! Synchronization, and the state of each domain's partition).
//!
//! Whether a window was missed is a lane's matter; this says why.

use std::collections::BTreeSet;
use std::time::Duration;

use syncwatch_domain::alert::{Condition, Respite, Rule, Severity, Subject};
use syncwatch_domain::report::Section;
use syncwatch_domain::sync_server::{Part, PasswordDomain, PasswordSync};
use syncwatch_domain::time::Timestamp;

use super::super::causes;
use super::super::words::{counted, cut, evidence, holds, known, labels, named};
use super::look::{Look, level, over_about};
use super::view::Server;

const RULES: [Rule; 2] = [Rule::PasswordHashFailing, Rule::PasswordStateNotStored];

/// The span in which Connect's own diagnosis counts failures.
const COUNTED: Duration = Duration::from_secs(2 * 3_600);

/// What a cycle of a domain needs to be seen once its domain is there again: a ping comes every
/// 30 minutes when no password changes.
const RESPITE: Duration = Duration::from_secs(35 * 60);

pub(super) fn conditions(look: &mut Look<'_>, server: &Server<'_>) -> Vec<Condition> {
    let Some(seen) = server.part::<PasswordSync>(Part::PasswordSync) else {
        return Vec::new();
    };
    let domains = seen.value.unwrap_or_default().domains;
    let listed: BTreeSet<String> = domains
        .iter()
        .map(|domain| subject(server, domain).path)
        .collect();
    let mut found = look.gone(server, &RULES, &listed, seen.read_at);
    for domain in &domains {
        found.extend(of_domain(look, server, domain, seen.read_at));
    }
    found
}

fn subject(server: &Server<'_>, domain: &PasswordDomain) -> Subject {
    let title = format!("Password hashes of {} on {}", domain.domain, server.host);
    let name = domain.domain.to_lowercase();
    Subject::part_of_server(server.tenant, server.host, ("domain", &name), title)
}

fn of_domain(
    look: &mut Look<'_>,
    server: &Server<'_>,
    domain: &PasswordDomain,
    read_at: Timestamp,
) -> Vec<Condition> {
    let over = |rule, what: &str| over_about(server, rule, subject(server, domain), read_at, what);
    let unwanted = if server.is_staging() {
        Some("it is in staging mode, where none are synchronized; they did not recover")
    } else if domain.enabled == Some(false) {
        Some("they are switched off for this connector; they did not recover")
    } else {
        None
    };
    if let Some(what) = unwanted {
        return RULES.iter().map(|rule| over(*rule, what)).collect();
    }
    // Failures are told by events alone: where those are not read, nothing is known of them.
    let Some(events_at) = server.section_read_at(Section::Events) else {
        return Vec::new();
    };
    let seen_at = read_at.max(events_at);
    let failing = failing(look, server, domain, seen_at);
    let stored = not_stored(look, server, domain, seen_at);
    failing.into_iter().chain(stored).collect()
}

fn failing(
    look: &mut Look<'_>,
    server: &Server<'_>,
    domain: &PasswordDomain,
    seen_at: Timestamp,
) -> Option<Condition> {
    let about = subject(server, domain);
    let Some(failed_at) = domain.failed_at.last().copied() else {
        let what = "no failure is on record any more";
        return Some(over_about(
            server,
            Rule::PasswordHashFailing,
            about,
            seen_at,
            what,
        ));
    };
    let alive_at = domain.alive_at.filter(|alive_at| *alive_at > failed_at);
    // A success after the newest failure proves little; a while without another one does.
    let settled_at = failed_at + look.settings().password_settled_after;
    if let Some(alive_at) = alive_at
        && look.reached(seen_at, settled_at)
    {
        let what = format!("they are synchronized again, newest sign of life at {alive_at}");
        return Some(over_about(
            server,
            Rule::PasswordHashFailing,
            about,
            alive_at,
            &what,
        ));
    }
    let persists = domain.failed_at.len() >= look.settings().password_failures;
    persists.then(|| told(server, domain, about, failed_at))
}

fn told(
    server: &Server<'_>,
    domain: &PasswordDomain,
    subject: Subject,
    failed_at: Timestamp,
) -> Condition {
    let labels = domain_labels(server, domain);
    let failures = i64::try_from(domain.failed_at.len()).unwrap_or(i64::MAX);
    let first_at = domain.failed_at.first().copied().unwrap_or(failed_at);
    let alive = domain.alive_at.map_or_else(
        || "no success was seen yet".to_owned(),
        |at| format!("the last sign of life was at {at}"),
    );
    let mut summary = format!(
        "{} fail persistently: {} since {first_at}, the newest at {failed_at}; {alive}",
        named(&subject),
        counted(failures, "failure")
    );
    let text = domain.failure_text.as_deref().map(cut);
    if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
        summary += &format!(" ({text})");
    }
    let facts = [
        Some(evidence("failures on record within two hours", failures)),
        Some(evidence("first of them", first_at)),
        Some(evidence("newest failure", failed_at)),
        known("failure", text.filter(|text| !text.is_empty())),
        known("last sign of life", domain.alive_at),
        Some(evidence("connector", &domain.connector_id)),
    ];
    Condition {
        summary,
        mend: format!(
            "Look at the newest event 611 in the Application log of {}: RPC errors mean the way to the domain controllers; \"access denied\" means that the account of the connector lacks Replicating Directory Changes or Replicating Directory Changes All; event 667 means FIPS mode.",
            server.host
        ),
        evidence: facts.into_iter().flatten().collect(),
        causes: causes::of(Rule::PasswordHashFailing, &subject.path, &labels),
        respite: Some(Respite::new(
            RESPITE,
            server.section_key(Section::PasswordSync),
        )),
        labels,
        ..holds(
            Rule::PasswordHashFailing,
            subject,
            level(server, Severity::Critical),
            first_at,
        )
    }
}

/// Event 665: password hashes go on, but the state of the domain grows old.
fn not_stored(
    look: &mut Look<'_>,
    server: &Server<'_>,
    domain: &PasswordDomain,
    seen_at: Timestamp,
) -> Option<Condition> {
    const RULE: Rule = Rule::PasswordStateNotStored;
    let subject = subject(server, domain);
    let told_at = domain.state_not_stored_at;
    let is_over = told_at.is_none_or(|told_at| look.reached(seen_at, told_at + COUNTED));
    let Some(told_at) = told_at.filter(|_| !is_over) else {
        let what = "the state of its cycles is stored again";
        return Some(over_about(server, RULE, subject, seen_at, what));
    };
    let summary = format!(
        "{}: Connect could not store the state of their cycles at {told_at}; the state looks older than it is, the hashes may be synchronized all the same",
        named(&subject)
    );
    Some(Condition {
        summary,
        mend: format!(
            "Look at the database of Connect Sync on {} (disk, size, deadlocks: event 666). Until it is mended trust events 651, 654 and 657, not Get-ADSyncPartitionPasswordSyncState.",
            server.host
        ),
        evidence: [
            Some(evidence("event 665", told_at)),
            known("last sign of life", domain.alive_at),
        ]
        .into_iter()
        .flatten()
        .collect(),
        labels: domain_labels(server, domain),
        ..holds(RULE, subject, level(server, Severity::Warning), told_at)
    })
}

fn domain_labels(
    server: &Server<'_>,
    domain: &PasswordDomain,
) -> std::collections::BTreeMap<String, String> {
    labels([
        ("engine", "connect"),
        ("kind", "password_hash"),
        ("partition", &domain.domain),
        ("server", server.host),
        ("source", "agent_section"),
    ])
}
