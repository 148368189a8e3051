//! What is out of sight says nothing.

use syncwatch_domain::alert::{Finding, Rule};
use syncwatch_domain::report::Section;
use syncwatch_domain::sync_server::{Database, Part, Scheduler};

use super::kit::{connect, healthy, host, scheduler, tenant};
use crate::detect::testing::minute;

/// A server with everything that can be wrong with its scheduler and its database.
fn ill(read: i64) -> super::kit::Host {
    let wizard = Scheduler {
        suspended: true,
        suspended_since: Some(minute(0)),
        maintenance_enabled: false,
        ..scheduler(30)
    };
    let full = Database {
        local_db: true,
        used_mb: 9_900.0,
    };
    connect("SYNC01", read, &wizard).with(Part::Database, &full)
}

#[test]
fn of_a_silent_server_nothing_is_said_and_nothing_ends() {
    let seen = tenant([ill(90)]);
    assert_eq!(
        seen.holding(Rule::ALL).len(),
        4,
        "{:?}",
        seen.holding(Rule::ALL)
    );
    let silent = tenant([ill(90).silent(100)]).firing(&seen.found());
    let found = silent.look(5_000);
    assert_eq!(found.conditions, []);
    assert_eq!(found.next_due, None, "only a report changes that");
}

#[test]
fn time_that_no_read_covers_proves_nothing() {
    let before_the_stall = tenant([ill(50)]);
    let found = before_the_stall.look(5_000).conditions;
    let stalled = |one: &syncwatch_domain::alert::Condition| {
        one.rule == Rule::SchedulerStalled && one.finding == Finding::Holds
    };
    assert!(!found.iter().any(stalled), "{found:?}");
}

#[test]
fn a_fact_older_than_the_newest_read_of_its_section_says_nothing() {
    let full = Database {
        local_db: true,
        used_mb: 9_900.0,
    };
    let current = healthy("SYNC01", false).with(Part::Database, &full);
    assert_eq!(
        tenant([current.clone()])
            .standing(Rule::DatabaseFilling)
            .len(),
        1
    );
    let older = current.with_at(Part::Database, &full, -1);
    assert_eq!(tenant([older]).standing(Rule::DatabaseFilling), []);
}

#[test]
fn a_section_that_fails_silences_its_own_facts_alone() {
    let blind = ill(90).failing(Section::Database);
    let found = tenant([blind]);
    assert_eq!(found.standing(Rule::DatabaseFilling), []);
    assert_eq!(found.holding(&[Rule::SchedulerStalled]).len(), 1);
}

#[test]
fn a_server_that_nobody_asks_for_is_not_looked_at() {
    let mut retired = tenant([]);
    retired.more_facts = vec![syncwatch_store::StoredFact {
        tenant: "orchard".into(),
        name: syncwatch_domain::sync_server::fact_name("id", Part::Agent),
        value: serde_json::json!({"host": "SYNC01", "version": "0.1.0", "clock_ahead_ms": 9_000_000}),
        read_at: minute(0),
    }];
    assert_eq!(retired.look(0).conditions, []);
}

#[test]
fn the_name_of_a_host_is_compared_without_regard_to_case() {
    let mut tenant = tenant([host("sync01", 0)]);
    let mut other = tenant.hosts[0].clone();
    other.name = "SYNC01";
    tenant.hosts = vec![other];
    assert_eq!(tenant.standing(Rule::AgentClockWrong), [None]);
}

#[test]
fn what_another_version_wrote_is_left_alone() {
    let strange = healthy("SYNC01", false).with(Part::Database, &"a text of tomorrow");
    assert_eq!(tenant([strange]).standing(Rule::DatabaseFilling), []);
}

#[test]
fn a_server_that_is_well_has_nothing_to_say_but_that() {
    let found = tenant([healthy("SYNC01", false), healthy("SYNC02", true)]).found();
    assert!(
        found.iter().all(|one| one.finding == Finding::Clear),
        "{found:?}"
    );
}
