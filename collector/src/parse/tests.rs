//! Tables of answers as Graph sends them and as it should not. Invented tenant: linden.example.

#![expect(clippy::unwrap_used, reason = "tests")]

mod job_table;
mod log_table;
mod object_table;
mod schema_table;

use std::borrow::Cow;

use serde_json::{Value, json};
use syncwatch_domain::time::Timestamp;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// What is wrong with an answer, for every reader that takes pages.
fn refusals(body: &[u8]) -> Vec<String> {
    [
        provisioning::rows(body)
            .and_then(|rows| rows.collect::<Result<Vec<_>, _>>().map(drop))
            .err(),
        audits::rows(body)
            .and_then(|rows| rows.iter().collect::<Result<Vec<_>, _>>().map(drop))
            .err(),
        jobs::jobs(body).err(),
        principals::principals(body).err(),
        principals::holders(body, "r").err(),
        organization::organization(body).err(),
        agents::agents(body).err(),
        credentials::credentials(body).err(),
    ]
    .into_iter()
    .map(|error| error.map(|error| error.to_string()).unwrap_or_default())
    .collect()
}

#[test]
fn answers_that_are_no_page_are_refused_with_a_sentence_by_every_reader() {
    let utf16: Vec<u8> = "{\"value\":[]}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (body, part) in [
        (&b""[..], "empty"),
        (b"  \n", "empty"),
        (
            b"<!DOCTYPE html><html><body>Sign in to the proxy</body></html>",
            "HTML",
        ),
        (b"{\"value\": [{\"id\": \"a\"", "cut off"),
        (b"{\"value\": [", "cut off"),
        (b"{}", "value"),
        (b"[]", ""),
        (b"null", ""),
        (b"7", ""),
        (b"{\"value\": {}}", "sequence"),
        (b"{\"value\": \"x\"}", "sequence"),
        (b"{\"value\": null}", ""),
        (b"{\"value\": [], \"@odata.nextLink\": 5}", "text"),
        (b"{\"value\": [5]}", "row 1"),
        (b"{\"value\": [[\"a\", \"2026-10-03T07:41:09Z\"]]}", "row 1"),
        (b"{\"value\": [{\"id\": \xff}]}", "UTF-8"),
        (&utf16, "UTF-8"),
        (b"{\"value\": []} trailing", "trailing"),
        (b"{\"error\": {\"code\": \"x\"}}", "value"),
    ] {
        for sentence in refusals(body) {
            assert!(
                !sentence.is_empty() && sentence.contains(part),
                "{:?}: {sentence:?}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    let page = b"\xef\xbb\xbf{\"value\": []}";
    assert_eq!(provisioning::rows(page).unwrap().count(), 0);
}

#[test]
fn service_principals_are_read_in_both_shapes() {
    let page = json!({
        "@odata.context": "x", "@odata.count": 2, "@odata.nextLink": "https://g/next",
        "value": [
            {"id": "AA11", "displayName": "ad.linden.example", "accountEnabled": true, "tags": [],
             "applicationTemplateId": "1a4721b3-e57f-4451-ae87-ef078703ec94", "newField": {"a": [1]}},
            {"id": "bb22", "displayName": null, "appDisplayName": "Legacy shape", "accountEnabled": null,
             "applicationTemplateId": null, "homepage": "https://x/?metadata=AD2AADProvisioning"},
            {"id": "cc33"}
        ]
    });
    let page = principals::principals(&bytes(&page)).unwrap();
    assert_eq!(page.next_link.as_deref(), Some("https://g/next"));
    let read: Vec<_> = page
        .items
        .iter()
        .map(|p| (p.id.as_str(), p.name.as_str(), p.enabled))
        .collect();
    assert_eq!(
        read,
        [
            ("aa11", "ad.linden.example", Some(true)),
            ("bb22", "Legacy shape", None),
            ("cc33", "", None)
        ]
    );
    let nameless = json!({"value": [{"id": "aa11"}, {"id": "", "displayName": "x"}]});
    let error = principals::principals(&bytes(&nameless)).unwrap_err();
    assert_eq!(error.to_string(), "row 2: the row has no id");
}

#[test]
fn holders_of_the_connect_role_are_found() {
    let page = json!({"value": [
        {"appRoleId": "AB43B826-2c7a-4aff-9ecd-d0629d0ca6a9", "principalId": "DD44", "principalDisplayName": "sync-east", "deletedDateTime": null},
        {"appRoleId": "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9", "principalId": "ee55", "deletedDateTime": "2026-10-01T00:00:00Z"},
        {"appRoleId": "00000000-0000-0000-0000-000000000000", "principalId": "ff66"},
        {"principalId": "ff77"}
    ]});
    let page = principals::holders(&bytes(&page), "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9").unwrap();
    let read: Vec<_> = page
        .items
        .iter()
        .map(|h| (h.principal_id.as_str(), h.name.as_str()))
        .collect();
    assert_eq!(read, [("dd44", "sync-east")]);
}

#[test]
fn an_organization_says_never_in_many_ways() {
    for (value, expected) in [
        (json!("2026-10-03T07:41:09Z"), Some("2026-10-03T07:41:09Z")),
        (
            json!("2026-10-03T07:41:09.5Z"),
            Some("2026-10-03T07:41:09.5Z"),
        ),
        (
            json!("2026-10-03T07:41:09.9301252Z"),
            Some("2026-10-03T07:41:09.930Z"),
        ),
        (json!(null), None),
        (json!(""), None),
        (json!("0001-01-01T00:00:00Z"), None),
        (json!("1601-01-01T00:00:00Z"), None),
    ] {
        let page = json!({"value": [{
            "id": "t", "displayName": "Linden", "onPremisesSyncEnabled": true, "onPremisesSyncStatus": [],
            "onPremisesLastSyncDateTime": value, "onPremisesLastPasswordSyncDateTime": value,
            "verifiedDomains": [{"name": "linden.example", "isInitial": false}, {"name": "linden.onmicrosoft.example", "isInitial": true}]
        }]});
        let read = organization::organization(&bytes(&page)).unwrap();
        assert_eq!(read.last_sync_at, expected.map(at), "{value}");
        assert_eq!(read.last_password_sync_at, expected.map(at), "{value}");
        assert_eq!(
            read.initial_domain.as_deref(),
            Some("linden.onmicrosoft.example")
        );
    }
    let cloud_only = json!({"value": [{"id": "t", "onPremisesSyncEnabled": null, "onPremisesLastSyncDateTime": null}]});
    let read = organization::organization(&bytes(&cloud_only)).unwrap();
    assert_eq!((read.sync_enabled, read.last_sync_at), (None, None));
    for wrong in [
        json!("yesterday"),
        json!(5),
        json!({}),
        json!("2026-13-01T00:00:00Z"),
    ] {
        let page = json!({"value": [{"onPremisesLastSyncDateTime": wrong}]});
        assert!(organization::organization(&bytes(&page)).is_err(), "{page}");
    }
}

#[test]
fn agents_keep_states_of_tomorrow() {
    let page = json!({"value": [
        {"id": "a1", "machineName": "csa1.linden.example", "status": "Active", "externalIp": "198.51.100.7",
         "supportedPublishingTypes": ["provisioning", "privateAccess"], "agentGroups": [{"id": "g", "displayName": "Default"}, {}]},
        {"id": "a2", "status": "resting", "agentGroups": null}
    ]});
    let read = agents::agents(&bytes(&page)).unwrap().items;
    assert_eq!(
        (read[0].status.as_str(), read[0].groups.as_slice()),
        ("active", &["Default".to_owned()][..])
    );
    assert_eq!(
        (read[1].status.as_str(), read[1].machine.as_str()),
        ("resting", "")
    );
}

#[test]
fn credentials_of_both_kinds_are_listed() {
    let page = json!({"value": [{"id": "x", "appId": "y",
        "keyCredentials": [{"keyId": "k1", "displayName": "CN=watch", "endDateTime": "2027-01-31T10:00:00Z", "key": null}],
        "passwordCredentials": [{"keyId": "k2", "displayName": null, "endDateTime": "2026-12-24T00:00:00Z", "secretText": null}, {"keyId": null}]
    }]});
    let read = credentials::credentials(&bytes(&page)).unwrap().unwrap();
    let read: Vec<_> = read
        .iter()
        .map(|c| (c.key_id.as_str(), c.kind.as_str(), c.ends_at))
        .collect();
    assert_eq!(
        read,
        [
            ("k1", "certificate", Some(at("2027-01-31T10:00:00Z"))),
            ("k2", "secret", Some(at("2026-12-24T00:00:00Z")))
        ]
    );
    assert_eq!(credentials::credentials(b"{\"value\": []}").unwrap(), None);
}

#[test]
fn texts_without_escapes_are_borrowed_also_where_they_are_optional() {
    let page = bytes(&json!({"value": [
        {"id": "plain", "activityDateTime": "2026-10-03T07:41:09Z", "jobId": "a.b.c"},
        {"id": "with \"escapes\"", "activityDateTime": "2026-10-03T07:41:09Z", "jobId": "a\nb"}
    ]}));
    let page = provisioning::rows(&page).unwrap();
    let rows: Vec<_> = page.collect::<Result<_, _>>().unwrap();
    assert!(matches!(
        (&rows[0].id, &rows[0].job_id),
        (Cow::Borrowed("plain"), Some(Cow::Borrowed("a.b.c")))
    ));
    assert_eq!(rows[1].id, "with \"escapes\"");
}
