//! The fleet as Microsoft Graph shows it, and as Prometheus scrapes it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use syncwatch_domain::time::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::fleet::{CADENCE_MS, Fleet, now_ms};

/// Jobs of one configuration. Real ones have a handful; this many keep the number of requests low.
const JOBS: usize = 1_000;
/// Tenant of the fleet.
pub const TENANT_ID: &str = "6f0b7a2e-90f4-4c35-8a8f-1a2b3c4d5e6f";

struct Shown {
    fleet: Arc<Fleet>,
    answers: AtomicU64,
}

/// The server of the fleet.
#[derive(Debug)]
pub struct Graph {
    /// Where it listens.
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Graph {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server of a measurement has nothing to finish"
    )]
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Graph {
    /// Shows `fleet` on a free port.
    ///
    /// # Errors
    /// When no port is free.
    #[expect(
        clippy::disallowed_methods,
        reason = "a measurement has no task tracker"
    )]
    pub async fn start(fleet: Arc<Fleet>) -> anyhow::Result<Self> {
        let shown = Arc::new(Shown {
            fleet,
            answers: AtomicU64::new(0),
        });
        let app = Router::new()
            .route("/{tenant}/oauth2/v2.0/token", post(token))
            .route("/v1.0/servicePrincipals", get(principals))
            .route(
                "/v1.0/servicePrincipals/{id}/synchronization/jobs",
                get(jobs),
            )
            .route(
                "/v1.0/servicePrincipals/{id}/synchronization/jobs/{job}",
                get(job),
            )
            .route("/v1.0/organization", get(organization))
            .route("/beta/organization", get(organization))
            .route("/v1.0/applications", get(empty))
            .route("/v1.0/auditLogs/provisioning", get(empty))
            .route("/v1.0/auditLogs/directoryAudits", get(empty))
            .route(
                "/beta/onPremisesPublishingProfiles/provisioning/agents",
                get(empty),
            )
            .route("/metrics", get(metrics))
            .fallback(async || StatusCode::NOT_FOUND)
            .with_state(shown);
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("a port for the fleet")?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            drop(axum::serve(listener, app).await);
        });
        Ok(Self { addr, task })
    }
}

fn body(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn token() -> Response {
    body(json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "bench" }).to_string())
}

async fn empty() -> Response {
    body(r#"{"value":[]}"#.to_owned())
}

/// A tenant without Connect Sync.
async fn organization() -> Response {
    body(json!({ "value": [{ "id": TENANT_ID, "onPremisesSyncEnabled": null }] }).to_string())
}

fn principal_id(number: usize) -> String {
    format!("00000000-0000-4000-9000-{number:012}")
}

async fn principals(State(shown): State<Arc<Shown>>) -> Response {
    let count = shown.fleet.len().div_ceil(JOBS);
    let value: Vec<_> = (0..count)
        .map(|number| {
            json!({
                "id": principal_id(number),
                "appId": format!("00000000-0000-4000-8000-{number:012}"),
                "displayName": format!("site{number}.example"),
                "applicationTemplateId": "1a4721b3-e57f-4451-ae87-ef078703ec94",
                "accountEnabled": true,
            })
        })
        .collect();
    body(json!({ "value": value }).to_string())
}

fn number_of(id: &str) -> Option<usize> {
    id.rsplit('-').next()?.parse().ok()
}

async fn jobs(State(shown): State<Arc<Shown>>, Path(id): Path<String>) -> Response {
    let Some(number) = number_of(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (from, to) = (number * JOBS, ((number + 1) * JOBS).min(shown.fleet.len()));
    let answer = shown.answers.fetch_add(1, Ordering::Relaxed);
    let first_sight = answer < 2 * shown.fleet.len().div_ceil(JOBS) as u64;
    let now_ms = now_ms();
    let mut text = String::with_capacity((to.saturating_sub(from)) * 1_200 + 32);
    text.push_str(r#"{"value":["#);
    for lane in from..to {
        if lane > from {
            text.push(',');
        }
        let fleet = &shown.fleet;
        // What is seen first cannot be out of order.
        let success_ms = if first_sight {
            fleet.last_success_ms(lane, now_ms)
        } else {
            fleet.shown_success_ms(lane, now_ms, answer)
        };
        write_job(&mut text, lane, success_ms);
    }
    text.push_str("]}");
    body(text)
}

async fn job(State(shown): State<Arc<Shown>>, Path((_, job)): Path<(String, String)>) -> Response {
    let Some(lane) = number_of(&job).filter(|lane| *lane < shown.fleet.len()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut text = String::with_capacity(1_200);
    write_job(&mut text, lane, shown.fleet.last_success_ms(lane, now_ms()));
    body(text)
}

/// A job as Graph writes it, as far as a reader of jobs looks.
fn write_job(text: &mut String, lane: usize, success_ms: i64) {
    let tenant = TENANT_ID.replace('-', "");
    let ended = Timestamp::from_millis(success_ms);
    let began = Timestamp::from_millis(success_ms - 1_500);
    let minutes = CADENCE_MS / 60_000;
    write!(
        text,
        r#"{{"id":"AD2AADProvisioning.{tenant}.00000000-0000-4000-a000-{lane:012}","templateId":"AD2AADProvisioning","schedule":{{"expiration":null,"interval":"PT{minutes}M","state":"Active"}},"status":{{"code":"Active","countSuccessiveCompleteFailures":0,"escrowsPruned":false,"steadyStateFirstAchievedTime":"2026-01-05T10:00:00Z","steadyStateLastAchievedTime":"{ended}","troubleshootingUrl":"","lastExecution":{{"activityIdentifier":"7b1e","countEntitled":0,"countEscrowed":0,"countEscrowedRaw":1,"countExported":2,"countExports":2,"countImported":3,"countImportedDeltas":3,"countImportedReferenceDeltas":0,"error":null,"state":"Succeeded","timeBegan":"{began}","timeEnded":"{ended}"}},"lastSuccessfulExecution":{{"activityIdentifier":null,"countExported":0,"error":null,"state":"Succeeded","timeBegan":"0001-01-01T00:00:00Z","timeEnded":"{ended}"}},"lastSuccessfulExecutionWithExports":null,"progress":[],"quarantine":null,"synchronizedEntryCountByType":[{{"key":"user to User","value":1200}}]}},"synchronizationJobSettings":[{{"name":"DomainFQDN","value":"lane{lane}.example"}}]}}"#
    )
    .expect("writing to a String cannot fail");
}

async fn metrics(State(shown): State<Arc<Shown>>) -> Response {
    let now_ms = now_ms();
    let mut text = String::with_capacity(shown.fleet.len() * 64 + 64);
    text.push_str("# TYPE last_success_timestamp_seconds gauge\n");
    for lane in 0..shown.fleet.len() {
        let success_ms = shown.fleet.last_success_ms(lane, now_ms);
        writeln!(
            text,
            "last_success_timestamp_seconds{{lane=\"lane{lane}.example\"}} {}.{:03}",
            success_ms / 1_000,
            success_ms % 1_000
        )
        .expect("writing to a String cannot fail");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
