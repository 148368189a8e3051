//! The one place where HTTP clients are built, and the careful reading of answers.

pub(crate) mod retry_after;

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use syncwatch_domain::source::ReadFailure;

/// Longest time to set up a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How a client reaches its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Through the machine's proxy, where one is set.
    Proxied,
    /// Never through a proxy: this machine, or its identity endpoint.
    Direct,
}

/// Builds a client. It follows no redirect: a token must not travel to a host that was not configured.
pub(crate) fn client(limit: Duration, route: Route) -> Result<Client, reqwest::Error> {
    builder(limit, route).build()
}

/// The same before it is built, for what one kind of service needs beside.
pub(crate) fn builder(limit: Duration, route: Route) -> ClientBuilder {
    // Fails only when a provider is set already, and then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .timeout(limit)
        .connect_timeout(limit.min(CONNECT_LIMIT))
        .redirect(Policy::none())
        .user_agent(concat!("syncwatch/", env!("CARGO_PKG_VERSION")));
    match route {
        Route::Proxied => builder,
        Route::Direct => builder.no_proxy(),
    }
}

/// Why an exchange brought no answer that can be looked at.
#[derive(Clone, Debug)]
pub(crate) struct ExchangeError {
    /// The kind of failure.
    pub(crate) failure: ReadFailure,
    /// What happened, without address or secret.
    pub(crate) text: String,
}

impl From<reqwest::Error> for ExchangeError {
    fn from(error: reqwest::Error) -> Self {
        let failure = if error.is_timeout() {
            ReadFailure::Timeout
        } else if error.is_body() || error.is_decode() {
            ReadFailure::BadAnswer
        } else {
            ReadFailure::Network
        };
        let cause = chain(&error.without_url());
        let text = match failure {
            ReadFailure::Timeout => "no complete answer in time".to_owned(),
            ReadFailure::BadAnswer => format!("the answer was cut off: {cause}"),
            _ => format!("no connection: {cause}"),
        };
        Self { failure, text }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    text
}

/// Reads the body of an answer up to `cap` bytes; more than that is refused.
pub(crate) async fn body(mut response: Response, cap: usize) -> Result<Vec<u8>, ExchangeError> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    let too_long = || ExchangeError {
        failure: ReadFailure::BadAnswer,
        text: format!("the answer is longer than {cap} bytes"),
    };
    if announced.is_some_and(|length| length > cap) {
        return Err(too_long());
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > cap {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The first `limit` bytes of an answer as one printable line.
pub(crate) fn head(body: &[u8], limit: usize) -> String {
    let cut = &body[..body.len().min(limit)];
    String::from_utf8_lossy(cut)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A text of the outside world, cut to a readable length on a character boundary.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    let line: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.chars().count() <= limit {
        return line;
    }
    let mut short: String = line.chars().take(limit).collect();
    short.push_str("...");
    short
}
