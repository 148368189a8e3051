use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::report::Section;
use syncwatch_domain::source::Poll;
use syncwatch_domain::sync_server::{Part, Scheduler};

use super::kit::{Tenant, connect, healthy, host, scheduler, tenant};
use crate::detect::testing::{assert_told, read_source};

const NONE: Rule = Rule::NoActiveServer;
const TWO: Rule = Rule::TwoActiveServers;

#[test]
fn exactly_one_server_is_to_be_active() {
    for (hosts, none, two) in [
        (vec![("SYNC01", false), ("SYNC02", true)], None, None),
        (vec![("SYNC01", false)], None, None),
        (
            vec![("SYNC01", true), ("SYNC02", true)],
            Some(Severity::Critical),
            None,
        ),
        (
            vec![("SYNC01", false), ("SYNC02", false)],
            None,
            Some(Severity::Critical),
        ),
    ] {
        let tenant = tenant(hosts.iter().map(|(name, staging)| healthy(name, *staging)));
        assert_eq!(tenant.standing(NONE), [none], "{hosts:?}");
        assert_eq!(tenant.standing(TWO), [two], "{hosts:?}");
    }
}

#[test]
fn a_second_active_server_names_both() {
    let two = tenant([healthy("SYNC01", false), healthy("SYNC02", false)]);
    assert_told!("two_active_servers", two.holding(&[TWO]));
    let resting = Scheduler {
        sync_cycle_enabled: false,
        ..scheduler(20)
    };
    let one_rests = tenant([healthy("SYNC01", false), connect("SYNC02", 0, &resting)]);
    assert_told!("two_active_servers_one_disabled", one_rests.holding(&[TWO]));
    let over = tenant([healthy("SYNC01", false), healthy("SYNC02", true)]);
    assert_told!("one_active_server", over.over(&[TWO, NONE]));
}

#[test]
fn no_active_server_is_less_urgent_where_cloud_sync_runs() {
    let mut rest = tenant([healthy("SYNC01", true)]);
    let mut told = rest.holding(&[NONE]);
    rest.beyond.cloud_runs = true;
    told.extend(rest.holding(&[NONE]));
    assert_told!("no_active_server", told);
}

#[test]
fn a_server_that_was_never_heard_of_may_be_the_active_one() {
    let mut copy_alone = tenant([healthy("SYNC02", true)]);
    assert_eq!(copy_alone.standing(NONE), [Some(Severity::Critical)]);
    let mut expected = read_source(Poll::AgentReports, "SYNC01", 0);
    expected.read_at = None;
    copy_alone.more_sources.push(expected);
    assert_eq!(copy_alone.standing(NONE), []);
}

#[test]
fn a_server_out_of_sight_may_be_the_active_one_or_the_second_one() {
    let gone = |staging_mode| healthy("SYNC01", staging_mode).silent(5);
    let blind = |staging_mode| healthy("SYNC01", staging_mode).failing(Section::Scheduler);
    let standing = |tenant: Tenant| (tenant.standing(NONE), tenant.standing(TWO));
    for away in [gone(false), blind(false), gone(true)] {
        let staging = tenant([away.clone(), healthy("SYNC02", true)]);
        assert_eq!(standing(staging), (vec![], vec![]));
        let active = tenant([away, healthy("SYNC02", false)]);
        assert_eq!(
            standing(active),
            (vec![None], vec![]),
            "one is active for sure"
        );
    }
    let two = tenant([
        healthy("SYNC01", false),
        healthy("SYNC02", false),
        healthy("SYNC03", true).silent(5),
    ]);
    assert_eq!(
        two.standing(TWO),
        [Some(Severity::Critical)],
        "two are seen"
    );
}

#[test]
fn an_agent_that_was_set_up_anew_is_no_second_server() {
    let mut tenant = tenant([healthy("SYNC01", false)]);
    let before = connect("SYNC01", -100, &scheduler(-80));
    // Its facts stay under its former id.
    let facts = [
        (
            Part::Agent,
            serde_json::json!({"host": "SYNC01", "version": "0.1.0", "clock_ahead_ms": 0}),
        ),
        (
            Part::Scheduler,
            serde_json::to_value(scheduler(-80)).unwrap_or_default(),
        ),
    ];
    tenant.more_facts = facts
        .into_iter()
        .map(|(part, value)| syncwatch_store::StoredFact {
            tenant: "orchard".into(),
            name: syncwatch_domain::sync_server::fact_name("former-id", part),
            value,
            read_at: crate::detect::testing::minute(before.read),
        })
        .collect();
    assert_eq!(tenant.standing(TWO), [None]);
}

#[test]
fn a_server_without_connect_counts_for_nothing() {
    let agent = host("CLOUD01", 0);
    let tenant = tenant([healthy("SYNC01", false), agent]);
    assert_eq!(tenant.standing(NONE), [None]);
    assert_eq!(tenant.standing(TWO), [None]);
}
