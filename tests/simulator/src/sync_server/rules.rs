//! Sync rules: for each forest one that came with the product, and a pair of an administrator that
//! silences what Cloud Sync handles.

use serde_json::{Value, json};

use super::at::{At, CLOUD_CONNECTOR};
use super::forms::Forms;
use super::model::{ConnectSync, Forest};

const INBOUND: (&str, i64) = ("Inbound", 0);
const OUTBOUND: (&str, i64) = ("Outbound", 1);

/// One row per rule.
pub(super) fn rows(at: &At<'_>, forms: Forms, connect: &ConnectSync) -> Vec<Value> {
    let mut rows = Vec::new();
    for forest in &connect.forests {
        rows.push(standard(at, forms, forest));
        rows.push(no_flow_in(at, forms, forest));
    }
    rows.push(no_flow_out(at, forms));
    rows
}

/// What every rule has; `own` comes on top.
fn rule(at: &At<'_>, forms: Forms, name: &str, direction: (&str, i64), own: Value) -> Value {
    let chance = at.chance("rule").corner(name);
    let mut row = json!({
        "Identifier": chance.guid(),
        "InternalId": chance.nth(1).guid(),
        "Name": name,
        "Version": 3,
        "Description": "",
        "ImmutableTag": null,
        "Direction": forms.member(direction.0, direction.1),
        "Disabled": false,
        "SourceObjectType": "user",
        "TargetObjectType": "person",
        "PrecedenceAfter": "00000000-0000-0000-0000-000000000000",
        "PrecedenceBefore": "00000000-0000-0000-0000-000000000000",
        "EnablePasswordSync": false,
        "JoinFilter": [],
        "ScopeFilter": [],
        "SoftDeleteExpiryInterval": forms.span(0),
        "IsStandardRule": false,
        "IsLegacyCustomRule": false,
        "JoinHash": "",
    });
    if let (Some(row), Value::Object(own)) = (row.as_object_mut(), own) {
        row.extend(own);
    }
    row
}

fn flow(forms: Forms, kind: (&str, i64), source: &str, destination: &str) -> Value {
    json!({
        "Source": [source],
        "Destination": destination,
        "FlowType": forms.member(kind.0, kind.1),
        "ExecuteOnce": false,
        "Expression": null,
        "ValueMergeType": forms.member("Update", 0),
    })
}

fn scope(forms: Forms, attribute: &str, operator: (&str, i64), value: &str) -> Value {
    json!([{ "ScopeConditionList": [{
        "Attribute": attribute,
        "ComparisonValue": value,
        "ComparisonOperator": forms.member(operator.0, operator.1),
    }] }])
}

fn standard(at: &At<'_>, forms: Forms, forest: &Forest) -> Value {
    let name = format!("In from AD - User Join ({})", forest.name);
    rule(
        at,
        forms,
        &name,
        INBOUND,
        json!({
            "Connector": at.connector_id(forest),
            "Precedence": 100,
            "LinkType": forms.member("Provision", 0),
            "EnablePasswordSync": true,
            "IsStandardRule": true,
            "ImmutableTag": {
                "TagValue": "Microsoft.InfromADUserJoin.006",
                "VersionAgnosticTag": "Microsoft.InfromADUserJoin",
                "TagVersion": 6,
                "IsStandardTag": true,
                "IsLegacyCustomTag": false,
            },
            "ScopeFilter": scope(forms, "isCriticalSystemObject", ("NOTEQUAL", 1), "True"),
            "JoinFilter": [{ "JoinConditionList": [{
                "CSAttribute": "objectGUID", "MVAttribute": "sourceAnchorBinary", "CaseSensitive": false,
            }], "JoinHash": "" }],
            "AttributeFlowMappings": [flow(forms, ("Direct", 0), "displayName", "displayName")],
        }),
    )
}

fn no_flow_in(at: &At<'_>, forms: Forms, forest: &Forest) -> Value {
    let name = format!("In from AD - User - no flow ({})", forest.name);
    let root = forest.domains.first().map(super::model::Domain::dn);
    let pilot = format!("OU=Pilot,{}", root.unwrap_or_default());
    rule(
        at,
        forms,
        &name,
        INBOUND,
        json!({
            "Connector": at.connector_id(forest),
            "Precedence": 50,
            "LinkType": forms.member("Join", 2),
            "ScopeFilter": scope(forms, "dn", ("ENDSWITH", 8), &pilot),
            "AttributeFlowMappings": [flow(forms, ("Constant", 1), "True", "cloudNoFlow")],
        }),
    )
}

fn no_flow_out(at: &At<'_>, forms: Forms) -> Value {
    rule(
        at,
        forms,
        "Out to Entra ID - User - no flow",
        OUTBOUND,
        json!({
            "Connector": CLOUD_CONNECTOR,
            "SourceObjectType": "person",
            "TargetObjectType": "user",
            "Precedence": 60,
            "LinkType": forms.member("JoinNoFlow", 3),
            "ScopeFilter": scope(forms, "cloudNoFlow", ("EQUAL", 0), "True"),
            "AttributeFlowMappings": [],
        }),
    )
}
