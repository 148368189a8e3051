//! One client per tenant: permits, time limits, tokens, budgets and the careful following of links.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue};
use reqwest::{Client, Response};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::secret::REDACTED;
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::time::Timestamp;
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

use super::budget::Budget;
use super::error::{GraphError, Next, Refusal, refused};
use super::{Endpoint, Family};
use crate::auth::{Token, TokenSource};
use crate::http::retry_after::retry_after;
use crate::http::{ExchangeError, body, head};
use crate::metrics::TenantMetrics;

/// Requests of a tenant to the directory and the synchronization service at one time.
const PERMITS: usize = 16;
/// Requests of a tenant to the reporting service at one time: one per log.
const REPORT_PERMITS: usize = 2;
/// No page of the resources read here comes near this.
const BODY_CAP: usize = 64 << 20;
/// How much of an unreadable answer goes to the debug log.
const HEAD: usize = 1024;

/// What a client is made of.
pub(crate) struct Parts {
    pub(crate) http: Client,
    pub(crate) base: Url,
    pub(crate) tokens: TokenSource,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log_requests: u32,
    pub(crate) metrics: TenantMetrics,
}

/// Asks Microsoft Graph on behalf of one tenant.
pub(crate) struct GraphClient {
    parts: Parts,
    permits: Semaphore,
    report_permits: Semaphore,
    budget: Mutex<Budget>,
    /// Until when the service asked to be left alone, by family.
    held: Mutex<BTreeMap<Family, Timestamp>>,
}

