use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};

use super::*;

/// A row of the provisioning log with `changes` on top.
fn row(changes: &Value) -> Value {
    let mut row = json!({
        "id": "71d8a2c4-5e0b-4f37-9a66-1c2f3b4d5e01", "activityDateTime": "2026-10-03T07:41:09Z",
        "jobId": "AD2AADProvisioning.0123456789abcdef0123456789abcdef.aa", "cycleId": "c-1", "changeId": "h-1",
        "durationInMilliseconds": 40, "provisioningAction": "update",
        "provisioningStatusInfo": {"status": "success", "errorInformation": null},
        "provisioningSteps": [{"name": "EntryImportUpdate", "details": {"a": "b"}}],
        "sourceIdentity": {"id": "s-1", "displayName": "", "details": {}}, "targetIdentity": {"id": "t-1"},
        "servicePrincipal": {"id": "sp-1", "displayName": "ad.linden.example"}
    });
    for (key, value) in changes.as_object().unwrap() {
        row[key] = value.clone();
    }
    row
}

fn page(rows: &[Value]) -> Vec<u8> {
    bytes(&json!({ "value": rows }))
}

#[test]
fn needed_fields_are_read_and_the_row_is_kept_as_it_came() {
    let failure = json!({"status": "failure", "errorInformation": {"errorCode": "DuplicateSourceEntries", "reason": "r", "errorCategory": "tomorrow"}});
    let body = page(&[row(&json!({"provisioningStatusInfo": failure}))]);
    let mut rows = provisioning::rows(&body).unwrap();
    let read = rows.next().unwrap().unwrap();
    assert_eq!(read.id, "71d8a2c4-5e0b-4f37-9a66-1c2f3b4d5e01");
    assert_eq!(read.occurred_at, at("2026-10-03T07:41:09Z"));
    assert_eq!(read.cycle_id.as_deref(), Some("c-1"));
    assert_eq!(read.status, ProvisioningStatus::Failure);
    assert_eq!(read.error_code.as_deref(), Some("DuplicateSourceEntries"));
    assert_eq!(read.object_id.as_deref(), Some("s-1"));
    assert_eq!(read.principal_id.as_deref(), Some("sp-1"));
    let kept: Value = serde_json::from_str(read.raw).unwrap();
    assert_eq!(kept["provisioningSteps"][0]["name"], "EntryImportUpdate");
}

#[test]
fn words_of_today_and_of_tomorrow_are_read() {
    use ProvisioningAction as A;
    use ProvisioningStatus as S;
    for (word, action) in [
        (json!("create"), A::Create),
        (json!("Update"), A::Update),
        (json!("delete"), A::Delete),
        (json!("disable"), A::Disable),
        (json!("stagedDelete"), A::StagedDelete),
        (json!("other"), A::Other),
        (json!("unknownFutureValue"), A::Other),
        (json!("hibernate"), A::Other),
        (json!(null), A::Other),
    ] {
        let body = page(&[row(&json!({ "provisioningAction": word }))]);
        assert_eq!(
            provisioning::rows(&body)
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .action,
            action
        );
    }
    for (word, status) in [
        (json!({"status": "success"}), S::Success),
        (json!({"status": "Skipped"}), S::Skipped),
        (
            json!({"status": "warning", "errorInformation": null}),
            S::Warning,
        ),
        (json!({"status": "perhaps"}), S::Unknown),
        (json!({"status": null}), S::Unknown),
        (json!(null), S::Unknown),
    ] {
        let body = page(&[row(&json!({ "provisioningStatusInfo": word }))]);
        assert_eq!(
            provisioning::rows(&body)
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .status,
            status
        );
    }
}

#[test]
fn absent_null_and_empty_are_the_same() {
    let nothing = json!({"jobId": null, "cycleId": "", "sourceIdentity": {"id": ""}, "servicePrincipal": null});
    let body = page(&[row(&nothing)]);
    let mut rows = provisioning::rows(&body).unwrap();
    let read = rows.next().unwrap().unwrap();
    assert_eq!(
        (read.job_id, read.cycle_id, read.principal_id),
        (None, None, None)
    );
    assert_eq!(
        read.object_id.as_deref(),
        Some("t-1"),
        "the target names the object where the source does not"
    );
    let listed = row(
        &json!({"servicePrincipal": [{"id": "sp-9"}, {"id": "sp-10"}], "sourceIdentity": null, "targetIdentity": null}),
    );
    let body = page(&[listed]);
    let mut rows = provisioning::rows(&body).unwrap();
    let read = rows.next().unwrap().unwrap();
    assert_eq!(read.principal_id.as_deref(), Some("sp-9"));
    assert_eq!(read.object_id, None);
}

