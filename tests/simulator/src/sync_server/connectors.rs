//! Connectors with their partitions and container filters.

use serde_json::{Value, json};

use super::at::{At, CLOUD_CONNECTOR};
use super::forms::Forms;
use super::model::{ConnectSync, Domain, Forest};

const CLASSES: [&str; 5] = [
    "contact",
    "group",
    "inetOrgPerson",
    "organizationalUnit",
    "user",
];

/// One row per connector, that to Entra ID last.
pub(super) fn rows(at: &At<'_>, forms: Forms, connect: &ConnectSync) -> Vec<Value> {
    let forests = connect.forests.iter();
    let mut rows: Vec<_> = forests.map(|forest| of_forest(at, forms, forest)).collect();
    rows.push(of_cloud(at, forms, connect));
    rows
}

fn of_forest(at: &At<'_>, forms: Forms, forest: &Forest) -> Value {
    let domains = forest.domains.iter();
    let mut partitions: Vec<_> = domains.map(|domain| of_domain(at, forms, domain)).collect();
    // Every forest has it, and nobody synchronises it.
    let root = forest.domains.first().map(Domain::dn).unwrap_or_default();
    partitions.push(partition(
        at,
        forms,
        &format!("CN=Configuration,{root}"),
        json!({ "Selected": false, "IsDomain": false, "PreferredDCs": [] }),
        (&[], &[]),
    ));
    json!({
        "Name": forest.name,
        "Identifier": at.connector_id(forest),
        "Type": "AD",
        "Subtype": "",
        "ConnectorTypeName": "AD",
        "Version": 41,
        "CreationTime": forms.reading(at.first() - 86_400_000),
        "LastModificationTime": forms.reading(at.first()),
        "ObjectInclusionList": CLASSES,
        "AttributeInclusionList": ["displayName", "mail", "objectGUID", "userPrincipalName"],
        "Partitions": partitions,
    })
}

fn of_domain(at: &At<'_>, forms: Forms, domain: &Domain) -> Value {
    let dn = domain.dn();
    let all = [dn.clone()];
    let included: &[String] = if domain.included.is_empty() {
        &all
    } else {
        &domain.included
    };
    let name = &domain.name;
    partition(
        at,
        forms,
        &dn,
        json!({ "Name": name, "Selected": true, "IsDomain": true, "PreferredDCs": [format!("dc01.{name}")] }),
        (included, &domain.excluded),
    )
}

fn partition(
    at: &At<'_>,
    forms: Forms,
    dn: &str,
    own: Value,
    (included, excluded): (&[String], &[String]),
) -> Value {
    let mut row = json!({
        "Identifier": at.chance("partition").corner(dn).guid(),
        "DN": dn,
        "Name": dn,
        "Version": 7,
        "CreationTime": forms.reading(at.first() - 86_400_000),
        "LastModificationTime": forms.reading(at.first()),
        "ConnectorPartitionScope": {
            "IsDefault": false,
            "ObjectClasses": CLASSES,
            "ContainerInclusionList": included,
            "ContainerExclusionList": excluded,
        },
    });
    if let (Some(row), Value::Object(own)) = (row.as_object_mut(), own) {
        row.extend(own);
    }
    row
}

fn of_cloud(at: &At<'_>, forms: Forms, connect: &ConnectSync) -> Value {
    let own = json!({ "Selected": true, "IsDomain": false, "PreferredDCs": [] });
    json!({
        "Name": connect.cloud_connector(),
        "Identifier": CLOUD_CONNECTOR,
        "Type": "Extensible2",
        "Subtype": "Windows Azure Active Directory (Microsoft)",
        "ConnectorTypeName": "Extensible2",
        "Version": 12,
        "CreationTime": forms.reading(at.first() - 86_400_000),
        "LastModificationTime": forms.reading(at.first()),
        "ObjectInclusionList": CLASSES,
        "AttributeInclusionList": ["displayName", "mail", "sourceAnchor", "userPrincipalName"],
        "Partitions": [partition(at, forms, "default", own, (&[], &[]))],
    })
}
