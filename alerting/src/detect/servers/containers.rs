//! Containers that Cloud Sync configurations name and that are not there: renamed, moved or
//! deleted. The job stays green and covers less.

use std::collections::{BTreeMap, BTreeSet};

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::sync_server::{Container, Containers, Part};
use syncwatch_domain::time::Timestamp;

use super::super::words::{clear, cut, evidence, holds, known, labels, named};
use super::look::Look;
use super::view::Server;

const RULE: Rule = Rule::ContainerGone;

/// A container as one server sees it.
struct Sight<'a> {
    host: &'a str,
    container: Container,
    read_at: Timestamp,
}

impl Sight<'_> {
    /// What the configuration means is there, under its name.
    const fn is_well(&self) -> bool {
        self.container.exists && self.container.moved_to.is_none()
    }

    /// How much this sight is worth. A server that cannot look into a domain sees nothing there;
    /// one that does is right, and one that knows where the container went is right as well.
    const fn worth(&self) -> (bool, bool) {
        (self.is_well(), self.container.moved_to.is_some())
    }
}

pub(super) fn conditions(look: &mut Look<'_>, servers: &[Server<'_>]) -> Vec<Condition> {
    let mut best: BTreeMap<String, Sight<'_>> = BTreeMap::new();
    let mut unsure = BTreeSet::new();
    let mut found = Vec::new();
    for server in servers {
        let Some(seen) = server.part::<Containers>(Part::Containers) else {
            unsure.extend(seen_before(server));
            continue;
        };
        let containers = seen.value.unwrap_or_default().containers;
        let listed = containers.iter().map(|one| path(&one.dn)).collect();
        found.extend(look.gone(server, &[RULE], &listed, seen.read_at));
        for container in containers {
            let path = path(&container.dn);
            let sight = Sight {
                host: server.host,
                container,
                read_at: seen.read_at,
            };
            let known = best.get(&path);
            if known.is_none_or(|known| known.worth() < sight.worth()) {
                best.insert(path, sight);
            }
        }
    }
    best.retain(|path, sight| sight.is_well() || !unsure.contains(path));
    found.extend(best.into_iter().map(|(path, sight)| of(look, path, &sight)));
    found
}

/// What a server that is out of sight last saw in its place: it may be the only one that can look
/// there, so what the others miss is not gone for sure.
fn seen_before(server: &Server<'_>) -> Vec<String> {
    let last: Containers = server.last(Part::Containers).unwrap_or_default();
    let there = last.containers.into_iter().filter(|one| one.exists);
    there.map(|one| path(&one.dn)).collect()
}

/// Names in a directory are compared without regard to case.
fn path(dn: &str) -> String {
    format!("container/{}", dn.to_lowercase())
}

fn of(look: &mut Look<'_>, path: String, sight: &Sight<'_>) -> Condition {
    let container = &sight.container;
    let subject = Subject {
        tenant: look.tenant.to_owned(),
        path,
        title: format!("Container {}", container.dn),
    };
    let labels = labels([
        ("engine", "cloud"),
        ("server", sight.host),
        ("source", "agent_section"),
    ]);
    if sight.is_well() {
        let summary = format!(
            "{} has been there since {}",
            named(&subject),
            container.since
        );
        return Condition {
            labels,
            ..clear(RULE, subject, container.since, summary)
        };
    }
    let patience = look.settings().container_critical_after;
    let severity = if look.reached(sight.read_at, container.since + patience) {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let moved_to = container.moved_to.as_deref().map(cut);
    let what = match (&moved_to, container.exists) {
        (Some(now_at), false) => format!("was renamed or moved, it is now {now_at}"),
        (Some(now_at), true) => {
            format!("is another one now, the one that was meant is {now_at}")
        }
        (None, _) => "is not in the directory any more".to_owned(),
    };
    let facts = [
        Some(evidence("gone since", container.since)),
        known("now at", moved_to.as_ref()),
        known("objectGUID", container.object_guid.as_ref()),
        Some(evidence("looked up by", sight.host)),
        Some(evidence("looked up at", sight.read_at)),
    ];
    Condition {
        summary: format!(
            "{} {what}; a Cloud Sync configuration names it: its job stays green and has updated nothing in there since {}",
            named(&subject),
            container.since
        ),
        mend: "Put the container back under its name, or name the new place in the scope of the Cloud Sync configuration. Nothing was deleted by this: the objects stay as they are until somebody looks after them again.".to_owned(),
        evidence: facts.into_iter().flatten().collect(),
        labels,
        ..holds(RULE, subject, severity, container.since)
    }
}
