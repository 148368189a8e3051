//! Agents that are silent, and sections of them that cannot be read.
//!
//! A silent agent is one condition: whatever hangs on it hangs under it. How long it may be silent
//! is part of its configuration, so its source fails only when that time is over. Sections are
//! judged like any source; when several of a server fail at a time, one condition speaks for all.

mod wording;

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::time::Timestamp;

use self::wording::{blind, count, facts, failure_mend, failure_words};
use super::super::causes;
use super::super::words::{clear, counted, evidence, few, holds, known, labels, named};
use super::wording::lanes_fact;
use super::{Context, FAILURES};
use crate::config::AlertSettings;

/// From so many sections of one server on, one condition speaks for all of them.
const TOGETHER: usize = 2;

/// How many sections are named.
const SECTIONS_NAMED: usize = 15;

/// Sections that lanes hang on; the others explain and add.
const WITH_LANES: [&str; 2] = ["runs", "password_sync"];

/// Host and section of a source of an agent; no section where the agent itself is meant.
pub(crate) fn host_and_section(source: &SourceState) -> (&str, &str) {
    let instance = source.key.instance.as_str();
    match source.key.poll {
        Poll::AgentSection => instance.split_once('/').unwrap_or((instance, "")),
        _ => (instance, ""),
    }
}

/// What the sources of a tenant's agents mean.
pub(super) fn conditions(
    sources: &[&SourceState],
    context: Context<'_>,
    settings: &AlertSettings,
) -> Vec<Condition> {
    let mut found = Vec::new();
    let mut sections: BTreeMap<(&str, &str), Vec<&SourceState>> = BTreeMap::new();
    for source in sources.iter().copied() {
        if source.retired {
            found.push(not_expected(source));
        } else if source.key.poll == Poll::AgentReports {
            found.extend(silent(source, context));
        } else {
            let (host, _) = host_and_section(source);
            let of = (source.key.tenant.as_str(), host);
            sections.entry(of).or_default().push(source);
        }
    }
    for ((tenant, host), sections) in sections {
        found.extend(of_server(tenant, host, &sections, context, settings));
    }
    found
}

/// Over with a report; it holds as soon as its source fails.
fn silent(source: &SourceState, context: Context<'_>) -> Option<Condition> {
    let subject = Subject::source(&source.key);
    let Some(since) = source.failing_since else {
        let read_at = source.read_at?;
        let summary = format!("{} has reported again since {read_at}", named(&subject));
        return Some(Condition {
            labels: labels_of(source),
            evidence: vec![evidence("newest report", read_at)],
            ..clear(Rule::SourceUnreachable, subject, read_at, summary)
        });
    };
    let (host, _) = host_and_section(source);
    let mut summary = match source.read_at {
        Some(at) => format!(
            "{} is silent: its last report came at {at}; nothing can be said about this server meanwhile",
            named(&subject)
        ),
        None => format!("{} has never reported", named(&subject)),
    };
    let behind = context.lanes_of_host(host);
    summary += &blind(&behind);
    let mut facts = facts(source);
    facts.extend(known("last report", source.read_at));
    facts.push(evidence("silent since", since));
    facts.extend(lanes_fact(&behind));
    Some(Condition {
        summary,
        mend: format!(
            "On {host} look at the service syncwatch-agent and at its log; then at the way between the server and this machine: name, port, firewall, certificate, token. The agent keeps what it reads and brings it home later."
        ),
        evidence: facts,
        labels: labels_of(source),
        ..holds(
            Rule::SourceUnreachable,
            subject,
            severity(host, context),
            since,
        )
    })
}

/// An active Connect server is what the directory depends on; a staging server or an agent of
/// Cloud Sync has others beside it.
fn severity(host: &str, context: Context<'_>) -> Severity {
    let is_active = |active: &String| active.eq_ignore_ascii_case(host);
    if context.active_servers.iter().any(is_active) {
        Severity::Critical
    } else {
        Severity::Warning
    }
}

fn of_server(
    tenant: &str,
    host: &str,
    sections: &[&SourceState],
    context: Context<'_>,
    settings: &AlertSettings,
) -> Vec<Condition> {
    let unreachable: Vec<&SourceState> = sections
        .iter()
        .copied()
        .filter(|section| is_unreachable(section, settings))
        .collect();
    let failing = sections
        .iter()
        .filter(|section| section.failing_since.is_some())
        .count();
    let newest = sections.iter().filter_map(|section| section.read_at).max();
    let mut found: Vec<Condition> = sections
        .iter()
        .filter_map(|section| read_again(section))
        .collect();
    if unreachable.len() >= TOGETHER {
        found.push(together(tenant, host, &unreachable, context));
    } else if failing < TOGETHER
        && let Some(read_at) = newest
    {
        let subject = Subject::sections(tenant, host);
        let summary = format!("{} have been read again since {read_at}", named(&subject));
        found.push(Condition {
            labels: labels([("source", "agent_section"), ("server", host)]),
            ..clear(Rule::SourceUnreachable, subject, read_at, summary)
        });
    }
    found.extend(
        unreachable
            .iter()
            .map(|section| unreadable(section, context)),
    );
    found
}

