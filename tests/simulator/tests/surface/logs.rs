//! Both logs over HTTP: late, twice, out of order, in pages that end.

use std::collections::HashSet;

use serde_json::Value;
use syncwatch_simulator::story::BulkRows;
use syncwatch_simulator::{Action, JobRef, Span, Story};

use crate::setup::{STORY, Setup};

const MINUTE: i64 = 60_000;

fn window(from: &str, to: &str) -> String {
    format!(
        "/v1.0/auditLogs/provisioning?$filter=activityDateTime%20gt%20{from}%20and%20activityDateTime%20lt%20{to}"
    )
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn rows_come_late_and_twice_and_none_is_lost() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let first_hour = window("2026-09-14T06:00:00Z", "2026-09-14T07:00:00Z");
    setup.clock.advance(58 * MINUTE);
    let early = ids(&setup.all(&token, &first_hour).await);
    setup.clock.advance(MINUTE);
    let fresh = setup.token().await;
    let again = ids(&setup.all(&fresh, &first_hour).await);
    assert!(again.len() > early.len(), "rows become visible with time");
    setup.clock.advance(2 * 60 * MINUTE);
    let fresh = setup.token().await;
    let late = setup.all(&fresh, &first_hour).await;
    let all = ids(&late);
    let unique: HashSet<&String> = all.iter().collect();
    assert!(
        unique.len() > early.iter().collect::<HashSet<_>>().len(),
        "late rows belong to a window already read"
    );
    assert!(all.len() > unique.len(), "some rows are delivered twice");
    assert!(
        early.iter().all(|id| unique.contains(id)),
        "what was visible stays visible"
    );
    let times: Vec<&str> = late
        .iter()
        .map(|row| row["activityDateTime"].as_str().unwrap())
        .collect();
    assert!(times.windows(2).any(|pair| pair[0] < pair[1]), "not sorted");
    setup.stop().await;
}

#[tokio::test]
async fn the_filter_is_strict_and_everything_else_is_refused() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.clock.advance(30 * MINUTE);
    let job = setup
        .running
        .job_id(&JobRef::objects("big", "werke.example"))
        .unwrap();
    let base = window("2026-09-14T05:00:00Z", "2026-09-14T06:30:00Z");
    let mine = setup
        .all(&token, &format!("{base}%20and%20jobId%20eq%20'{job}'"))
        .await;
    assert!(!mine.is_empty() && mine.iter().all(|row| row["jobId"] == job.as_str()));
    assert!(
        setup.all(&token, &base).await.len() > mine.len(),
        "the SCIM job writes rows too"
    );
    let path = "/v1.0/auditLogs/provisioning";
    for (query, code) in [
        (
            "$filter=activityDateTime%20ge%202026-09-14T05:00:00Z",
            "Request_UnsupportedQuery",
        ),
        ("$filter=color%20eq%20'red'", "Request_BadRequest"),
        ("$count=true", "Request_BadRequest"),
        ("$skip=5", "Request_BadRequest"),
        ("$top=1001", "Request_BadRequest"),
    ] {
        assert_eq!(
            setup.error(&token, &format!("{path}?{query}")).await,
            (400, code.to_owned()),
            "{query}"
        );
    }
    let wide = window("2026-01-01T00:00:00Z", "2026-09-14T06:00:00Z");
    assert_eq!(
        setup.error(&token, &wide).await,
        (504, "UnknownError".to_owned())
    );
    setup.stop().await;
}

#[tokio::test]
async fn a_hundred_thousand_rows_come_in_pages_of_a_thousand() {
    let mut story = Story::parse(STORY).unwrap();
    let rows = 100_000;
    story.tenants[0].bulk = Some(BulkRows {
        domain: "werke.example".to_owned(),
        rows,
        over: Span::mins(24 * 60),
    });
    let setup = Setup::with(story).await;
    let token = setup.token().await;
    let path = format!(
        "{}&$top=1000",
        window("2026-09-13T00:00:00Z", "2026-09-14T06:00:00Z")
    );
    let first = setup.json(&token, &path).await;
    assert!(
        first["value"].as_array().unwrap().len() == 1000
            || first["value"].as_array().unwrap().is_empty()
    );
    let link = first["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(
        link.starts_with(&setup.running.graph_url("big")) && link.contains("$skiptoken="),
        "{link}"
    );
    let twice = [
        setup.json(&token, &link).await,
        setup.json(&token, &link).await,
    ];
    assert!(
        twice[0]["value"] == twice[1]["value"],
        "a page that got lost can be read again"
    );
    setup.clock.advance(6 * MINUTE);
    assert_eq!(
        setup.error(&token, &link).await,
        (400, String::new()),
        "the token has expired"
    );
    let fresh = setup.json(&token, &path).await;
    setup.apply(&Action::ExpirePageTokens {
        tenant: "big".to_owned(),
    });
    assert_eq!(
        setup
            .error(&token, fresh["@odata.nextLink"].as_str().unwrap())
            .await
            .0,
        400
    );
    setup.stop().await;
}

