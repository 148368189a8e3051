use syncwatch_domain::alert::Finding;

use super::*;
use crate::detect::testing::{assert_told, failing_source, read_source};

fn judged(sources: &[SourceState]) -> Vec<Condition> {
    conditions("orchard", &sources.iter().collect::<Vec<_>>())
}

fn holding(sources: &[SourceState]) -> Vec<Condition> {
    judged(sources)
        .into_iter()
        .filter(|condition| condition.finding == Finding::Holds)
        .collect()
}

fn without(poll: Poll, instance: &str, failure: ReadFailure) -> SourceState {
    let mut source = failing_source(poll, instance, (0, 1, 9), 2, failure);
    source.read_at = None;
    source.failure_text = Some("GET: 403 Authorization_RequestDenied".into());
    source
}

#[test]
fn every_poll_names_its_permission_and_what_is_lost() {
    let found: Vec<Condition> = Poll::GRAPH
        .iter()
        .flat_map(|poll| holding(&[without(*poll, "", ReadFailure::RightMissing)]))
        .collect();
    assert_eq!(found.len(), Poll::GRAPH.len());
    assert_told!("right_missing", found);
}

#[test]
fn one_permission_is_one_condition_however_many_sources_need_it() {
    let found = holding(&[
        without(Poll::Jobs, "3f1d0a52", ReadFailure::RightMissing),
        without(Poll::Jobs, "77aa0c11", ReadFailure::RightMissing),
        without(Poll::ProvisioningLogs, "", ReadFailure::RightMissing),
        without(Poll::DirectoryAudits, "", ReadFailure::RightMissing),
    ]);
    assert_eq!(found.len(), 2);
    assert_told!("right_missing_for_several", found);
}

#[test]
fn a_missing_licence_is_told_with_the_known_defect() {
    assert_told!(
        "licence_missing",
        holding(&[without(
            Poll::ProvisioningLogs,
            "",
            ReadFailure::LicenceMissing
        )])
    );
}

#[test]
fn it_is_over_when_everything_that_needs_the_right_was_read() {
    let logs = read_source(Poll::ProvisioningLogs, "", 5);
    let audits = |failure| failing_source(Poll::DirectoryAudits, "", (0, 1, 5), 2, failure);
    let clear = |sources: &[SourceState]| {
        judged(sources)
            .into_iter()
            .filter(|one| one.finding == Finding::Clear)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        clear(&[logs.clone(), audits(ReadFailure::Timeout)]),
        [],
        "an outage hides it"
    );
    let both = clear(&[logs, read_source(Poll::DirectoryAudits, "", 6)]);
    assert_told!("right_there", both);
}

#[test]
fn outages_and_what_a_cloud_does_not_offer_are_no_missing_rights() {
    for failure in [
        ReadFailure::NotAvailable,
        ReadFailure::Timeout,
        ReadFailure::SignInRefused,
    ] {
        assert_eq!(
            holding(&[without(Poll::Jobs, "", failure)]),
            [],
            "{failure}"
        );
    }
    let retired = SourceState {
        retired: true,
        ..without(Poll::Jobs, "", ReadFailure::RightMissing)
    };
    assert_eq!(judged(&[retired]), []);
    let agent = without(Poll::AgentSection, "SYNC01/runs", ReadFailure::RightMissing);
    assert_eq!(judged(&[agent]), [], "Graph has no say in that");
}
