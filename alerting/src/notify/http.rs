//! What HTTP receivers have in common: one POST, and what its answer means.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use syncwatch_domain::delivery::AttemptResult;
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;
use url::Url;

use super::{NotifierError, reason, tls};
use crate::config::{ReceiverConfig, is_loopback};

/// As much of an answer as is looked at.
const ANSWER_LIMIT: usize = 4 * 1024;

/// Posts to one receiver, with one limit for everything.
#[derive(Clone, Debug)]
pub(super) struct Poster {
    outside: Client,
    loopback: Client,
    timeout: Duration,
}

/// What a receiver answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Status.
    pub(super) status: u16,
    /// How long it wants to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// The head of the body.
    pub(super) body: String,
}

impl Poster {
    /// A poster with the authorities and the limit of `receiver`.
    pub(super) fn new(receiver: &ReceiverConfig) -> Result<Self, NotifierError> {
        let mut tls = tls::client_config(receiver)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = || {
            Client::builder()
                .user_agent(concat!("syncwatch/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .referer(false)
                .timeout(receiver.timeout)
                .tls_backend_preconfigured(tls.clone())
        };
        let failed = |source| NotifierError::Http {
            receiver: receiver.name.clone(),
            source,
        };
        Ok(Self {
            outside: builder().build().map_err(failed)?,
            // What stays on this machine, perhaps in plain text, must not take a detour.
            loopback: builder().no_proxy().build().map_err(failed)?,
            timeout: receiver.timeout,
        })
    }

    /// Posts JSON. `Err` says why there is no answer.
    pub(super) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<Answer, String> {
        let client = if url.host().is_some_and(|host| is_loopback(&host)) {
            &self.loopback
        } else {
            &self.outside
        };
        let request = client
            .post(url.clone())
            .headers(headers)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body);
        match request.send().await {
            Ok(response) => Ok(read(response, now).await),
            Err(error) => Err(self.explain(error, url)),
        }
    }

    fn explain(&self, error: reqwest::Error, url: &Url) -> String {
        if error.is_timeout() {
            return format!("no answer within {}", Span(self.timeout));
        }
        let what = if error.is_connect() {
            "cannot connect"
        } else {
            "the request failed"
        };
        let causes = reason::chain(&error.without_url());
        format!(
            "{what}: {}",
            reason::quote(&causes, &reason::secrets_of(url))
        )
    }
}

/// The status counts as soon as it is there; a body that breaks off is what it is.
async fn read(mut response: Response, now: Timestamp) -> Answer {
    let mut body = Vec::new();
    while body.len() < ANSWER_LIMIT
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(ANSWER_LIMIT);
    Answer {
        status: response.status().as_u16(),
        retry_after: retry_after(response.headers(), now),
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// `Retry-After`, as seconds or as a date, in full. A date is measured by the receiver's own clock
/// where it shows one, so that a difference between the clocks shortens nothing.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let own = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(http_date);
    Some(http_date(text)?.since(own.unwrap_or(now)))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

/// What an answer means. `said` is the answer's body, already safe to show.
pub(super) fn judge(status: u16, after: Option<Duration>, said: &str) -> AttemptResult {
    let name = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    };
    let reason = format!("the receiver answered {status}{name}{said}");
    match status {
        200..=299 => AttemptResult::Delivered,
        300..=399 => AttemptResult::GiveUp {
            reason: format!("{reason}; redirects are not followed, configure the final address"),
        },
        408 | 425 | 429 => AttemptResult::Retry { after, reason },
        400..=499 => AttemptResult::GiveUp { reason },
        _ => AttemptResult::Retry { after, reason },
    }
}

#[cfg(test)]
mod tests;
