//! Sections that are little more than their own facts.

use syncwatch_domain::report::forms::{ShapeError, Version};
use syncwatch_domain::report::{
    Section, company_features, containers, database, pending_exports, reachability, rules,
    services, settings, versions,
};
use syncwatch_domain::sync_server::{
    CloudFeatures, Container, Containers, Database, DomainReach, Part, Pending, PendingExports,
    Reachability, Service, Services, Versions,
};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::Fact;

use super::known::Known;
use super::{Learned, Reading};

pub(super) fn learn(
    section: Section,
    reading: &Reading<'_>,
    known: &mut Known,
) -> Result<Learned, ShapeError> {
    let (data, forms) = (&reading.record.data, reading.forms());
    let fact = match section {
        Section::CompanyFeatures => {
            let read = company_features::read(data, &forms)?;
            Some(known.learn(
                Part::CloudFeatures,
                &CloudFeatures {
                    password_hash_sync: read.password_hash_sync,
                },
            ))
        }
        Section::Database => {
            let read = database::read(data, &forms)?;
            Some(known.learn(
                Part::Database,
                &Database {
                    local_db: read.local_db,
                    used_mb: read.used_mb,
                },
            ))
        }
        Section::Reachability => Some(reach(reachability::read(data, &forms)?, reading, known)),
        Section::Services => Some(running(services::read(data, &forms)?, reading, known)),
        Section::Versions => Some(versions(&versions::read(data, &forms)?, reading, known)),
        Section::PendingExports => Some(pending(pending_exports::read(data, &forms)?, known)),
        Section::Containers => Some(found(containers::read(data, &forms)?, reading, known)),
        // Kept with their records for whoever works out who owns what; here it only matters that
        // they can be read.
        Section::Rules => rules::read(data, &forms).map(|_| None)?,
        Section::Settings => settings::read(data, &forms).map(|_| None)?,
        // What is busy shows in the run history as well.
        Section::ConnectorStatus
        | Section::Scheduler
        | Section::Runs
        | Section::PasswordSync
        | Section::Connectors
        | Section::Events => None,
    };
    Ok(Learned {
        facts: fact.into_iter().collect(),
        ..Learned::of(reading)
    })
}

/// The part that a section tells, where it tells one as a whole.
pub(super) const fn part_of(section: Section) -> Option<Part> {
    Some(match section {
        Section::Scheduler => Part::Scheduler,
        Section::Runs => Part::Runs,
        Section::PasswordSync => Part::PasswordSync,
        Section::CompanyFeatures => Part::CloudFeatures,
        Section::Database => Part::Database,
        Section::Reachability => Part::Reachability,
        Section::Services => Part::Services,
        Section::Versions => Part::Versions,
        Section::PendingExports => Part::PendingExports,
        Section::Containers => Part::Containers,
        Section::ConnectorStatus
        | Section::Events
        | Section::Connectors
        | Section::Rules
        | Section::Settings => return None,
    })
}

/// Since when something is as it is: since before, if it was the same then.
fn since(reading: &Reading<'_>, before: Option<Timestamp>) -> Timestamp {
    before.unwrap_or(reading.at)
}

fn versions(read: &versions::Versions, reading: &Reading<'_>, known: &mut Known) -> Fact {
    let before: Versions = known.part_or_default(Part::Versions);
    let text = |version: &Option<Version>| version.as_ref().map(Version::to_string);
    let agent = text(&read.provisioning_agent);
    let is_same = before.provisioning_agent == agent;
    let since = before.provisioning_agent_since.filter(|_| is_same);
    let now = Versions {
        connect: text(&read.connect),
        provisioning_agent_since: agent.is_some().then(|| since.unwrap_or(reading.at)),
        provisioning_agent: agent,
    };
    known.learn(Part::Versions, &now)
}

fn reach(read: Vec<reachability::Reach>, reading: &Reading<'_>, known: &mut Known) -> Fact {
    let before: Reachability = known.part_or_default(Part::Reachability);
    let mut now = Reachability::default();
    for reach in read {
        let same = before
            .domains
            .iter()
            .find(|known| known.domain == reach.domain && known.reachable == reach.reachable);
        now.domains.push(DomainReach {
            since: since(reading, same.map(|same| same.since)),
            domain: reach.domain,
            reachable: reach.reachable,
            message: reach.message,
        });
    }
    now.domains.sort_by(|a, b| a.domain.cmp(&b.domain));
    known.learn(Part::Reachability, &now)
}

fn running(read: Vec<services::Service>, reading: &Reading<'_>, known: &mut Known) -> Fact {
    let before: Services = known.part_or_default(Part::Services);
    let mut now = Services::default();
    for service in read {
        // A state that nobody has heard of says nothing.
        let Some(state) = service.state.known() else {
            continue;
        };
        let same = before
            .services
            .iter()
            .find(|known| known.name == service.name && known.state == state);
        now.services.push(Service {
            since: since(reading, same.map(|same| same.since)),
            kind: service.kind,
            name: service.name,
            display_name: service.display_name,
            state,
            start_type: service.start_type.and_then(|start| start.known()),
        });
    }
    now.services.sort_by(|a, b| a.name.cmp(&b.name));
    known.learn(Part::Services, &now)
}

fn pending(read: Vec<pending_exports::ConnectorExports>, known: &mut Known) -> Fact {
    let mut now = PendingExports::default();
    for exports in read {
        now.connectors.push(Pending {
            connector: exports.connector,
            adds: exports.adds,
            updates: exports.updates,
            deletes: exports.deletes,
        });
    }
    now.connectors.sort_by(|a, b| a.connector.cmp(&b.connector));
    known.learn(Part::PendingExports, &now)
}

fn found(read: Vec<containers::Found>, reading: &Reading<'_>, known: &mut Known) -> Fact {
    let before: Containers = known.part_or_default(Part::Containers);
    let mut now = Containers::default();
    for container in read {
        let known = before
            .containers
            .iter()
            .find(|known| known.dn.eq_ignore_ascii_case(&container.dn));
        let same = known.filter(|known| known.exists == container.exists);
        now.containers.push(Container {
            since: since(reading, same.map(|same| same.since)),
            // What was there last is still known by its id when it is gone.
            object_guid: container
                .object_guid
                .or_else(|| known.and_then(|known| known.object_guid.clone())),
            dn: container.dn,
            exists: container.exists,
            moved_to: container.moved_to,
        });
    }
    now.containers.sort_by(|a, b| a.dn.cmp(&b.dn));
    known.learn(Part::Containers, &now)
}
