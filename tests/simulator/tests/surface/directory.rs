//! Users, groups, delta, organization, permissions and the smaller endpoints.

use std::collections::HashSet;

use serde_json::{Value, json};
use syncwatch_simulator::{Action, Story};

use crate::setup::{STORY, Setup};

const DAY: i64 = 86_400_000;

async fn narrow_token(setup: &Setup) -> String {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "2c9a5d10-7e34-4b8f-a6c1-0d5f83e2b974"),
        ("client_secret", "narrow"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let (_, body) = setup.grant(&fields).await;
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_path_refuses_in_its_own_words() {
    let setup = Setup::start().await;
    let token = narrow_token(&setup).await;
    for (path, code) in [
        ("/v1.0/users", "Authorization_RequestDenied"),
        ("/v1.0/groups/delta", "Authorization_RequestDenied"),
        ("/v1.0/servicePrincipals", "Authorization_RequestDenied"),
        (
            "/v1.0/servicePrincipals/x/synchronization/jobs",
            "Authorization_RequestDenied",
        ),
        (
            "/v1.0/auditLogs/provisioning",
            "Authentication_MSGraphPermissionMissing",
        ),
        (
            "/v1.0/auditLogs/directoryAudits",
            "Authentication_MSGraphPermissionMissing",
        ),
        (
            "/v1.0/directory/onPremisesSynchronization",
            "Authorization_RequestDenied",
        ),
        (
            "/beta/onPremisesPublishingProfiles/provisioning/agents",
            "NotAdminRoleNoEnoughCustomPermission_UnauthorizedAccess",
        ),
        (
            "/v1.0/admin/serviceAnnouncement/issues",
            "Authorization_RequestDenied",
        ),
    ] {
        assert_eq!(
            setup.error(&token, path).await,
            (403, code.to_owned()),
            "{path}"
        );
    }
    setup.json(&token, "/v1.0/organization").await;
    let full = setup.token().await;
    setup.apply(&Action::PremiumOff {
        tenant: "big".to_owned(),
    });
    let refused = setup.error(&full, "/v1.0/auditLogs/provisioning").await;
    assert_eq!(
        refused,
        (
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant".to_owned()
        )
    );
    for path in ["/v1.0/applications/x/y", "/v2.0/users", "/v1.0/me"] {
        assert_eq!(setup.error(&full, path).await.0, 400, "{path}");
    }
    setup.stop().await;
}

#[tokio::test]
async fn advanced_queries_need_the_header_on_every_page() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let path =
        "/v1.0/users?$filter=onPremisesSyncEnabled%20eq%20true&$count=true&$top=300&$select=id";
    let body = setup.json(&token, path).await;
    let count = body["@odata.count"].as_u64().unwrap();
    let link = body["@odata.nextLink"].as_str().unwrap();
    assert!(
        setup.json(&token, link).await.get("@odata.count").is_none(),
        "only the first page counts"
    );
    for url in [
        link.to_owned(),
        format!("{}{path}", setup.running.graph_url("big")),
    ] {
        let bare = setup
            .client
            .get(&url)
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        let body: Value = bare.json().await.unwrap();
        assert_eq!(body["error"]["code"], "Request_UnsupportedQuery", "{url}");
    }
    let users = setup.all(&token, path).await;
    assert_eq!(users.len() as u64, count);
    assert!(
        users
            .iter()
            .all(|user| user.as_object().unwrap().len() == 1),
        "only what was selected"
    );
    let url = format!(
        "{}/v1.0/users/$count?$filter=onPremisesSyncEnabled%20eq%20true",
        setup.running.graph_url("big")
    );
    let counted = setup
        .client
        .get(url)
        .bearer_auth(&token)
        .header("ConsistencyLevel", "eventual")
        .send()
        .await
        .unwrap();
    assert_eq!(counted.headers()["content-type"], "text/plain");
    assert_eq!(counted.text().await.unwrap(), count.to_string());
    assert_eq!(
        setup
            .error(
                &token,
                "/v1.0/users?$filter=lastPasswordChangeDateTime%20ge%202026-01-01T00:00:00Z"
            )
            .await
            .0,
        400
    );
    assert_eq!(setup.error(&token, "/v1.0/users?$top=1000").await.0, 400);
    setup.stop().await;
}

