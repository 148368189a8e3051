#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use syncwatch_domain::alert::Finding;

use super::*;
use crate::detect::testing::{assert_told, job, minute};

/// So many objects that fail since minute 0, the newest failure at minute `last`.
/// Minute 0 is 06:00, the digest comes at 07:00.
fn errors(group: ErrorGroup, objects: i64, last: i64) -> ObjectErrorSummary {
    let codes = match group {
        ErrorGroup::Data => [("AttributeValueMustBeUnique", objects - 1), ("", 1)],
        ErrorGroup::AgentPath => [
            ("HybridIdentityServiceAgentTimeout", objects - 1),
            ("HybridSynchronizationTimeoutError", 1),
        ],
        ErrorGroup::AdPath => [
            (
                "HybridSynchronizationActiveDirectoryInternalServerError",
                objects - 1,
            ),
            ("HybridSynchronizationUnableToFindDomainController", 1),
        ],
        ErrorGroup::CloudCredentials => [
            ("AzureActiveDirectoryInvalidCredential", objects - 1),
            ("AzureActiveDirectoryExpiredCredentials", 1),
        ],
        ErrorGroup::ServiceLoad => [("TimeOut", objects - 1), ("81", 1)],
    };
    ObjectErrorSummary {
        tenant: "orchard".into(),
        job_id: job().job_id,
        group,
        objects,
        first_at: Some(minute(0)),
        last_at: Some(minute(last)),
        codes: codes
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(code, count)| (code.to_owned(), count))
            .collect(),
        version: 0,
    }
}

fn judged(summary: &ObjectErrorSummary, reported: Option<Reported>, now: i64) -> Option<Condition> {
    condition(
        summary,
        Some(&job()),
        reported,
        &AlertSettings::default(),
        minute(now),
    )
}

fn last_reported(condition: &Condition) -> Timestamp {
    let fact = condition
        .evidence
        .iter()
        .find(|fact| fact.name == LAST_REPORTED)
        .unwrap();
    Timestamp::parse(&fact.value).unwrap()
}

#[test]
fn errors_of_a_whole_job_are_reported_at_once_from_the_second_on() {
    for group in [
        ErrorGroup::AgentPath,
        ErrorGroup::AdPath,
        ErrorGroup::CloudCredentials,
    ] {
        assert_eq!(judged(&errors(group, 1, 5), None, 5), None, "{group}");
        assert!(judged(&errors(group, 2, 5), None, 5).is_some(), "{group}");
    }
}

#[test]
fn every_group_has_its_words() {
    let found: Vec<Condition> = ErrorGroup::ALL
        .iter()
        .filter_map(|group| judged(&errors(*group, 12, 60), None, 61))
        .collect();
    assert_eq!(found.len(), ErrorGroup::ALL.len());
    assert_told!("object_errors", found);
}

#[test]
fn a_single_object_of_an_unknown_job_is_named_as_well_as_it_can_be() {
    let found = condition(
        &errors(ErrorGroup::Data, 1, 5),
        None,
        Some(Reported {
            objects: 2,
            at: minute(30),
        }),
        &AlertSettings::default(),
        minute(70),
    );
    assert_told!("object_errors_unknown_job", [found.unwrap()]);
}

#[test]
fn a_busy_service_is_reported_when_it_stays_busy() {
    assert_eq!(
        judged(&errors(ErrorGroup::ServiceLoad, 50, 59), None, 59),
        None
    );
    assert!(judged(&errors(ErrorGroup::ServiceLoad, 50, 60), None, 60).is_some());
}

#[test]
fn errors_of_single_objects_wait_for_the_digest_unless_they_grow() {
    let few = errors(ErrorGroup::Data, 9, 5);
    assert_eq!(judged(&few, None, 59), None);
    let digest = judged(&few, None, 60).unwrap();
    assert_eq!(last_reported(&digest), minute(60));
    let many = judged(&errors(ErrorGroup::Data, 10, 5), None, 10).unwrap();
    assert_eq!(last_reported(&many), minute(5), "as of the newest failure");
}

