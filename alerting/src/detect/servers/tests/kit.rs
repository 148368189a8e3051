//! Facts of sync servers for tests.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use syncwatch_domain::alert::{Alert, AlertId, AlertState, Condition, Finding, Rule, Severity};
use syncwatch_domain::report::{Role, Section};
use syncwatch_domain::source::{Poll, ReadFailure, SourceState};
use syncwatch_domain::sync_server::{
    Agent, ConnectorRuns, Part, Run, Runs, Scheduler, Service, Services, fact_name,
};
use syncwatch_store::StoredFact;

use crate::config::AlertSettings;
use crate::detect::servers::{Beyond, Found, Input, Needs, look, needs};
pub(super) use crate::detect::testing::servers::{scheduler, service};
use crate::detect::testing::{failing_source, minute, read_source};

/// Minutes of a day.
pub(super) const DAY: i64 = 24 * 60;

/// A server, read as a whole at one minute.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) name: &'static str,
    pub(super) read: i64,
    facts: Vec<(Part, Value, i64)>,
    /// Since when the agent is silent, or a section fails.
    pub(super) silent_since: Option<i64>,
    pub(super) failing: BTreeSet<Section>,
}

pub(super) fn host(name: &'static str, read: i64) -> Host {
    let agent = Agent {
        host: name.into(),
        version: "0.1.0".into(),
        system: "Windows Server 2022".into(),
        roles: BTreeSet::from([Role::ConnectActive]),
        clock_ahead_ms: 0,
        newest_gap: None,
    };
    Host {
        name,
        read,
        facts: Vec::new(),
        silent_since: None,
        failing: BTreeSet::new(),
    }
    .with(Part::Agent, &agent)
}

impl Host {
    /// A part, read with the rest.
    pub(super) fn with<T: Serialize>(self, part: Part, value: &T) -> Self {
        let read = self.read;
        self.with_at(part, value, read)
    }

    /// A part that was read at another minute.
    pub(super) fn with_at<T: Serialize>(mut self, part: Part, value: &T, read: i64) -> Self {
        self.facts.retain(|(known, ..)| *known != part);
        self.facts
            .push((part, serde_json::to_value(value).unwrap(), read));
        self
    }

    pub(super) fn silent(mut self, since: i64) -> Self {
        self.silent_since = Some(since);
        self
    }

    pub(super) fn failing(mut self, section: Section) -> Self {
        self.failing.insert(section);
        self
    }

    fn facts(&self) -> impl Iterator<Item = StoredFact> {
        self.facts.iter().map(|(part, value, read)| StoredFact {
            tenant: "orchard".into(),
            name: fact_name(&format!("id-of-{}", self.name), *part),
            value: value.clone(),
            read_at: minute(*read),
        })
    }

    fn sources(&self) -> Vec<SourceState> {
        let reports = match self.silent_since {
            None => read_source(Poll::AgentReports, self.name, self.read),
            Some(since) => failing_source(
                Poll::AgentReports,
                self.name,
                (self.read, since, since),
                1,
                ReadFailure::Timeout,
            ),
        };
        let sections = Section::ALL.iter().map(|section| {
            let instance = format!("{}/{section}", self.name);
            if self.failing.contains(section) {
                let minutes = (self.read - 10, self.read - 9, self.read);
                failing_source(
                    Poll::AgentSection,
                    &instance,
                    minutes,
                    9,
                    ReadFailure::Timeout,
                )
            } else {
                read_source(Poll::AgentSection, &instance, self.read)
            }
        });
        std::iter::once(reports).chain(sections).collect()
    }
}

/// A tenant with its servers.
#[derive(Clone, Default)]
pub(super) struct Tenant {
    pub(super) hosts: Vec<Host>,
    pub(super) beyond: Beyond,
    pub(super) settings: AlertSettings,
    pub(super) firing: Vec<Alert>,
    pub(super) more_facts: Vec<StoredFact>,
    pub(super) more_sources: Vec<SourceState>,
}

pub(super) fn tenant(hosts: impl IntoIterator<Item = Host>) -> Tenant {
    Tenant {
        hosts: hosts.into_iter().collect(),
        ..Tenant::default()
    }
}

impl Tenant {
    /// Alerts that fire, as these conditions began them.
    pub(super) fn firing(mut self, conditions: &[Condition]) -> Self {
        self.firing = conditions
            .iter()
            .filter(|one| one.finding == Finding::Holds)
            .map(alert)
            .collect();
        self
    }

