//! Versions of Connect Sync and of the Cloud Sync agent, held against the table of versions.
//!
//! What a level called *error* would be is critical here: below the floor, support over, and below
//! what a job in use needs. Support that ends soon, a version that was recalled and a build that
//! is too old are warnings. A version that the table does not list lies between two it does: it is
//! judged only where both say the same.

use std::collections::BTreeSet;
use std::time::Duration;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::sync_server::{Part, Versions as Installed};
use syncwatch_domain::time::Timestamp;

use super::super::words::{clear, day, evidence, holds, labels, named};
use super::look::{Look, level};
use super::view::Server;
use crate::config::{Version, Versions};

const RULE: Rule = Rule::VersionUnsupported;

/// What is said about an installed version; `None` where nothing is known.
type Finding = Option<Result<String, (Severity, String)>>;

pub(super) fn conditions(look: &mut Look<'_>, server: &Server<'_>) -> Vec<Condition> {
    let Some(seen) = server.part::<Installed>(Part::Versions) else {
        return Vec::new();
    };
    let installed = seen.value.unwrap_or_default();
    let products = [
        ("connect", "Connect Sync", installed.connect),
        ("cloud", "Cloud Sync agent", installed.provisioning_agent),
    ];
    let mut listed = BTreeSet::new();
    let mut found = Vec::new();
    for (engine, product, text) in products {
        let subject = subject(server, engine, product);
        let Some(text) = text else { continue };
        listed.insert(subject.path.clone());
        let Some(version) = Version::parse(&text) else {
            continue;
        };
        let finding = if engine == "connect" {
            connect(look, server, version)
        } else {
            agent(look, version)
        };
        found.extend(finding.map(|finding| {
            told(
                look,
                server,
                (engine, version),
                subject,
                finding,
                seen.read_at,
            )
        }));
    }
    found.extend(look.gone(server, &[RULE], &listed, seen.read_at));
    found
}

fn subject(server: &Server<'_>, engine: &str, product: &str) -> Subject {
    let title = format!("{product} on {}", server.host);
    Subject::part_of_server(server.tenant, server.host, ("version", engine), title)
}

fn told(
    look: &Look<'_>,
    server: &Server<'_>,
    (engine, version): (&str, Version),
    subject: Subject,
    finding: Result<String, (Severity, String)>,
    read_at: Timestamp,
) -> Condition {
    let labels = labels([
        ("engine", engine),
        ("server", server.host),
        ("source", "agent_section"),
    ]);
    let (severity, what) = match finding {
        Ok(what) => {
            let summary = format!("{} is {version}: {what}", named(&subject));
            return Condition {
                labels,
                ..clear(RULE, subject, read_at, summary)
            };
        }
        Err(found) => found,
    };
    let mend = if engine == "connect" {
        format!(
            "Update Connect Sync on {}; the installer is in the Microsoft Entra admin center. An update by itself skips some releases, and servers with a changed miiserver.exe.config.",
            server.host
        )
    } else {
        format!(
            "Agents of Cloud Sync update themselves while the service AzureADConnectAgentUpdater runs: look at it on {}, or install the newest build by hand.",
            server.host
        )
    };
    Condition {
        summary: format!("{} is {version}: {what}", named(&subject)),
        mend,
        evidence: vec![
            evidence("version", version),
            evidence("versions last read", read_at),
            evidence("table of versions as of", &look.all.versions.as_of),
        ],
        labels,
        ..holds(RULE, subject, severity, read_at)
    }
}

/// Connect Sync: floor, recall, end of support.
fn connect(look: &mut Look<'_>, server: &Server<'_>, version: Version) -> Finding {
    let table = &look.all.versions;
    if let Some((floor, since)) = table.floor.filter(|(floor, _)| version < *floor) {
        let what = format!(
            "it cannot synchronize any more, the service has refused every version below {floor} since {}",
            day(since)
        );
        return Some(Err((Severity::Critical, what)));
    }
    let exact = table.connect.iter().find(|known| known.version == version);
    if exact.is_some_and(|known| known.recalled) {
        let what = "this version was recalled".to_owned();
        return Some(Err((level(server, Severity::Warning), what)));
    }
    match exact {
        Some(known) => match known.support_ends {
            Some(ends_at) => Some(support(look, server, ends_at, "")),
            None => Some(Ok("it is supported".to_owned())),
        },
        None => between(look, server, version),
    }
}

/// The support of a version that is not listed ends after that of the one before it, and before
/// that of the one after it.
fn between(look: &mut Look<'_>, server: &Server<'_>, version: Version) -> Finding {
    let table = look.all.versions.as_ref();
    let Some(next) = table.connect.iter().find(|known| known.version > version) else {
        return Some(Ok(format!(
            "it is newer than the table of versions ({})",
            table.as_of
        )));
    };
    let of_next = next
        .support_ends
        .map(|ends_at| support(look, server, ends_at, "at the latest "));
    if let Some(Err(finding)) = of_next {
        return Some(Err(finding));
    }
    let before = table
        .connect
        .iter()
        .rev()
        .filter(|known| known.version < version)
        .find_map(|known| known.support_ends)?;
    support(look, server, before, "")
        .ok()
        .map(|_| Ok("it is supported".to_owned()))
}

fn support(
    look: &mut Look<'_>,
    server: &Server<'_>,
    ends_at: Timestamp,
    at_the_latest: &str,
) -> Result<String, (Severity, String)> {
    let last_day = day(ends_at - Duration::from_millis(1));
    if look.passed(ends_at) {
        let what = format!("its support ended {at_the_latest}on {last_day}");
        return Err((level(server, Severity::Critical), what));
    }
    if look.passed(ends_at - look.settings().support_warning) {
        let what = format!("its support ends {at_the_latest}on {last_day}");
        return Err((level(server, Severity::Warning), what));
    }
    Ok(format!("it is supported until {last_day}"))
}

/// The Cloud Sync agent: what jobs in use need, and the age of the build.
fn agent(look: &Look<'_>, version: Version) -> Finding {
    let table = &look.all.versions;
    let missing: Vec<String> = table
        .features
        .iter()
        .filter(|feature| version < feature.version)
        .filter(|feature| look.beyond.templates.contains(&feature.template))
        .map(|feature| format!("{} needs {}", feature.what, feature.version))
        .collect();
    if !missing.is_empty() {
        let what = format!("it is too old for what is in use: {}", missing.join(", "));
        return Some(Err((Severity::Critical, what)));
    }
    let newest = table.agent.last()?;
    let most = look.settings().agent_build_age;
    let is_old = |released: Timestamp| newest.released.since(released) > most;
    // It appeared after the build before it, and before the build after it.
    let not_after = released_next(table, version);
    if let Some(not_after) = not_after.filter(|released| is_old(*released)) {
        let age = newest.released.since(not_after).as_secs() / 86_400;
        let what = format!(
            "it is at least {age} days older than the newest build {}; only the newest is supported",
            newest.version
        );
        return Some(Err((Severity::Warning, what)));
    }
    let before = table
        .agent
        .iter()
        .rev()
        .find(|build| build.version <= version);
    let is_young = not_after.is_none() || before.is_some_and(|build| !is_old(build.released));
    is_young.then(|| Ok("it is new enough".to_owned()))
}

/// When a build had appeared at the latest; `None` for one that is newer than the table.
fn released_next(table: &Versions, version: Version) -> Option<Timestamp> {
    let next = table.agent.iter().find(|build| build.version >= version);
    next.map(|build| build.released)
}
