//! Pushing: the agent posts its reports to the service and opens no port.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap};
use hyper::{StatusCode, Uri};
use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::report::Answer;
use syncwatch_domain::span::Span;
use thiserror::Error;

use super::client::{Client, ClientError, Said};
use super::tls::ClientFiles;
use super::token::{self, TokenError};
use crate::chain;
use crate::seldom::Seldom;
use crate::shared::{BATCH_BYTES, Heard, Parcel, Shared};
use crate::spool::{Chunk, SpoolError};

/// Waits between attempts. The cap bounds how late the service learns after an outage.
const BACKOFF: Backoff = Backoff {
    first: Span::secs(1),
    cap: Span::minutes(2),
};
/// No service may ask for a longer pause than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);
/// What a burst of readings is given to come together before it is sent.
const GATHERING: Duration = Duration::from_secs(1);
/// How long batches stay small after one was too large for somebody on the way.
const STAYS_SMALL: Duration = Duration::from_secs(3600);
/// A record that was refused for its size so many times, alone in its report, is given up: by then
/// some minutes have passed, and whatever comes behind it waits.
const TRIES_ALONE: u32 = 8;

/// Where and how reports are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Address of the service.
    pub url: Uri,
    /// File with the token.
    pub token: Option<PathBuf>,
    /// What is trusted, and the agent's own certificate.
    pub files: ClientFiles,
    /// Longest time for one report.
    pub timeout: Duration,
}

/// Why a report did not arrive.
#[derive(Debug, Error)]
enum PushError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the service refuses with {status}: {said}")]
    Refused {
        status: StatusCode,
        said: String,
        pause: Option<Duration>,
    },
    #[error("somebody on the way takes no report of {bytes} bytes, and this one cannot be split")]
    TooLong { bytes: usize },
    #[error("the answer of the service cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("the service answers about another spool")]
    OtherSpool,
    #[error("the service speaks format {0} of reports, which this agent does not know: update it")]
    NewerSchema(u32),
    #[error("the service took the report and acknowledged nothing of it")]
    NoProgress,
}

impl PushError {
    /// What the log calls it; kinds are told apart so that a new one is not swallowed.
    fn kind(&self) -> &'static str {
        match self {
            Self::Spool(_) => "spool",
            Self::Token(_) => "token",
            Self::Client(ClientError::Timeout(_)) => "timeout",
            Self::Client(_) => "connection",
            Self::Refused { status, .. } if status.is_client_error() => "refused",
            Self::Refused { .. } => "service",
            Self::TooLong { .. } => "too_long",
            Self::Unreadable(_) | Self::OtherSpool | Self::NewerSchema(_) | Self::NoProgress => {
                "answer"
            }
        }
    }
}

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// There was nothing to send.
    Nothing,
    /// A batch of so many records is committed.
    Sent(usize),
    /// The batch was too long and will be sent in parts.
    Split,
    /// It did not arrive; try again after this.
    Failed(Duration),
}

/// Pushes reports.
#[derive(Debug)]
pub struct Pusher {
    shared: Arc<Shared>,
    token: Option<PathBuf>,
    client: Client,
    /// In a row.
    failures: u32,
    /// Spreads the waits of agents that fail together.
    seed: u64,
    most_bytes: usize,
    /// When batches became small, by the agent's count.
    small_since: Option<Duration>,
    /// Number of a record that was too large for the way even alone, and how often.
    too_large: Option<(u64, u32)>,
    log: Seldom<&'static str>,
}

impl Pusher {
    /// A pusher that has sent nothing yet.
    #[must_use]
    pub fn new(shared: Arc<Shared>, service: Service) -> Self {
        let id = shared.with_agent(|agent| agent.id.clone());
        Self {
            client: Client::new(service.url, service.files, service.timeout),
            token: service.token,
            failures: 0,
            seed: u64::from(crc32fast::hash(id.as_bytes())),
            most_bytes: BATCH_BYTES,
            small_since: None,
            too_large: None,
            log: Seldom::default(),
            shared,
        }
    }

    /// Sends one batch, if there is something to send.
    pub async fn run_once(&mut self) -> Pushed {
        self.grow_again();
        match self.push().await {
            Ok(pushed) => {
                if matches!(pushed, Pushed::Sent(_)) {
                    if self.failures > 0 {
                        tracing::info!(failures = self.failures, "reports arrive again");
                    }
                    self.failures = 0;
                }
                pushed
            }
            Err(error) => Pushed::Failed(self.failed(&error)),
        }
    }

    /// Sends what is written, for ever.
    pub async fn run(&mut self) {
        loop {
            match self.run_once().await {
                Pushed::Sent(_) | Pushed::Split => {}
                Pushed::Failed(wait) => tokio::time::sleep(wait).await,
                Pushed::Nothing => {
                    self.shared.written.notified().await;
                    tokio::time::sleep(GATHERING).await;
                }
            }
        }
    }

