//! Webhooks: a signed POST of a documented, versioned JSON body.
//!
//! Headers of each message:
//!
//! | Header | Value |
//! | --- | --- |
//! | `Idempotency-Key` | the same for every repetition of a message; drop what is known already |
//! | `X-Syncwatch-Timestamp` | when this attempt was made, in seconds since 1970 |
//! | `X-Syncwatch-Signature` | `v1=` and the hexadecimal HMAC-SHA256 over time stamp, `.` and body |
//!
//! A receiver checks the signature over the bytes as they came, and that the time stamp is
//! recent. Any 2xx acknowledges.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use sha2::Sha256;
use syncwatch_domain::alert::Evidence;
use syncwatch_domain::delivery::{AttemptResult, Delivery};
use syncwatch_domain::secret::Secret;
use syncwatch_domain::time::Timestamp;
use url::Url;

use super::http::{Poster, judge};
use super::{NotifierError, reason, wording};
use crate::config::{ReceiverConfig, SecretSource, WebhookConfig, check_header, endpoint};

/// Attempts that may run at once.
pub(super) const CONCURRENCY: usize = 16;

/// Version of the body; it grows only when a key changes its meaning or goes.
pub(crate) const BODY_VERSION: u32 = 1;

/// A cause may speak for a whole fleet; the count is always complete.
const MOST_CHILDREN: usize = 500;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-syncwatch-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-syncwatch-signature");

/// The body of a webhook. Keys are only ever added within a version.
#[derive(Debug, Serialize)]
pub struct WebhookBody<'a> {
    /// Version of this body.
    pub version: u32,
    /// The same for every repetition of this message; also in `Idempotency-Key`.
    pub id: &'a str,
    /// Name of the receiver in the configuration.
    pub receiver: &'a str,
    /// `firing`, `changed` or `resolved`.
    pub event: &'static str,
    /// When the message was decided, RFC 3339 UTC like every instant here.
    pub decided_at: Timestamp,
    /// The alert at that moment.
    pub alert: AlertBody<'a>,
    /// Titles of what this alert speaks for, at most 500.
    pub children: &'a [String],
    /// How many that are, all in all.
    pub children_total: usize,
    /// Where the alert stands on the status page, if that has a public address.
    pub url: Option<String>,
}

/// An alert within a [`WebhookBody`].
#[derive(Debug, Serialize)]
pub struct AlertBody<'a> {
    /// The same over the whole life of the alert.
    pub id: &'a str,
    /// Name of the rule, e.g. `WindowMissed`.
    pub rule: &'static str,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// `firing` or `resolved`.
    pub state: &'static str,
    /// Name of the tenant in the configuration.
    pub tenant: &'a str,
    /// What it is about: a key that is unique within the tenant and stable.
    pub subject: &'a str,
    /// The same for people.
    pub title: &'a str,
    /// When it began.
    pub occurred_at: Timestamp,
    /// When it was noticed.
    pub detected_at: Timestamp,
    /// When it was over; `null` while it holds.
    pub resolved_at: Option<Timestamp>,
    /// One sentence: what, where, since when.
    pub summary: &'a str,
    /// What to check first.
    pub mend: &'a str,
    /// The facts behind it: objects with `name` and `value`.
    pub evidence: &'a [Evidence],
    /// Labels, as routes match them.
    pub labels: &'a BTreeMap<String, String>,
    /// Id of the alert that explains this one, or `null`.
    pub cause: Option<&'a str>,
}

impl<'a> WebhookBody<'a> {
    /// The body that tells `delivery`.
    #[must_use]
    pub fn new(delivery: &'a Delivery, page: Option<&Url>) -> Self {
        let notification = &delivery.notification;
        let alert = &notification.alert;
        Self {
            version: BODY_VERSION,
            id: &delivery.idempotency_key,
            receiver: &delivery.receiver,
            event: notification.event.as_str(),
            decided_at: notification.decided_at,
            alert: AlertBody {
                id: &alert.id.0,
                rule: alert.rule.as_str(),
                severity: alert.severity.as_str(),
                state: alert.state.as_str(),
                tenant: &alert.subject.tenant,
                subject: &alert.subject.path,
                title: &alert.subject.title,
                occurred_at: alert.occurred_at,
                detected_at: alert.detected_at,
                resolved_at: alert.resolved_at,
                summary: &alert.summary,
                mend: &alert.mend,
                evidence: &alert.evidence,
                labels: &alert.labels,
                cause: alert.cause.as_ref().map(|id| id.0.as_str()),
            },
            children: wording::first(&notification.children, MOST_CHILDREN).0,
            children_total: notification.children.len(),
            url: wording::link(page, notification),
        }
    }
}

