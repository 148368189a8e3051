//! Who is let in, and what is answered.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use syncwatch_domain::report::Answer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::held::Held;
use crate::chain;
use crate::home::token::{self, Comparer};
use crate::seldom::Seldom;
use crate::shared::{BATCH_BYTES, Heard, Shared};

/// The one thing that can be asked for.
const PATH: &str = "/v1/reports";
/// Longest question, in bytes: an answer to the batch before, with wishes.
const LONGEST_QUESTION: usize = 1024 * 1024;
/// Questions and batches in memory at a time.
const AT_ONCE: usize = 2;
/// What is said to those who come when there is no room, in seconds.
const COME_BACK: &str = "2";

/// Lets in, or not.
pub(super) struct Door {
    shared: Arc<Shared>,
    token: Option<PathBuf>,
    comparer: Comparer,
    patience: Duration,
    places: Arc<Semaphore>,
    log: Mutex<Seldom<u16>>,
}

/// A request that is turned away.
struct TurnedAway {
    status: StatusCode,
    sentence: String,
}

fn away(status: StatusCode, sentence: impl Into<String>) -> TurnedAway {
    TurnedAway {
        status,
        sentence: sentence.into(),
    }
}

impl Door {
    pub(super) fn new(
        shared: Arc<Shared>,
        token: Option<PathBuf>,
        patience: Duration,
    ) -> Result<Self, ring::error::Unspecified> {
        Ok(Self {
            shared,
            token,
            comparer: Comparer::new()?,
            patience,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            log: Mutex::default(),
        })
    }

    /// Answers a request. `is_known` says that its certificate lets it in.
    pub(super) async fn answer<B>(&self, request: Request<B>, is_known: bool) -> Response<Held>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match self.take(request, is_known).await {
            Ok((batch, place)) => response(StatusCode::OK, Held::new(batch, Some(place))),
            Err(refused) => self.refuse(&refused),
        }
    }

    /// Notes a connection that spoke no TLS, or showed a certificate that does not let in.
    pub(super) fn handshake_failed(&self, reason: &str) {
        self.note(0, reason);
    }

    async fn take<B>(
        &self,
        request: Request<B>,
        is_known: bool,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), TurnedAway>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !is_known {
            self.check_token(request.headers())?;
        }
        if request.uri().path() != PATH {
            let sentence = format!("there is nothing but {PATH}");
            return Err(away(StatusCode::NOT_FOUND, sentence));
        }
        if request.method() != Method::POST {
            let sentence = "reports are asked for with POST";
            return Err(away(StatusCode::METHOD_NOT_ALLOWED, sentence));
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let sentence = "too many questions at a time, ask again later";
            away(StatusCode::SERVICE_UNAVAILABLE, sentence)
        })?;
        let question = self.body(request).await?;
        Ok((self.batch(&question)?, place))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), TurnedAway> {
        let refuse = || {
            let sentence = "a token is needed: Authorization: Bearer <token>";
            away(StatusCode::UNAUTHORIZED, sentence)
        };
        let file = self.token.as_deref().ok_or_else(|| {
            let sentence =
                "the certificate has not the name that client_name of this agent asks for";
            away(StatusCode::UNAUTHORIZED, sentence)
        })?;
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(refuse)?;
        let expected = token::read(file).map_err(|error| {
            self.note(1, &chain(&error));
            let sentence = "the token cannot be checked at present";
            away(StatusCode::SERVICE_UNAVAILABLE, sentence)
        })?;
        if self.comparer.are_same(shown, &expected) {
            Ok(())
        } else {
            let sentence = "the token is not the one of this agent";
            Err(away(StatusCode::UNAUTHORIZED, sentence))
        }
    }

    async fn body<B>(&self, request: Request<B>) -> Result<Bytes, TurnedAway>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let too_long = || {
            let sentence = format!("a question has at most {LONGEST_QUESTION} bytes");
            away(StatusCode::PAYLOAD_TOO_LARGE, sentence)
        };
        let body = request.into_body();
        if body.size_hint().lower() > LONGEST_QUESTION as u64 {
            return Err(too_long());
        }
        let reading = Limited::new(body, LONGEST_QUESTION).collect();
        match tokio::time::timeout(self.patience, reading).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
            Ok(Err(_)) => Err(away(StatusCode::BAD_REQUEST, "the question was cut off")),
            Err(_) => Err(away(
                StatusCode::REQUEST_TIMEOUT,
                "the question took too long",
            )),
        }
    }

    /// The batch behind what the question acknowledges.
    fn batch(&self, question: &[u8]) -> Result<Vec<u8>, TurnedAway> {
        let answer: Answer = serde_json::from_slice(question).map_err(|error| {
            let sentence = format!("the body does not say what was acknowledged: {error}");
            away(StatusCode::BAD_REQUEST, sentence)
        })?;
        let not_now = |error: &dyn std::error::Error| {
            let sentence = format!("the spool cannot be used: {}", chain(error));
            away(StatusCode::SERVICE_UNAVAILABLE, sentence)
        };
        let heard = self.shared.hear(&answer).map_err(|error| not_now(&error))?;
        let after = match heard {
            Heard::Acknowledged(number) => number,
            // Numbers of another spool say nothing about this one.
            Heard::OtherSpool | Heard::Renamed => 0,
            Heard::NewerSchema(found) => {
                let sentence =
                    format!("the question has format {found}, which this agent does not know");
                return Err(away(StatusCode::BAD_REQUEST, sentence));
            }
        };
        let parcel = self.shared.parcel(after, BATCH_BYTES);
        Ok(parcel.map_err(|error| not_now(&error))?.body)
    }

    fn refuse(&self, refused: &TurnedAway) -> Response<Held> {
        self.note(refused.status.as_u16(), &refused.sentence);
        let said = serde_json::json!({ "error": refused.sentence }).to_string();
        let mut answer = response(refused.status, Held::new(said, None));
        let headers = answer.headers_mut();
        // Whatever of the body was not read is not read at all.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        match refused.status {
            StatusCode::UNAUTHORIZED => {
                let scheme = HeaderValue::from_static("Bearer");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let wait = HeaderValue::from_static(COME_BACK);
                headers.insert(header::RETRY_AFTER, wait);
            }
            _ => {}
        }
        answer
    }

    /// One line a minute of each kind.
    fn note(&self, kind: u16, reason: &str) {
        let now = self.shared.times.elapsed();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left_out) = log.is_due(kind, now) {
            tracing::warn!(
                status = kind,
                reason,
                left_out,
                "a question was turned away"
            );
        }
    }
}

fn response(status: StatusCode, body: Held) -> Response<Held> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