    async fn push(&mut self) -> Result<Pushed, PushError> {
        let (parcel, is_given_up) = self.parcel()?;
        let Some(chunk) = parcel.chunk else {
            return Ok(Pushed::Nothing);
        };
        let bytes = parcel.body.len();
        let token = self.token.as_deref().map(token::read).transpose()?;
        let said = self
            .client
            .post(Bytes::from(parcel.body), token.as_ref())
            .await?;
        if said.status == StatusCode::PAYLOAD_TOO_LARGE {
            return self.halve(bytes, chunk);
        }
        if said.status != StatusCode::OK {
            return Err(self.refused(&said));
        }
        let answer: Answer = serde_json::from_slice(&said.body).map_err(PushError::Unreadable)?;
        match self.shared.hear(&answer)? {
            Heard::Acknowledged(number) if number >= chunk.first => {
                if is_given_up {
                    tracing::warn!(
                        record = chunk.first,
                        "a record that nobody on the way takes was given up"
                    );
                    self.too_large = None;
                }
                Ok(Pushed::Sent(chunk.records))
            }
            Heard::Acknowledged(_) => Err(PushError::NoProgress),
            Heard::Renamed => Ok(Pushed::Sent(0)),
            Heard::OtherSpool => Err(PushError::OtherSpool),
            Heard::NewerSchema(found) => Err(PushError::NewerSchema(found)),
        }
    }

    /// What is to be sent next, and whether it stands for a record that is given up.
    fn parcel(&self) -> Result<(Parcel, bool), SpoolError> {
        let parcel = self.shared.parcel(0, self.most_bytes)?;
        let first = parcel.chunk.map(|chunk| chunk.first);
        match self.too_large {
            Some((seq, times)) if Some(seq) == first && times >= TRIES_ALONE => {
                // One large record at a time is in memory.
                drop(parcel);
                Ok((self.shared.given_up()?, true))
            }
            _ => Ok((parcel, false)),
        }
    }

    fn halve(&mut self, bytes: usize, chunk: Chunk) -> Result<Pushed, PushError> {
        if chunk.records == 1 {
            let before = self.too_large.filter(|(seq, _)| *seq == chunk.first);
            let times = before.map_or(0, |(_, times)| times).saturating_add(1);
            self.too_large = Some((chunk.first, times));
            return Err(PushError::TooLong { bytes });
        }
        self.most_bytes = bytes / 2;
        self.small_since = Some(self.shared.times.elapsed());
        tracing::debug!(bytes, "a report is too long for the way and is split");
        Ok(Pushed::Split)
    }

    /// After a while a whole batch is tried again: what was in the way may be gone.
    fn grow_again(&mut self) {
        let now = self.shared.times.elapsed();
        if let Some(since) = self.small_since
            && now.saturating_sub(since) >= STAYS_SMALL
        {
            self.most_bytes = BATCH_BYTES;
            self.small_since = None;
        }
    }

    fn refused(&self, said: &Said) -> PushError {
        PushError::Refused {
            status: said.status,
            said: sentence(&said.body),
            pause: pause(&said.headers, self.shared.times.now().as_millis()),
        }
    }

    /// Tells the log, seldom, and gives the wait.
    fn failed(&mut self, error: &PushError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let asked = match error {
            PushError::Refused { pause, .. } => *pause,
            _ => None,
        };
        let wait = BACKOFF.wait(self.failures, self.seed);
        let wait = asked.map_or(wait, |asked| asked.max(wait));
        let now = self.shared.times.elapsed();
        if let Some(left_out) = self.log.is_due(error.kind(), now) {
            tracing::warn!(
                kind = error.kind(),
                reason = chain(error),
                failures = self.failures,
                left_out,
                "a report did not arrive; it is kept and sent again"
            );
        }
        wait
    }
}

/// What the service says in words, cut to a length: `{"error": "..."}`, or its text.
fn sentence(body: &[u8]) -> String {
    const LONGEST: usize = 300;
    #[derive(serde::Deserialize)]
    struct Failure {
        error: String,
    }
    let text = match serde_json::from_slice::<Failure>(body) {
        Ok(failure) => failure.error,
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(LONGEST)]).into_owned(),
    };
    let visible = text.chars().filter(|letter| !letter.is_control());
    visible.take(LONGEST).collect()
}

/// The pause that the service asks for: seconds, or an instant against the service's own clock.
fn pause(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = super::date::read(text)?;
            let theirs = headers
                .get(header::DATE)
                .and_then(|date| date.to_str().ok());
            let now = theirs.and_then(super::date::read).unwrap_or(now_ms);
            Duration::from_millis(u64::try_from(at.saturating_sub(now)).unwrap_or(0))
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pause_of(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, date.parse().unwrap());
        }
        pause(&headers, 1_794_996_000_000).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_pause_is_seconds_or_an_instant_and_never_without_end() {
        assert_eq!(pause_of("7", None), Some(7));
        assert_eq!(pause_of("99999999", None), Some(86_400));
        let date = "Wed, 18 Nov 2026 08:00:00 GMT";
        assert_eq!(
            pause_of("Wed, 18 Nov 2026 08:01:30 GMT", Some(date)),
            Some(90)
        );
        assert_eq!(
            pause_of("Wed, 18 Nov 2026 07:00:00 GMT", Some(date)),
            Some(0)
        );
        assert_eq!(pause_of("soon", None), None);
    }

    #[test]
    fn words_of_a_refusal_are_short_and_in_one_line() {
        assert_eq!(sentence(br#"{"error":"no such\nagent"}"#), "no suchagent");
        assert_eq!(sentence(b"<html>\r\n"), "<html>");
        assert_eq!(sentence(&[b'x'; 5000]).len(), 300);
    }
}
