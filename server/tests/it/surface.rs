//! What the HTTP surface answers.

use serde_json::{Value, json};

use crate::support::{Answer, NOW, Site, client, config_text, orchard, until};

/// A webhook receiver that nobody listens for.
const RECEIVER: &str = "\n[[receiver]]\nname = \"tickets\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/tulip-path\"\n\
                        secret = \"tulip-key\"\nretry_first = \"1h\"\nretry_cap = \"1h\"\n";

fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

async fn site() -> Site {
    Site::start(RECEIVER, orchard).await.judged().await
}

#[tokio::test]
async fn the_status_page_shows_lanes_alerts_and_sources_and_runs_no_script() {
    let site = site().await;
    let page = site.get("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    for foreign in ["<script", "src=", "http://", "https://", "@import"] {
        assert!(!page.body.contains(foreign), "{foreign}: {}", page.body);
    }
    let (_, body) = page.body.split_once("<body>").unwrap();
    insta::assert_snapshot!(body);
    site.end().await;
}

#[tokio::test]
async fn lanes_windows_alerts_and_status_have_their_documented_shapes() {
    let site = site().await;
    insta::assert_snapshot!("lanes", pretty(&site.get("/api/v1/lanes").await.json()));
    insta::assert_snapshot!("windows", pretty(&site.get("/api/v1/windows").await.json()));
    insta::assert_snapshot!("alerts", pretty(&site.get("/api/v1/alerts").await.json()));
    let mut status = site.get("/api/v1/status").await.json();
    status["version"] = json!("*");
    insta::assert_snapshot!("status", pretty(&status));
    site.end().await;
}

