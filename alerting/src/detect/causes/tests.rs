use super::*;
use crate::detect::words::labels;

#[test]
fn a_lane_hangs_under_its_job_before_its_engine() {
    let labels = labels([("engine", "cloud"), ("job", "AD2AADProvisioning.1")]);
    let causes = of(
        Rule::WindowMissed,
        "lane/cloud/objects/ad.orchard.example",
        &labels,
    );
    assert_eq!(causes[0], (Rule::WindowMissed, "engine/cloud".to_owned()));
    assert_eq!(
        causes.last(),
        Some(&(Rule::JobQuarantined, "job/AD2AADProvisioning.1".to_owned()))
    );
}

#[test]
fn an_engine_and_a_tenant_hang_under_nothing() {
    let labels = labels([("engine", "cloud")]);
    assert_eq!(of(Rule::WindowMissed, "engine/cloud", &labels), []);
    assert_eq!(of(Rule::SourceUnreachable, "graph", &labels), []);
}

#[test]
fn no_unreachable_source_explains_a_missed_window() {
    let labels = labels([("engine", "cloud"), ("job", "1"), ("source", "jobs")]);
    let causes = of(Rule::WindowMissed, "lane/cloud/objects/a", &labels);
    assert!(
        causes
            .iter()
            .all(|(rule, _)| *rule != Rule::SourceUnreachable),
        "{causes:?}"
    );
}

#[test]
fn a_lane_of_connect_hangs_under_what_stops_its_server() {
    let labels = |kind| {
        labels([
            ("engine", "connect"),
            ("kind", kind),
            ("partition", "AD.hauser.example"),
            ("server", "SYNC01"),
        ])
    };
    let path = "lane/connect/objects/AD.hauser.example";
    let objects = of(Rule::LaneLate, path, &labels("objects"));
    let connector = "server/SYNC01/connector/AD.hauser.example".to_owned();
    assert_eq!(objects.last(), Some(&(Rule::RunFailed, connector)));
    assert!(objects.contains(&(Rule::SchedulerStalled, "server/SYNC01".to_owned())));
    let hashes = of(Rule::WindowMissed, path, &labels("password_hash"));
    let domain = "server/SYNC01/domain/ad.hauser.example".to_owned();
    assert_eq!(hashes.last(), Some(&(Rule::PasswordHashFailing, domain)));
    assert!(
        hashes
            .iter()
            .all(|(rule, _)| *rule != Rule::SchedulerStalled),
        "password hashes have a scheduler of their own"
    );
}

#[test]
fn a_section_hangs_under_its_agent_and_never_under_graph() {
    let causes = |path| of(Rule::SourceUnreachable, path, &BTreeMap::new());
    assert_eq!(causes("agent/SYNC01"), []);
    let agent = (Rule::SourceUnreachable, "agent/SYNC01".to_owned());
    let service = (
        Rule::ServiceStopped,
        "server/SYNC01/service/connect".to_owned(),
    );
    let sections = (Rule::SourceUnreachable, "agent/SYNC01/sections".to_owned());
    assert_eq!(
        causes("agent/SYNC01/sections"),
        [agent.clone(), service.clone()]
    );
    assert_eq!(
        causes("agent/SYNC01/runs"),
        [agent.clone(), service, sections.clone()]
    );
    assert_eq!(causes("agent/SYNC01/services"), [agent, sections]);
}

#[test]
fn nothing_supersedes_itself() {
    for rule in Rule::ALL {
        assert!(!superseded_by(*rule).contains(rule));
    }
}