#[tokio::test]
async fn a_mountain_of_rows_has_late_and_repeated_ones() {
    let mut story = Story::parse(STORY).unwrap();
    let rows = 3000;
    story.tenants[0].bulk = Some(BulkRows {
        domain: "werke.example".to_owned(),
        rows,
        over: Span::mins(60),
    });
    let setup = Setup::with(story).await;
    let token = setup.token().await;
    let path = format!(
        "{}&$top=1000",
        window("2026-09-14T04:00:00Z", "2026-09-14T06:00:00Z")
    );
    let early = ids(&setup.all(&token, &path).await);
    setup.clock.advance(30 * MINUTE);
    let late = ids(&setup.all(&token, &path).await);
    let unique: HashSet<&String> = late.iter().collect();
    assert_eq!(unique.len(), rows as usize, "in the end every row is there");
    assert!(late.len() > unique.len(), "some of them twice");
    assert!(
        early.iter().collect::<HashSet<_>>().len() < unique.len(),
        "some of them late"
    );
    setup.stop().await;
}

#[tokio::test]
async fn audits_tell_the_engines_apart_only_by_actor() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.apply(&Action::DoubleWrite {
        tenant: "big".to_owned(),
        count: 3,
    });
    setup.apply(&Action::DomainRecalculation {
        tenant: "big".to_owned(),
        count: 2,
    });
    setup.clock.advance(60 * MINUTE);
    let fresh = setup.token().await;
    drop(token);
    let rows = setup
        .all(
            &fresh,
            "/v1.0/auditLogs/directoryAudits?$orderby=activityDateTime%20asc&$top=50",
        )
        .await;
    let connect = rows
        .iter()
        .find(|row| {
            row["initiatedBy"]["app"]["displayName"]
                .as_str()
                .is_some_and(|name| name.starts_with("ConnectSyncProvisioning_NW-SYNC01_"))
        })
        .unwrap();
    assert!(connect["initiatedBy"]["app"]["appId"].is_null());
    let principal = connect["initiatedBy"]["app"]["servicePrincipalId"]
        .as_str()
        .unwrap();
    let assigned = setup.json(&fresh, "/v1.0/servicePrincipals(appId='6bf85cfa-ac8a-4be5-b5de-425a0d0dc016')/appRoleAssignedTo").await;
    let role = "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9";
    let engines: Vec<&Value> = assigned["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["appRoleId"] == role)
        .collect();
    assert_eq!(engines.len(), 1);
    assert_eq!(engines[0]["principalId"], principal);
    let cloud = rows
        .iter()
        .filter(|row| {
            row["initiatedBy"]["user"]["userPrincipalName"]
                == "ADToAADSyncServiceAccount@nordwallwerke.onmicrosoft.com"
        })
        .count();
    assert!(cloud > 3, "{cloud} rows by cloud sync");
    assert!(
        rows.iter()
            .any(|row| row["initiatedBy"]["user"].is_null() && row["initiatedBy"]["app"].is_null()),
        "rows that name nobody"
    );
    let times: Vec<&str> = rows
        .iter()
        .map(|row| row["activityDateTime"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "here $orderby works");
    let target = rows[0]["targetResources"][0]["id"].as_str().unwrap();
    let about = setup.all(&fresh, &format!("/v1.0/auditLogs/directoryAudits?$filter=targetResources/any(t:t/id%20eq%20'{target}')")).await;
    assert!(!about.is_empty() && about.len() < rows.len());
    assert_eq!(setup.error(&fresh, "/v1.0/auditLogs/directoryAudits?$filter=activityDateTime%20gt%202026-09-14T05:00:00Z").await.0, 400);
    setup.stop().await;
}

#[tokio::test]
async fn object_errors_and_staged_deletes_show_in_the_log() {
    let setup = Setup::start().await;
    let job = JobRef::objects("big", "werke.example");
    setup.apply(&Action::ObjectErrors {
        job: job.clone(),
        code: "AttributeValueMustBeUnique".to_owned(),
        count: 7,
    });
    setup.apply(&Action::JobQuarantine {
        job,
        reason: "TooManyDeletes".to_owned(),
        code: None,
    });
    setup.clock.advance(50 * MINUTE);
    let token = setup.token().await;
    let filter = "$filter=provisioningStatusInfo/status%20eq%20'failure'";
    let rows = setup
        .all(&token, &format!("/v1.0/auditLogs/provisioning?{filter}"))
        .await;
    let unique: HashSet<String> = rows
        .iter()
        .filter(|row| {
            row["provisioningStatusInfo"]["errorInformation"]["errorCode"]
                == "AttributeValueMustBeUnique"
        })
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(unique.len() >= 7, "{} failures", unique.len());
    let staged = setup
        .all(
            &token,
            "/v1.0/auditLogs/provisioning?$filter=provisioningAction%20eq%20'stagedDelete'",
        )
        .await;
    assert!(!staged.is_empty());
    setup.stop().await;
}

#[tokio::test]
async fn the_reports_bucket_holds_five_calls() {
    let mut story = Story::parse(STORY).unwrap();
    story.settings.reports_limit = 5;
    let setup = Setup::with(story).await;
    let token = setup.token().await;
    let path = "/v1.0/auditLogs/provisioning";
    let (mut with, mut without) = (0, 0);
    for n in 0..25 {
        let response = setup.get(&token, path).await;
        assert_eq!(response.status(), if n < 5 { 200 } else { 429 }, "call {n}");
        if n >= 5 {
            *(if response.headers().contains_key("retry-after") {
                &mut with
            } else {
                &mut without
            }) += 1;
        }
    }
    assert!(
        with > 0 && without > 0,
        "{with} with and {without} without Retry-After"
    );
    setup.json(&token, "/v1.0/organization").await;
    setup.clock.advance(10_000);
    setup.json(&token, path).await;
    setup.stop().await;
}
