//! The schema of a job: scope as containers and groups, and the mapping that carries password hashes.

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::jobs::{app as find_app, find_job};
use crate::graph::{Answer, Ask, Outcome, Scene};
use crate::times;
use crate::world::tenant::{App, TenantState};

/// `GET .../jobs/{job}/schema`.
pub(crate) fn schema(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str, job: &str) -> Outcome {
    ask.query.only(&[])?;
    let (app, index) = find_job(scene.tenant, id, job)?;
    let state = &scene.tenant.jobs[usize::from(index)];
    if state.status.code == "NotRun" {
        return Err(GraphError::not_found(job));
    }
    let activity = scene
        .tenant
        .seed
        .corner("schema")
        .corner(job)
        .nth(state.scope_version)
        .guid();
    let entity = format!("servicePrincipals('{id}')/synchronization/jobs('{job}')/schema/$entity");
    Ok(Answer::json(json!({
        "@odata.context": ask.context(&entity),
        "id": job,
        "version": format!("Date:{}, ActivityId:{activity}", times::ticks(state.scope_changed, 1200)),
        "provisioningTaskIdentifier": job,
        "synchronizationRules": [rule(scene.tenant, app, &state.spec.template, Some(app))],
        "directories": directories(scene.tenant),
    })))
}

/// `GET .../templates/{template}/schema`: what holds for a job until somebody edits it.
pub(crate) fn of_template(
    scene: &mut Scene<'_>,
    ask: &Ask<'_>,
    id: &str,
    template: &str,
) -> Outcome {
    ask.query.only(&[])?;
    let app = find_app(scene.tenant, id)?;
    let has = |index: &u16| scene.tenant.jobs[usize::from(*index)].spec.template == template;
    if !app.jobs.iter().any(has) {
        return Err(GraphError::not_found(template));
    }
    let entity =
        format!("servicePrincipals('{id}')/synchronization/templates('{template}')/schema/$entity");
    Ok(Answer::json(json!({
        "@odata.context": ask.context(&entity),
        "id": template,
        "version": null,
        "synchronizationRules": [rule(scene.tenant, app, template, None)],
        "directories": directories(scene.tenant),
    })))
}

/// The rule of a schema, with the scope of `scoped`.
fn rule(tenant: &TenantState, app: &App, template: &str, scoped: Option<&App>) -> Value {
    let hashes = app
        .jobs
        .iter()
        .any(|other| tenant.jobs[usize::from(*other)].is_password_hash());
    let containers = scoped.map(|app| app.containers.clone()).unwrap_or_default();
    let groups = scoped.map(|app| app.groups.clone()).unwrap_or_default();
    json!({
        "editable": true,
        "id": tenant.seed.corner("rule").corner(&app.name).guid(),
        "name": template,
        "priority": 1,
        "sourceDirectoryName": "Active Directory",
        "targetDirectoryName": "Microsoft Entra ID",
        "metadata": [{"key": "defaultSourceObjectMappings", "value": "[]"}],
        "containerFilter": {"includedContainers": containers},
        "groupFilter": {"includedGroups": groups},
        "objectMappings": [
            mapping("users", "user", "User", hashes),
            mapping("inetOrgPersons", "inetOrgPerson", "User", hashes),
            mapping("groups", "group", "Group", false),
            mapping("contacts", "contact", "Contact", false),
        ],
    })
}

