//! Credentials that end soon.
//!
//! Facts `credential/<key id>` of a tenant, as the collector writes them:
//! `{"kind":"secret|certificate","name":text|null,"ends_at":instant,"app":"own|connect","app_id":text}`.
//! A key that was removed has the value `null`, or is older than the newest read of the
//! credentials: it was removed while nobody looked.

use std::collections::BTreeMap;

use serde::Deserialize;
use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoredFact;

use super::words::{clear, day, evidence, holds, labels, named};
use crate::config::AlertSettings;

/// First part of the names of facts about credentials.
pub const PREFIX: &str = "credential/";

/// The value of a fact about a credential.
#[derive(Clone, Debug, Deserialize)]
struct Credential {
    kind: String,
    #[serde(default)]
    name: Option<String>,
    ends_at: Timestamp,
    #[serde(default)]
    app: App,
    #[serde(default)]
    app_id: String,
}

/// Whose credential it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum App {
    /// The application syncwatch signs in with.
    #[default]
    Own,
    /// The application of Connect Sync, whose certificate Connect renews by itself.
    Connect,
}

struct Key<'a> {
    id: &'a str,
    credential: Credential,
    gone: bool,
}

/// What the credentials of one tenant mean. `facts` are all of the tenant's facts, `read_at` the
/// start of the newest read of its credentials.
#[must_use]
pub fn conditions(
    tenant: &str,
    facts: &[&StoredFact],
    read_at: Option<Timestamp>,
    settings: &AlertSettings,
    now: Timestamp,
) -> Vec<Condition> {
    let removed = facts
        .iter()
        .filter(|fact| fact.value.is_null())
        .filter_map(|fact| Some(removed(tenant, fact.name.strip_prefix(PREFIX)?, now)));
    by_app(facts, read_at)
        .values()
        .flat_map(|keys| {
            keys.iter()
                .map(|key| condition(tenant, key, keys, settings, now))
        })
        .chain(removed)
        .collect()
}

fn removed(tenant: &str, id: &str, now: Timestamp) -> Condition {
    let subject = Subject {
        tenant: tenant.to_owned(),
        path: format!("{PREFIX}{id}"),
        title: format!("The credential {id}"),
    };
    let summary = format!("{} was removed", named(&subject));
    clear(Rule::CredentialExpiring, subject, now, summary)
}

/// The next instant after `now` at which a credential crosses a threshold.
#[must_use]
pub fn next_due(
    facts: &[&StoredFact],
    settings: &AlertSettings,
    now: Timestamp,
) -> Option<Timestamp> {
    facts
        .iter()
        .filter_map(|fact| parse(fact))
        .flat_map(|(_, credential)| {
            let ends_at = credential.ends_at;
            [
                ends_at - settings.credential_warning,
                ends_at - settings.credential_critical,
                ends_at,
            ]
        })
        .filter(|at| *at > now)
        .min()
}

/// The last end of a certificate of Connect Sync that Microsoft Graph shows.
#[must_use]
pub fn connect_ends_at(facts: &[&StoredFact], read_at: Option<Timestamp>) -> Option<Timestamp> {
    let apps = by_app(facts, read_at);
    let of_connect = apps.iter().filter(|((app, _), _)| *app == App::Connect);
    of_connect
        .flat_map(|(_, keys)| keys)
        .filter(|key| !key.gone)
        .map(|key| key.credential.ends_at)
        .max()
}

/// A fact that does not look like a credential is left alone: it was written by another version.
fn parse(fact: &StoredFact) -> Option<(&str, Credential)> {
    let id = fact.name.strip_prefix(PREFIX)?;
    Some((id, Credential::deserialize(&fact.value).ok()?))
}

