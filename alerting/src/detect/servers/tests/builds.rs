//! Different builds of the Cloud Sync agent.

use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::sync_server::{Part, Versions};

use super::kit::{DAY, Host, host, tenant};
use crate::detect::testing::{assert_told, minute};

const RULE: Rule = Rule::AgentBuildsDiffer;
const NEW: &str = "1.1.2505.0";
const OLD: &str = "1.1.2334.0";

/// A server that was read on a day, with a build it has had since another.
fn with_build(name: &'static str, read: i64, version: &str, since: i64) -> Host {
    let versions = Versions {
        provisioning_agent: Some(version.into()),
        provisioning_agent_since: Some(minute(since * DAY)),
        ..Versions::default()
    };
    host(name, read * DAY).with(Part::Versions, &versions)
}

#[test]
fn builds_may_differ_for_two_weeks() {
    let on = |day: i64, since: i64| {
        tenant([
            with_build("CLOUD01", day, NEW, since),
            with_build("CLOUD02", day, OLD, 0),
        ])
        .standing(RULE)
    };
    assert_eq!(on(13, 0), []);
    assert_eq!(on(14, 0), [Some(Severity::Info)]);
    assert_eq!(on(20, 7), [], "the newer build was not there before");
    assert_eq!(on(21, 7), [Some(Severity::Info)]);
}

#[test]
fn a_third_build_does_not_begin_the_count_anew() {
    let hosts = [
        with_build("CLOUD01", 15, NEW, 0),
        with_build("CLOUD02", 15, OLD, 1),
        with_build("CLOUD03", 15, "1.1.2108.0", 14),
    ];
    assert_eq!(tenant(hosts).standing(RULE), [Some(Severity::Info)]);
}

#[test]
fn one_build_ends_it_and_a_server_out_of_sight_does_not() {
    let before = tenant([
        with_build("CLOUD01", 15, NEW, 0),
        with_build("CLOUD02", 15, OLD, 0),
    ])
    .holding(&[RULE]);
    let mut told = before.clone();
    let same = [
        with_build("CLOUD01", 16, NEW, 0),
        with_build("CLOUD02", 16, NEW, 16),
    ];
    told.extend(tenant(same).firing(&before).over(&[RULE]));
    assert_told!("agent_builds_differ", told);
    let blind = [
        with_build("CLOUD01", 16, NEW, 0),
        with_build("CLOUD02", 16, OLD, 0).silent(15 * DAY),
    ];
    assert_eq!(tenant(blind).firing(&before).standing(RULE), []);
    // No agent of Cloud Sync is there any more.
    let none = host("CLOUD01", 16 * DAY).with(Part::Versions, &Versions::default());
    assert_eq!(tenant([none.clone()]).standing(RULE), []);
    assert_eq!(tenant([none]).firing(&before).standing(RULE), [None]);
}
