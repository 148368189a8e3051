//! What is in scope: connectors, rules, exported settings, containers.

use syncwatch_domain::report::connectors::{Connector, Scope};
use syncwatch_domain::report::forms::{Forms, Member, ShapeError};
use syncwatch_domain::report::rules::{ComparisonOperator, Direction, FlowType, LinkType, Rule};
use syncwatch_domain::report::{connectors, containers, rules, settings_export};

use super::{HAUSER, at, data, utc, whole};

fn connectors() -> Vec<Connector> {
    connectors::read(&data("connectors.ps51"), &utc()).unwrap()
}

fn scope(connector: &Connector, partition: usize) -> &Scope {
    connector.partitions[partition].scope.as_ref().unwrap()
}

fn rules(file: &str) -> Vec<Rule> {
    rules::read(&data(file), &utc()).unwrap()
}

#[test]
fn container_filters_of_every_domain_are_held() {
    let all = connectors();
    let hauser = scope(&all[0], 0);
    assert_eq!(hauser.included, ["DC=ad,DC=hauser,DC=example"]);
    assert_eq!(
        hauser.excluded,
        [
            "OU=Accounts for Services,DC=ad,DC=hauser,DC=example",
            "OU=Left,OU=People,DC=ad,DC=hauser,DC=example",
            "CN=Builtin,DC=ad,DC=hauser,DC=example",
        ]
    );
    let nord = scope(&all[0], 1);
    assert_eq!(nord.excluded, ["DC=nord,DC=ad,DC=hauser,DC=example"]);
    assert_eq!(nord.included.len(), 2);
    let nordwall = scope(&all[1], 0);
    assert_eq!(
        nordwall.included,
        ["OU=Synced,DC=ad,DC=nordwall,DC=example"]
    );
    assert_eq!(
        nordwall.excluded,
        [
            "DC=ad,DC=nordwall,DC=example",
            "OU=Guests,OU=Synced,DC=ad,DC=nordwall,DC=example",
        ]
    );
}

#[test]
fn partitions_tell_whether_they_are_selected_and_domains() {
    let all = connectors();
    let told: Vec<_> = all[0]
        .partitions
        .iter()
        .map(|partition| (partition.selected, partition.is_domain))
        .collect();
    assert_eq!(told, [(true, true), (true, true), (false, false)]);
    assert!(all[2].is_cloud());
    assert!(!all[0].is_cloud() && !all[1].is_cloud());
    assert_eq!(all[2].partitions[0].dn, "default");
}

