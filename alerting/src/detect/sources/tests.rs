#![expect(clippy::unwrap_used, reason = "tests")]

mod agents;

use syncwatch_domain::alert::{Finding, Rule};
use syncwatch_domain::source::{Poll, ReadFailure};

use super::*;
use crate::detect::testing::{assert_told, failing_source, minute, read_source, source_key};

fn judged(sources: &[SourceState]) -> Vec<Condition> {
    let lanes: Vec<LaneBehind> = (1..=12)
        .map(|n| LaneBehind {
            source: source_key(Poll::Jobs, "3f1d0a52"),
            title: format!("Cloud Sync objects of site{n}.orchard.example"),
        })
        .collect();
    let sources: Vec<&SourceState> = sources.iter().collect();
    let context = Context {
        lanes: &lanes,
        ..Context::default()
    };
    conditions("orchard", &sources, context, &AlertSettings::default())
}

fn holding(sources: &[SourceState]) -> Vec<String> {
    judged(sources)
        .into_iter()
        .filter(|condition| condition.finding == Finding::Holds)
        .map(|condition| condition.subject.path)
        .collect()
}

fn cleared(sources: &[SourceState]) -> Vec<String> {
    judged(sources)
        .into_iter()
        .filter(|condition| condition.finding == Finding::Clear)
        .map(|condition| condition.subject.path)
        .collect()
}

/// Jobs, fails from minute 1 on; newest attempt and number of failures as given.
fn jobs(newest: i64, failures: i64) -> SourceState {
    failing_source(
        Poll::Jobs,
        "3f1d0a52",
        (0, 1, newest),
        failures,
        ReadFailure::Timeout,
    )
}

fn organization(newest: i64, failures: i64) -> SourceState {
    failing_source(
        Poll::Organization,
        "",
        (0, 2, newest),
        failures,
        ReadFailure::Network,
    )
}

#[test]
fn when_nothing_can_be_read_one_condition_speaks_for_the_tenant() {
    let sources = [
        jobs(4, 4),
        organization(5, 3),
        failing_source(Poll::Agents, "", (0, 4, 4), 1, ReadFailure::Timeout),
    ];
    assert_eq!(holding(&sources), ["graph"]);
    assert_told!("graph_unreachable", judged(&sources));
}

#[test]
fn two_failures_and_the_full_span_are_needed() {
    assert_eq!(
        holding(&[jobs(3, 3), organization(3, 2)]),
        [""; 0],
        "not long enough"
    );
    assert_eq!(holding(&[jobs(4, 4), organization(3, 2)]), ["graph"]);
    assert_eq!(
        holding(&[jobs(300, 1)]),
        [""; 0],
        "one failure may be chance"
    );
    assert_eq!(
        holding(&[jobs(300, 2)]),
        ["graph"],
        "the only source is all there is"
    );
}

#[test]
fn a_source_that_fails_while_others_answer_is_its_own_matter() {
    let sources = [jobs(4, 4), read_source(Poll::Organization, "", 3)];
    assert_eq!(holding(&sources), ["source/jobs/3f1d0a52"]);
    assert_told!("source_unreachable", judged(&sources));
    let logs = failing_source(
        Poll::ProvisioningLogs,
        "",
        (0, 1, 30),
        3,
        ReadFailure::Throttled,
    );
    assert_told!(
        "source_unreachable_without_lanes",
        judged(&[logs, read_source(Poll::Organization, "", 29)])
    );
}

#[test]
fn one_source_proves_nothing_about_the_tenant_while_no_other_was_tried() {
    let untried = read_source(Poll::Organization, "", 0);
    assert_eq!(holding(&[jobs(4, 4), untried.clone()]), [""; 0]);
    assert_eq!(
        holding(&[jobs(10, 10), untried]),
        ["source/jobs/3f1d0a52"],
        "but not for ever"
    );
}