fn mapping(plural: &str, source: &str, target: &str, hashes: bool) -> Value {
    let mut attributes = vec![
        attribute("SourceAnchor", "objectGUID", 1),
        attribute("DisplayName", "displayName", 0),
    ];
    let mut clauses = Vec::new();
    if target == "User" {
        attributes.push(attribute("UserPrincipalName", "userPrincipalName", 2));
        attributes.push(attribute("Department", "department", 0));
        attributes.push(account_enabled());
        clauses.push(clause("IS FALSE", "isCriticalSystemObject", &[]));
        clauses.push(clause(
            "NOT REGEX MATCH",
            "mailNickname",
            &["^CAS_([^{]*){"],
        ));
    }
    if target == "Group" {
        attributes.push(attribute("Member", "member", 0));
    }
    if hashes {
        attributes.push(attribute("CredentialData", "PasswordHash", 0));
    }
    let groups = if clauses.is_empty() {
        json!([])
    } else {
        json!([{"name": "Default", "clauses": clauses}])
    };
    json!({
        "attributeMappings": attributes,
        "enabled": true,
        "flowTypes": "Add,Update,Delete",
        "metadata": [
            {"key": "EscrowBehavior", "value": "{\"ResetForRetry\":false}"},
            {"key": "DisableMonitoringForChanges", "value": "False"},
        ],
        "name": format!("Provision Active Directory {plural}"),
        "scope": {"categoryFilterGroups": [], "groups": groups, "inputFilterGroups": []},
        "sourceObjectName": source,
        "targetObjectName": target,
    })
}

fn clause(operator: &str, operand: &str, values: &[&str]) -> Value {
    json!({"operatorName": operator, "sourceOperandName": operand, "targetOperand": {"values": values}})
}

fn source(name: &str) -> Value {
    json!({"expression": format!("[{name}]"), "name": name, "type": "Attribute", "parameters": []})
}

fn attribute(target: &str, from: &str, matching: u32) -> Value {
    json!({
        "defaultValue": "",
        "exportMissingReferences": false,
        "flowBehavior": "FlowWhenChanged",
        "flowType": "Always",
        "matchingPriority": matching,
        "targetAttributeName": target,
        "source": source(from),
    })
}

fn account_enabled() -> Value {
    let mut value = attribute("AccountEnabled", "userAccountControl", 0);
    value["source"] = json!({
        "expression": "Not([userAccountControl])",
        "name": "Not",
        "type": "Function",
        "parameters": [{"key": "source", "value": source("userAccountControl")}],
    });
    value
}

fn directories(tenant: &TenantState) -> Value {
    let attribute = |name: &str, anchor: bool, kind: &str| {
        json!({
            "anchor": anchor,
            "apiExpressions": [],
            "caseExact": false,
            "defaultValue": null,
            "flowNullValues": false,
            "metadata": [],
            "multivalued": false,
            "mutability": if anchor { "ReadOnly" } else { "ReadWrite" },
            "name": name,
            "referencedObjects": [],
            "required": anchor,
            "type": kind,
        })
    };
    let object = |name: &str, list: &[(&str, bool, &str)]| {
        let attributes: Vec<Value> = list
            .iter()
            .map(|(name, anchor, kind)| attribute(name, *anchor, kind))
            .collect();
        json!({"name": name, "metadata": [], "supportedApis": [], "attributes": attributes})
    };
    let source = [
        ("objectGUID", true, "Binary"),
        ("userPrincipalName", false, "String"),
        ("displayName", false, "String"),
        ("department", false, "String"),
        ("userAccountControl", false, "Boolean"),
        ("PasswordHash", false, "Binary"),
    ];
    let target = [
        ("SourceAnchor", true, "String"),
        ("UserPrincipalName", false, "String"),
        ("DisplayName", false, "String"),
        ("Department", false, "String"),
        ("CredentialData", false, "Binary"),
    ];
    json!([
        {
            "id": tenant.seed.corner("system ad").guid(),
            "name": "Active Directory",
            "discoverabilities": "AttributeNames, AttributeDataTypes",
            "discoveryDateTime": times::seconds(tenant.origin_ms - 100 * 86_400_000),
            "readOnly": false,
            "version": null,
            "objects": [object("user", &source), object("inetOrgPerson", &source), object("group", &source[..3])],
        },
        {
            "id": tenant.seed.corner("system entra").guid(),
            "name": "Microsoft Entra ID",
            "discoverabilities": "AttributeNames",
            "discoveryDateTime": null,
            "readOnly": false,
            "version": null,
            "objects": [object("User", &target), object("Group", &target[..3]), object("Contact", &target[..3])],
        },
    ])
}