/// Posts to one webhook.
#[derive(Debug)]
pub struct WebhookNotifier {
    settings: WebhookConfig,
    poster: Poster,
    page: Option<Url>,
}

/// Everything an attempt needs, secrets read.
struct Prepared {
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    secrets: Vec<String>,
}

impl WebhookNotifier {
    pub(super) fn new(
        receiver: &ReceiverConfig,
        settings: &WebhookConfig,
        page: Option<Url>,
    ) -> Result<Self, NotifierError> {
        Ok(Self {
            settings: settings.clone(),
            poster: Poster::new(receiver)?,
            page,
        })
    }

    /// Makes one attempt.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        // A secret that cannot be read now may be there in a moment: a person replaces a file.
        let prepared = match self.prepare(delivery, now).await {
            Ok(prepared) => prepared,
            Err(reason) => {
                return AttemptResult::Retry {
                    after: None,
                    reason,
                };
            }
        };
        let Prepared {
            url,
            headers,
            body,
            secrets,
        } = prepared;
        match self.poster.post(&url, headers, body, now).await {
            Ok(answer) => {
                let said = reason::quote(&answer.body, &secrets);
                judge(answer.status, answer.retry_after, &said)
            }
            Err(reason) => AttemptResult::Retry {
                after: None,
                reason: reason::quote(&reason, &secrets),
            },
        }
    }

    async fn prepare(&self, delivery: &Delivery, now: Timestamp) -> Result<Prepared, String> {
        let url = self
            .settings
            .url
            .read()
            .await
            .map_err(|error| reason::chain(&error))?;
        let url = endpoint(url.expose())
            .map_err(|(problem, hint)| format!("the url is not usable: {problem}; {hint}"))?;
        let mut secrets = reason::secrets_of(&url);
        let mut headers = self.headers(&mut secrets).await?;
        let body = serde_json::to_vec(&WebhookBody::new(delivery, self.page.as_ref()))
            .map_err(|error| format!("the message cannot be written as JSON: {error}"))?;
        let seconds = now.as_millis().div_euclid(1_000).to_string();
        if let Some(secret) = &self.settings.secret {
            let secret = secret.read().await.map_err(|error| reason::chain(&error))?;
            secrets.push(secret.expose().clone());
            headers.insert(SIGNATURE, header(&signature(&secret, &seconds, &body))?);
        }
        headers.insert(TIMESTAMP, header(&seconds)?);
        headers.insert(IDEMPOTENCY_KEY, header(&delivery.idempotency_key)?);
        Ok(Prepared {
            url,
            headers,
            body,
            secrets,
        })
    }

    /// The further headers; their values join the secrets.
    async fn headers(&self, secrets: &mut Vec<String>) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            let (key, header) = check_header(name, value)
                .map_err(|(problem, hint)| format!("a header is not usable: {problem}; {hint}"))?;
            secrets.push(value.to_owned());
            secrets.extend(value.split_once(' ').map(|(_, token)| token.to_owned()));
            headers.append(key, header);
            Ok::<(), String>(())
        };
        for (name, value) in &self.settings.headers {
            add(name, value.expose())?;
        }
        if let Some(path) = &self.settings.headers_file {
            let source = SecretSource::File(path.clone());
            let text = source.read().await.map_err(|error| reason::chain(&error))?;
            for line in text.expose().lines().filter(|line| !line.trim().is_empty()) {
                let (name, value) = line.split_once(':').ok_or_else(|| {
                    format!("a line of the headers file {} has no colon", path.display())
                })?;
                add(name.trim(), value.trim())?;
            }
        }
        Ok(headers)
    }
}

/// `v1=` and the hexadecimal HMAC-SHA256 over time stamp, `.` and body.
fn signature(secret: &Secret<String>, seconds: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut text = "v1=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

fn header(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| format!("{text:?} cannot be sent in a header"))
}

#[cfg(test)]
mod tests;
