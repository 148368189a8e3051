//! The client against a Graph on loopback that answers as told.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use prometheus::Registry;
use serde_json::json;
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::time::Timestamp;
use url::Url;

use super::*;
use crate::auth::{TokenRequest, TokenSource};
use crate::http::{Route, client};
use crate::metrics::Metrics;
use crate::testing::{Server, serve, tenant};

const START: Timestamp = Timestamp::from_millis(1_793_000_000_000);

/// One prepared answer.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

fn with(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.headers.push((name, value.to_owned()));
    answer
}

/// Answers in order; what is not prepared is an empty page.
#[derive(Default)]
struct Graph {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<(String, HeaderMap)>>,
    tokens: Mutex<usize>,
}

struct World {
    graph: Arc<Graph>,
    client: GraphClient,
    clock: Arc<ScriptedClock>,
    registry: Registry,
    _server: Server,
}

async fn world(answers: Vec<Answer>) -> World {
    let graph = Arc::new(Graph {
        answers: Mutex::new(answers.into()),
        ..Graph::default()
    });
    let router = Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(give_token))
        .fallback(reply)
        .with_state(Arc::clone(&graph));
    let server = serve(router).await;
    let clock = Arc::new(ScriptedClock::new(START));
    let registry = Registry::new();
    let client = client_for(server.url(), &clock, &registry, Duration::from_secs(5));
    World {
        graph,
        client,
        clock,
        registry,
        _server: server,
    }
}

fn client_for(
    url: &Url,
    clock: &Arc<ScriptedClock>,
    registry: &Registry,
    limit: Duration,
) -> GraphClient {
    let config = tenant(url);
    let http = client(limit, Route::Direct).unwrap();
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    GraphClient::new(Parts {
        tokens: TokenSource::new(
            TokenRequest::new(&config, http.clone(), Arc::new(|_| None)),
            Arc::clone(&clock),
        ),
        http,
        base: url.clone(),
        clock,
        log_requests: 2,
        metrics: Metrics::register(registry).unwrap().of("rowan"),
    })
}

async fn give_token(State(graph): State<Arc<Graph>>) -> String {
    let mut count = graph.tokens.lock().unwrap();
    *count += 1;
    json!({"access_token": format!("sloe-{count}"), "expires_in": 3599, "token_type": "Bearer"})
        .to_string()
}

async fn reply(State(graph): State<Arc<Graph>>, request: Request) -> Response {
    graph
        .asked
        .lock()
        .unwrap()
        .push((request.uri().to_string(), request.headers().clone()));
    let next = graph.answers.lock().unwrap().pop_front();
    let next = next.unwrap_or_else(|| answer(200, "{\"value\":[]}"));
    let mut response = Response::builder().status(next.status);
    for (name, value) in next.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(next.body)).unwrap()
}

impl World {
    async fn get(&self, endpoint: Endpoint) -> Result<Vec<u8>, GraphError> {
        self.client
            .get(endpoint, &self.client.url("v1.0/thing", &[]))
            .await
    }

    fn sent(&self) -> usize {
        self.graph.asked.lock().unwrap().len()
    }
}

#[tokio::test]
async fn each_endpoint_sends_its_headers() {
    let world = world(Vec::new()).await;
    for (endpoint, eventual, prefer) in [
        (Endpoint::ServicePrincipals, true, false),
        (Endpoint::Applications, true, false),
        (Endpoint::AppRoleAssignments, true, false),
        (Endpoint::Jobs, false, false),
        (Endpoint::Provisioning, false, false),
        (Endpoint::Agents, false, true),
    ] {
        assert_eq!(world.get(endpoint).await.unwrap(), b"{\"value\":[]}");
        let (_, headers) = world.graph.asked.lock().unwrap().pop().unwrap();
        assert_eq!(
            headers.contains_key("consistencylevel"),
            eventual,
            "{endpoint:?}"
        );
        assert_eq!(headers.contains_key("prefer"), prefer, "{endpoint:?}");
        assert_eq!(headers["authorization"], "Bearer sloe-1");
        assert_eq!(headers["accept"], "application/json");
        assert_eq!(headers["client-request-id"].len(), 36);
    }
}

