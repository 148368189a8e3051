use std::collections::{BTreeMap, BTreeSet};

use syncwatch_domain::object::{Life, ObjectChange, Told};
use syncwatch_domain::owner::ObjectType;

use super::*;
use crate::parse::objects::{DeltaPage, delta, held, select};

const NEXT: &str = "https://graph.linden.example/v1.0/users/delta?$skiptoken=a";

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn page(rows: &[Value]) -> DeltaPage {
    let body = json!({"value": rows, "@odata.nextLink": NEXT});
    let asked = names(&[
        "displayname",
        "mailnickname",
        "extensionattribute1",
        "extensionattribute2",
        "extensionattribute3",
        "employeeid",
    ]);
    delta(&bytes(&body), ObjectType::User, &asked).unwrap()
}

fn only(row: &Value) -> ObjectChange {
    page(std::slice::from_ref(row)).changes.remove(0)
}

#[test]
fn what_is_absent_is_not_told_and_null_is_nothing() {
    let whole = only(&json!({
        "id": "D3E4F5A6-0001-4b7c-8d9e-aabbccddee01", "displayName": "Nora",
        "onPremisesDistinguishedName": "CN=Nora,OU=Staff,DC=linden", "onPremisesSyncEnabled": true,
        "onPremisesImmutableId": "4AQlP4lP00GaDAMF6CwzAQ==", "onPremisesDomainName": "linden.example",
        "onPremisesSecurityIdentifier": "S-1-5-21-1", "mailNickname": null, "department": "not asked for",
        "onPremisesExtensionAttributes": {"extensionAttribute1": "cloud", "extensionAttribute2": null},
        "employeeId": 42, "somethingOfTomorrow": {"a": 1}
    }));
    assert_eq!(whole.id, "d3e4f5a6-0001-4b7c-8d9e-aabbccddee01");
    assert_eq!(whole.life, Life::Present);
    let dn = "CN=Nora,OU=Staff,DC=linden".to_owned();
    assert_eq!(whole.facts.dn, Told::Value(Some(dn)));
    assert_eq!(whole.facts.synced, Told::Value(Some(true)));
    let expected: BTreeMap<String, Vec<String>> = [
        ("displayname", vec!["Nora"]),
        ("mailnickname", vec![]),
        ("extensionattribute1", vec!["cloud"]),
        ("extensionattribute2", vec![]),
        ("extensionattribute3", vec![]),
        ("employeeid", vec!["42"]),
    ]
    .into_iter()
    .map(|(name, values)| {
        (
            name.to_owned(),
            values.into_iter().map(str::to_owned).collect(),
        )
    })
    .collect();
    assert_eq!(whole.facts.attributes, expected);

    let part =
        only(&json!({"id": "a", "onPremisesSyncEnabled": null, "onPremisesDistinguishedName": ""}));
    assert_eq!(part.facts.synced, Told::Value(None));
    assert_eq!(part.facts.dn, Told::Value(None));
    assert_eq!(part.facts.sid, Told::Nothing);
    assert_eq!(part.facts.attributes, BTreeMap::new());
    let without = only(&json!({"id": "a", "onPremisesExtensionAttributes": null}));
    assert_eq!(without.facts.attributes.len(), 3);
}

#[test]
fn removed_objects_may_come_back_or_not() {
    for (removed, life) in [
        (json!({"reason": "changed"}), Life::Deleted),
        (json!({"reason": "Deleted"}), Life::Gone),
        (json!({"reason": "evaporated"}), Life::Deleted),
        (json!({}), Life::Deleted),
    ] {
        let row = json!({"id": "a", "@removed": removed});
        assert_eq!(only(&row).life, life, "{row}");
    }
}

#[test]
fn a_page_leads_on_or_ends_the_round() {
    assert_eq!(page(&[]).next_link.as_deref(), Some(NEXT));
    let last = json!({"value": [], "@odata.deltaLink": "https://x/delta?$deltatoken=b"});
    let last = delta(&bytes(&last), ObjectType::Group, &names(&[])).unwrap();
    assert_eq!((last.next_link, last.delta_link.is_some()), (None, true));
    for (body, part) in [
        (json!({"value": []}), "leads neither"),
        (
            json!({"value": [], "@odata.deltaLink": ""}),
            "leads neither",
        ),
        (
            json!({"value": [{"displayName": "x"}], "@odata.nextLink": NEXT}),
            "no id",
        ),
        (
            json!({"value": [{"id": "a"}, {"id": ""}], "@odata.nextLink": NEXT}),
            "row 2",
        ),
        (
            json!({"value": [{"id": "a", "onPremisesSyncEnabled": "yes"}], "@odata.nextLink": NEXT}),
            "row 1",
        ),
    ] {
        let error = delta(&bytes(&body), ObjectType::User, &names(&[])).unwrap_err();
        assert!(error.to_string().contains(part), "{body}: {error}");
    }
}

#[test]
fn only_what_owners_need_and_scopes_mention_is_asked_for() {
    let held = |kind, mentioned: &[&str]| -> BTreeSet<String> {
        mentioned
            .iter()
            .filter_map(|name| held(kind, name))
            .collect()
    };
    let none = select(ObjectType::User, &held(ObjectType::User, &[]));
    assert!(none.contains("onPremisesDistinguishedName") && !none.contains("mail"));
    let mentioned = [
        "mailNickname",
        "extensionAttribute7",
        "nonsense",
        "extensionAttribute16",
        "extensionAttribute",
        "isCriticalSystemObject",
    ];
    let some = held(ObjectType::User, &mentioned);
    assert_eq!(some, names(&["extensionattribute7", "mailnickname"]));
    assert_eq!(
        select(ObjectType::User, &some),
        "mailNickname,onPremisesDistinguishedName,onPremisesDomainName,onPremisesExtensionAttributes,\
         onPremisesImmutableId,onPremisesSecurityIdentifier,onPremisesSyncEnabled"
    );
    let groups = select(ObjectType::Group, &held(ObjectType::Group, &mentioned));
    assert!(
        !groups.contains("DistinguishedName") && !groups.contains("mail"),
        "{groups}"
    );
}