fn is_unreachable(section: &SourceState, settings: &AlertSettings) -> bool {
    let Some(since) = section.failing_since else {
        return false;
    };
    let lasted = section.attempted_at.unwrap_or(since).since(since);
    section.failures >= FAILURES && lasted >= settings.blind_after
}

fn read_again(section: &SourceState) -> Option<Condition> {
    let read_at = section
        .read_at
        .filter(|_| section.failing_since.is_none())?;
    let subject = Subject::source(&section.key);
    let summary = format!("{} has been read again since {read_at}", named(&subject));
    Some(Condition {
        labels: labels_of(section),
        evidence: vec![evidence("read again", read_at)],
        ..clear(Rule::SourceUnreachable, subject, read_at, summary)
    })
}

fn unreadable(section: &SourceState, context: Context<'_>) -> Condition {
    let subject = Subject::source(&section.key);
    let since = section.failing_since.unwrap_or(section.first_seen_at);
    let behind = context.lanes_of(&section.key);
    let (host, word) = host_and_section(section);
    let summary = format!(
        "{} has not been readable since {since} ({}){}",
        named(&subject),
        failure_words(section.failure),
        blind(&behind)
    );
    let mut facts = facts(section);
    facts.extend(known("last read", section.read_at));
    facts.push(evidence("failing since", since));
    facts.extend(lanes_fact(&behind));
    let severity = if WITH_LANES.contains(&word) {
        severity(host, context)
    } else {
        Severity::Warning
    };
    let labels = labels_of(section);
    Condition {
        summary,
        mend: failure_mend(section.failure).to_owned(),
        evidence: facts,
        causes: causes::of(Rule::SourceUnreachable, &subject.path, &labels),
        labels,
        ..holds(Rule::SourceUnreachable, subject, severity, since)
    }
}

fn together(
    tenant: &str,
    host: &str,
    sections: &[&SourceState],
    context: Context<'_>,
) -> Condition {
    let subject = Subject::sections(tenant, host);
    let since = sections
        .iter()
        .filter_map(|section| section.failing_since)
        .min()
        .unwrap_or(Timestamp::EPOCH);
    let newest = sections
        .iter()
        .copied()
        .max_by_key(|section| section.attempted_at);
    let failure = newest.and_then(|section| section.failure);
    let names: Vec<String> = sections
        .iter()
        .map(|section| host_and_section(section).1.replace('_', " "))
        .collect();
    let behind: Vec<String> = sections
        .iter()
        .flat_map(|section| context.lanes_of(&section.key))
        .collect();
    let severity = sections
        .iter()
        .map(|section| unreadable(section, context).severity)
        .max()
        .unwrap_or(Severity::Warning);
    let summary = format!(
        "{} of {host} (tenant {tenant}) have not been readable since {since} ({}): {}{}",
        counted(count(names.len()), "section"),
        failure_words(failure),
        few(&names, SECTIONS_NAMED),
        blind(&behind)
    );
    let mut facts = newest.map(facts).unwrap_or_default();
    facts.push(evidence("failing since", since));
    facts.extend(lanes_fact(&behind));
    let labels = labels([("source", "agent_section"), ("server", host)]);
    Condition {
        summary,
        mend: failure_mend(failure).to_owned(),
        evidence: facts,
        causes: causes::of(Rule::SourceUnreachable, &subject.path, &labels),
        labels,
        ..holds(Rule::SourceUnreachable, subject, severity, since)
    }
}

fn not_expected(source: &SourceState) -> Condition {
    let subject = Subject::source(&source.key);
    let summary = format!(
        "{} is not expected to report any more: the configuration does not ask for it",
        named(&subject)
    );
    let at = source.attempted_at.unwrap_or(source.first_seen_at);
    Condition {
        labels: labels_of(source),
        ..clear(Rule::SourceUnreachable, subject, at, summary)
    }
}

fn labels_of(source: &SourceState) -> BTreeMap<String, String> {
    let (host, _) = host_and_section(source);
    labels([("source", source.key.poll.as_str()), ("server", host)])
}
