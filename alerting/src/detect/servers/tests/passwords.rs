use std::time::Duration;

use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::report::Section;
use syncwatch_domain::sync_server::{CloudFeatures, Part, PasswordDomain, PasswordSync};

use super::kit::{Host, Tenant, healthy, tenant};
use crate::detect::testing::{assert_told, minute};

const RULE: Rule = Rule::PasswordHashFailing;

/// A domain that failed at these minutes.
fn domain(name: &str, failed: &[i64], alive: Option<i64>) -> PasswordDomain {
    PasswordDomain {
        domain: name.into(),
        connector_id: "d3f0".into(),
        enabled: Some(true),
        alive_at: alive.map(minute),
        failed_at: failed.iter().copied().map(minute).collect(),
        failure_text: Some("RPC error 1722: the RPC server is unavailable".into()),
        state_as_told: None,
        counted_at: None,
        state_not_stored_at: None,
    }
}

fn server(read: i64, domains: Vec<PasswordDomain>, staging_mode: bool) -> Host {
    let mut host = healthy("SYNC01", staging_mode);
    host.read = read;
    host.with(Part::PasswordSync, &PasswordSync { domains })
}

fn of(read: i64, domain: PasswordDomain) -> Tenant {
    tenant([server(read, vec![domain], false)])
}

const FIVE: [i64; 5] = [-8, -6, -4, -2, 0];

#[test]
fn five_failures_in_two_hours_persist() {
    let standing =
        |failed: &[i64], alive| of(1, domain("ad.orchard.example", failed, alive)).standing(RULE);
    assert_eq!(standing(&FIVE, Some(-10)), [Some(Severity::Critical)]);
    assert_eq!(standing(&FIVE[1..], Some(-10)), [], "four may pass");
    assert_eq!(standing(&FIVE, None), [Some(Severity::Critical)]);
    assert_eq!(standing(&[], None), [None], "no failure at all");
}

#[test]
fn one_of_two_domains_fails_and_only_that_one_is_told() {
    let failing = domain("branch.orchard.example", &FIVE, Some(-10));
    let well = domain("ad.orchard.example", &[], Some(0));
    let told = tenant([server(1, vec![well, failing], false)]).holding(&[RULE]);
    assert_eq!(told.len(), 1);
    assert_told!("password_hash_failing", told);
}

#[test]
fn it_is_over_ten_minutes_after_the_last_failure_once_hashes_flow() {
    for (read, alive, expected) in [
        (9, Some(9), vec![Some(Severity::Critical)]),
        (10, Some(9), vec![None]),
        (300, Some(-10), vec![Some(Severity::Critical)]),
    ] {
        let told = of(read, domain("ad.orchard.example", &FIVE, alive)).standing(RULE);
        assert_eq!(told, expected, "read at {read}, alive at {alive:?}");
    }
    let over = of(10, domain("ad.orchard.example", &FIVE, Some(9)));
    assert_told!("password_hash_works", over.over(&[RULE]));
}

#[test]
fn how_long_hashes_must_flow_is_a_setting() {
    for (minutes, expected) in [(3, None), (4, Some(Severity::Critical))] {
        let mut tenant = of(3, domain("ad.orchard.example", &FIVE, Some(2)));
        tenant.settings.servers.password_settled_after = Duration::from_secs(minutes * 60);
        assert_eq!(tenant.standing(RULE), [expected], "{minutes} minutes");
    }
}

#[test]
fn failures_are_known_only_while_events_are_read() {
    let blind = server(1, vec![domain("ad.orchard.example", &FIVE, None)], false);
    let blind = blind.failing(Section::Events);
    assert_eq!(tenant([blind]).standing(RULE), []);
}

#[test]
fn where_no_hashes_are_wanted_none_fail() {
    let off = PasswordDomain {
        enabled: Some(false),
        ..domain("ad.orchard.example", &FIVE, None)
    };
    assert_told!("password_hash_not_wanted", of(1, off).over(&[RULE]));
    let staging = server(1, vec![domain("ad.orchard.example", &FIVE, None)], true);
    assert_eq!(tenant([staging]).standing(RULE), [None]);
}

#[test]
fn a_domain_that_is_not_listed_any_more_ends_its_alert() {
    let before = of(1, domain("old.orchard.example", &FIVE, None)).found();
    let after = of(20, domain("ad.orchard.example", &[], Some(19))).firing(&before);
    assert_told!("password_domain_gone", after.over(&[RULE])[..1]);
}

#[test]
fn a_state_that_cannot_be_stored_explains_why_it_looks_old() {
    const RULE: Rule = Rule::PasswordStateNotStored;
    let stale = |read| {
        of(
            read,
            PasswordDomain {
                state_not_stored_at: Some(minute(0)),
                ..domain("ad.orchard.example", &[], Some(1))
            },
        )
    };
    assert_eq!(stale(119).standing(RULE), [Some(Severity::Warning)]);
    assert_eq!(stale(120).standing(RULE), [None]);
    let mut told = stale(5).holding(&[RULE]);
    told.extend(stale(120).over(&[RULE]));
    assert_told!("password_state_not_stored", told);
}

/// What the tenant says, asked by SYNC01, where password hashes are on or not.
fn flag(is_on: Option<bool>, enabled: Option<bool>) -> Tenant {
    let domain = PasswordDomain {
        enabled,
        ..domain("ad.orchard.example", &[], None)
    };
    let features = CloudFeatures {
        password_hash_sync: is_on,
    };
    tenant([server(1, vec![domain], false).with(Part::CloudFeatures, &features)])
}

#[test]
fn a_flag_that_is_off_in_the_tenant_is_critical_while_hashes_are_on_at_the_server() {
    const RULE: Rule = Rule::PasswordHashOffInCloud;
    for (is_on, enabled, expected) in [
        (Some(false), Some(true), vec![Some(Severity::Critical)]),
        (Some(true), Some(true), vec![None]),
        (Some(false), Some(false), vec![None]),
        (None, Some(true), Vec::new()),
    ] {
        assert_eq!(
            flag(is_on, enabled).standing(RULE),
            expected,
            "{is_on:?} {enabled:?}"
        );
    }
    let mut told = flag(Some(false), Some(true)).holding(&[RULE]);
    told.extend(flag(Some(true), Some(true)).over(&[RULE]));
    assert_told!("password_hash_off_in_cloud", told);
}

#[test]
fn the_flag_is_one_matter_however_many_servers_ask() {
    let mut two = flag(Some(false), Some(true));
    let features = CloudFeatures {
        password_hash_sync: Some(false),
    };
    let mut staging = healthy("SYNC02", true);
    staging.read = 1;
    two.hosts.push(staging.with(Part::CloudFeatures, &features));
    assert_eq!(two.holding(&[Rule::PasswordHashOffInCloud]).len(), 1);
}