#[test]
fn a_row_with_wrong_types_fails_and_names_itself() {
    for wrong in [
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": 5}),
        json!({"activityDateTime": null}),
        json!({"activityDateTime": "0001-01-01T00:00:00Z"}),
        json!({"activityDateTime": "last week"}),
        json!({"activityDateTime": 1_793_000_000}),
        json!({"jobId": {"id": 1}}),
        json!({"provisioningStatusInfo": "failure"}),
        json!({"provisioningStatusInfo": {"status": true}}),
        json!({"sourceIdentity": 7}),
    ] {
        let body = page(&[row(&json!({})), row(&wrong)]);
        let mut rows = provisioning::rows(&body).unwrap();
        let results: Vec<_> = rows.by_ref().collect();
        assert!(results[0].is_ok());
        let sentence = results[1].as_ref().unwrap_err().to_string();
        assert!(sentence.starts_with("row 2: "), "{wrong}: {sentence}");
    }
}

#[test]
fn what_is_not_needed_may_be_anything() {
    let odd = json!({"durationInMilliseconds": "long", "provisioningSteps": 5, "modifiedProperties": null, "initiatedBy": []});
    let body = page(&[row(&odd)]);
    assert!(provisioning::rows(&body).unwrap().all(|row| row.is_ok()));
    let huge = String::from_utf8(body)
        .unwrap()
        .replace("\"long\"", "1e999999");
    assert!(
        provisioning::rows(huge.as_bytes())
            .unwrap()
            .all(|row| row.is_ok())
    );
}

#[test]
fn an_empty_page_may_have_a_successor() {
    let body = bytes(&json!({"@odata.nextLink": "https://g/?$skiptoken=a_1", "value": []}));
    let mut rows = provisioning::rows(&body).unwrap();
    assert!(rows.next().is_none());
    assert_eq!(rows.next_link(), Some("https://g/?$skiptoken=a_1"));
}

#[test]
fn audits_tell_actor_target_and_kind() {
    let body = page(&[
        json!({"id": "Directory_1_ABCDE_2", "activityDateTime": "2026-10-03T07:41:09.123456Z", "category": "UserManagement",
            "activityDisplayName": "Update user", "operationType": "Update", "result": "success",
            "initiatedBy": {"user": {"id": "u", "displayName": null, "userPrincipalName": "Sync_LND1_aabbccddeeff@linden.onmicrosoft.example"}, "app": null},
            "targetResources": [{"id": "o-1", "type": "User", "modifiedProperties": [{"newValue": "[true]"}]}]}),
        json!({"id": "Sync_2", "activityDateTime": "2026-10-03T07:41:10Z", "operationType": "", "result": "timeout",
            "initiatedBy": {"user": null, "app": {"appId": null, "displayName": "sync-east", "servicePrincipalId": "DD44"}},
            "targetResources": []}),
        json!({"id": "Sync_3", "activityDateTime": "2026-10-03T07:41:11Z", "initiatedBy": {"user": null, "app": null}, "targetResources": null}),
        json!({"id": "Sync_4", "activityDateTime": "2026-10-03T07:41:12Z", "initiatedBy": null}),
    ]);
    let rows = audits::rows(&body).unwrap();
    let read: Vec<_> = rows.iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(
        (read[0].action, read[0].status),
        (ProvisioningAction::Update, ProvisioningStatus::Success)
    );
    assert_eq!(read[0].activity, "Update user");
    assert_eq!(read[0].category, "UserManagement");
    assert_eq!(read[0].target_id.as_deref(), Some("o-1"));
    assert!(
        read[0]
            .actor
            .user_principal_name
            .as_deref()
            .unwrap()
            .starts_with("Sync_LND1")
    );
    assert!(read[0].raw.contains("modifiedProperties"));
    assert_eq!(read[1].actor.app_name.as_deref(), Some("sync-east"));
    assert_eq!(read[1].actor.principal_id.as_deref(), Some("DD44"));
    assert_eq!(
        (read[1].action, read[1].status),
        (ProvisioningAction::Other, ProvisioningStatus::Unknown)
    );
    assert_eq!(
        (&read[2].actor, &read[3].actor),
        (&Default::default(), &Default::default())
    );
    assert_eq!(rows.next_link(), None);
}
