//! Against login services on loopback that count and answer as told.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use serde_json::json;
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::ReadFailure;
use url::Url;

use super::*;
use crate::config::{Credential, IdentityKind, ManagedIdentity, TenantSection};
use crate::http::{Route, client};
use crate::testing::serve;

const START: Timestamp = Timestamp::from_millis(1_793_000_000_000);
const CLIENT: &str = "11111111-2222-4333-8444-555555555555";

/// Path, form and headers of a request.
type Asked = (String, HashMap<String, String>, HashMap<String, String>);

/// A login service that keeps what it was asked and answers with `status` and `body`.
#[derive(Default)]
struct Login {
    asked: Mutex<Vec<Asked>>,
    count: AtomicUsize,
    answer: Mutex<(u16, String, Option<&'static str>)>,
}

impl Login {
    fn answering(status: u16, body: &serde_json::Value) -> Arc<Self> {
        let login = Self::default();
        login.set(status, &body.to_string());
        Arc::new(login)
    }

    fn set(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned(), None);
    }

    fn asked(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn form(&self) -> HashMap<String, String> {
        self.asked.lock().unwrap().last().unwrap().1.clone()
    }

    async fn start(self: &Arc<Self>) -> (Url, crate::testing::Server) {
        let server = serve(Router::new().fallback(answer).with_state(Arc::clone(self))).await;
        (server.url().clone(), server)
    }
}

async fn answer(State(login): State<Arc<Login>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    login
        .asked
        .lock()
        .unwrap()
        .push((head.uri.to_string(), form, headers));
    let number = login.count.fetch_add(1, Ordering::SeqCst);
    let (status, body, wait) = login.answer.lock().unwrap().clone();
    let mut answer = (
        axum::http::StatusCode::from_u16(status).unwrap(),
        body.replace("{n}", &number.to_string()),
    )
        .into_response();
    if let Some(wait) = wait {
        answer
            .headers_mut()
            .insert("retry-after", wait.parse().unwrap());
    }
    answer
}

fn good(expires_in: u64) -> serde_json::Value {
    json!({"token_type": "Bearer", "expires_in": expires_in, "access_token": "plum-{n}"})
}

fn source(login: &Url, credential: Credential, clock: &Arc<ScriptedClock>) -> TokenSource {
    source_in(login, credential, clock, Arc::new(|_| None))
}

fn source_in(
    login: &Url,
    credential: Credential,
    clock: &Arc<ScriptedClock>,
    environment: Environment,
) -> TokenSource {
    let section = TenantSection {
        name: "birch".to_owned(),
        id: "birch.example".to_owned(),
        client_id: Some(CLIENT.to_owned()),
        client_secret: Some(Secret::new("pear".to_owned())),
        login_url: Some(login.to_string()),
        ..TenantSection::default()
    };
    let mut tenant = section.check().unwrap();
    tenant.credential = credential;
    let http = client(Duration::from_secs(5), Route::Direct).unwrap();
    let request = TokenRequest::new(&tenant, http, environment);
    TokenSource::new(request, Arc::clone(clock) as Arc<dyn Clock>)
}

fn secret() -> Credential {
    Credential::Secret {
        client_id: CLIENT.to_owned(),
        secret: Secret::new("pe&ar =1".to_owned()),
    }
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many_and_renewed_before_it_ends() {
    let login = Login::answering(200, &good(3600));
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let tokens = Arc::new(source(&url, secret(), &clock));
    let waiting: Vec<_> = (0..20).map(|_| tokens.token()).collect();
    for token in futures_of(waiting).await {
        assert_eq!(token.unwrap().expose(), "plum-0");
    }
    assert_eq!(login.asked(), 1);
    let form = login.form();
    assert_eq!(form["client_secret"], "pe&ar =1");
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["scope"], "https://graph.microsoft.com/.default");
    assert_eq!(
        login.asked.lock().unwrap()[0].0,
        "/birch.example/oauth2/v2.0/token"
    );

    clock.advance(Duration::from_secs(3600 - 301));
    assert_eq!(tokens.token().await.unwrap().expose(), "plum-0");
    clock.advance(Duration::from_secs(1));
    assert_eq!(tokens.token().await.unwrap().expose(), "plum-1");
}

/// Waits for all, started together.
async fn futures_of<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *result = Some(output);
            }
        }
        if results.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    results.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_failed_early_renewal_does_no_harm_while_the_old_token_lives() {
    let login = Login::answering(200, &good(3600));
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let tokens = source(&url, secret(), &clock);
    tokens.token().await.unwrap();
    login.set(503, "<html>busy</html>");
    clock.advance(Duration::from_secs(3400));
    assert_eq!(tokens.token().await.unwrap().expose(), "plum-0");
    assert_eq!(tokens.token().await.unwrap().expose(), "plum-0");
    assert_eq!(login.asked(), 2, "a failed renewal is not repeated at once");
    clock.advance(Duration::from_secs(200));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.failure, ReadFailure::ServerError);
}

