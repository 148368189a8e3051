//! An HTTP receiver that answers as it is told and keeps what it got.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// What the receiver answers once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Never answer.
    pub(crate) hang: bool,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }
}

/// What the receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
    arrived: Notify,
}

/// The receiver; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct HttpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl HttpSink {
    /// Answers with `script`, one by one, and with 202 after that.
    pub(crate) async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(script.into_iter().collect()),
            ..Shared::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        TaskTracker::new().spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("not poisoned").clone()
    }

    /// Waits until `count` requests have arrived.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Request> {
        loop {
            let arrived = self.shared.arrived.notified();
            let requests = self.requests();
            if requests.len() >= count {
                return requests;
            }
            arrived.await;
        }
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request { uri, headers, body };
    shared.requests.lock().expect("not poisoned").push(request);
    shared.arrived.notify_waiters();
    let next = shared.script.lock().expect("not poisoned").pop_front();
    let next = next.unwrap_or_else(|| Answer::status(202));
    if next.hang {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(next.status).expect("a status");
    let mut response = (status, next.body).into_response();
    for (name, value) in next.headers {
        let value = HeaderValue::from_str(&value).expect("a header value");
        response.headers_mut().insert(name, value);
    }
    response
}