#[test]
fn scope_that_was_cut_off_is_refused_and_not_read_as_no_filter() {
    let error = connectors::read(&data("connector.depth-truncated.ps51"), &utc()).unwrap_err();
    assert!(matches!(error, ShapeError::Truncated { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("data[0].Partitions[0].ConnectorPartitionScope is truncated: "),
        "{text}"
    );
}

/// One level deeper the lists become texts with blanks between the names.
#[test]
fn lists_that_were_cut_off_are_refused() {
    let error = connectors::read(&data("connector.lists-truncated.ps51"), &utc()).unwrap_err();
    assert!(matches!(error, ShapeError::Truncated { .. }), "{error}");
    let mut file = data("connectors.ps51");
    let lists = &mut file[0]["Partitions"][0]["ConnectorPartitionScope"];
    lists["ContainerExclusionList"] = "".into();
    assert!(connectors::read(&file, &utc()).is_err());
}

#[test]
fn only_container_alone_is_a_list_of_one() {
    let mut file = data("connectors.ps51");
    let lists = &mut file[1]["Partitions"][0]["ConnectorPartitionScope"];
    lists["ContainerInclusionList"] = "OU=Synced,DC=ad,DC=nordwall,DC=example".into();
    assert_eq!(connectors::read(&file, &utc()), Ok(connectors()));
}

/// Whether an inbound no-flow rule and an outbound one cover a type of objects of an OU.
fn pair(rules: &[Rule], source: &str, outbound: &str, ou: &str) -> bool {
    let inbound = rules.iter().any(|rule| {
        !rule.disabled
            && rule.direction.is(Direction::Inbound)
            && rule.source_type == source
            && rule
                .flows
                .iter()
                .any(|flow| flow.destination == "cloudNoFlow" && flow.constant() == Some("True"))
            && rule.scope.iter().flatten().any(|condition| {
                condition.operator.is(ComparisonOperator::EndsWith) && condition.value.contains(ou)
            })
    });
    let silent = rules.iter().any(|rule| {
        !rule.disabled
            && rule.direction.is(Direction::Outbound)
            && rule.target_type == outbound
            && rule.link.is(LinkType::JoinNoFlow)
    });
    inbound && silent
}

#[test]
fn rules_tell_which_pairs_are_complete() {
    let all = rules("rules.ps51");
    assert!(pair(&all, "user", "user", "OU=Wave1"));
    assert!(pair(&all, "group", "group", "OU=Wave1"));
    assert!(pair(&all, "user", "user", "OU=Sales"));
    assert!(!pair(&all, "group", "group", "OU=Sales"));
    assert!(!pair(&all, "contact", "contact", "OU=Wave1"));
    let contact = all.iter().find(|rule| rule.source_type == "contact");
    assert!(contact.unwrap().disabled);
    let standard: Vec<_> = all.iter().filter(|rule| rule.standard).collect();
    assert_eq!(standard.len(), 1);
    assert_eq!(standard[0].precedence, 103);
    assert_eq!(
        standard[0].standard_tag.as_deref(),
        Some("Microsoft.InfromADUserJoin")
    );
    assert_eq!(standard[0].joins.len(), 2);
    assert_eq!(standard[0].scope[0].len(), 2);
    assert!(standard[0].flows[0].kind.is(FlowType::Expression));
    assert_eq!(
        standard[0].flows[0].sources,
        ["isCriticalSystemObject", "sAMAccountName"]
    );
}

#[test]
fn single_rule_is_a_list_of_one_in_both_forms() {
    let all = rules("rules.ps51");
    assert_eq!(rules("rule.single.ps51")[..], all[..1]);
    assert_eq!(rules("rule.single.ps7")[..], all[3..4]);
}

/// Enumerations by name, lists with one element collapsed by a pipeline.
#[test]
fn collapsed_rules_with_names_are_the_same_rules() {
    assert_eq!(rules("rules.collapsed.normalised"), rules("rules.ps51"));
}

#[test]
fn rule_that_was_cut_off_is_refused() {
    let error = rules::read(&data("rule.depth-truncated.ps51"), &utc()).unwrap_err();
    assert!(matches!(error, ShapeError::Truncated { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("data[0].ScopeFilter[0].ScopeConditionList[0] is truncated"),
        "{error}"
    );
}

#[test]
fn unheard_of_operator_is_kept_as_it_came() {
    let mut file = data("rule.single.ps7");
    file[0]["ScopeFilter"][0]["ScopeConditionList"][0]["ComparisonOperator"] = 77.into();
    let all = rules::read(&file, &utc()).unwrap();
    assert_eq!(
        all[0].scope[0][0].operator,
        Member::Unknown("77".to_owned())
    );
}

#[test]
fn exported_settings_say_the_same_as_connectors_and_rules() {
    let export = settings_export::read(&whole("settings-export")).unwrap();
    assert_eq!(export.made_at, at("2026-11-20T10:22:31.765Z"));
    assert_eq!(export.deletion_limit, Some(350));
    assert_eq!(export.forests[0].connector_id, HAUSER);
    let all = connectors();
    for (forest, connector) in export.forests.iter().zip(&all) {
        for (partition, raw) in forest.partitions.iter().zip(&connector.partitions) {
            let (exported, raw) = (partition.scope.as_ref(), raw.scope.as_ref());
            let (exported, raw) = (exported.unwrap(), raw.unwrap());
            assert_eq!(exported.included, raw.included);
            assert_eq!(exported.excluded, raw.excluded);
        }
    }
    let raw = rules("rules.ps51");
    for rule in &export.rules {
        let same = raw.iter().find(|raw| raw.id == rule.id).unwrap();
        assert_eq!(rule.scope, same.scope);
        assert_eq!(rule.link, same.link);
        assert_eq!(rule.direction, same.direction);
        assert_eq!(rule.connector_id, same.connector_id);
        assert_eq!(rule.precedence, same.precedence);
    }
    assert_eq!(export.rules.len(), 2);
    assert_eq!(export.rules[1].flows[0].constant(), Some("True"));
}

#[test]
fn containers_tell_what_is_gone_and_where_it_went() {
    let read = containers::read(&data("containers.normalised"), &Forms::without_offset()).unwrap();
    assert!(read[0].exists);
    assert_eq!(
        read[0].object_guid.as_deref(),
        Some("9f3c2b10-5d6e-4a7f-8b9c-0d1e2f3a4b5c")
    );
    assert!(!read[1].exists);
    assert_eq!(
        read[1].moved_to.as_deref(),
        Some("OU=Wave One,OU=People,DC=ad,DC=hauser,DC=example")
    );
}