#[tokio::test]
async fn lists_are_filtered_and_a_wrong_filter_is_refused() {
    let site = site().await;
    let missed = site
        .get("/api/v1/lanes?status=missed&engine=cloud")
        .await
        .json();
    assert_eq!(missed["lanes"].as_array().map(Vec::len), Some(1));
    assert_eq!(missed["lanes"][0]["kind"], "password_hash");
    assert_eq!(
        site.get("/api/v1/lanes?tenant=meadow").await.json()["lanes"],
        json!([])
    );
    for wrong in [
        "lanes?status=down",
        "lanes?colour=red",
        "windows?limit=0",
        "alerts?limit=x",
        "alerts?state=open",
    ] {
        let answer = site.get(&format!("/api/v1/{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json()["error"].is_string(), "{wrong}");
    }
    site.end().await;
}

#[tokio::test]
async fn metrics_are_served_in_the_format_asked_for() {
    let site = site().await;
    let plain = site.get("/metrics").await;
    assert_eq!(plain.status, 200);
    assert!(
        plain.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain"),
        "{:?}",
        plain.headers
    );
    let missed = "syncwatch_lane_status{tenant=\"orchard\",engine=\"cloud\",kind=\"password_hash\",\
                  partition=\"ad.orchard.example\",status=\"missed\"} 1";
    assert!(plain.body.contains(missed), "{}", plain.body);
    assert!(
        plain
            .body
            .contains("syncwatch_config_last_reload_successful 1"),
        "{}",
        plain.body
    );
    let request = client()
        .get(format!("{}/metrics", site.url))
        .header("accept", "application/openmetrics-text");
    let open = Answer::of(request).await;
    assert!(
        open.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    assert!(open.body.ends_with("# EOF\n"), "{}", open.body);
    site.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let site = site().await;
    let nothing = site.get("/api/v1/gate").await;
    assert_eq!(
        (nothing.status, nothing.json()),
        (404, json!({ "error": "there is nothing at /api/v1/gate" }))
    );
    let answer = Answer::of(client().post(format!("{}/api/v1/lanes", site.url))).await;
    assert_eq!(answer.status, 405);
    assert!(answer.json()["error"].is_string());
    site.end().await;
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let site = site().await;
    assert_eq!(site.get("/-/healthy").await.status, 200);
    let ready = site.get("/-/ready").await;
    assert_eq!(
        (ready.status, ready.json()),
        (200, json!({ "ready": true, "reasons": [] }))
    );
    site.end().await;
}

#[tokio::test]
async fn a_commit_reaches_the_event_stream() {
    let site = Site::start("", async |_| {}).await;
    let mut response = client()
        .get(format!("{}/api/v1/events", site.url))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    orchard(&site.store).await;
    let mut seen = String::new();
    while !(seen.contains("event: lane_found")
        && seen.contains("\"to\":\"missed\"")
        && seen.contains("event: alert"))
    {
        let chunk =
            tokio::time::timeout(std::time::Duration::from_secs(20), response.chunk()).await;
        let chunk = chunk
            .unwrap_or_else(|_| panic!("no more events; seen: {seen}"))
            .unwrap()
            .unwrap();
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    site.end().await;
}

#[tokio::test]
async fn a_test_message_tells_what_came_of_it_and_no_web_page_can_send_one() {
    let site = site().await;
    let url = format!("{}/api/v1/test-notify", site.url);
    let post = |body: &'static str| {
        client()
            .post(&url)
            .header("content-type", "application/json")
            .body(body)
    };
    let told = Answer::of(post("{}")).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.json()["told"][0]["receiver"], "tickets");
    assert_eq!(told.json()["told"][0]["delivered"], false);
    assert!(!told.body.contains("tulip"), "{}", told.body);
    let unknown = Answer::of(post("{\"receiver\": \"nobody\"}")).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("tickets"), "{}", unknown.body);
    let from_a_page = Answer::of(post("{}").header("origin", "https://evil.example")).await;
    assert_eq!(from_a_page.status, 403);
    let as_a_form = Answer::of(client().post(&url).body("{}")).await;
    assert_eq!(as_a_form.status, 400);
    site.end().await;
}

#[tokio::test]
async fn no_answer_holds_a_secret() {
    let site = site().await;
    until("an attempt to deliver", async || {
        let waiting = site.store.outbox().await.unwrap();
        if waiting.depth > 0 {
            Ok(())
        } else {
            Err("the outbox is empty")
        }
    })
    .await;
    let config = config_text(&site.folder, RECEIVER);
    assert!(
        config.contains("tulip"),
        "the configuration has secrets to look for"
    );
    for path in [
        "/",
        "/metrics",
        "/-/ready",
        "/api/v1/status",
        "/api/v1/lanes",
        "/api/v1/alerts?state=all",
        "/api/v1/windows",
    ] {
        let answer = site.get(path).await;
        assert!(!answer.body.contains("tulip"), "{path}: {}", answer.body);
    }
    site.end().await;
}

#[tokio::test]
async fn text_from_outside_cannot_become_markup() {
    let site = Site::start("", async |store| {
        let mut key = syncwatch_domain::source::SourceKey {
            tenant: "orchard".into(),
            poll: syncwatch_domain::source::Poll::Jobs,
            instance: "<script>alert(1)</script>".into(),
        };
        store
            .ensure_source(&key, crate::support::now())
            .await
            .unwrap();
        key.instance = "\"><img src=x>".into();
        store
            .ensure_source(&key, crate::support::now())
            .await
            .unwrap();
    })
    .await;
    let page = site.get("/").await;
    assert!(
        !page.body.contains("<script") && !page.body.contains("<img"),
        "{}",
        page.body
    );
    assert!(page.body.contains("alert(1)"), "{}", page.body);
    site.end().await;
}

#[tokio::test]
async fn the_clock_of_the_page_is_the_one_of_the_service() {
    let site = site().await;
    assert_eq!(
        site.get("/api/v1/lanes").await.json()["now"],
        Value::from(NOW)
    );
    site.end().await;
}

/// Every key of a value, at any depth but below free-form ones.
pub(crate) fn keys(json: &Value, found: &mut std::collections::BTreeSet<String>) {
    match json {
        Value::Object(table) => {
            for (key, inner) in table {
                found.insert(key.clone());
                if key != "labels" {
                    keys(inner, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_key_the_api_says_is_documented() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md")).unwrap();
    let site = site().await;
    let mut said = std::collections::BTreeSet::new();
    for path in [
        "/api/v1/lanes",
        "/api/v1/windows",
        "/api/v1/alerts",
        "/api/v1/status",
        "/-/ready",
        "/nowhere",
    ] {
        keys(&site.get(path).await.json(), &mut said);
    }
    let post = client()
        .post(format!("{}/api/v1/test-notify", site.url))
        .header("content-type", "application/json");
    keys(&Answer::of(post.body("{}")).await.json(), &mut said);
    assert!(said.len() > 50, "{said:?}");
    let missing: Vec<_> = said
        .iter()
        .filter(|key| !page.contains(&format!("`{key}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/api.md says nothing of {missing:?}"
    );
    site.end().await;
}