#[tokio::test]
async fn delta_rounds_tell_changes_and_both_kinds_of_removal() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let latest = setup
        .json(
            &token,
            "/v1.0/users/delta?$deltatoken=latest&$select=displayName,onPremisesLastSyncDateTime",
        )
        .await;
    assert_eq!(latest["value"], json!([]));
    let link = latest["@odata.deltaLink"].as_str().unwrap().to_owned();
    setup.apply(&Action::DeleteUsers {
        tenant: "big".to_owned(),
        count: 2,
        hard: false,
    });
    setup.clock.advance(1);
    setup.apply(&Action::DeleteUsers {
        tenant: "big".to_owned(),
        count: 1,
        hard: true,
    });
    setup.clock.advance(30 * 60_000);
    let mut rows = Vec::new();
    let mut next = link.clone();
    let end = loop {
        let body = setup.json(&token, &next).await;
        rows.extend(body["value"].as_array().unwrap().iter().cloned());
        match body["@odata.nextLink"].as_str() {
            Some(more) => next = more.to_owned(),
            None => break body["@odata.deltaLink"].as_str().unwrap().to_owned(),
        }
    };
    let ids = |reason: &str| -> HashSet<String> {
        rows.iter()
            .filter(|row| row["@removed"]["reason"] == reason)
            .map(|row| row["id"].to_string())
            .collect()
    };
    assert_eq!((ids("changed").len(), ids("deleted").len()), (2, 1));
    let changed: Vec<&Value> = rows
        .iter()
        .filter(|row| row.get("@removed").is_none())
        .collect();
    assert!(
        !changed.is_empty()
            && changed
                .iter()
                .all(|row| row.get("onPremisesLastSyncDateTime").is_some())
    );
    let deleted = setup
        .json(&token, "/v1.0/directory/deletedItems/microsoft.graph.user")
        .await;
    assert_eq!(deleted["value"].as_array().unwrap().len(), 2);
    setup.clock.advance(7 * DAY);
    let fresh = setup.token().await;
    let gone = setup.get(&fresh, &end).await;
    assert_eq!(gone.status(), 410);
    let restart = gone.headers()["location"].to_str().unwrap().to_owned();
    assert!(
        restart.starts_with(&setup.running.graph_url("big")),
        "{restart}"
    );
    setup.apply(&Action::ExpireDeltaTokens {
        tenant: "big".to_owned(),
        unknown: true,
    });
    assert_eq!(
        setup.error(&fresh, &end).await,
        (404, "syncStateNotFound".to_owned())
    );
    assert_eq!(setup.error(&fresh, "/v1.0/users/delta?$top=5").await.0, 400);
    setup.stop().await;
}

/// Every row of a round, and the link to the next round.
async fn round(setup: &Setup, token: &str, link: &str) -> (Vec<Value>, String) {
    let mut rows = Vec::new();
    let mut next = link.to_owned();
    loop {
        let body = setup.json(token, &next).await;
        rows.extend(body["value"].as_array().unwrap().iter().cloned());
        match body["@odata.nextLink"].as_str() {
            Some(more) => more.clone_into(&mut next),
            None => return (rows, body["@odata.deltaLink"].as_str().unwrap().to_owned()),
        }
    }
}

#[tokio::test]
async fn a_round_tells_parts_of_what_was_told_before_and_the_whole_of_what_is_new() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let select = "displayName,onPremisesDistinguishedName,onPremisesSyncEnabled,jobTitle";
    let (first, link) = round(
        &setup,
        &token,
        &format!("/v1.0/users/delta?$select={select}"),
    )
    .await;
    assert!(first.iter().all(|row| row.get("jobTitle").is_none()));
    let dns: HashSet<&str> = first
        .iter()
        .filter_map(|row| row["onPremisesDistinguishedName"].as_str())
        .collect();
    let synced = setup.running.users("big");
    let synced: HashSet<&str> = synced.values().filter_map(Option::as_deref).collect();
    assert!(synced.is_subset(&dns), "all are told");
    assert!(first.len() > setup.running.users("big").len(), "some twice");

    let tenant = || "big".to_owned();
    let count = 40;
    for action in [
        Action::MoveUsers {
            tenant: tenant(),
            count,
        },
        Action::HireUsers {
            tenant: tenant(),
            count,
        },
        Action::CloudManage {
            tenant: tenant(),
            count,
        },
        Action::DeleteUsers {
            tenant: tenant(),
            count,
            hard: false,
        },
        Action::RestoreUsers {
            tenant: tenant(),
            count: count / 2,
        },
    ] {
        setup.apply(&action);
    }
    let before: HashSet<&str> = first.iter().filter_map(|row| row["id"].as_str()).collect();
    let (rows, _) = round(&setup, &token, &link).await;
    let there: Vec<&Value> = rows
        .iter()
        .filter(|row| row.get("@removed").is_none())
        .collect();
    let (parts, whole): (Vec<&Value>, Vec<&Value>) = there
        .into_iter()
        .partition(|row| row.get("displayName").is_none());
    assert!(
        parts.len() > 10 && whole.len() > 40,
        "{} and {}",
        parts.len(),
        whole.len()
    );
    let whole: HashSet<&str> = whole.iter().filter_map(|row| row["id"].as_str()).collect();
    let known = |row: &&Value| {
        let id = row["id"].as_str().unwrap();
        before.contains(id) || whole.contains(id)
    };
    assert!(parts.iter().all(known));
    let told = |field: &str| parts.iter().filter(|row| row.get(field).is_some()).count();
    assert!(told("onPremisesDistinguishedName") > told("onPremisesSyncEnabled"));
    assert!(
        parts
            .iter()
            .any(|row| row["onPremisesSyncEnabled"].is_null())
    );
    let ids: HashSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert!(ids.len() < rows.len(), "some come twice");
    setup.stop().await;
}

