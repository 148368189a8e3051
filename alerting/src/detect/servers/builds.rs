//! Agents of Cloud Sync that run different builds for long: one of them does not update itself.
//!
//! Servers that report are compared. Since when two differ is counted from when the newer of their
//! builds was first seen, so a pair that changes both is found later, never too early.

use std::collections::BTreeSet;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::sync_server::{Part, Versions};
use syncwatch_domain::time::Timestamp;

use super::super::words::{clear, evidence, few, holds, labels, named};
use super::look::Look;
use super::view::Server;

const RULE: Rule = Rule::AgentBuildsDiffer;
/// Servers that are named.
const NAMED: usize = 15;

/// A build as one server has it.
struct Build<'a> {
    host: &'a str,
    version: String,
    since: Timestamp,
    read_at: Timestamp,
}

pub(super) fn condition(look: &mut Look<'_>, servers: &[Server<'_>]) -> Option<Condition> {
    let builds: Vec<Build<'_>> = servers.iter().filter_map(build).collect();
    let read_at = builds.iter().map(|build| build.read_at).min();
    let subject = Subject {
        tenant: look.tenant.to_owned(),
        path: "provisioning_agents".to_owned(),
        title: "Cloud Sync agents".to_owned(),
    };
    let labels = labels([("engine", "cloud"), ("source", "agent_section")]);
    let Some(since) = differ_since(&builds) else {
        // One that is out of sight may be the one that differs.
        let are_seen = servers.iter().all(|server| is_seen(server));
        if !are_seen || (builds.is_empty() && !look.fires(RULE)) {
            return None;
        }
        let at = read_at.unwrap_or(look.now);
        let summary = format!("{}: they run one build", named(&subject));
        return Some(Condition {
            labels,
            ..clear(RULE, subject, at, summary)
        });
    };
    let read_at = read_at?;
    if !look.reached(read_at, since + look.settings().builds_differ_after) {
        return None;
    }
    let told: Vec<String> = builds
        .iter()
        .map(|build| format!("{} {}", build.host, build.version))
        .collect();
    Some(Condition {
        summary: format!(
            "{} have run different builds since {since}: {}",
            named(&subject),
            few(&told, NAMED)
        ),
        mend: "Agents of Cloud Sync update themselves, but not to every build. On the server with the older one look whether the service Microsoft Azure AD Connect Agent Updater runs, or install the newest build by hand.".to_owned(),
        evidence: vec![
            evidence("different since", since),
            evidence("builds", few(&told, NAMED)),
            evidence("read at", read_at),
        ],
        labels,
        ..holds(RULE, subject, Severity::Info, since)
    })
}

fn build<'a>(server: &Server<'a>) -> Option<Build<'a>> {
    let seen = server.part::<Versions>(Part::Versions)?;
    let versions = seen.value?;
    Some(Build {
        host: server.host,
        version: versions.provisioning_agent?,
        since: versions.provisioning_agent_since?,
        read_at: seen.read_at,
    })
}

/// Whether it is known which build a server has, or that it has none.
fn is_seen(server: &Server<'_>) -> bool {
    let last: Option<Versions> = server.last(Part::Versions);
    let had_one = last.is_none_or(|last| last.provisioning_agent.is_some());
    !had_one || build(server).is_some()
}

/// Since when two builds differ without a break, as far as it was seen; `None` while there is one.
fn differ_since(builds: &[Build<'_>]) -> Option<Timestamp> {
    let versions: BTreeSet<&str> = builds.iter().map(|build| build.version.as_str()).collect();
    // Of each build the server that has had it longest.
    let mut since: Vec<Timestamp> = versions
        .iter()
        .filter_map(|version| {
            let with_it = builds.iter().filter(|build| build.version == **version);
            with_it.map(|build| build.since).min()
        })
        .collect();
    since.sort_unstable();
    since.get(1).copied()
}