#[tokio::test]
async fn a_refused_secret_is_told_without_naming_it_and_not_tried_again_at_once() {
    let refusal = json!({"error": "invalid_client", "error_codes": [7_000_215],
        "error_description": "AADSTS7000215: no. pe&ar =1", "correlation_id": "c-1"});
    let login = Login::answering(401, &refusal);
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let tokens = source(&url, secret(), &clock);
    for _ in 0..5 {
        let error = tokens.token().await.unwrap_err();
        assert_eq!(error.failure, ReadFailure::SignInRefused);
        assert_eq!(error.codes, [7_000_215]);
        assert!(!format!("{error} {error:?}").contains("pe&ar"), "{error:?}");
    }
    assert_eq!(login.asked(), 1);
    login.set(200, &good(3600).to_string());
    clock.advance(REFUSED_PAUSE);
    assert_eq!(tokens.token().await.unwrap().expose(), "plum-1");
}

#[tokio::test]
async fn retry_after_of_the_login_service_is_honoured_in_full() {
    let login = Login::answering(429, &json!({}));
    login.answer.lock().unwrap().2 = Some("90");
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let tokens = source(&url, secret(), &clock);
    assert_eq!(
        tokens.token().await.unwrap_err().failure,
        ReadFailure::Throttled
    );
    login.set(200, &good(60).to_string());
    clock.advance(Duration::from_millis(89_999));
    tokens.token().await.unwrap_err();
    assert_eq!(login.asked(), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(tokens.token().await.unwrap().expose(), "plum-1");
}

#[tokio::test]
async fn a_token_that_graph_refused_is_replaced_once() {
    let login = Login::answering(200, &good(3600));
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let tokens = source(&url, secret(), &clock);
    let old = tokens.token().await.unwrap();
    tokens.refuse(&old);
    let new = tokens.token().await.unwrap();
    tokens.refuse(&old);
    assert_eq!(tokens.token().await.unwrap().expose(), new.expose());
    assert_eq!(login.asked(), 2);
}

#[tokio::test]
async fn secret_and_federated_files_are_read_each_time() {
    let login = Login::answering(200, &good(3600));
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proof");
    let client_id = CLIENT.to_owned();
    for (credential, field) in [
        (
            Credential::SecretFile {
                client_id: client_id.clone(),
                file: file.clone(),
            },
            "client_secret",
        ),
        (
            Credential::Federated {
                client_id: client_id.clone(),
                file: file.clone(),
            },
            "client_assertion",
        ),
    ] {
        let tokens = source(&url, credential, &clock);
        for content in ["first\n", "second"] {
            std::fs::write(&file, content).unwrap();
            tokens.forget();
            tokens.token().await.unwrap();
            assert_eq!(login.form()[field], content.trim());
        }
    }
    std::fs::remove_file(&file).unwrap();
    let tokens = source(
        &url,
        Credential::SecretFile {
            client_id,
            file: file.clone(),
        },
        &clock,
    );
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.class, AuthClass::Operator);
    assert!(error.text.contains(file.to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_certificate_signs_for_the_exact_endpoint() {
    let login = Login::answering(200, &good(3600));
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/auth/fixtures/");
    let credential = Credential::Certificate {
        client_id: CLIENT.to_owned(),
        certificate_file: format!("{folder}rsa.cert.pem").into(),
        private_key_file: format!("{folder}rsa.pkcs8.pem").into(),
    };
    source(&url, credential, &clock).token().await.unwrap();
    let form = login.form();
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let claims = form["client_assertion"].split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        claims["aud"],
        format!("{url}birch.example/oauth2/v2.0/token")
    );
}

#[tokio::test]
async fn managed_identities_are_asked_in_their_own_way() {
    let login = Login::answering(
        200,
        &json!({"access_token": "plum-{n}", "expires_in": "86399", "expires_on": "1793086399",
            "refresh_token": "", "token_type": "Bearer"}),
    );
    let (url, _server) = login.start().await;
    let clock = Arc::new(ScriptedClock::new(START));
    let vm = |client_id: Option<&str>| {
        Credential::Managed(ManagedIdentity {
            kind: IdentityKind::Vm,
            client_id: client_id.map(str::to_owned),
            endpoint: Some(url.clone()),
        })
    };
    source(&url, vm(Some("abc")), &clock).token().await.unwrap();
    let asked = login.asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        asked.0,
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F&client_id=abc"
    );
    assert_eq!(asked.2["metadata"], "true");

    login.set(
        200,
        &json!({"access_token": "plum", "expires_on": "1793003600", "client_id": "x"}).to_string(),
    );
    let service = Credential::Managed(ManagedIdentity {
        kind: IdentityKind::AppService,
        client_id: None,
        endpoint: None,
    });
    let endpoint = format!("{url}msi/token");
    let environment: Environment = Arc::new(move |name| match name {
        "IDENTITY_ENDPOINT" => Some(endpoint.clone()),
        "IDENTITY_HEADER" => Some("quince".to_owned()),
        _ => None,
    });
    source_in(&url, service.clone(), &clock, environment)
        .token()
        .await
        .unwrap();
    let asked = login.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked.2["x-identity-header"], "quince");
    assert!(
        asked
            .0
            .starts_with("/msi/token?api-version=2019-08-01&resource="),
        "{}",
        asked.0
    );

    let error = source(&url, service, &clock).token().await.unwrap_err();
    assert!(error.text.contains("IDENTITY_HEADER"), "{error}");

    for (status, class) in [
        (400, AuthClass::Operator),
        (403, AuthClass::Operator),
        (404, AuthClass::Retry(None)),
        (410, AuthClass::Retry(None)),
        (500, AuthClass::Retry(None)),
    ] {
        login.set(
            status,
            &json!({"error": "invalid_request", "error_description": "Identity not found"})
                .to_string(),
        );
        let error = source(&url, vm(None), &clock).token().await.unwrap_err();
        assert_eq!(error.class, class, "{status}: {error}");
    }
}

#[tokio::test]
async fn answers_that_are_no_token_fail_with_a_sentence() {
    let login = Login::answering(200, &json!({}));
    let (url, _server) = login.start().await;
    for body in [
        "",
        "<html>proxy</html>",
        "[]",
        "\"plum\"",
        "{\"access_token\": 5, \"expires_in\": 3599}",
        "{\"access_token\": \"plum\"}",
        "{\"access_token\": \"\", \"expires_in\": 3599}",
        "{\"access_token\": \"pl\\num\", \"expires_in\": 3599}",
        "{\"access_token\": \"plum\", \"expires_in\": -1}",
        "{\"access_token\": \"plum\", \"expires_in\": 3599",
    ] {
        login.set(200, body);
        let clock = Arc::new(ScriptedClock::new(START));
        let error = source(&url, secret(), &clock).token().await.unwrap_err();
        assert_eq!(error.failure, ReadFailure::BadAnswer, "{body}");
        assert!(!error.text.contains("plum"), "{error}");
    }
}
