//! The board and the alert rules against what they are made for: a real Prometheus that scrapes a running service.

mod board;
mod service;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use syncwatch_exporters::catalogue::{FAMILIES, Family};
use syncwatch_tests::http_client;
use syncwatch_tests::peers::{Prometheus, promtool};

use crate::board::Query;
use crate::service::{Demo, Service};

/// A story of some seconds, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);

/// Queries that answer only while something is wrong, by a part of their text.
const ONLY_IN_TROUBLE: [&str; 1] = ["syncwatch_outbox_oldest_timestamp_seconds"];
/// The demo has no right to list provisioning agents, loses no record, is throttled by Teams alone, and fails objects only
/// after a minute.
const NOT_IN_THE_DEMO: [&str; 4] = [
    "syncwatch_outbox_oldest_timestamp_seconds",
    "kind=\"provisioning\"",
    "syncwatch_graph_throttled",
    "syncwatch_provisioning_events_total{tenant=~\".*\", status=\"failure\"}",
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../dashboards"))
}

fn queries() -> anyhow::Result<Vec<Query>> {
    let file = folder().join("grafana/noc-wall.json");
    board::queries(
        &std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?,
    )
}

/// A Prometheus that scrapes `addr` and evaluates our rules.
async fn prometheus(addr: SocketAddr) -> anyhow::Result<Prometheus> {
    let started = Prometheus::builder()
        .scrape("syncwatch", addr)
        .scrape_interval(SCRAPE_INTERVAL)
        .evaluation_interval(SCRAPE_INTERVAL)
        .rules(folder().join("prometheus/syncwatch.rules.yml"))
        .start()
        .await?;
    started.wait_up("syncwatch", PATIENCE).await?;
    Ok(started)
}

/// Every query of the board is accepted, and answers unless it is known to have nothing to say. All are asked again and
/// again until each has answered once: what fires now may be over when its turn comes.
async fn ask_everything(prometheus: &Prometheus, may_be_empty: &[&str]) -> anyhow::Result<()> {
    let mut open = queries()?;
    ensure!(open.len() > 30, "only {} queries were found", open.len());
    for Query { place, expr } in &open {
        prometheus
            .query(expr)
            .await
            .with_context(|| place.clone())?;
    }
    open.retain(|query| !may_be_empty.iter().any(|part| query.expr.contains(part)));
    syncwatch_tests::wait::until("every query of the board to answer", PATIENCE, async || {
        let mut silent = Vec::new();
        for query in &open {
            if prometheus.query(&query.expr).await?.is_empty() {
                silent.push(query.clone());
            }
        }
        open = silent;
        ensure!(open.is_empty(), "no answer to {open:#?}");
        Ok(())
    })
    .await
}

/// Every rule was evaluated without an error.
async fn rules_are_healthy(prometheus: &Prometheus) -> anyhow::Result<()> {
    let evaluated =
        syncwatch_tests::wait::until("every rule to be evaluated", PATIENCE, async || {
            let groups = prometheus.api("rules").await?;
            let groups = groups["groups"].as_array().context("no groups")?.clone();
            let rules = groups
                .iter()
                .flat_map(|group| group["rules"].as_array().into_iter().flatten().cloned())
                .collect::<Vec<_>>();
            let waiting = rules
                .iter()
                .filter(|rule| rule["health"] == "unknown")
                .count();
            ensure!(
                waiting == 0 && !rules.is_empty(),
                "{waiting} of {} wait",
                rules.len()
            );
            Ok::<_, anyhow::Error>(rules)
        });
    let sick = evaluated
        .await?
        .into_iter()
        .filter(|rule| rule["health"] != "ok")
        .collect::<Vec<_>>();
    ensure!(sick.is_empty(), "{sick:#?}");
    Ok(())
}

/// A family, and one of its labels or none.
type Seen = BTreeSet<(&'static str, Option<&'static str>)>;

/// Every series that was scraped is one of the catalogue, and so are its labels. Returns what was seen.
async fn compare_with_catalogue(prometheus: &Prometheus) -> anyhow::Result<Seen> {
    let mut seen = BTreeSet::new();
    for sample in prometheus
        .query(r#"{job="syncwatch", __name__!~"up|scrape_.*|ALERTS.*"}"#)
        .await?
    {
        let name = sample.label("__name__");
        let family = FAMILIES
            .iter()
            .find(|family| family.sample_names().iter().any(|known| known == name));
        let family = family.with_context(|| format!("{name} is not in the catalogue"))?;
        seen.insert((family.name(), None));
        for (label, value) in &sample.labels {
            // Those of Prometheus, and of the type. A label `job` of ours comes as `exported_job`.
            if ["__name__", "job", "instance", "le"].contains(&label.as_str()) {
                continue;
            }
            let own = label.strip_prefix("exported_").unwrap_or(label);
            let known = family.labels.iter().find(|known| known.name == own);
            let known = known.with_context(|| format!("{name} has no label {own}"))?;
            ensure!(known.values.admits(value), "{own}={value:?} of {name}");
            seen.insert((family.name(), Some(known.name)));
        }
    }
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_answered_about_a_tenant_that_has_one_of_everything() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let prometheus = prometheus(service.addr()?).await?;
    ask_everything(&prometheus, &ONLY_IN_TROUBLE).await?;
    rules_are_healthy(&prometheus).await?;

    let seen = compare_with_catalogue(&prometheus).await?;
    let labels = |family: &'static Family| {
        family
            .labels
            .iter()
            .map(|label| (family.name(), Some(label.name)))
    };
    let all = FAMILIES
        .iter()
        .flat_map(|family| labels(family).chain([(family.name(), None)]))
        .collect::<Seen>();
    let missing = all
        .difference(&seen)
        .filter(|(name, _)| !ONLY_IN_TROUBLE.contains(name))
        .collect::<Vec<_>>();
    ensure!(
        missing.is_empty(),
        "in the catalogue, and not on the page: {missing:?}"
    );

    let quarantined = r#"syncwatch_job_status{status="quarantine"} == 1"#;
    prometheus
        .wait_for(quarantined, PATIENCE, |samples| samples.len() == 1)
        .await?;
    let told = r#"ALERTS{alertname="SyncwatchJobQuarantined", alertstate="firing"}"#;
    prometheus
        .wait_for(told, PATIENCE, |samples| samples.len() == 1)
        .await?;
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn board_and_rules_work_on_the_demo() -> anyhow::Result<()> {
    let demo = Demo::start()?;
    let prometheus = prometheus(demo.addr()).await?;
    ask_everything(&prometheus, &NOT_IN_THE_DEMO).await?;
    rules_are_healthy(&prometheus).await?;
    compare_with_catalogue(&prometheus).await?;

    let page = http_client()
        .get(format!("http://{}/metrics", demo.addr()))
        .send()
        .await?;
    ensure!(
        page.headers()["content-type"] == "text/plain; version=0.0.4; charset=utf-8",
        "{page:?}"
    );
    promtool::check_metrics(&page.text().await?)
}
