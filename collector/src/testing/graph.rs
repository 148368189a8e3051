//! A Microsoft Graph on loopback whose answers a test sets path by path.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

use super::{Server, serve};

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) base: String,
}

impl Asked {
    /// The link to the page with this token.
    pub(crate) fn link(&self, token: &str) -> String {
        format!("{}{}?$skiptoken={token}", self.base, self.path)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.query.get("$skiptoken").map(String::as_str)
    }
}

/// An answer: status, `Retry-After`, body.
pub(crate) type Reply = (u16, Option<&'static str>, String);

/// A page of rows.
pub(crate) fn page(rows: &[Value]) -> Reply {
    (200, None, json!({ "value": rows }).to_string())
}

/// A page of rows with a successor.
pub(crate) fn page_before(rows: &[Value], link: &str) -> Reply {
    (
        200,
        None,
        json!({ "value": rows, "@odata.nextLink": link }).to_string(),
    )
}

/// An error of Graph.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    (
        status,
        None,
        json!({"error": {"code": code, "message": message}}).to_string(),
    )
}

/// How a path is answered.
pub(crate) type Answer = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// The service.
pub(crate) struct FakeGraph {
    answers: Mutex<BTreeMap<String, Answer>>,
    asked: Mutex<Vec<Asked>>,
    server: Mutex<Option<Server>>,
    url: Mutex<Option<Url>>,
    /// Paths whose answers wait until they are let go.
    held: watch::Sender<BTreeSet<String>>,
}

impl FakeGraph {
    /// Starts one; what is not set is 404, and the login service gives tokens.
    pub(crate) async fn start() -> Arc<Self> {
        let graph = Arc::new(Self {
            answers: Mutex::default(),
            asked: Mutex::default(),
            server: Mutex::default(),
            url: Mutex::default(),
            held: watch::Sender::default(),
        });
        let server = serve(
            Router::new()
                .fallback(answer)
                .with_state(Arc::clone(&graph)),
        )
        .await;
        *graph.url.lock().unwrap() = Some(server.url().clone());
        *graph.server.lock().unwrap() = Some(server);
        graph
    }

    pub(crate) fn url(&self) -> Url {
        self.url.lock().unwrap().clone().unwrap()
    }

    /// Sets the answer to a path.
    pub(crate) fn on(&self, path: &str, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        self.answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), Arc::new(answer));
    }

    /// Lets a path wait with its answers.
    pub(crate) fn hold(&self, path: &str) {
        self.held.send_modify(|held| {
            held.insert(path.to_owned());
        });
    }

    /// Paths that wait with their answers, for an answer that holds up the next one.
    pub(crate) fn held(&self) -> watch::Sender<BTreeSet<String>> {
        self.held.clone()
    }

    /// Lets a path answer again.
    pub(crate) fn release(&self, path: &str) {
        self.held.send_modify(|held| {
            held.remove(path);
        });
    }

    /// The answer a path has now, to be set again later.
    pub(crate) fn answer(&self, path: &str) -> Answer {
        Arc::clone(&self.answers.lock().unwrap()[path])
    }

    /// Sets an answer that was taken before.
    pub(crate) fn set(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Paths asked since the last call, in order; token requests are left out.
    pub(crate) fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// How often a path was asked since the last call of `take_asked`.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|asked| asked.path == path)
            .count()
    }
}

async fn answer(State(graph): State<Arc<FakeGraph>>, request: Request) -> Response {
    let asked = Asked {
        path: request.uri().path().to_owned(),
        query: url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        base: graph.url().as_str().trim_end_matches('/').to_owned(),
    };
    let (status, wait, body) = if asked.path.ends_with("/oauth2/v2.0/token") {
        (
            200,
            None,
            json!({"access_token": "sloe", "expires_in": 3599}).to_string(),
        )
    } else {
        graph.asked.lock().unwrap().push(asked.clone());
        let mut held = graph.held.subscribe();
        held.wait_for(|held| !held.contains(&asked.path))
            .await
            .unwrap();
        let set = graph.answers.lock().unwrap().get(&asked.path).cloned();
        set.map_or_else(
            || refusal(404, "Request_ResourceNotFound", "Resource does not exist."),
            |answer| answer(&asked),
        )
    };
    let mut response = Response::builder().status(status);
    if let Some(wait) = wait {
        response = response.header("retry-after", wait);
    }
    response.body(Body::from(body)).unwrap()
}
