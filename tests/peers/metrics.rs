use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::{Value, json};
use syncwatch_tests::peers::{Alertmanager, Prometheus, VictoriaMetrics, promtool};
use syncwatch_tests::{http_client, wait};

const PAGE: &str = "# HELP demo_lane_deadline_timestamp_seconds When the window of a lane ends.
# TYPE demo_lane_deadline_timestamp_seconds gauge
demo_lane_deadline_timestamp_seconds{tenant=\"contoso\"} 42
";
const LIMIT: Duration = Duration::from_secs(30);

/// Answers every request with `PAGE` and hands the request's body to `seen`; ends with the test process.
fn serve_page(seen: std::sync::mpsc::SyncSender<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 65_536];
            let read = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            drop(seen.try_send(text));
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close";
            drop(write!(
                stream,
                "{head}\r\ncontent-length: {}\r\n\r\n{PAGE}",
                PAGE.len()
            ));
        }
    });
    addr
}

#[tokio::test]
async fn prometheus_scrapes_a_page_and_answers_queries() {
    let (seen, _) = std::sync::mpsc::sync_channel(1);
    let page = serve_page(seen);
    let prometheus = Prometheus::builder()
        .scrape("demo", page)
        .scrape_interval(Duration::from_millis(200))
        .start()
        .await
        .unwrap();
    prometheus.wait_up("demo", LIMIT).await.unwrap();
    let expr = "demo_lane_deadline_timestamp_seconds";
    let samples = prometheus
        .wait_for(expr, LIMIT, |samples| samples.len() == 1)
        .await
        .unwrap();
    assert_eq!(
        (samples[0].label("tenant"), samples[0].value),
        ("contoso", 42.0)
    );
    let error = prometheus.query("no_such_function(up)").await.unwrap_err();
    assert!(
        format!("{error:#}").contains("no_such_function"),
        "{error:#}"
    );
    assert!(prometheus.usage().unwrap().peak_memory > 0);
}

#[tokio::test]
async fn target_that_does_not_answer_is_not_up() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let builder = Prometheus::builder()
        .scrape("gone", closed)
        .scrape_interval(Duration::from_millis(100));
    let prometheus = builder.start().await.unwrap();
    prometheus
        .wait_for("up{job='gone'} == 0", LIMIT, |samples| samples.len() == 1)
        .await
        .unwrap();
    let error = prometheus
        .wait_up("gone", Duration::ZERO)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("connection refused"),
        "{error:#}"
    );
}

#[tokio::test]
async fn rule_of_prometheus_reaches_a_webhook_through_alertmanager() {
    let (seen, received) = std::sync::mpsc::sync_channel(16);
    let sink = serve_page(seen);
    let alertmanager = Alertmanager::builder()
        .webhook(&format!("http://{sink}/"))
        .group_wait(Duration::ZERO)
        .group_interval(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yml");
    std::fs::write(
        &rules,
        "groups: [{name: g, rules: [{alert: AlwaysOn, expr: vector(1)}]}]",
    )
    .unwrap();
    let _prometheus = Prometheus::builder()
        .rules(&rules)
        .alertmanager(alertmanager.addr())
        .evaluation_interval(Duration::from_secs(1))
        .flag("--rules.alert.resend-delay=1s")
        .start()
        .await
        .unwrap();
    let post = wait::until("the webhook", LIMIT, async || received.try_recv())
        .await
        .unwrap();
    assert!(post.starts_with("POST / "), "{post}");
    let alerts = alertmanager.alerts().await.unwrap();
    assert_eq!(
        alerts[0]["labels"]["alertname"],
        json!("AlwaysOn"),
        "{alerts:?}"
    );
    let usage = alertmanager.usage().unwrap();
    assert!(usage.peak_memory > 0 && alertmanager.pid() > 0);
}

#[tokio::test]
async fn victoria_metrics_stores_and_shows_the_newest_sample() {
    let victoria = VictoriaMetrics::start().await.unwrap();
    victoria.import(PAGE).await.unwrap();
    let expr = "demo_lane_deadline_timestamp_seconds";
    let found = wait::until("the sample", LIMIT, async || {
        let samples = victoria
            .query(expr)
            .await
            .map_err(|error| format!("{error:#}"))?;
        samples
            .into_iter()
            .next()
            .ok_or_else(|| "no sample".to_owned())
    });
    assert_eq!(found.await.unwrap().value, 42.0);
    let exported = victoria.export(expr).await.unwrap();
    assert_eq!(exported[0]["values"], json!([42]));
    // Remote write is there: an empty body is a message without series.
    let answer = http_client()
        .post(victoria.remote_write_url())
        .body("\0")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
}

#[test]
fn promtool_passes_a_good_page_and_names_what_is_wrong_with_a_bad_one() {
    promtool::check_metrics(PAGE).unwrap();
    let complaint = |page: &str| promtool::check_metrics(page).unwrap_err().to_string();
    let lint = complaint("# HELP demo_total A count.\n# TYPE demo_total gauge\ndemo_total 1\n");
    assert!(lint.contains("demo_total"), "{lint}");
    let syntax = complaint("demo{ 1\n");
    assert!(syntax.contains("error while linting"), "{syntax}");
}

#[test]
fn promtool_checks_and_tests_rules() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path
    };
    let rules = |expr: &str| json!({ "groups": [{ "name": "g", "rules": [{ "alert": "Down", "expr": expr }] }] });
    let test = |job: &str| {
        let series = json!([{ "series": "up{job=\"a\"}", "values": "0 0" }]);
        let expected = json!([{ "eval_time": "1m", "alertname": "Down", "exp_alerts": [{ "exp_labels": { "job": job } }] }]);
        json!({ "rule_files": ["good.yml"], "tests": [{ "interval": "1m", "input_series": series, "alert_rule_test": expected }] })
    };
    promtool::check_rules(&write("good.yml", &rules("up == 0"))).unwrap();
    assert!(promtool::check_rules(&write("bad.yml", &rules("up === 0"))).is_err());
    promtool::test_rules(&write("right.yml", &test("a"))).unwrap();
    assert!(promtool::test_rules(&write("wrong.yml", &test("b"))).is_err());
    promtool::check_config(&write("config.yml", &json!({ "rule_files": ["good.yml"] }))).unwrap();
    assert!(promtool::check_config(&write("typo.yml", &json!({ "rule_fils": [] }))).is_err());
}
