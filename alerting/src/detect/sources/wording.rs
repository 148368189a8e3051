//! What is said about sources.

use syncwatch_domain::alert::{Condition, Evidence, Rule, Severity, Subject};
use syncwatch_domain::source::{Poll, ReadFailure, SourceState};

use super::super::words::{clear, counted, cut, evidence, few, holds, known, labels, named};
use super::{Outage, failing};

/// How many lanes are named.
const LANES_NAMED: usize = 10;

pub(super) fn tenant_unreachable(
    tenant: &str,
    outage: &Outage<'_>,
    live: &[&SourceState],
    behind: &[String],
) -> Condition {
    let subject = Subject::graph(tenant);
    let newest = outage.newest();
    let failure = newest.and_then(|source| source.failure);
    let summary = format!(
        "Nothing of tenant {tenant} has been readable from Microsoft Graph since {} ({}): its lanes are blind meanwhile, neither late nor recovered",
        outage.since,
        failure_words(failure)
    );
    let sources = format!("{} of {}", outage.sources.len(), live.len());
    let mut facts = failure_facts(newest);
    facts.extend(known("last answer", outage.last_contact));
    facts.push(evidence("failing since", outage.since));
    facts.push(evidence("failing sources", sources));
    facts.extend(lanes_fact(behind));
    Condition {
        summary,
        mend: failure_mend(failure).to_owned(),
        evidence: facts,
        labels: labels([("source", "graph")]),
        ..holds(
            Rule::SourceUnreachable,
            subject,
            Severity::Critical,
            outage.since,
        )
    }
}

pub(super) fn unreachable(source: &SourceState, behind: &[String]) -> Condition {
    let subject = Subject::source(&source.key);
    let since = failing(source).unwrap_or(source.first_seen_at);
    let mut summary = format!(
        "Reading {} has failed since {since} ({})",
        named(&subject),
        failure_words(source.failure)
    );
    if !behind.is_empty() {
        let count = counted(i64::try_from(behind.len()).unwrap_or(i64::MAX), "lane");
        let are = if behind.len() == 1 { "is" } else { "are" };
        summary += &format!(": {count} {are} blind meanwhile, neither late nor recovered");
    }
    let mut facts = failure_facts(Some(source));
    facts.extend(known("last read", source.read_at));
    facts.push(evidence("failing since", since));
    facts.extend(lanes_fact(behind));
    // Lanes hang on the jobs alone; the other sources explain and add.
    let severity = if source.key.poll == Poll::Jobs {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let labels = source_labels(source);
    Condition {
        summary,
        mend: failure_mend(source.failure).to_owned(),
        evidence: facts,
        causes: super::super::causes::of(Rule::SourceUnreachable, &subject.path, &labels),
        labels,
        ..holds(Rule::SourceUnreachable, subject, severity, since)
    }
}

/// Over, because the source was read.
pub(super) fn read_again(source: &SourceState) -> Option<Condition> {
    let read_at = source.read_at.filter(|_| source.failing_since.is_none())?;
    let subject = Subject::source(&source.key);
    let summary = format!("Reading {} works again since {read_at}", named(&subject));
    Some(Condition {
        labels: source_labels(source),
        evidence: vec![evidence("read again", read_at)],
        ..clear(Rule::SourceUnreachable, subject, read_at, summary)
    })
}

/// Over, because there is nothing left to read.
pub(super) fn retired(source: &SourceState) -> Condition {
    let subject = Subject::source(&source.key);
    let summary = format!(
        "Reading {} has ended: what it told about is gone",
        named(&subject)
    );
    let at = source.attempted_at.unwrap_or(source.first_seen_at);
    Condition {
        labels: source_labels(source),
        ..clear(Rule::SourceUnreachable, subject, at, summary)
    }
}

/// Over, because something of the tenant was read since everything failed.
pub(super) fn tenant_read_again(tenant: &str, live: &[&SourceState]) -> Option<Condition> {
    let read_at = live.iter().filter_map(|source| source.read_at).max()?;
    let summary =
        format!("Tenant {tenant} has been readable from Microsoft Graph again since {read_at}");
    Some(Condition {
        labels: labels([("source", "graph")]),
        evidence: vec![evidence("read again", read_at)],
        ..clear(
            Rule::SourceUnreachable,
            Subject::graph(tenant),
            read_at,
            summary,
        )
    })
}

fn source_labels(source: &SourceState) -> std::collections::BTreeMap<String, String> {
    labels([("source", source.key.poll.as_str())])
}

fn failure_facts(source: Option<&SourceState>) -> Vec<Evidence> {
    let Some(source) = source else {
        return Vec::new();
    };
    [
        Some(evidence("source", &source.key)),
        known("failure", source.failure),
        known("error", source.failure_text.as_deref().map(cut)),
        known("newest attempt", source.attempted_at),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) fn lanes_fact(titles: &[String]) -> Option<Evidence> {
    (!titles.is_empty()).then(|| {
        evidence(
            "lanes behind it",
            format!("{}: {}", titles.len(), few(titles, LANES_NAMED)),
        )
    })
}

/// A failure in words.
const fn failure_words(failure: Option<ReadFailure>) -> &'static str {
    match failure {
        Some(ReadFailure::Network) => "no connection",
        Some(ReadFailure::Timeout) => "no answer in time",
        Some(ReadFailure::Throttled) => "throttled",
        Some(ReadFailure::ServerError) => "the service answers with errors",
        Some(ReadFailure::SignInRefused) => "sign-in refused",
        Some(ReadFailure::TokenRefused) => "token refused",
        Some(ReadFailure::Refused) => "request refused",
        Some(ReadFailure::BadAnswer) => "unreadable answer",
        Some(ReadFailure::RightMissing) => "right missing",
        Some(ReadFailure::LicenceMissing) => "licence missing",
        Some(ReadFailure::NotAvailable) => "not available",
        None => "unknown failure",
    }
}

/// What to check first.
const fn failure_mend(failure: Option<ReadFailure>) -> &'static str {
    match failure {
        Some(ReadFailure::Network | ReadFailure::Timeout) => {
            "Check the way from this machine to the sign-in and Graph hosts of the tenant's cloud: DNS, proxy, firewall, TLS inspection."
        }
        Some(ReadFailure::Throttled) => {
            "The tenant's budget of Graph requests is used up, by syncwatch or by another application; syncwatch waits as told. If it lasts, lengthen the poll schedules of the tenant."
        }
        Some(ReadFailure::ServerError) => {
            "Microsoft Graph itself has trouble; look at the service health page. Nothing is to be done here."
        }
        Some(ReadFailure::SignInRefused) => {
            "Check the credential of the application: expired, removed or mistyped secret or certificate, wrong tenant or client id, disabled application."
        }
        Some(ReadFailure::TokenRefused) => {
            "Check the clock of this machine and the cloud of the tenant; a fresh token was refused."
        }
        Some(ReadFailure::BadAnswer) => {
            "Something between this machine and Graph answers in its place, often a proxy with a page of its own; the head of the answer is in the debug log."
        }
        Some(ReadFailure::Refused) => {
            "Graph refuses the request itself; the error says why. Check graph_url and the options of this poll."
        }
        _ => "Look at the error.",
    }
}
