//! Causes on a server become as grave as what hangs under them.

use super::*;

/// A condition about a part of SYNC01.
fn part(rule: Rule, path: &str, severity: Severity, trouble: &str) -> Condition {
    let labels = [
        ("engine", "connect"),
        ("server", "SYNC01"),
        ("kind", "objects"),
        ("partition", "ad.orchard.example"),
        ("trouble", trouble),
    ];
    Condition {
        severity,
        labels: labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..holds(rule, path, 0)
    }
}

const DOMAIN: &str = "server/SYNC01/domain/ad.orchard.example";
const CONNECTOR: &str = "server/SYNC01/connector/ad.orchard.example";

fn unreachable() -> Condition {
    part(Rule::DomainUnreachable, DOMAIN, Severity::Warning, "")
}

fn failed(severity: Severity) -> Condition {
    part(Rule::RunFailed, CONNECTOR, severity, "connection")
}

fn missed() -> Condition {
    let lane = "lane/connect/objects/ad.orchard.example";
    part(Rule::WindowMissed, lane, Severity::Critical, "")
}

#[test]
fn what_becomes_graver_under_a_lesser_cause_makes_it_as_grave() {
    let mut story = Story::default();
    assert_eq!(
        story.turn(vec![unreachable(), failed(Severity::Warning)]),
        [format!("firing DomainUnreachable {DOMAIN} (1)")]
    );
    assert_eq!(
        story.turn(vec![unreachable(), failed(Severity::Critical)]),
        [format!("changed DomainUnreachable {DOMAIN} (1)")]
    );
    let cause = story.get(Rule::DomainUnreachable, DOMAIN).unwrap();
    assert_eq!(cause.severity, Severity::Critical);
}

#[test]
fn gravity_goes_up_to_the_one_that_was_told() {
    let mut story = Story::default();
    story.turn(vec![unreachable(), failed(Severity::Warning)]);
    assert_eq!(
        story.turn(vec![missed()]),
        [format!("changed DomainUnreachable {DOMAIN} (1)")],
        "the connector between them was never told"
    );
    for (rule, path) in [
        (Rule::DomainUnreachable, DOMAIN),
        (Rule::RunFailed, CONNECTOR),
    ] {
        assert_eq!(story.get(rule, path).unwrap().severity, Severity::Critical);
    }
}

#[test]
fn all_of_it_at_once_is_one_message_as_grave_as_the_gravest() {
    let mut story = Story::default();
    let told = story.turn(vec![missed(), failed(Severity::Info), unreachable()]);
    assert_eq!(told, [format!("firing DomainUnreachable {DOMAIN} (1)")]);
    let cause = story.get(Rule::DomainUnreachable, DOMAIN).unwrap();
    assert_eq!(cause.severity, Severity::Critical);
    assert_eq!(cause.labels["severity"], "critical");
}

#[test]
fn a_stall_speaks_for_its_wizard_and_follows_it_when_it_came_later() {
    const SERVER: &str = "server/SYNC01";
    let of = |rule| part(rule, SERVER, Severity::Warning, "");
    let (stalled, suspended) = (Rule::SchedulerStalled, Rule::SchedulerSuspended);
    let mut both = Story::default();
    assert_eq!(
        both.turn(vec![of(stalled), of(suspended)]),
        [format!("firing SchedulerStalled {SERVER}")]
    );
    let mut later = Story::default();
    assert_eq!(
        later.turn(vec![of(suspended)]),
        [format!("firing SchedulerSuspended {SERVER}")]
    );
    assert_eq!(later.turn(vec![of(stalled), of(suspended)]), [""; 0]);
    let stall = later.get(stalled, SERVER).unwrap();
    assert!(stall.cause.is_some());
}

#[test]
fn a_run_that_fails_takes_the_place_of_its_errors_without_a_word_of_their_end() {
    let mut story = Story::default();
    let errors = part(Rule::RunWithErrors, CONNECTOR, Severity::Warning, "objects");
    story.turn(vec![errors]);
    assert_eq!(
        story.turn(vec![failed(Severity::Critical)]),
        [format!("firing RunFailed {CONNECTOR}")]
    );
    assert!(story.get(Rule::RunWithErrors, CONNECTOR).is_none());
}
