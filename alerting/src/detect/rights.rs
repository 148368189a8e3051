//! Rights and licences that are missing: which, and what is lost without them.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::source::{Poll, ReadFailure, Right, SourceState};

use super::words::{clear, cut, evidence, holds, known, labels, named};

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    /// An application permission.
    Permission(&'static str),
    /// The licence for the logs.
    Licence,
}

impl Missing {
    fn path(self) -> String {
        match self {
            Self::Permission(permission) => format!("right/{permission}"),
            Self::Licence => "licence/premium".to_owned(),
        }
    }

    fn subject(self, tenant: &str) -> Subject {
        let title = match self {
            Self::Permission(permission) => format!("Microsoft Graph permission {permission}"),
            Self::Licence => "Microsoft Entra ID P1 or P2 licence".to_owned(),
        };
        Subject {
            tenant: tenant.to_owned(),
            path: self.path(),
            title,
        }
    }
}

/// What the sources of one tenant tell about rights. One condition per right, however many
/// sources need it.
#[must_use]
pub fn conditions(tenant: &str, sources: &[&SourceState]) -> Vec<Condition> {
    let live: Vec<&SourceState> = sources
        .iter()
        .copied()
        .filter(|source| !source.retired)
        .collect();
    let mut needs: BTreeMap<Missing, Vec<&SourceState>> = BTreeMap::new();
    for source in &live {
        let Some(right) = source.key.poll.right() else {
            continue;
        };
        needs
            .entry(Missing::Permission(right.permission))
            .or_default()
            .push(source);
        if needs_licence(source.key.poll) {
            needs.entry(Missing::Licence).or_default().push(source);
        }
    }
    needs
        .into_iter()
        .filter_map(|(missing, sources)| condition(tenant, missing, &sources))
        .collect()
}

/// Whether one of the sources needs the right or licence that the subject at `path` is.
#[must_use]
pub fn needs(path: &str, live: &[&SourceState]) -> bool {
    live.iter().any(|source| {
        let poll = source.key.poll;
        let permission = poll.right().map(|right| right.permission);
        permission.is_some_and(|name| Missing::Permission(name).path() == path)
            || (needs_licence(poll) && Missing::Licence.path() == path)
    })
}

/// Polls of reports that are sold with Microsoft Entra ID P1 and P2.
const fn needs_licence(poll: Poll) -> bool {
    matches!(poll, Poll::ProvisioningLogs | Poll::DirectoryAudits)
}

fn condition(tenant: &str, missing: Missing, sources: &[&SourceState]) -> Option<Condition> {
    let failure = match missing {
        Missing::Permission(_) => ReadFailure::RightMissing,
        Missing::Licence => ReadFailure::LicenceMissing,
    };
    let without: Vec<&SourceState> = sources
        .iter()
        .copied()
        .filter(|source| source.failure == Some(failure))
        .collect();
    if !without.is_empty() {
        return Some(lost(tenant, missing, &without));
    }
    // Over only where every source that needs it was read: one that fails in another way hides it.
    let all_read = sources
        .iter()
        .all(|source| source.failing_since.is_none() && source.read_at.is_some());
    let read_at = sources
        .iter()
        .filter_map(|source| source.read_at)
        .max()
        .filter(|_| all_read)?;
    let subject = missing.subject(tenant);
    let summary = format!(
        "{} is there: everything that needs it is read again",
        named(&subject)
    );
    Some(clear(Rule::RightMissing, subject, read_at, summary))
}

fn lost(tenant: &str, missing: Missing, without: &[&SourceState]) -> Condition {
    let subject = missing.subject(tenant);
    let mut polls: Vec<Poll> = without.iter().map(|source| source.key.poll).collect();
    polls.sort_unstable();
    polls.dedup();
    let rights: Vec<Right> = polls.iter().filter_map(|poll| poll.right()).collect();
    let lost = rights
        .iter()
        .map(|right| right.lost)
        .collect::<Vec<_>>()
        .join("; ");
    let optional = rights.iter().all(|right| right.optional);
    let severity = if optional {
        Severity::Info
    } else {
        Severity::Warning
    };
    let words: Vec<&str> = polls.iter().map(|poll| poll.as_str()).collect();
    let text = without
        .iter()
        .find_map(|source| source.failure_text.as_deref());
    let since = without
        .iter()
        .filter_map(|source| source.failing_since)
        .min();
    let facts = [
        Some(evidence("polls switched off", words.join(", "))),
        Some(evidence("what is lost", &lost)),
        known("answer", text.map(cut)),
        known("since", since),
    ];
    let source = if let [only] = words[..] {
        only
    } else {
        "graph"
    };
    Condition {
        summary: format!("{} is missing; lost without it: {lost}", named(&subject)),
        mend: mend(missing, &polls),
        evidence: facts.into_iter().flatten().collect(),
        labels: labels([("source", source)]),
        ..holds(
            Rule::RightMissing,
            subject,
            severity,
            since.unwrap_or_else(|| without[0].first_seen_at),
        )
    }
}

/// How to mend it (Microsoft Graph permissions reference; known defect of the licence check of
/// the reports).
fn mend(missing: Missing, polls: &[Poll]) -> String {
    let off = polls
        .iter()
        .map(|poll| format!("polls.{poll}.enabled = false"))
        .collect::<Vec<_>>()
        .join(", ");
    match missing {
        Missing::Permission(_) if polls == [Poll::Agents] => format!(
            "Microsoft documents this view for signed-in users only; do without it and set {off}."
        ),
        Missing::Permission(permission) => format!(
            "Grant the application permission {permission} to the application and give admin consent; or do without and set {off}."
        ),
        Missing::Licence => format!(
            "These logs need Microsoft Entra ID P1 or P2. If the tenant has it, the licence check may fail for want of Directory.Read.All (a known defect): grant that too; or do without and set {off}."
        ),
    }
}

#[cfg(test)]
mod tests;
