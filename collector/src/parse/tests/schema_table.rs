use syncwatch_domain::scope::cloud::{CloudScope, FilterClause, ObjectMapping};

use super::*;
use crate::parse::schemas::scope;

fn mapping(source: &str, target: &str) -> Value {
    json!({
        "attributeMappings": [
            {"targetAttributeName": "DisplayName", "source": {"type": "Attribute", "name": "displayName"}},
            {"targetAttributeName": "CredentialData", "source": {"type": "Attribute", "name": "PasswordHash"}}
        ],
        "enabled": true, "flowTypes": "Add, Update", "metadata": [], "name": "Provision Active Directory things",
        "scope": {
            "categoryFilterGroups": [],
            "groups": [
                {"name": "Default", "clauses": [
                    {"operatorName": "IS FALSE", "sourceOperandName": "isCriticalSystemObject", "targetOperand": {"values": []}},
                    {"operatorName": "EQUALS", "sourceOperandName": "department", "targetOperand": {"values": ["", "Törten"]}}
                ]},
                {"name": "Empty", "clauses": []}
            ],
            "inputFilterGroups": [{"clauses": [{"operatorName": "IS_NOT_NULL", "sourceOperandName": "mail", "targetOperand": null}]}]
        },
        "sourceObjectName": source, "targetObjectName": target
    })
}

fn schema(rule: &Value) -> Value {
    json!({
        "@odata.context": "https://graph.linden.example/v1.0/$metadata#x", "id": "AD2AADProvisioning.0a.0b",
        "version": "Date:2026-10-02T09:00:00.1234567Z, ActivityId:00000000-0000-4000-8000-000000000001",
        "synchronizationRules": [rule],
        "directories": [{"name": "Active Directory", "objects": [{"name": "user", "attributes": []}]}]
    })
}

fn read(value: &Value) -> CloudScope {
    scope(&bytes(value)).unwrap()
}

#[test]
fn the_scope_is_read_and_the_rest_is_skipped() {
    let scope = read(&schema(&json!({
        "name": "AD2AADProvisioning", "priority": 1, "sourceDirectoryName": "Active Directory",
        "containerFilter": {"includedContainers": ["OU=Staff\\, North,DC=linden,DC=example", ""]},
        "groupFilter": {"includedGroups": null},
        "objectMappings": [mapping("user", "User")]
    })));
    assert_eq!(scope.saved_at, Some(at("2026-10-02T09:00:00.123Z")));
    assert!(scope.version.unwrap().starts_with("Date:2026-10-02"));
    assert!(!scope.from_template);
    let rule = &scope.rules[0];
    assert_eq!(rule.containers, ["OU=Staff\\, North,DC=linden,DC=example"]);
    assert_eq!(rule.groups, Vec::<String>::new());
    let ObjectMapping {
        source,
        target,
        enabled,
        adds,
        updates,
        deletes,
        password_hashes,
        filters,
        input_filters,
        has_category_filters,
    } = &rule.mappings[0];
    assert_eq!((source.as_str(), target.as_str()), ("user", "User"));
    let flags = [enabled, adds, updates, password_hashes].map(|flag| *flag);
    assert_eq!(flags, [true; 4]);
    assert!(!deletes && !has_category_filters);
    assert_eq!(filters.len(), 1, "a group without clauses filters nothing");
    assert_eq!(filters[0].clauses[1].values, ["", "Törten"]);
    let clause = FilterClause {
        attribute: "mail".to_owned(),
        operator: "IS_NOT_NULL".to_owned(),
        values: Vec::new(),
    };
    assert_eq!(input_filters[0].clauses, [clause]);
}

#[test]
fn what_is_missing_or_null_is_not_in_the_scope() {
    for rule in [
        json!({}),
        json!({"containerFilter": null, "groupFilter": null, "objectMappings": null}),
        json!({"containerFilter": {}, "groupFilter": {}, "objectMappings": [{"scope": null}]}),
    ] {
        let scope = read(&schema(&rule));
        assert_eq!(scope.names().count(), 0, "{rule}");
        let mapping = scope.rules[0].mappings.first();
        assert!(mapping.is_none_or(|mapping| mapping.enabled && !mapping.password_hashes));
    }
    let mut odd = schema(&json!({}));
    for (version, saved) in [
        (json!("Date:,ActivityId:1"), None),
        (json!("7"), None),
        (json!(null), None),
        (
            json!("ActivityId:1, date:2026-10-02T09:00:00Z"),
            Some(at("2026-10-02T09:00:00Z")),
        ),
    ] {
        odd["version"] = version;
        assert_eq!(read(&odd).saved_at, saved, "{}", odd["version"]);
    }
}

#[test]
fn a_schema_without_rules_is_refused_and_one_with_an_empty_list_is_not() {
    assert_eq!(read(&json!({"synchronizationRules": []})).rules.len(), 0);
    for (body, part) in [
        (json!({}), "no list of synchronization rules"),
        (json!({"synchronizationRules": null}), "no list"),
        (json!({"synchronizationRules": {}}), ""),
        (
            json!({"synchronizationRules": [{"containerFilter": {"includedContainers": "OU=x"}}]}),
            "",
        ),
    ] {
        let error = scope(&bytes(&body)).unwrap_err();
        assert!(error.to_string().contains(part), "{body}: {error}");
    }
}