impl GraphClient {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            permits: Semaphore::new(PERMITS),
            report_permits: Semaphore::new(REPORT_PERMITS),
            budget: Mutex::new(Budget::new(parts.log_requests)),
            held: Mutex::default(),
            parts,
        }
    }

    /// The tokens of the tenant.
    pub(crate) const fn tokens(&self) -> &TokenSource {
        &self.parts.tokens
    }

    /// The present instant.
    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The address of a resource below the configured one. `$` stays readable and a space is `%20`.
    pub(crate) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.parts.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        if !query.is_empty() {
            let encoded = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish();
            url.set_query(Some(&encoded.replace('+', "%20").replace("%24", "$")));
        }
        url
    }

    /// The address a `nextLink` names, if it stays where the token may go.
    ///
    /// # Errors
    /// When it leads to another scheme, host or port.
    pub(crate) fn next_url(&self, endpoint: Endpoint, link: &str) -> Result<Url, GraphError> {
        let base = &self.parts.base;
        let url = Url::parse(link).map_err(|_| {
            GraphError::unreadable(endpoint.as_str(), "the link to the next page is no address")
        })?;
        let same = url.scheme() == base.scheme()
            && url.host() == base.host()
            && url.port_or_known_default() == base.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        if same {
            return Ok(url);
        }
        let host = url.host_str().unwrap_or("nowhere");
        Err(GraphError::unreadable(
            endpoint.as_str(),
            &format!(
                "the link to the next page leads to {host}, which is not the configured Graph host; it is not followed"
            ),
        ))
    }

    /// Reads a resource.
    pub(crate) async fn get(&self, endpoint: Endpoint, url: &Url) -> Result<Vec<u8>, GraphError> {
        self.gate(endpoint)?;
        let permits = match endpoint.family() {
            Family::Reports => &self.report_permits,
            Family::Synchronization | Family::Directory => &self.permits,
        };
        let _permit = permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let result = self.attempt(endpoint, url).await;
        if let Err(error) = &result {
            self.note_throttling(endpoint, error);
        }
        result.map_err(|error| error.about(endpoint.as_str()))
    }

    /// Refuses without asking while the service wants to be left alone or the budget is used up.
    fn gate(&self, endpoint: Endpoint) -> Result<(), GraphError> {
        let now = self.now();
        let family = endpoint.family();
        let held = self
            .lock_held()
            .get(&family)
            .copied()
            .filter(|until| *until > now);
        if let Some(until) = held {
            return Err(GraphError {
                failure: ReadFailure::Throttled,
                text: format!("the service asked to be left alone until {until}"),
                next: Next::Retry(Some(until.since(now))),
                status: Some(429),
            }
            .about(endpoint.as_str()));
        }
        if family == Family::Reports {
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            budget.take(now).map_err(GraphError::budget)?;
        }
        Ok(())
    }

    fn lock_held(&self) -> std::sync::MutexGuard<'_, BTreeMap<Family, Timestamp>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_throttling(&self, endpoint: Endpoint, error: &GraphError) {
        let Next::Retry(Some(wait)) = error.next else {
            return;
        };
        self.parts.metrics.throttled(wait);
        if error.failure == ReadFailure::Throttled {
            let until = self.now() + wait;
            let mut held = self.lock_held();
            let at = held.entry(endpoint.family()).or_insert(until);
            *at = until.max(*at);
        }
    }

    /// Asks, with a new token once when the first one is refused.
    async fn attempt(&self, endpoint: Endpoint, url: &Url) -> Result<Vec<u8>, GraphError> {
        let token = self.parts.tokens.token().await?;
        match self.send(endpoint, url, &token).await {
            Err(error) if error.failure == ReadFailure::TokenRefused => {
                self.parts.tokens.refuse(&token);
                let token = self.parts.tokens.token().await?;
                self.send(endpoint, url, &token).await
            }
            result => result,
        }
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        url: &Url,
        token: &Token,
    ) -> Result<Vec<u8>, GraphError> {
        let id = Uuid::new_v4();
        let request = self
            .parts
            .http
            .get(url.clone())
            .headers(headers(endpoint, token, id)?);
        let result = match request.send().await {
            Ok(response) => self.receive(endpoint, response, token).await,
            Err(error) => Err(ExchangeError::from(error).into()),
        };
        let code = match &result {
            Ok(_) => "200".to_owned(),
            Err(error) => error
                .status
                .map_or_else(|| error.failure.to_string(), |status| status.to_string()),
        };
        self.parts.metrics.request(endpoint, &code);
        if let Err(error) = &result {
            tracing::debug!(graph.endpoint = endpoint.as_str(), graph.client_request_id = %id, "request failed: {error}");
        }
        result
    }

    async fn receive(
        &self,
        endpoint: Endpoint,
        response: Response,
        token: &Token,
    ) -> Result<Vec<u8>, GraphError> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text_of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let encoding = headers.get(CONTENT_ENCODING).cloned();
        let body = body(response, BODY_CAP).await?;
        if status == 200 {
            if let Some(encoding) = encoding.filter(|encoding| encoding != "identity") {
                return Err(GraphError {
                    failure: ReadFailure::BadAnswer,
                    text: format!("the answer is encoded as {encoding:?}, which was not asked for"),
                    next: Next::Retry(None),
                    status: Some(status),
                });
            }
            return Ok(body);
        }
        let error = refused(&Refusal {
            status,
            body: &body,
            request_id: text_of("request-id"),
            retry_after: retry_after(&headers, self.now()),
        });
        tracing::debug!(
            graph.endpoint = endpoint.as_str(),
            graph.request_id = text_of("request-id"),
            graph.diagnostic = text_of("x-ms-ags-diagnostic"),
            graph.throttle = text_of("x-ms-throttle-information"),
            http.status = status,
            "answer: {}",
            printable(&body, Some(token)),
        );
        Err(error)
    }

    /// Notes in the debug log how an answer began that could not be read.
    pub(crate) fn note_unreadable(&self, endpoint: Endpoint, body: &[u8], error: &GraphError) {
        tracing::debug!(
            graph.endpoint = endpoint.as_str(),
            answer.bytes = body.len(),
            "{error}; it begins: {}",
            printable(body, self.parts.tokens.current().as_deref())
        );
    }
}

/// The start of an answer for the debug log, without the token in case a proxy repeats it.
fn printable(body: &[u8], token: Option<&Token>) -> String {
    let Some(token) = token else {
        return head(body, HEAD);
    };
    let token = token.expose();
    let text = head(body, HEAD + token.len()).replace(token, REDACTED);
    text.chars().take(HEAD).collect()
}

fn headers(endpoint: Endpoint, token: &Token, id: Uuid) -> Result<HeaderMap, GraphError> {
    let refuse = |_| GraphError::unreadable("the login service", "the token cannot be sent");
    let mut headers = HeaderMap::new();
    let bearer = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut bearer = HeaderValue::from_str(&bearer).map_err(refuse)?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        "client-request-id",
        HeaderValue::from_str(&id.to_string()).map_err(refuse)?,
    );
    if endpoint.is_advanced() {
        headers.insert("consistencylevel", HeaderValue::from_static("eventual"));
    }
    if endpoint == Endpoint::Agents {
        headers.insert(
            "prefer",
            HeaderValue::from_static("include-unknown-enum-members"),
        );
    }
    Ok(headers)
}
