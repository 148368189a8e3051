use std::time::Duration;

use serde_json::json;
use syncwatch_domain::alert::Finding;

use super::*;
use crate::detect::testing::{assert_told, minute};

const DAY: i64 = 24 * 60;

/// A credential that ends so many days after minute 0, as the collector writes it.
fn fact(id: &str, days: i64, app: &str) -> StoredFact {
    let ends_at = minute(days * DAY);
    StoredFact {
        tenant: "orchard".into(),
        name: format!("{PREFIX}{id}"),
        value: json!({"kind": "secret", "name": "autumn", "ends_at": ends_at, "app": app, "app_id": format!("{app}-app")}),
        read_at: minute(0),
    }
}

fn judged(facts: &[StoredFact], now: Timestamp) -> Vec<Condition> {
    let facts: Vec<&StoredFact> = facts.iter().collect();
    conditions(
        "orchard",
        &facts,
        Some(minute(0)),
        &AlertSettings::default(),
        now,
    )
}

fn severities(facts: &[StoredFact]) -> Vec<Option<Severity>> {
    judged(facts, minute(0))
        .into_iter()
        .map(|one| (one.finding == Finding::Holds).then_some(one.severity))
        .collect()
}

#[test]
fn a_credential_warns_30_days_and_is_critical_7_days_before_its_end() {
    for (days, severity) in [
        (31, None),
        (30, Some(Severity::Warning)),
        (8, Some(Severity::Warning)),
        (7, Some(Severity::Critical)),
        (0, Some(Severity::Critical)),
        (-5, Some(Severity::Critical)),
    ] {
        assert_eq!(
            severities(&[fact("k1", days, "own")]),
            [severity],
            "{days} days"
        );
    }
}

#[test]
fn expiring_credentials_are_told_in_words() {
    let mut found = judged(&[fact("k1", 20, "own")], minute(0));
    found.extend(judged(&[fact("k1", -1, "own")], minute(0)));
    found.extend(judged(
        &[fact("k1", 3, "own"), fact("k2", 300, "own")],
        minute(0),
    ));
    found.extend(judged(&[fact("k1", 3, "connect")], minute(0)));
    let mut bare = fact("k3", 3, "own");
    bare.value = json!({"kind": "certificate", "name": null, "ends_at": minute(3 * DAY), "app": "own", "app_id": "a"});
    found.extend(judged(&[bare], minute(0)));
    let holding: Vec<_> = found
        .into_iter()
        .filter(|one| one.finding == Finding::Holds)
        .collect();
    assert_told!("credential_expiring", holding);
}

#[test]
fn a_leftover_beside_a_newer_credential_is_only_worth_knowing() {
    assert_eq!(
        severities(&[fact("k1", 3, "own"), fact("k2", 300, "own")]),
        [Some(Severity::Info), None]
    );
    assert_eq!(
        severities(&[fact("k1", -3, "own"), fact("k2", 300, "own")]),
        [None, None],
        "and nothing once it ended"
    );
    assert_eq!(
        severities(&[fact("k1", 3, "own"), fact("k2", 5, "own")]),
        [Some(Severity::Critical), Some(Severity::Critical)],
        "a newer one that ends as soon is no help"
    );
}

#[test]
fn only_the_newest_certificate_of_connect_counts() {
    assert_eq!(
        severities(&[fact("k1", 3, "connect"), fact("k2", 20, "connect")]),
        [None, Some(Severity::Warning)]
    );
    assert_eq!(
        severities(&[fact("k1", 3, "own"), fact("k2", 300, "connect")]),
        [Some(Severity::Critical), None]
    );
}

#[test]
fn a_credential_that_is_no_longer_listed_was_removed() {
    let taken_back = StoredFact {
        value: serde_json::Value::Null,
        ..fact("k0", 3, "own")
    };
    let removed = StoredFact {
        read_at: minute(-60),
        ..fact("k1", 3, "own")
    };
    let found = judged(&[taken_back, removed, fact("k2", 300, "own")], minute(0));
    assert!(found.iter().all(|one| one.finding == Finding::Clear));
    assert_told!("credential_over", found);
}

#[test]
fn the_next_threshold_is_known_beforehand() {
    let settings = AlertSettings::default();
    let due = |fact: &StoredFact, now| next_due(&[fact], &settings, now);
    let key = fact("k1", 40, "own");
    assert_eq!(due(&key, minute(0)), Some(minute(10 * DAY)));
    assert_eq!(due(&key, minute(10 * DAY)), Some(minute(33 * DAY)));
    assert_eq!(due(&key, minute(33 * DAY)), Some(minute(40 * DAY)));
    assert_eq!(due(&key, minute(40 * DAY)), None);
}

#[test]
fn the_beginning_does_not_depend_on_when_it_was_noticed() {
    let key = fact("k1", 20, "own");
    let early = judged(std::slice::from_ref(&key), minute(0));
    let late = judged(&[key], minute(0) + Duration::from_secs(3_600));
    assert_eq!(early[0].occurred_at, late[0].occurred_at);
}

#[test]
fn facts_of_another_kind_or_version_are_left_alone() {
    let mut odd = fact("k1", 3, "own");
    odd.value = json!({"ends": "soon"});
    let other = StoredFact {
        name: "organization".into(),
        ..fact("k1", 3, "own")
    };
    assert_eq!(judged(&[odd, other], minute(0)), []);
}