fn by_app<'a>(
    facts: &[&'a StoredFact],
    read_at: Option<Timestamp>,
) -> BTreeMap<(App, String), Vec<Key<'a>>> {
    let mut apps: BTreeMap<_, Vec<Key<'a>>> = BTreeMap::new();
    for fact in facts {
        let Some((id, credential)) = parse(fact) else {
            continue;
        };
        let gone = read_at.is_some_and(|read_at| fact.read_at < read_at);
        let app = (credential.app, credential.app_id.clone());
        apps.entry(app).or_default().push(Key {
            id,
            credential,
            gone,
        });
    }
    apps
}

fn condition(
    tenant: &str,
    key: &Key<'_>,
    all: &[Key<'_>],
    settings: &AlertSettings,
    now: Timestamp,
) -> Condition {
    let subject = subject(tenant, key);
    let ends_at = key.credential.ends_at;
    let warn_at = ends_at - settings.credential_warning;
    let newer = all
        .iter()
        .filter(|other| !other.gone && other.credential.ends_at > ends_at)
        .map(|other| other.credential.ends_at)
        .max();
    let replaced = newer.is_some() && (key.credential.app == App::Connect || now >= ends_at);
    if key.gone || replaced || now < warn_at {
        let what = if key.gone {
            "was removed"
        } else {
            "was replaced by one that ends later"
        };
        let what = if now < warn_at && !key.gone {
            "is good for longer than the warning time"
        } else {
            what
        };
        return clear(
            Rule::CredentialExpiring,
            subject.clone(),
            now,
            format!("{} {what}", named(&subject)),
        );
    }
    expiring(
        subject,
        key,
        newer,
        severity(ends_at, newer, settings, now),
        warn_at,
        now,
    )
}

/// A key next to one that ends later may be a leftover: which one is in use cannot be seen.
fn severity(
    ends_at: Timestamp,
    newer: Option<Timestamp>,
    settings: &AlertSettings,
    now: Timestamp,
) -> Severity {
    if newer.is_some_and(|newer| newer > now + settings.credential_critical) {
        Severity::Info
    } else if now >= ends_at - settings.credential_critical {
        Severity::Critical
    } else {
        Severity::Warning
    }
}

fn expiring(
    subject: Subject,
    key: &Key<'_>,
    newer: Option<Timestamp>,
    severity: Severity,
    since: Timestamp,
    now: Timestamp,
) -> Condition {
    let ends_at = key.credential.ends_at;
    let ends = if now >= ends_at { "expired" } else { "expires" };
    let mut summary = format!("{} {ends} on {}", named(&subject), day(ends_at));
    if let Some(newer) = newer {
        summary += &format!(
            "; the application has another one that ends on {}",
            day(newer)
        );
    }
    let mend = match (key.credential.app, newer) {
        (App::Own, Some(_)) => {
            "Make sure that syncwatch signs in with the newer one, then remove this one from the application."
        }
        (App::Own, None) => {
            "Add a new secret or certificate to the application, put it where the configuration of the tenant says, then remove the old one. syncwatch goes blind for this tenant when the credential ends."
        }
        (App::Connect, _) => {
            "Connect Sync renews its certificate by itself while its maintenance runs: check MaintenanceEnabled in Get-ADSyncScheduler. A certificate of your own is not renewed."
        }
    };
    Condition {
        summary,
        mend: mend.to_owned(),
        evidence: vec![
            evidence("ends", ends_at),
            evidence("key id", key.id),
            evidence("kind", &key.credential.kind),
            evidence("application", &key.credential.app_id),
        ],
        labels: labels([("source", "credentials")]),
        ..holds(Rule::CredentialExpiring, subject, severity, since)
    }
}

fn subject(tenant: &str, key: &Key<'_>) -> Subject {
    let whose = match key.credential.app {
        App::Own => "syncwatch",
        App::Connect => "Connect Sync",
    };
    let name = key
        .credential
        .name
        .as_deref()
        .filter(|name| !name.trim().is_empty())
        .unwrap_or(key.id);
    Subject {
        tenant: tenant.to_owned(),
        path: format!("{PREFIX}{}", key.id),
        title: format!("The {} {name:?} of {whose}", key.credential.kind),
    }
}

#[cfg(test)]
mod tests;
