//! Every way in which Graph can fail, as a client sees it.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde_json::Value;
use syncwatch_simulator::{Action, DownMode, JobRef, Span};

use crate::setup::Setup;

const PATH: &str = "/v1.0/organization";

fn down(mode: DownMode) -> Action {
    Action::GraphDown {
        tenant: "big".to_owned(),
        mode,
    }
}

#[tokio::test]
async fn each_way_of_being_down_is_different_and_ends() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let url = format!("{}{PATH}", setup.running.graph_url("big"));
    let get = || setup.client.get(&url).bearer_auth(&token).send();
    setup.apply(&down(DownMode::Refuse));
    assert!(get().await.is_err(), "a kept connection is reset too");
    assert!(get().await.is_err());
    setup.apply(&down(DownMode::Unavailable));
    let response = get().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(
        response.json::<Value>().await.unwrap()["error"]["code"],
        "serviceNotAvailable"
    );
    setup.apply(&down(DownMode::Html));
    let response = get().await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["content-type"].to_str().unwrap()
        ),
        (502, "text/html")
    );
    setup.apply(&down(DownMode::Portal));
    assert!(
        get()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .starts_with("<!DOCTYPE")
    );
    setup.apply(&down(DownMode::Cut));
    let cut = match get().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut, "the body must not arrive whole");
    for mode in [DownMode::Garbage, DownMode::WrongEncoding] {
        setup.apply(&down(mode));
        let bytes = get().await.unwrap().bytes().await.unwrap();
        assert!(serde_json::from_slice::<Value>(&bytes).is_err(), "{mode:?}");
    }
    setup.apply(&down(DownMode::WrongTypes));
    let spoiled: Value = get().await.unwrap().json().await.unwrap();
    assert!(spoiled["value"].is_object(), "{spoiled}");
    setup.apply(&Action::GraphUp {
        tenant: "big".to_owned(),
    });
    setup.json(&token, PATH).await;
    setup.stop().await;
}

#[tokio::test]
async fn a_hanging_answer_never_comes_and_does_not_hold_up_the_stop() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.apply(&down(DownMode::Hang));
    let request = setup
        .client
        .get(format!("{}{PATH}", setup.running.graph_url("big")))
        .bearer_auth(&token);
    let error = request
        .timeout(Duration::from_millis(300))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    setup.stop().await;
}

#[tokio::test]
async fn one_tenant_being_down_leaves_the_other_alone() {
    let setup = Setup::start().await;
    setup.apply(&down(DownMode::Refuse));
    let url = format!(
        "{}/e4c2719b-08d5-4e3a-8f60-9b7d1a35c2fe/oauth2/v2.0/token",
        setup.running.login_url()
    );
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", "1f7b9e64-c3d8-4a20-95ee-60b2d48f173a"),
        ("client_secret", "small"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let (_, body) = setup.grant_at(&url, &fields).await;
    let small = format!("{}/v1.0/organization", setup.running.graph_url("small"));
    let body = setup
        .json(body["access_token"].as_str().unwrap(), &small)
        .await;
    assert!(
        body["value"][0]["onPremisesSyncEnabled"].is_null(),
        "a cloud-only tenant"
    );
    setup.stop().await;
}

#[tokio::test]
async fn cycles_go_on_while_nobody_can_look() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.apply(&down(DownMode::Unavailable));
    let job = JobRef::objects("big", "werke.example");
    let before = setup.running.last_success_ms(&job).unwrap();
    setup.clock.advance(50 * 60_000);
    setup.apply(&Action::GraphUp {
        tenant: "big".to_owned(),
    });
    assert!(setup.running.last_success_ms(&job).unwrap() - before > 45 * 60_000);
    let filter = "$filter=activityDateTime%20gt%202026-09-14T06:05:00Z%20and%20activityDateTime%20lt%202026-09-14T06:40:00Z";
    let rows = setup
        .all(&token, &format!("/v1.0/auditLogs/provisioning?{filter}"))
        .await;
    assert!(
        rows.len() > 50,
        "{} rows of the time in between",
        rows.len()
    );
    setup.stop().await;
}

#[tokio::test]
async fn told_throttling_hits_only_its_endpoint_and_counts_down() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.apply(&Action::Throttle {
        tenant: "big".to_owned(),
        endpoint: "organization".to_owned(),
        retry_after: Some(7),
        count: 2,
    });
    setup.json(&token, "/v1.0/groups?$top=5").await;
    for _ in 0..2 {
        let response = setup.get(&token, PATH).await;
        assert_eq!(
            (
                response.status().as_u16(),
                response.headers()[RETRY_AFTER].to_str().unwrap()
            ),
            (429, "7")
        );
    }
    let response = setup.get(&token, PATH).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("x-ms-resource-unit"));
    setup.stop().await;
}

#[tokio::test]
async fn unknown_members_and_nulls_appear_and_vanish() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let tenant = || "big".to_owned();
    setup.apply(&Action::UnknownEnumMembers {
        tenant: tenant(),
        on: true,
    });
    assert_eq!(
        setup.job_list(&token).await[0]["status"]["code"],
        "addedInNextRelease"
    );
    setup.apply(&Action::UnknownEnumMembers {
        tenant: tenant(),
        on: false,
    });
    setup.apply(&Action::NullFields {
        tenant: tenant(),
        on: true,
    });
    let job = setup.job_list(&token).await.remove(0);
    assert!(
        job["status"]["lastExecution"].is_null() && job["synchronizationJobSettings"].is_null(),
        "{job}"
    );
    setup.apply(&Action::NullFields {
        tenant: tenant(),
        on: false,
    });
    assert!(setup.job_list(&token).await[0]["status"]["lastExecution"].is_object());
    setup.stop().await;
}

#[tokio::test]
async fn requests_are_logged_with_their_ids_and_the_clock_of_the_server_shows() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.apply(&Action::ClockSkew {
        tenant: "big".to_owned(),
        by: Span::mins(-10),
    });
    let url = format!("{}{PATH}", setup.running.graph_url("big"));
    let response = setup
        .client
        .get(url)
        .bearer_auth(&token)
        .header("client-request-id", "my-id")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["date"], "Mon, 14 Sep 2026 05:50:00 GMT");
    assert_eq!(response.headers()["client-request-id"], "my-id");
    let last = setup.running.requests().pop().unwrap();
    assert_eq!(
        (
            last.path.as_str(),
            last.status,
            last.client_request_id.as_deref()
        ),
        (PATH, 200, Some("my-id"))
    );
    assert_eq!(last.tenant.as_deref(), Some("big"));
    setup.stop().await;
}
