//! Agents and their sections beside Microsoft Graph.

use syncwatch_domain::alert::Severity;

use super::*;

/// An agent that reported at minute `read`, or is silent since minute `since`.
fn agent(host: &str, read: i64, since: Option<i64>) -> SourceState {
    match since {
        None => read_source(Poll::AgentReports, host, read),
        Some(since) => SourceState {
            failure_text: Some(format!("the last report from {host} came at minute {read}")),
            ..failing_source(
                Poll::AgentReports,
                host,
                (read, since, since),
                1,
                ReadFailure::Timeout,
            )
        },
    }
}

/// A section that failed from minute 1 to minute `newest`.
fn section(instance: &str, newest: i64, failure: ReadFailure) -> SourceState {
    SourceState {
        failure_text: Some("Get-ADSyncScheduler: no answer within 90s".into()),
        ..failing_source(
            Poll::AgentSection,
            instance,
            (0, 1, newest),
            newest,
            failure,
        )
    }
}

/// What is found where `active` exports and two lanes hang on the run history of SYNC01.
fn found(sources: &[SourceState], active: &[&str]) -> Vec<Condition> {
    let lanes: Vec<LaneBehind> = ["ad.orchard.example", "orchard.example - AAD"]
        .into_iter()
        .map(|partition| LaneBehind {
            source: source_key(Poll::AgentSection, "SYNC01/runs"),
            title: format!("Connect Sync objects of {partition}"),
        })
        .collect();
    let active: Vec<String> = active.iter().map(|host| (*host).to_owned()).collect();
    let sources: Vec<&SourceState> = sources.iter().collect();
    let context = Context {
        lanes: &lanes,
        active_servers: &active,
        outage_over_at: None,
    };
    conditions("orchard", &sources, context, &AlertSettings::default())
}

fn of(finding: Finding, conditions: Vec<Condition>) -> Vec<Condition> {
    conditions
        .into_iter()
        .filter(|condition| condition.finding == finding)
        .collect()
}

fn paths(conditions: &[Condition]) -> Vec<&str> {
    conditions
        .iter()
        .map(|condition| condition.subject.path.as_str())
        .collect()
}

#[test]
fn a_silent_agent_is_one_condition_and_graver_on_the_server_that_exports() {
    let sources = [agent("SYNC01", 10, Some(20)), agent("SYNC02", 10, Some(20))];
    let told = of(Finding::Holds, found(&sources, &["SYNC01"]));
    assert_eq!(paths(&told), ["agent/SYNC01", "agent/SYNC02"]);
    assert_eq!(
        told.iter().map(|one| one.severity).collect::<Vec<_>>(),
        [Severity::Critical, Severity::Warning]
    );
    assert_told!("agent_silent", told);
}

#[test]
fn an_agent_that_never_reported_is_silent_as_well() {
    let never = SourceState {
        read_at: None,
        ..agent("SYNC03", 0, Some(20))
    };
    assert_told!(
        "agent_never_reported",
        of(Finding::Holds, found(&[never], &[]))
    );
}

#[test]
fn only_a_report_ends_silence() {
    let over = of(
        Finding::Clear,
        found(&[agent("SYNC01", 30, None)], &["SYNC01"]),
    );
    assert_told!("agent_reports_again", over);
    let silent = found(&[agent("SYNC01", 10, Some(20))], &[]);
    assert_eq!(of(Finding::Clear, silent), []);
}

#[test]
fn agents_prove_nothing_about_graph_and_graph_nothing_about_agents() {
    let graph_gone = [jobs(4, 4), organization(5, 3), agent("SYNC01", 5, None)];
    let told = of(Finding::Holds, found(&graph_gone, &[]));
    assert_eq!(
        paths(&told),
        ["graph"],
        "an agent that reports is no answer of Graph"
    );
    let agents_gone = [
        read_source(Poll::Jobs, "3f1d0a52", 5),
        agent("SYNC01", 1, Some(4)),
        agent("SYNC02", 1, Some(4)),
        section("SYNC01/scheduler", 5, ReadFailure::Timeout),
    ];
    let told = of(Finding::Holds, found(&agents_gone, &[]));
    assert!(!paths(&told).contains(&"graph"), "{told:?}");
    let only_agents = found(&[agent("SYNC01", 1, Some(4))], &[]);
    assert_eq!(paths(&only_agents), ["agent/SYNC01"]);
}

#[test]
fn a_section_that_fails_is_told_with_what_hangs_on_it() {
    let sources = [
        agent("SYNC01", 9, None),
        section("SYNC01/runs", 9, ReadFailure::Timeout),
    ];
    let told = of(Finding::Holds, found(&sources, &["SYNC01"]));
    assert_eq!(told[0].severity, Severity::Critical, "lanes hang on it");
    assert_told!("section_unreadable", told);
    let staging = of(Finding::Holds, found(&sources, &[]));
    assert_eq!(staging[0].severity, Severity::Warning);
}

#[test]
fn a_section_needs_two_failures_and_the_full_span() {
    for (newest, failures, holds) in [(3, 3, false), (4, 1, false), (4, 2, true)] {
        let failing = SourceState {
            failures,
            ..section("SYNC01/database", newest, ReadFailure::Refused)
        };
        let told = of(Finding::Holds, found(&[failing], &[]));
        assert_eq!(!told.is_empty(), holds, "{newest} {failures}");
    }
}

#[test]
fn sections_that_fail_together_are_one_condition_with_the_others_under_it() {
    let sources = [
        section("SYNC01/runs", 9, ReadFailure::Refused),
        section("SYNC01/scheduler", 9, ReadFailure::Refused),
        read_source(Poll::AgentSection, "SYNC01/services", 9),
    ];
    let told = of(Finding::Holds, found(&sources, &["SYNC01"]));
    assert_eq!(
        paths(&told),
        [
            "agent/SYNC01/sections",
            "agent/SYNC01/runs",
            "agent/SYNC01/scheduler"
        ]
    );
    assert_told!("sections_unreadable", told);
    let one_left = [
        sources[0].clone(),
        read_source(Poll::AgentSection, "SYNC01/scheduler", 10),
    ];
    let over = of(Finding::Clear, found(&one_left, &["SYNC01"]));
    assert!(paths(&over).contains(&"agent/SYNC01/sections"), "{over:?}");
    assert_told!("sections_read_again", over);
}

#[test]
fn every_failure_of_a_section_has_words_and_advice() {
    let told: Vec<Condition> = [
        ReadFailure::Timeout,
        ReadFailure::BadAnswer,
        ReadFailure::ServerError,
        ReadFailure::Refused,
        ReadFailure::RightMissing,
    ]
    .into_iter()
    .flat_map(|failure| {
        of(
            Finding::Holds,
            found(&[section("SYNC01/database", 9, failure)], &[]),
        )
    })
    .collect();
    assert_told!("section_failures", told);
}

#[test]
fn an_agent_that_the_configuration_does_not_name_any_more_is_not_expected() {
    let retired = SourceState {
        retired: true,
        ..agent("SYNC01", 10, Some(20))
    };
    assert_told!("agent_not_expected", found(&[retired], &[]));
}
