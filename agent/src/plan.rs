//! Which section is read when, and how each of them fares.

use std::time::Duration;

use syncwatch_domain::report::{Section, SectionFailure};
use syncwatch_domain::time::Timestamp;

use crate::roles::Found;

/// How a section is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Time from the begin of one reading to that of the next.
    pub interval: Duration,
    /// Longest time of a reading.
    pub timeout: Duration,
    /// `Some(false)` never, `Some(true)` on every server; otherwise where its role asks for it.
    pub enabled: Option<bool>,
}

impl Schedule {
    /// What is used where the configuration says nothing.
    #[must_use]
    pub const fn of(section: Section) -> Self {
        let (interval, timeout) = match section {
            Section::Scheduler
            | Section::ConnectorStatus
            | Section::PasswordSync
            | Section::Services
            | Section::Runs
            | Section::Events => (60, 90),
            Section::Reachability | Section::PendingExports | Section::Containers => (15 * 60, 180),
            Section::Connectors
            | Section::Rules
            | Section::Settings
            | Section::CompanyFeatures
            | Section::Database
            | Section::Versions => (3600, 180),
        };
        Self {
            interval: Duration::from_secs(interval),
            timeout: Duration::from_secs(timeout),
            enabled: None,
        }
    }
}

/// How a section fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it was last read with success, by the server's clock.
    pub read_at: Option<Timestamp>,
    /// The same by the agent's count.
    read_after: Option<Duration>,
    /// Why it is not read at present.
    pub failing: Option<Failing>,
}

/// A section that is not read at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// When the first reading of a row failed.
    pub since: Timestamp,
    /// Readings in a row.
    pub times: u32,
    /// Why the last one failed; `None` when it was read and could not be kept.
    pub failure: Option<SectionFailure>,
    /// The same for people.
    pub text: String,
}

impl Health {
    /// Age of what is known, by the agent's count.
    #[must_use]
    pub fn age(&self, elapsed: Duration) -> Option<Duration> {
        self.read_after
            .map(|read_after| elapsed.saturating_sub(read_after))
    }
}

/// What changed with a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: as before.
    None,
    /// It fails, and did not before.
    Failed,
    /// It is read again after so many failures.
    Recovered(u32),
}

#[derive(Clone, Debug)]
struct Planned {
    section: Section,
    schedule: Schedule,
    /// By the agent's count.
    due: Duration,
    /// Which reading of all its last one was: among those due together the one that has waited
    /// longest comes first.
    turn: u64,
    health: Health,
}

/// All sections with their schedules; pure, told the time by its caller.
#[derive(Clone, Debug)]
pub struct Plan {
    sections: Vec<Planned>,
    /// Readings so far.
    turns: u64,
}

impl Plan {
    /// A plan in which everything is due at once. `schedule` says how a section is read.
    #[must_use]
    pub fn new(schedule: impl Fn(Section) -> Schedule) -> Self {
        // Services first: they say what the server does, and with it what else is read.
        let mut order = vec![Section::Services];
        order.extend(Section::ALL.iter().filter(|one| **one != Section::Services));
        let planned = order.into_iter().map(|section| Planned {
            section,
            schedule: schedule(section),
            due: Duration::ZERO,
            turn: 0,
            health: Health::default(),
        });
        Self {
            sections: planned.collect(),
            turns: 0,
        }
    }

    /// The section that is due next, and when, by the agent's count. `has_wishes` tells whether
    /// there are containers to look up.
    #[must_use]
    pub fn next(&self, found: &Found, has_wishes: bool) -> Option<(Section, Duration)> {
        let wanted = self.sections.iter().filter(|planned| {
            let asked_for = planned.section != Section::Containers || has_wishes;
            let by_role = || found.have(planned.section);
            asked_for && planned.schedule.enabled.unwrap_or_else(by_role)
        });
        wanted
            .min_by_key(|planned| (planned.due, planned.turn))
            .map(|planned| (planned.section, planned.due))
    }

    /// Longest time of a reading.
    #[must_use]
    pub fn timeout(&self, section: Section) -> Duration {
        self.planned(section).schedule.timeout
    }

    /// How a section fares.
    #[must_use]
    pub fn health(&self, section: Section) -> &Health {
        &self.planned(section).health
    }

    /// Notes a reading that worked, or said that there is nothing of the kind.
    pub fn worked(&mut self, section: Section, began: Duration, read_at: Timestamp) -> Change {
        let planned = self.take_turn(section, began);
        planned.health.read_at = Some(read_at);
        planned.health.read_after = Some(began);
        match planned.health.failing.take() {
            Some(failing) => Change::Recovered(failing.times),
            None => Change::None,
        }
    }

    /// Notes a reading that did not work.
    pub fn failed(
        &mut self,
        section: Section,
        began: Duration,
        at: Timestamp,
        failure: Option<SectionFailure>,
        text: &str,
    ) -> Change {
        let planned = self.take_turn(section, began);
        let before = planned.health.failing.take();
        let change = match &before {
            Some(before) if before.failure == failure => Change::None,
            _ => Change::Failed,
        };
        planned.health.failing = Some(Failing {
            since: before.as_ref().map_or(at, |before| before.since),
            times: before.map_or(0, |before| before.times).saturating_add(1),
            failure,
            text: text.to_owned(),
        });
        change
    }