#[tokio::test]
async fn members_of_a_group_come_in_pages_without_those_in_the_bin() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let groups = setup
        .json(&token, "/v1.0/groups/delta?$select=members")
        .await;
    let groups = groups["value"].as_array().unwrap();
    let size = |group: &&Value| group["members@delta"].as_array().map_or(0, Vec::len);
    let largest = groups.iter().max_by_key(size).unwrap();
    let path = format!("/v1.0/groups/{}/members", largest["id"].as_str().unwrap());
    let mut next = format!("{path}?$select=id&$top=3");
    let mut ids = HashSet::new();
    loop {
        let body = setup.json(&token, &next).await;
        let rows = body["value"].as_array().unwrap();
        assert!(rows.len() <= 3);
        ids.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        match body["@odata.nextLink"].as_str() {
            Some(link) => link.clone_into(&mut next),
            None => break,
        }
    }
    let told = largest["members@delta"].as_array().unwrap().iter();
    let told: HashSet<String> = told
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, told);
    let (status, _) = setup.error(&token, "/v1.0/groups/nobody/members").await;
    assert_eq!(status, 404);
    setup.stop().await;
}

#[tokio::test]
async fn either_engine_keeps_the_tenant_wide_time_fresh() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let path = "/beta/organization?$select=id,onPremisesLastSyncDateTime,onPremisesLastPasswordSyncDateTime";
    let before = setup.json(&token, path).await;
    setup.apply(&Action::ConnectStop {
        tenant: "big".to_owned(),
    });
    setup.clock.advance(20 * 60_000);
    let after = setup.json(&token, path).await;
    let time = |body: &Value| {
        body["value"][0]["onPremisesLastSyncDateTime"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(
        time(&after) > time(&before),
        "cloud sync hides that connect is dead"
    );
    let v1 = setup.json(&token, "/v1.0/organization").await;
    assert!(
        v1["value"][0]
            .get("onPremisesLastPasswordSyncDateTime")
            .is_none(),
        "beta only"
    );
    setup.stop().await;
}

#[tokio::test]
async fn credentials_of_applications_have_an_end() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let body = setup
        .json(
            &token,
            "/v1.0/applications?$filter=appId%20eq%20'8d1c0f3e-2a6b-4f57-b0d9-41c7e95a6b02'",
        )
        .await;
    let secret = &body["value"][0]["passwordCredentials"][0];
    assert_eq!(
        (
            &secret["endDateTime"],
            &secret["hint"],
            &secret["secretText"]
        ),
        (&"2026-10-14T06:00:00Z".into(), &"tes".into(), &Value::Null)
    );
    let all = setup.json(&token, "/v1.0/applications").await;
    let connect = all["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|app| {
            app["displayName"]
                .as_str()
                .unwrap()
                .starts_with("ConnectSync")
        })
        .unwrap();
    assert_eq!(
        connect["keyCredentials"][0]["endDateTime"],
        "2026-10-04T06:00:00Z"
    );
    setup.stop().await;
}

#[tokio::test]
async fn agents_fade_slowly_and_only_where_applications_may_look() {
    let mut story = Story::parse(STORY).unwrap();
    story.settings.agents_for_apps = true;
    story.tenants[0].clients[0]
        .roles
        .push("OnPremisesPublishingProfiles.ReadWrite.All".to_owned());
    let setup = Setup::with(story).await;
    let token = setup.token().await;
    let path = "/beta/onPremisesPublishingProfiles/provisioning/agents?$expand=agentGroups";
    setup.apply(&Action::AgentDown {
        tenant: "big".to_owned(),
        machine: "NW-AGENT01.werke.example".to_owned(),
    });
    setup.clock.advance(59 * 60_000);
    let early = setup.json(&token, path).await;
    assert_eq!(
        early["value"][0]["status"], "active",
        "an hour has not passed"
    );
    assert_eq!(
        early["value"][0]["agentGroups"].as_array().unwrap().len(),
        2
    );
    setup.clock.advance(2 * 60_000);
    let fresh = setup.token().await;
    assert_eq!(
        setup.json(&fresh, path).await["value"][0]["status"],
        "inactive"
    );
    setup.clock.advance(10 * DAY);
    let fresh = setup.token().await;
    assert_eq!(setup.json(&fresh, path).await["value"], json!([]));
    setup.stop().await;
}

#[tokio::test]
async fn mail_through_graph_is_accepted_or_refused() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let url = format!(
        "{}/v1.0/users/watch@nordwall.example/sendMail",
        setup.running.graph_url("big")
    );
    let mut message = json!({"message": {"subject": "s", "toRecipients": [{"emailAddress": {"address": "noc@nordwall.example"}}],
        "internetMessageHeaders": [{"name": "x-alert-id", "value": "1"}]}});
    let send = |body: Value| {
        setup
            .client
            .post(&url)
            .bearer_auth(&token)
            .json(&body)
            .send()
    };
    assert_eq!(send(message.clone()).await.unwrap().status(), 202);
    message["message"]["internetMessageHeaders"][0]["name"] = json!("alert-id");
    assert_eq!(send(message).await.unwrap().status(), 400);
    setup.stop().await;
}
