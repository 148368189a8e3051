//! Agents of Cloud Sync and the containers its configurations name.

use serde_json::json;
use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::source::Poll;
use syncwatch_domain::sync_server::{Container, Containers, Part, ServiceKind, ServiceState};
use syncwatch_store::StoredFact;

use super::kit::{DAY, Host, Tenant, healthy, host, service, services, tenant};
use crate::detect::testing::{assert_told, minute, read_source};

const ALONE: Rule = Rule::AgentsNotRedundant;

fn with_agent(host: Host) -> Host {
    let agent = service(ServiceKind::Provisioning, ServiceState::Running, 0);
    host.with(Part::Services, &services(vec![agent]))
}

fn without_agent(host: Host) -> Host {
    host.with(Part::Services, &services(Vec::new()))
}

#[test]
fn one_agent_is_none_and_the_last_ones_do_not_live_on_connect() {
    let cloud = |name| with_agent(host(name, 0));
    let connect = |name, staging| with_agent(healthy(name, staging));
    let mut told = Vec::new();
    for (hosts, expected) in [
        (vec![cloud("CLOUD01")], Some(Severity::Warning)),
        (vec![connect("SYNC01", false)], Some(Severity::Warning)),
        (
            vec![connect("SYNC01", false), connect("SYNC02", true)],
            Some(Severity::Info),
        ),
        (vec![cloud("CLOUD01"), connect("SYNC01", false)], None),
        (vec![cloud("CLOUD01"), cloud("CLOUD02")], None),
    ] {
        let tenant = tenant(hosts);
        assert_eq!(tenant.standing(ALONE), [expected]);
        told.extend(tenant.holding(&[ALONE]));
        told.extend(tenant.over(&[ALONE]));
    }
    assert_told!("agents_not_redundant", told);
}

#[test]
fn without_any_agent_and_with_a_server_out_of_sight_nothing_is_said() {
    let none = tenant([without_agent(healthy("SYNC01", false))]);
    assert_eq!(none.standing(ALONE), []);
    let blind = tenant([
        with_agent(host("CLOUD01", 0)),
        with_agent(host("CLOUD02", 0)).silent(3),
    ]);
    assert_eq!(blind.standing(ALONE), []);
    let unread = tenant([with_agent(host("CLOUD01", 0)), host("CLOUD02", 0)]);
    assert_eq!(unread.standing(ALONE), [], "its services were never read");
}

/// What Microsoft Graph lists, beside a server that reports.
fn listed(agents: &[(&str, &str)]) -> Tenant {
    let mut tenant = tenant([with_agent(host("CLOUD01", 0))]);
    tenant.more_sources = vec![read_source(Poll::Agents, "", 5)];
    tenant.more_facts = agents
        .iter()
        .enumerate()
        .map(|(number, (machine, status))| StoredFact {
            tenant: "orchard".into(),
            name: format!("agent/{number}"),
            value: json!({"machine": machine, "status": status, "groups": []}),
            read_at: minute(5),
        })
        .collect();
    tenant
}

#[test]
fn where_graph_lists_agents_its_list_counts() {
    let first = ("cloud01.ad.orchard.example", "active");
    for (agents, expected) in [
        (vec![first, ("cloud02.ad.orchard.example", "active")], None),
        (
            vec![first, ("cloud02.ad.orchard.example", "inactive")],
            Some(Severity::Warning),
        ),
        (
            vec![first, ("CLOUD01.ad.orchard.example", "active")],
            Some(Severity::Warning),
        ),
    ] {
        assert_eq!(listed(&agents).standing(ALONE), [expected], "{agents:?}");
    }
    let on_one_host = listed(&[first, ("CLOUD01.ad.orchard.example", "active")]);
    assert_told!("agents_on_one_host", on_one_host.holding(&[ALONE]));
}

const GONE: Rule = Rule::ContainerGone;
const STAFF: &str = "OU=Staff,DC=ad,DC=orchard,DC=example";

fn container(exists: bool, moved_to: Option<&str>) -> Container {
    Container {
        dn: STAFF.into(),
        exists,
        since: minute(0),
        object_guid: Some("7d0c0f5e-6a0b-4a53-9c1e-52f7d1f00a11".into()),
        moved_to: moved_to.map(Into::into),
    }
}

fn seen_by(name: &'static str, read: i64, containers: Vec<Container>) -> Host {
    host(name, read).with(Part::Containers, &Containers { containers })
}

#[test]
fn a_container_that_is_gone_is_told_with_where_it_is_now() {
    let moved = "OU=People,DC=ad,DC=orchard,DC=example";
    let mut told = Vec::new();
    for seen in [
        container(false, Some(moved)),
        container(true, Some(moved)),
        container(false, None),
        container(true, None),
    ] {
        let tenant = tenant([seen_by("CLOUD01", 5, vec![seen])]);
        told.extend(tenant.holding(&[GONE]));
        told.extend(tenant.over(&[GONE]));
    }
    assert_told!("container_gone", told);
}

#[test]
fn a_container_that_is_gone_for_a_day_is_critical() {
    for (read, severity) in [(DAY - 1, Severity::Warning), (DAY, Severity::Critical)] {
        let tenant = tenant([seen_by("CLOUD01", read, vec![container(false, None)])]);
        assert_eq!(tenant.standing(GONE), [Some(severity)]);
    }
}

#[test]
fn a_server_that_sees_the_container_knows_better_than_one_that_does_not() {
    let two = tenant([
        seen_by("CLOUD01", 5, vec![container(false, None)]),
        seen_by("CLOUD02", 5, vec![container(true, None)]),
    ]);
    assert_eq!(two.standing(GONE), [None]);
    let silent = tenant([
        seen_by("CLOUD01", 5, vec![container(false, None)]),
        seen_by("CLOUD02", 5, vec![container(true, None)]).silent(7),
    ]);
    assert_eq!(silent.standing(GONE), [], "the one that knows is silent");
}

#[test]
fn a_container_that_no_configuration_names_any_more_ends_its_alert() {
    let before = tenant([seen_by("CLOUD01", 5, vec![container(false, None)])]).found();
    let after = tenant([seen_by("CLOUD01", 9, Vec::new())]).firing(&before);
    assert_told!("container_not_named", after.over(&[GONE]));
}