#[test]
fn a_missing_right_is_no_outage_and_proves_that_graph_answers() {
    for failure in [
        ReadFailure::RightMissing,
        ReadFailure::LicenceMissing,
        ReadFailure::NotAvailable,
    ] {
        let refused = failing_source(Poll::Jobs, "3f1d0a52", (0, 1, 300), 300, failure);
        assert_eq!(
            holding(std::slice::from_ref(&refused)),
            [""; 0],
            "{failure}"
        );
        assert_eq!(
            holding(&[refused, organization(301, 300)]),
            ["source/organization/"],
            "{failure}"
        );
    }
}

#[test]
fn a_source_that_failed_long_before_does_not_backdate_an_outage() {
    let old = failing_source(
        Poll::Agents,
        "",
        (-500, -400, 4),
        80,
        ReadFailure::ServerError,
    );
    let found = judged(&[old, jobs(4, 4), organization(5, 3)]);
    let graph = found
        .iter()
        .find(|condition| condition.subject.path == "graph")
        .unwrap();
    assert_eq!(graph.occurred_at, minute(1));
}

#[test]
fn after_an_outage_of_everything_each_source_gets_its_time_again() {
    let back = read_source(Poll::Organization, "", 10);
    let alone = |newest| {
        let slow = jobs(newest, 9);
        let context = Context {
            outage_over_at: Some(minute(10)),
            ..Context::default()
        };
        conditions(
            "orchard",
            &[&slow, &back],
            context,
            &AlertSettings::default(),
        )
        .iter()
        .any(|condition| condition.finding == Finding::Holds)
    };
    assert!(!alone(9), "not tried since");
    assert!(!alone(12));
    assert!(alone(13));
}

#[test]
fn only_a_read_ends_it() {
    assert_eq!(cleared(&[jobs(4, 4), organization(5, 3)]), [""; 0]);
    let back = [jobs(6, 6), read_source(Poll::Organization, "", 6)];
    assert_eq!(cleared(&back), ["source/organization/", "graph"]);
    assert_told!(
        "source_read_again",
        judged(&back)
            .into_iter()
            .filter(|one| one.finding == Finding::Clear)
            .collect::<Vec<_>>()
    );
}

#[test]
fn what_was_read_and_fails_again_at_once_is_neither_over_nor_an_outage() {
    let again = failing_source(Poll::Organization, "", (6, 7, 7), 1, ReadFailure::Network);
    let found = judged(&[jobs(3, 2), again]);
    assert!(
        found
            .iter()
            .all(|condition| condition.subject.path != "graph"),
        "{found:?}"
    );
}

#[test]
fn a_retired_source_ends_its_alert_in_its_own_words() {
    let retired = SourceState {
        retired: true,
        failing_since: None,
        failure: None,
        ..jobs(4, 4)
    };
    let found = judged(&[retired]);
    assert_eq!(found.len(), 1);
    assert_told!("source_retired", found);
}

#[test]
fn every_failure_has_words_and_advice() {
    let found: Vec<Condition> = ReadFailure::ALL
        .iter()
        .filter(|failure| failure.is_outage())
        .flat_map(|failure| {
            judged(&[failing_source(
                Poll::Credentials,
                "",
                (0, 1, 5),
                5,
                *failure,
            )])
        })
        .collect();
    let text: String = found
        .iter()
        .map(|condition| format!("{}\n  {}\n", condition.summary, condition.mend))
        .collect();
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("detect_read_failures", text) });
}

#[test]
fn a_new_source_that_was_never_tried_says_nothing() {
    let fresh = SourceState {
        attempted_at: None,
        read_at: None,
        ..read_source(Poll::Jobs, "", 0)
    };
    assert_eq!(judged(&[fresh]), []);
}

#[test]
fn all_of_it_is_about_unreachable_sources() {
    let found = judged(&[
        jobs(4, 4),
        organization(5, 3),
        read_source(Poll::Agents, "", 0),
    ]);
    assert!(
        found
            .iter()
            .all(|condition| condition.rule == Rule::SourceUnreachable)
    );
}