    /// What else must be known.
    pub(super) fn needs(&self) -> Needs {
        let facts: Vec<StoredFact> = self.hosts.iter().flat_map(Host::facts).collect();
        let sources: Vec<SourceState> = self.hosts.iter().flat_map(Host::sources).collect();
        needs(
            "orchard",
            &facts.iter().collect::<Vec<_>>(),
            &sources.iter().collect::<Vec<_>>(),
            &self.settings,
        )
    }

    pub(super) fn look(&self, now: i64) -> Found {
        let facts: Vec<StoredFact> = self
            .hosts
            .iter()
            .flat_map(Host::facts)
            .chain(self.more_facts.iter().cloned())
            .collect();
        let sources: Vec<SourceState> = self
            .hosts
            .iter()
            .flat_map(Host::sources)
            .chain(self.more_sources.iter().cloned())
            .collect();
        look(&Input {
            tenant: "orchard",
            facts: &facts.iter().collect::<Vec<_>>(),
            sources: &sources.iter().collect::<Vec<_>>(),
            firing: &self.firing.iter().collect::<Vec<_>>(),
            beyond: &self.beyond,
            settings: &self.settings,
            now: minute(now),
        })
    }

    /// Looks at the newest minute any host was read.
    pub(super) fn found(&self) -> Vec<Condition> {
        let now = self.hosts.iter().map(|host| host.read).max().unwrap_or(0);
        self.look(now).conditions
    }

    /// What of these rules holds.
    pub(super) fn holding(&self, rules: &[Rule]) -> Vec<Condition> {
        of(&self.found(), Finding::Holds, rules)
    }

    /// What of these rules was seen to be over.
    pub(super) fn over(&self, rules: &[Rule]) -> Vec<Condition> {
        of(&self.found(), Finding::Clear, rules)
    }

    /// How a rule stands: its severity while it holds, `None` when it is over, and nothing at all
    /// where nothing can be said.
    pub(super) fn standing(&self, rule: Rule) -> Vec<Option<Severity>> {
        let found = self.found().into_iter().filter(|one| one.rule == rule);
        found
            .map(|one| (one.finding == Finding::Holds).then_some(one.severity))
            .collect()
    }
}

fn of(found: &[Condition], finding: Finding, rules: &[Rule]) -> Vec<Condition> {
    found
        .iter()
        .filter(|one| one.finding == finding && rules.contains(&one.rule))
        .cloned()
        .collect()
}

fn alert(condition: &Condition) -> Alert {
    Alert {
        id: AlertId::of(condition.rule, &condition.subject, condition.occurred_at),
        rule: condition.rule,
        subject: condition.subject.clone(),
        severity: condition.severity,
        state: AlertState::Firing,
        occurred_at: condition.occurred_at,
        detected_at: condition.occurred_at + Duration::from_secs(60),
        resolved_at: None,
        summary: condition.summary.clone(),
        mend: condition.mend.clone(),
        evidence: condition.evidence.clone(),
        labels: condition.labels.clone(),
        cause: None,
        speaks_at: None,
        respite: None,
    }
}

/// A Connect server whose scheduler is as given.
pub(super) fn connect(name: &'static str, read: i64, scheduler: &Scheduler) -> Host {
    host(name, read).with(Part::Scheduler, scheduler)
}

/// A healthy server, active or in staging mode, read at minute 0.
pub(super) fn healthy(name: &'static str, staging_mode: bool) -> Host {
    connect(
        name,
        0,
        &Scheduler {
            staging_mode,
            ..scheduler(20)
        },
    )
}

pub(super) fn run(profile: &str, result: &str, ended: i64) -> Run {
    let good = result == "success";
    Run {
        profile: profile.into(),
        result: result.into(),
        began_at: minute(ended - 2),
        ended_at: minute(ended),
        bad_in_a_row: u32::from(!good),
        bad_since: (!good).then(|| minute(ended - 2)),
        export_failures: 0,
        export_failures_before: 0,
    }
}

pub(super) fn connector(name: &str, cloud: bool, newest: Vec<Run>) -> ConnectorRuns {
    ConnectorRuns {
        id: format!("id-of-{name}"),
        name: name.into(),
        cloud,
        newest,
        counted_to: 0,
        running: None,
    }
}

/// The run history of two connectors, one to AD and one to Entra ID.
pub(super) fn runs(ad: Vec<Run>, cloud: Vec<Run>) -> Runs {
    Runs {
        connectors: vec![
            connector("ad.orchard.example", false, ad),
            connector("orchard.example - AAD", true, cloud),
        ],
        last_success_at: Some(minute(0)),
    }
}

pub(super) fn services(services: Vec<Service>) -> Services {
    Services { services }
}
