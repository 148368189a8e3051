//! What an error answer of Microsoft Graph means (Microsoft Graph reference: error responses).

use std::time::Duration;

use serde::Deserialize;
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::time::Timestamp;
use thiserror::Error;

use crate::auth::{AuthClass, AuthError};
use crate::http::{ExchangeError, cut};
use crate::parse::ParseError;

/// A request that brought no usable answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{text}")]
pub(crate) struct GraphError {
    /// The kind of failure.
    pub(crate) failure: ReadFailure,
    /// What failed on what, without secrets.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) next: Next,
    /// HTTP status, where there was an answer.
    pub(crate) status: Option<u16>,
}

/// What to do after a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again; not before the wait the service named.
    Retry(Option<Duration>),
    /// Try again slowly: a person has to change something first.
    Slowly,
    /// The page token ended: start the window again.
    RestartWindow,
    /// The service cannot answer for so wide a window: ask for less.
    ShrinkWindow,
    /// The page size is not accepted.
    SmallerPage,
    /// The own budget is used up: not a failure, go on then.
    Budget(Timestamp),
}

impl GraphError {
    /// The own budget is used up until `at`.
    pub(super) fn budget(at: Timestamp) -> Self {
        Self {
            failure: ReadFailure::Throttled,
            text: format!("the own request budget is used up until {at}"),
            next: Next::Budget(at),
            status: None,
        }
    }

    /// The answer came, but could not be read.
    pub(crate) fn unreadable(what: &str, why: &str) -> Self {
        Self {
            failure: ReadFailure::BadAnswer,
            text: format!("the answer about {what} could not be read: {why}"),
            next: Next::Retry(None),
            status: None,
        }
    }

    /// Says what was asked.
    pub(super) fn about(mut self, what: &str) -> Self {
        self.text = format!("reading {what} failed: {}", self.text);
        self
    }
}

impl From<AuthError> for GraphError {
    fn from(error: AuthError) -> Self {
        Self {
            failure: error.failure,
            next: match error.class {
                AuthClass::Retry(after) => Next::Retry(after),
                // The pause after a refusal is kept by the token source.
                AuthClass::Operator => Next::Retry(None),
            },
            text: error.text,
            status: None,
        }
    }
}

impl From<ExchangeError> for GraphError {
    fn from(error: ExchangeError) -> Self {
        let next = match error.failure {
            ReadFailure::Timeout => Next::ShrinkWindow,
            _ => Next::Retry(None),
        };
        Self {
            failure: error.failure,
            text: error.text,
            next,
            status: None,
        }
    }
}

impl From<ParseError> for GraphError {
    fn from(error: ParseError) -> Self {
        Self::unreadable(error.what(), &error.to_string())
    }
}

/// An error answer as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
    /// Graph's own id of the request: its presence shows that Graph itself spoke, and no proxy.
    pub(super) request_id: Option<&'a str>,
    pub(super) retry_after: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Option<Inner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inner {
    code: Option<String>,
    message: Option<String>,
}

/// Decides what a refusal means. Status and code decide; the message does only where the service
/// gives nothing else.
pub(super) fn refused(refusal: &Refusal<'_>) -> GraphError {
    let inner = serde_json::from_slice::<Envelope>(refusal.body)
        .ok()
        .and_then(|envelope| envelope.error);
    let by_graph = inner.is_some() || refusal.request_id.is_some();
    let Inner { code, message } = inner.unwrap_or_default();
    let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
    let (failure, next) = meaning(refusal, by_graph, &code, &message);
    GraphError {
        failure,
        text: sentence(refusal, by_graph, &code, &message),
        next,
        status: Some(refusal.status),
    }
}

fn meaning(
    refusal: &Refusal<'_>,
    by_graph: bool,
    code: &str,
    message: &str,
) -> (ReadFailure, Next) {
    use ReadFailure as F;
    let retry = Next::Retry(refusal.retry_after);
    match refusal.status {
        429 => (F::Throttled, retry),
        504 => (F::ServerError, Next::ShrinkWindow),
        501 => (F::NotAvailable, Next::Slowly),
        500..=599 => (F::ServerError, retry),
        407 => (F::Network, retry),
        300..=399 => (F::BadAnswer, retry),
        408 => (F::Timeout, Next::ShrinkWindow),
        _ if !by_graph => (F::BadAnswer, retry),
        400 if is_expired_page(code, message) => (F::Refused, Next::RestartWindow),
        400 if message.to_ascii_lowercase().contains("page size") => {
            (F::Refused, Next::SmallerPage)
        }
        401 => (F::TokenRefused, retry),
        403 if code
            .eq_ignore_ascii_case("Authentication_RequestFromNonPremiumTenantOrB2CTenant") =>
        {
            (F::LicenceMissing, Next::Slowly)
        }
        403 => (F::RightMissing, Next::Slowly),
        404 | 410 => (F::NotAvailable, Next::Slowly),
        _ => (F::Refused, Next::Slowly),
    }
}

/// Directory pages name it by code, reporting pages only by text and with an empty code.
fn is_expired_page(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    code.eq_ignore_ascii_case("Directory_ExpiredPageToken")
        || (message.contains("token") && message.contains("invalid or expired"))
}

fn sentence(refusal: &Refusal<'_>, by_graph: bool, code: &str, message: &str) -> String {
    use std::fmt::Write as _;
    let mut text = format!("HTTP {}", refusal.status);
    if !code.is_empty() {
        write!(text, " {}", cut(code, 100)).expect("writing to a String cannot fail");
    }
    if !message.is_empty() {
        write!(text, ": {}", cut(message, 300)).expect("writing to a String cannot fail");
    }
    match refusal.status {
        300..=399 => text.push_str(": redirected to another address, which is not followed"),
        407 => text.push_str(": the proxy wants a sign-in"),
        _ if !by_graph => text
            .push_str(": the answer does not come from Microsoft Graph; a proxy may have answered"),
        _ => {}
    }
    if let Some(id) = refusal.request_id {
        write!(text, " (request-id {})", cut(id, 64)).expect("writing to a String cannot fail");
    }
    text
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
