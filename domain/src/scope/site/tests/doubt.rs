//! What is not known is said, and matters only where it decides.

use super::*;

/// The rule that marks objects by an attribute nobody reads.
fn sometimes() -> Rule {
    let unread = condition("extensionAttribute1", ComparisonOperator::Equal, "cloud");
    Rule {
        scope: vec![vec![unread]],
        ..inbound(ObjectType::User, PILOT)
    }
}

fn whole() -> Vec<CloudConfiguration> {
    vec![cloud(true, &[], &[])]
}

fn with_rules(rules: Vec<Rule>) -> Configuration {
    configuration(&[ROOT], rules, whole())
}

fn with_cloud(cloud: Vec<CloudConfiguration>) -> Configuration {
    configuration(&[], vec![], cloud)
}

fn silenced_by(inbound: Rule) -> Configuration {
    with_rules(vec![inbound, outbound(ObjectType::User)])
}

fn without_rules(included: &[&str]) -> Configuration {
    let mut configuration = configuration(included, vec![], whole());
    configuration.connect.as_mut().unwrap().rules = None;
    configuration
}

/// Who owns a user of the pilot, and why that cannot be told.
#[track_caller]
fn assert_owner(configuration: &Configuration, owner: Owner, doubt: &str) {
    let object = Object(format!("CN=x,{PILOT}"), Vec::new());
    let ruling = ruling(configuration, ObjectType::User, &object);
    assert_eq!(ruling.owner, owner, "{ruling:?}");
    let told = ruling
        .doubt
        .map(|doubt| doubt.to_string())
        .unwrap_or_default();
    assert!(told.contains(doubt), "{told}");
    assert_eq!(told.is_empty(), doubt.is_empty(), "{told}");
}

#[test]
fn a_rule_of_an_attribute_matters_where_a_rule_silences() {
    assert_owner(
        &silenced_by(sometimes()),
        Owner::Unknown,
        "extensionAttribute1",
    );
    assert_owner(&with_rules(vec![sometimes()]), Owner::BothOpen, "");
    let weaker = Rule {
        precedence: 70,
        ..inbound(ObjectType::User, PILOT)
    };
    let all = vec![sometimes(), weaker, outbound(ObjectType::User)];
    assert_owner(&with_rules(all), Owner::BothBlocked, "");
}

#[test]
fn what_only_the_engine_evaluates_is_not_guessed() {
    let expression = Rule {
        flows: vec![Flow {
            kind: Member::Known(FlowType::Expression),
            ..flow("cloudNoFlow", "IIF(...)")
        }],
        ..inbound(ObjectType::User, PILOT)
    };
    assert_owner(&silenced_by(expression), Owner::Unknown, "an expression");
    let behind = vec![
        inbound(ObjectType::User, PILOT),
        outbound(ObjectType::User),
        Rule {
            precedence: 5,
            ..exporting(ObjectType::User)
        },
    ];
    assert_owner(&with_rules(behind), Owner::Unknown, "stands behind");
}

#[test]
fn a_configuration_that_is_not_known_matters_where_it_is_asked() {
    assert_owner(
        &without_rules(&[ROOT]),
        Owner::Unknown,
        "rules of Connect Sync",
    );
    assert_owner(&without_rules(&[]), Owner::Cloud, "");
    let base = with_rules(vec![]);
    let untold = Configuration {
        activity: None,
        ..base.clone()
    };
    assert_owner(&untold, Owner::Unknown, "Connect Sync");
    let unread = Configuration {
        connect: None,
        ..base
    };
    assert_owner(&unread, Owner::Unknown, "Connect Sync");
    let absent = Configuration {
        activity: Some(Activity::Absent),
        ..unread
    };
    assert_owner(&absent, Owner::Cloud, "");
}

#[test]
fn jobs_are_asked_in_the_order_in_which_they_decide() {
    let mut filtered = cloud(true, &[PILOT], &[]);
    filtered.scope.as_mut().unwrap().rules[0].mappings[0].filters = vec![FilterGroup {
        name: String::new(),
        clauses: vec![FilterClause {
            attribute: "department".to_owned(),
            operator: "EQUALS".to_owned(),
            values: texts(&["Sales"]),
        }],
    }];
    assert_owner(&with_cloud(vec![filtered]), Owner::Unknown, "department");
    let unread = CloudConfiguration {
        scope: None,
        ..cloud(true, &[], &[])
    };
    assert_owner(
        &with_cloud(vec![unread]),
        Owner::Unknown,
        "a job of Cloud Sync",
    );
    let two = vec![cloud(false, &[PILOT], &[]), cloud(true, &[PILOT], &[])];
    assert_owner(&with_cloud(two), Owner::Cloud, "");
}