#[test]
fn errors_that_began_after_the_digest_wait_for_the_next_one() {
    let mut late = errors(ErrorGroup::Data, 3, 70);
    late.first_at = Some(minute(61));
    assert_eq!(judged(&late, None, 90), None);
    assert!(judged(&late, None, 60 + 24 * 60).is_some());
}

#[test]
fn the_digest_comes_once_a_day_while_objects_fail() {
    let same = errors(ErrorGroup::Data, 3, 5);
    let reported = Reported {
        objects: 3,
        at: minute(60),
    };
    let told_again = |now| last_reported(&judged(&same, Some(reported), now).unwrap());
    assert_eq!(
        told_again(100),
        minute(60),
        "nothing new until the next digest"
    );
    assert_eq!(told_again(60 + 24 * 60), minute(60 + 24 * 60));
    assert_eq!(
        told_again(60 + 25 * 60),
        minute(60 + 24 * 60),
        "stamped with its instant"
    );
}

#[test]
fn growth_is_news_only_when_it_is_large_enough_both_ways() {
    let reported = Some(Reported {
        objects: 12,
        at: minute(30),
    });
    for (objects, news) in [
        (13, false),
        (22, false),
        (23, false),
        (24, true),
        (100, true),
    ] {
        let found = judged(&errors(ErrorGroup::AgentPath, objects, 40), reported, 41).unwrap();
        assert_eq!(last_reported(&found) == minute(40), news, "{objects}");
    }
    let few = Some(Reported {
        objects: 2,
        at: minute(30),
    });
    let found = judged(&errors(ErrorGroup::AgentPath, 8, 40), few, 41).unwrap();
    assert_eq!(
        last_reported(&found),
        minute(30),
        "four times as many, but only six more"
    );
}

#[test]
fn it_is_over_when_no_object_fails_and_not_before() {
    let over = ObjectErrorSummary {
        objects: 0,
        first_at: None,
        last_at: None,
        codes: Vec::new(),
        ..errors(ErrorGroup::Data, 2, 5)
    };
    let found = judged(
        &over,
        Some(Reported {
            objects: 12,
            at: minute(30),
        }),
        41,
    )
    .unwrap();
    assert_eq!(found.finding, Finding::Clear);
    assert_told!("object_errors_over", [found]);
    let one_left = judged(
        &errors(ErrorGroup::AgentPath, 1, 40),
        Some(Reported {
            objects: 12,
            at: minute(30),
        }),
        41,
    );
    assert_eq!(
        one_left.map(|condition| condition.finding),
        Some(Finding::Holds)
    );
}

#[test]
fn the_newest_instant_of_a_schedule_is_found() {
    let at = |text: &str, now| latest(&text.parse().unwrap(), minute(now));
    assert_eq!(at("0 0 7 * * *", 59), Some(minute(60 - 24 * 60)));
    assert_eq!(at("0 0 7 * * *", 60), Some(minute(60)));
    assert_eq!(at("*/10 * * * * *", 0), Some(minute(0)));
    assert_eq!(at("15m", 14), Some(minute(0)));
    // 2026-09-14 is a Monday; the first of the month is a Tuesday.
    assert_eq!(at("0 0 6 1 * *", 0), Some(minute(-13 * 24 * 60)));
    let quarter = latest(&"0 0 0 1 1 *".parse().unwrap(), minute(0)).unwrap();
    assert_eq!(quarter.to_string(), "2026-01-01T00:00:00Z");
}

#[test]
fn a_digest_can_be_switched_off() {
    let settings = AlertSettings {
        digest: None,
        ..AlertSettings::default()
    };
    let found = condition(
        &errors(ErrorGroup::Data, 3, 5),
        None,
        None,
        &settings,
        minute(60) + Duration::from_secs(86_400),
    );
    assert_eq!(found, None);
}
