//! Where both systems post to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::fleet::now_ms;

/// First arrivals by lane, and messages that should not be there.
#[derive(Debug, Default)]
pub struct Arrivals {
    first: Mutex<BTreeMap<usize, i64>>,
    strange: Mutex<Vec<String>>,
}

impl Arrivals {
    fn note(&self, lane: Option<usize>, at_ms: i64, what: &str) {
        match lane {
            Some(lane) => {
                let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
                first.entry(lane).or_insert(at_ms);
            }
            None => self
                .strange
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(what.chars().take(300).collect()),
        }
    }

    /// First arrival of each lane's message, in milliseconds since 1970.
    #[must_use]
    pub fn first(&self) -> BTreeMap<usize, i64> {
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Messages about no lane.
    #[must_use]
    pub fn strange(&self) -> Vec<String> {
        self.strange
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The sink: `/syncwatch` and one path for each pair.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What syncwatch posted.
    pub ours: Arc<Arrivals>,
    /// What the Alertmanager of the pair posted.
    pub pair: Arc<Arrivals>,
    task: JoinHandle<()>,
}

impl Drop for Sink {
    #[expect(
        clippy::disallowed_methods,
        reason = "a sink of a measurement has nothing to finish"
    )]
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sink {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port is free.
    #[expect(
        clippy::disallowed_methods,
        reason = "a measurement has no task tracker"
    )]
    pub async fn start() -> anyhow::Result<Self> {
        let (ours, pair) = (Arc::new(Arrivals::default()), Arc::new(Arrivals::default()));
        let app = Router::new()
            .route("/syncwatch", post(take_ours).with_state(Arc::clone(&ours)))
            .route("/pair", post(take_pair).with_state(Arc::clone(&pair)));
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("a port for the sink")?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            drop(axum::serve(listener, app).await);
        });
        Ok(Self {
            addr,
            ours,
            pair,
            task,
        })
    }
}

/// `lane17.example` is lane 17.
fn lane_of(name: &str) -> Option<usize> {
    name.strip_prefix("lane")?.split('.').next()?.parse().ok()
}

async fn take_ours(State(arrivals): State<Arc<Arrivals>>, body: Bytes) -> StatusCode {
    let at_ms = now_ms();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let lane = message
        .pointer("/alert/labels/partition")
        .and_then(Value::as_str)
        .and_then(lane_of);
    arrivals.note(lane, at_ms, &String::from_utf8_lossy(&body));
    StatusCode::OK
}

async fn take_pair(State(arrivals): State<Arc<Arrivals>>, body: Bytes) -> StatusCode {
    let at_ms = now_ms();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    for alert in message["alerts"].as_array().into_iter().flatten() {
        let lane = alert
            .pointer("/labels/lane")
            .and_then(Value::as_str)
            .and_then(lane_of);
        arrivals.note(lane, at_ms, &alert.to_string());
    }
    StatusCode::OK
}
