//! Alerts about what nobody looks at any more: the config took out a tenant or a poll.
//!
//! Missing data never resolves an alert, but data that nobody asks for will never come. Such an
//! alert ends, and says that this is no recovery.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Alert, Condition, Rule};
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::time::Timestamp;

use super::rights;
use super::sources::agent_host;
use super::words::{clear, evidence, named};

/// Whether something that is still read can tell how `rule` stands. `live` are the sources of the
/// tenant that are polled.
#[must_use]
pub fn is_watched(
    rule: Rule,
    path: &str,
    labels: &BTreeMap<String, String>,
    live: &[&SourceState],
) -> bool {
    let polled = |poll: Poll| live.iter().any(|source| source.key.poll == poll);
    if rule == Rule::RightMissing {
        return rights::needs(path, live);
    }
    let host = labels.get("server");
    match labels.get("source").map(String::as_str) {
        // Groups of lanes end with their lanes.
        None => true,
        Some("graph") => live.iter().any(|source| source.key.poll.is_graph()),
        Some("agent_reports" | "agent_section") => live.iter().any(|source| {
            let of = agent_host(&source.key);
            of.is_some() && host.is_none_or(|host| of == Some(host))
        }),
        Some(word) => Poll::from_word(word).is_none_or(|poll| {
            // Which jobs there are is found by another poll: that one says what became of them.
            polled(poll)
                || (Poll::PER_CONFIGURATION.contains(&poll) && polled(Poll::ServicePrincipals))
        }),
    }
}

/// What ends because nothing that is still read can tell about it.
#[must_use]
pub fn conditions<'a>(
    firing: impl Iterator<Item = &'a Alert>,
    live: &[&SourceState],
    now: Timestamp,
) -> Vec<Condition> {
    firing
        .filter(|alert| !is_watched(alert.rule, &alert.subject.path, &alert.labels, live))
        .map(|alert| ended(alert, live.is_empty(), now))
        .collect()
}

fn ended(alert: &Alert, of_all: bool, now: Timestamp) -> Condition {
    let tenant = &alert.subject.tenant;
    let what = if of_all {
        format!("nothing of tenant {tenant} is read")
    } else {
        "what told about it is not read".to_owned()
    };
    let summary = format!(
        "{}: no longer watched, because {what} any more; it did not recover",
        named(&alert.subject)
    );
    Condition {
        evidence: vec![evidence("no longer watched since", now)],
        labels: alert.labels.clone(),
        ..clear(alert.rule, alert.subject.clone(), now, summary)
    }
}

#[cfg(test)]
mod tests;