    /// Makes a section due now, behind those that are overdue.
    pub fn hurry(&mut self, section: Section, now: Duration) {
        let planned = self.planned_mut(section);
        planned.due = planned.due.min(now);
    }

    fn take_turn(&mut self, section: Section, began: Duration) -> &mut Planned {
        self.turns += 1;
        let turn = self.turns;
        let planned = self.planned_mut(section);
        planned.turn = turn;
        planned.due = began + planned.schedule.interval;
        planned
    }

    fn planned(&self, section: Section) -> &Planned {
        &self.sections[self.place(section)]
    }

    fn planned_mut(&mut self, section: Section) -> &mut Planned {
        let place = self.place(section);
        &mut self.sections[place]
    }

    /// Every section has a place: the plan is made of all of them.
    fn place(&self, section: Section) -> usize {
        let mut sections = self.sections.iter();
        sections
            .position(|planned| planned.section == section)
            .unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const AT: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn connect() -> Found {
        let mut found = Found::default();
        let services = json!({ "Name": "ADSync", "Status": "Running" });
        found.learn(Section::Services, &[services]);
        found
    }

    /// Sections in the order in which they are read until `end`, each taking no time.
    fn read_until(plan: &mut Plan, found: &Found, end: Duration) -> Vec<(Section, Duration)> {
        let mut read = Vec::new();
        while let Some((section, due)) = plan.next(found, true) {
            if due >= end {
                break;
            }
            plan.worked(section, due, AT);
            read.push((section, due));
        }
        read
    }

    #[test]
    fn every_section_has_its_own_interval() {
        let mut plan = Plan::new(Schedule::of);
        let read = read_until(&mut plan, &connect(), 60 * MINUTE);
        let count = |section| read.iter().filter(|(read, _)| *read == section).count();
        assert_eq!(read[0].0, Section::Services, "roles come first");
        assert_eq!(count(Section::Scheduler), 60);
        assert_eq!(count(Section::Events), 60);
        assert_eq!(count(Section::PendingExports), 4);
        assert_eq!(count(Section::Containers), 4);
        assert_eq!(count(Section::Rules), 1);
    }

    #[test]
    fn a_section_that_takes_longer_than_its_interval_starves_no_other() {
        let mut plan = Plan::new(Schedule::of);
        let found = connect();
        let mut now = Duration::ZERO;
        let mut read = Vec::new();
        for _ in 0..100 {
            let (section, due) = plan.next(&found, false).unwrap();
            now = now.max(due);
            plan.worked(section, now, AT);
            read.push(section);
            now += 2 * MINUTE;
        }
        for section in Section::ALL {
            let wanted = *section != Section::Containers;
            assert_eq!(read.contains(section), wanted, "{section}");
        }
    }

    #[test]
    fn the_configuration_beats_the_role() {
        let plan = Plan::new(|section| Schedule {
            enabled: match section {
                Section::Database => Some(true),
                Section::Services | Section::Versions | Section::Events => Some(false),
                _ => None,
            },
            ..Schedule::of(section)
        });
        let next = plan.next(&Found::default(), true);
        assert_eq!(next, Some((Section::Database, Duration::ZERO)));
    }

    #[test]
    fn containers_wait_for_a_wish_and_then_for_nothing() {
        let mut plan = Plan::new(Schedule::of);
        let found = connect();
        for section in Section::ALL {
            plan.worked(*section, MINUTE, AT);
        }
        plan.hurry(Section::Containers, MINUTE);
        assert_ne!(plan.next(&found, false).unwrap().0, Section::Containers);
        let next = plan.next(&found, true);
        assert_eq!(next, Some((Section::Containers, MINUTE)));
        plan.worked(Section::Containers, MINUTE, AT);
        plan.hurry(Section::Containers, 60 * MINUTE);
        let (section, due) = plan.next(&found, true).unwrap();
        assert_ne!(section, Section::Containers, "nobody is overtaken");
        assert_eq!(due, 2 * MINUTE);
    }

    #[test]
    fn a_failure_is_told_when_it_begins_changes_and_ends() {
        let mut plan = Plan::new(Schedule::of);
        let section = Section::Scheduler;
        let timeout = Some(SectionFailure::Timeout);
        let denied = Some(SectionFailure::AccessDenied);
        let fail = |plan: &mut Plan, minute: u32, failure| {
            let at = AT + minute * MINUTE;
            plan.failed(section, minute * MINUTE, at, failure, "no answer")
        };
        assert_eq!(plan.worked(section, Duration::ZERO, AT), Change::None);
        assert_eq!(fail(&mut plan, 1, timeout), Change::Failed);
        assert_eq!(fail(&mut plan, 2, timeout), Change::None);
        assert_eq!(fail(&mut plan, 3, denied), Change::Failed);
        let health = plan.health(section);
        let failing = health.failing.as_ref().unwrap();
        assert_eq!((failing.since, failing.times), (AT + MINUTE, 3));
        assert_eq!(health.read_at, Some(AT));
        assert_eq!(health.age(3 * MINUTE), Some(3 * MINUTE));
        let change = plan.worked(section, 4 * MINUTE, AT + 4 * MINUTE);
        assert_eq!(change, Change::Recovered(3));
        assert_eq!(plan.health(section).failing, None);
    }
}