#[tokio::test]
async fn a_filter_is_encoded_so_that_graph_reads_it() {
    let world = world(Vec::new()).await;
    let url = world.client.url(
        "v1.0/auditLogs/provisioning",
        &[
            (
                "$filter",
                "activityDateTime gt 2026-10-03T07:41:09Z and jobId eq 'a+b'",
            ),
            ("$top", "5"),
        ],
    );
    assert_eq!(url.path(), "/v1.0/auditLogs/provisioning");
    assert_eq!(
        url.query(),
        Some(
            "$filter=activityDateTime%20gt%202026-10-03T07%3A41%3A09Z%20and%20jobId%20eq%20%27a%2Bb%27&$top=5"
        )
    );
}

#[tokio::test]
async fn no_link_leads_to_another_host_scheme_or_port() {
    let world = world(Vec::new()).await;
    let home = world.client.url("v1.0/x", &[("$skiptoken", "abc_1")]);
    assert_eq!(
        world
            .client
            .next_url(Endpoint::Jobs, home.as_str())
            .unwrap(),
        home
    );
    let port = home.port().unwrap();
    for foreign in [
        format!("https://127.0.0.1:{port}/v1.0/x"),
        format!("http://127.0.0.2:{port}/v1.0/x"),
        format!("http://127.0.0.1:{}/v1.0/x", port ^ 1),
        "http://127.0.0.1/v1.0/x".to_owned(),
        format!("http://127.0.0.1:{port}@evil.example/v1.0/x"),
        format!("http://u:p@127.0.0.1:{port}/v1.0/x"),
        "//evil.example/x".to_owned(),
        "/v1.0/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let error = world.client.next_url(Endpoint::Jobs, &foreign).unwrap_err();
        assert_eq!(error.failure, ReadFailure::BadAnswer, "{foreign}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_then_the_poll_fails() {
    let refused = || {
        answer(
            401,
            &json!({"error": {"code": "InvalidAuthenticationToken", "message": "expired"}})
                .to_string(),
        )
    };
    let world = world(vec![refused(), answer(200, "{}"), refused(), refused()]).await;
    assert_eq!(world.get(Endpoint::Jobs).await.unwrap(), b"{}");
    assert_eq!(
        world.graph.asked.lock().unwrap()[1].1["authorization"],
        "Bearer sloe-2"
    );
    let error = world.get(Endpoint::Jobs).await.unwrap_err();
    assert_eq!(error.failure, ReadFailure::TokenRefused);
    assert_eq!((world.sent(), *world.graph.tokens.lock().unwrap()), (4, 3));
}

#[tokio::test]
async fn a_wait_the_service_asks_for_is_kept_to_the_millisecond_for_its_family_alone() {
    let throttled = with(
        answer(
            429,
            &json!({"error": {"code": "TooManyRequests", "message": "x"}}).to_string(),
        ),
        "Retry-After",
        "7.5",
    );
    let world = world(vec![throttled]).await;
    let error = world.get(Endpoint::Jobs).await.unwrap_err();
    assert_eq!(
        (error.failure, error.next),
        (
            ReadFailure::Throttled,
            Next::Retry(Some(Duration::from_millis(7_500)))
        )
    );
    world.clock.advance(Duration::from_millis(7_499));
    let error = world.get(Endpoint::Job).await.unwrap_err();
    assert_eq!(error.next, Next::Retry(Some(Duration::from_millis(1))));
    assert_eq!(world.sent(), 1, "nothing is sent while the service waits");
    world.get(Endpoint::Organization).await.unwrap();
    world.clock.advance(Duration::from_millis(1));
    world.get(Endpoint::Job).await.unwrap();
    assert_eq!(world.sent(), 3);
    let text = prometheus::TextEncoder::new()
        .encode_to_string(&world.registry.gather())
        .unwrap();
    assert!(
        text.contains("syncwatch_graph_throttled_seconds_total{tenant=\"rowan\"} 7.5"),
        "{text}"
    );
    assert!(
        text.contains(
            "syncwatch_graph_requests_total{code=\"429\",endpoint=\"jobs\",tenant=\"rowan\"} 1"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn reports_keep_their_own_budget_and_nothing_else_does() {
    let world = world(Vec::new()).await;
    world.get(Endpoint::Provisioning).await.unwrap();
    world.get(Endpoint::DirectoryAudits).await.unwrap();
    let Next::Budget(at) = world.get(Endpoint::Provisioning).await.unwrap_err().next else {
        panic!("the third request exceeds the budget of two");
    };
    for _ in 0..10 {
        world.get(Endpoint::Jobs).await.unwrap();
    }
    assert_eq!(world.sent(), 12);
    world.clock.set(at);
    world.get(Endpoint::Provisioning).await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = world(Vec::new()).await;
    let target = elsewhere.client.url("stolen", &[]);
    let world = world(vec![with(answer(302, ""), "Location", target.as_str())]).await;
    let error = world.get(Endpoint::Jobs).await.unwrap_err();
    assert_eq!(error.failure, ReadFailure::BadAnswer);
    assert!(error.text.contains("redirected"), "{error}");
    assert_eq!(elsewhere.sent(), 0);
}

#[tokio::test]
async fn broken_answers_fail_with_their_kind_and_without_secret() {
    let world = world(vec![
        with(
            answer(200, "\u{1f}\u{8b}zipped"),
            "Content-Encoding",
            "gzip",
        ),
        answer(403, "<html>sloe-1 blocked</html>"),
        answer(500, "sloe-1"),
    ])
    .await;
    for failure in [
        ReadFailure::BadAnswer,
        ReadFailure::BadAnswer,
        ReadFailure::ServerError,
    ] {
        let error = world.get(Endpoint::Jobs).await.unwrap_err();
        assert_eq!(error.failure, failure, "{error}");
        assert!(!format!("{error} {error:?}").contains("sloe"), "{error:?}");
        assert!(error.text.starts_with("reading jobs failed: "), "{error}");
    }
}

#[tokio::test]
async fn a_cut_off_answer_a_silent_service_and_no_service_are_told_apart() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let stopped = stop.clone();
    let _guard = stop.drop_guard();
    tokio_util::task::TaskTracker::new().spawn(stopped.run_until_cancelled_owned(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            if request.starts_with("POST") {
                let body = "{\"access_token\":\"sloe\",\"expires_in\":3599}";
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await.unwrap();
            } else if request.contains("/cut") {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"value\":[")
                    .await
                    .unwrap();
            } else {
                silent.push(stream);
            }
        }
    }));
    let clock = Arc::new(ScriptedClock::new(START));
    let client = client_for(&url, &clock, &Registry::new(), Duration::from_millis(300));
    let error = client
        .get(Endpoint::Jobs, &client.url("cut", &[]))
        .await
        .unwrap_err();
    assert_eq!(error.failure, ReadFailure::BadAnswer, "{error}");
    let error = client
        .get(Endpoint::Jobs, &client.url("silent", &[]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.failure, error.next),
        (ReadFailure::Timeout, Next::ShrinkWindow),
        "{error}"
    );

    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", free.local_addr().unwrap())).unwrap();
    drop(free);
    let client = client_for(&url, &clock, &Registry::new(), Duration::from_secs(5));
    let error = client
        .get(Endpoint::Jobs, &client.url("x", &[]))
        .await
        .unwrap_err();
    assert_eq!(error.failure, ReadFailure::Network, "{error}");
    assert!(!error.text.contains("127.0.0.1"), "{error}");
}
