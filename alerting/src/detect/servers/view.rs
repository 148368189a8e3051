//! The servers of a tenant as their agents last showed them.
//!
//! A part counts only while it can be seen: its agent reports, its section is read, and what is
//! known is not older than the newest read. Everything else says nothing.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use syncwatch_domain::report::Section;
use syncwatch_domain::source::{Poll, SourceKey, SourceState};
use syncwatch_domain::sync_server::{Agent, Part, Scheduler, of_fact_name};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoredFact;

use crate::detect::sources::agent_host;

/// A part of a server as it was last read.
pub(super) struct Seen<T> {
    /// What was read; `None` where there is nothing of the kind on the server.
    pub(super) value: Option<T>,
    /// As of when.
    pub(super) read_at: Timestamp,
}

/// A server whose agent is expected to report.
pub(super) struct Server<'a> {
    pub(super) tenant: &'a str,
    /// Name of the host, as the configuration has it.
    pub(super) host: &'a str,
    parts: BTreeMap<Part, &'a StoredFact>,
    reports: &'a SourceState,
    sections: BTreeMap<&'a str, &'a SourceState>,
}

/// Where a part comes from.
enum Origin {
    /// Every report of the agent.
    Reports,
    /// Read as a whole with each reading of one of these.
    Sections(&'static [Section]),
    /// Told once, by an event: true until something else is told.
    Event,
}

const fn origin(part: Part) -> Origin {
    Origin::Sections(match part {
        Part::Agent => return Origin::Reports,
        Part::DeletionStop | Part::Certificate => return Origin::Event,
        Part::Scheduler => &[Section::Scheduler],
        Part::Runs => &[Section::Runs],
        Part::PasswordSync => &[Section::PasswordSync, Section::Events],
        Part::CloudFeatures => &[Section::CompanyFeatures],
        Part::Database => &[Section::Database],
        Part::Reachability => &[Section::Reachability],
        Part::Services => &[Section::Services],
        Part::Versions => &[Section::Versions],
        Part::PendingExports => &[Section::PendingExports],
        Part::Containers => &[Section::Containers],
    })
}

/// The servers of a tenant, by host. `sources` are those of the tenant that are asked for.
pub(super) fn servers<'a>(
    tenant: &'a str,
    facts: &[&'a StoredFact],
    sources: &[&'a SourceState],
) -> Vec<Server<'a>> {
    let mut agents: BTreeMap<&str, BTreeMap<Part, &StoredFact>> = BTreeMap::new();
    for fact in facts {
        if let Some((agent, part)) = of_fact_name(&fact.name) {
            agents.entry(agent).or_default().insert(part, fact);
        }
    }
    let mut by_host: BTreeMap<&str, Server<'a>> = BTreeMap::new();
    for parts in agents.into_values() {
        let Some(server) = server(tenant, parts, sources) else {
            continue;
        };
        // An agent that was set up anew has another id; its former self is history.
        let is_newer = by_host
            .get(server.host)
            .is_none_or(|other| other.told_at() < server.told_at());
        if is_newer {
            by_host.insert(server.host, server);
        }
    }
    by_host.into_values().collect()
}

fn server<'a>(
    tenant: &'a str,
    parts: BTreeMap<Part, &'a StoredFact>,
    sources: &[&'a SourceState],
) -> Option<Server<'a>> {
    let agent: Agent = read(parts.get(&Part::Agent)?)?;
    let live = sources.iter().copied().filter(|source| !source.retired);
    let own = live.filter(|source| {
        let host = agent_host(&source.key);
        host.is_some_and(|host| host.eq_ignore_ascii_case(&agent.host))
    });
    let (reports, sections): (Vec<_>, Vec<_>) =
        own.partition(|source| source.key.poll == Poll::AgentReports);
    let reports = *reports.first()?;
    let sections = sections.into_iter().filter_map(|source| {
        let (_, section) = source.key.instance.split_once('/')?;
        Some((section, source))
    });
    Some(Server {
        tenant,
        host: &reports.key.instance,
        parts,
        reports,
        sections: sections.collect(),
    })
}

fn read<T: DeserializeOwned>(fact: &StoredFact) -> Option<T> {
    T::deserialize(&fact.value).ok()
}

impl Server<'_> {
    fn told_at(&self) -> Option<Timestamp> {
        self.parts.get(&Part::Agent).map(|fact| fact.read_at)
    }

    /// Whether its agent reports.
    pub(super) fn is_heard(&self) -> bool {
        self.reports.failing_since.is_none() && self.reports.read_at.is_some()
    }

    /// A part, while it can be seen. What another version wrote and this one cannot read is not.
    pub(super) fn part<T: DeserializeOwned>(&self, part: Part) -> Option<Seen<T>> {
        let read_at = self.seen_at(part)?;
        let fact = self.parts.get(&part)?;
        let value = if fact.value.is_null() {
            None
        } else {
            Some(read(fact)?)
        };
        Some(Seen { value, read_at })
    }

    /// A part as it was last known, however old that is.
    pub(super) fn last<T: DeserializeOwned>(&self, part: Part) -> Option<T> {
        read(self.parts.get(&part)?)
    }

    /// As of when a part is seen; `None` while it is not.
    fn seen_at(&self, part: Part) -> Option<Timestamp> {
        if !self.is_heard() {
            return None;
        }
        match origin(part) {
            Origin::Reports => self.reports.read_at,
            Origin::Event => self.section_read_at(Section::Events),
            Origin::Sections(sections) => {
                let fact = self.parts.get(&part)?;
                let reads = sections
                    .iter()
                    .filter_map(|section| self.section_read_at(*section));
                let newest_of_one = reads.min()?;
                (fact.read_at >= newest_of_one).then_some(fact.read_at)
            }
        }
    }

    /// The newest read of a section that is readable.
    pub(super) fn section_read_at(&self, section: Section) -> Option<Timestamp> {
        let source = self.sections.get(section.as_str())?;
        source.read_at.filter(|_| source.failing_since.is_none())
    }

    /// It has Connect Sync, as far as it was seen.
    pub(super) fn scheduler(&self) -> Option<Scheduler> {
        self.last(Part::Scheduler)
    }

    /// It is in staging mode, as far as it was seen.
    pub(super) fn is_staging(&self) -> bool {
        self.scheduler()
            .is_some_and(|scheduler| scheduler.staging_mode)
    }

    /// What must be read again before something of a section may be told after a wait.
    pub(super) fn section_key(&self, section: Section) -> SourceKey {
        SourceKey {
            tenant: self.tenant.to_owned(),
            poll: Poll::AgentSection,
            instance: format!("{}/{section}", self.host),
        }
    }
}
