//! `POST /agent/v1/reports`: the way in for agents that push.
//!
//! Whoever has neither token nor certificate costs nothing: it is answered before a byte of the body is read. Bodies
//! are bounded in length and in number, so that memory stays flat whatever comes.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use syncwatch_collector::{AccessError, IntakeError, Who};
use syncwatch_domain::report::MOST_BYTES;
use tokio::sync::Semaphore;

use super::refusals::{Refusal, Refusals};
use super::shape::Failure;
use super::stage::Surface;
use crate::tls::Shown;

/// Longest body: a batch, and room for one record that travels alone.
const LONGEST_BODY: usize = 2 * MOST_BYTES;
/// Bodies held in memory at a time.
const BODIES_AT_ONCE: usize = 4;
/// Longest wait for a body.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is said to those who come when there is no room, in seconds.
const COME_BACK: &str = "5";

/// What stands at the door.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    bodies: Arc<Semaphore>,
    refusals: Arc<Refusals>,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            bodies: Arc::new(Semaphore::new(BODIES_AT_ONCE)),
            refusals: Arc::default(),
        }
    }
}

/// A request that is turned away.
struct TurnedAway {
    status: StatusCode,
    refusal: Refusal,
    sentence: String,
}

impl TurnedAway {
    fn new(status: StatusCode, refusal: Refusal, sentence: impl Into<String>) -> Self {
        Self {
            status,
            refusal,
            sentence: sentence.into(),
        }
    }
}

pub(super) async fn reports(State(surface): State<Surface>, request: Request) -> Response {
    match take(&surface, request).await {
        Ok(answer) => answer,
        Err(TurnedAway {
            status,
            refusal,
            sentence,
        }) => {
            surface
                .door
                .refusals
                .note(refusal, &sentence, surface.clock.now());
            let mut answer = (status, Json(Failure { error: sentence })).into_response();
            let headers = answer.headers_mut();
            match status {
                StatusCode::UNAUTHORIZED => {
                    let scheme = header::HeaderValue::from_static("Bearer");
                    headers.insert(header::WWW_AUTHENTICATE, scheme);
                }
                StatusCode::SERVICE_UNAVAILABLE => {
                    let wait = header::HeaderValue::from_static(COME_BACK);
                    headers.insert(header::RETRY_AFTER, wait);
                }
                _ => {}
            }
            answer
        }
    }
}

async fn take(surface: &Surface, request: Request) -> Result<Response, TurnedAway> {
    let intake = surface.serving().map_err(|_| {
        let sentence = "the service is starting, send it again";
        TurnedAway::new(StatusCode::SERVICE_UNAVAILABLE, Refusal::Starting, sentence)
    })?;
    let intake = intake.intake;
    let who = who(&intake, &request)?;
    let _room = surface.door.bodies.try_acquire().map_err(|_| {
        let sentence = "too many reports at a time, send it again later";
        TurnedAway::new(StatusCode::SERVICE_UNAVAILABLE, Refusal::Busy, sentence)
    })?;
    let body = body(request).await?;
    let answer = intake
        .take(&who, &body)
        .await
        .map_err(|error| refused(&error))?;
    Ok(Json(answer).into_response())
}

/// Who reports: by the token, or by the name in the certificate where no token is shown.
fn who(intake: &syncwatch_collector::Intake, request: &Request) -> Result<Who, TurnedAway> {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    let shown = request.extensions().get::<ConnectInfo<Shown>>();
    let shown = shown.map(|ConnectInfo(Shown(names))| names);
    let found = match (token, shown) {
        (Some(token), _) => intake.who(token),
        (None, Some(names)) if !names.is_empty() => intake.named(names),
        (None, _) => {
            return Err(TurnedAway::new(
                StatusCode::UNAUTHORIZED,
                Refusal::NoToken,
                "a report needs the token of its agent: Authorization: Bearer <token>",
            ));
        }
    };
    found.map_err(|error| {
        let (status, refusal, sentence) = match &error {
            AccessError::Unknown => (
                StatusCode::UNAUTHORIZED,
                Refusal::WrongToken,
                error.to_string(),
            ),
            AccessError::UnknownCertificate => (
                StatusCode::UNAUTHORIZED,
                Refusal::WrongCertificate,
                error.to_string(),
            ),
            // What the operator reads in the log names a file; who asks is not told.
            AccessError::File { .. } => {
                tracing::debug!(reason = crate::chain(&error), "a token cannot be read");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    Refusal::TokenUnreadable,
                    "the token cannot be checked at present".to_owned(),
                )
            }
        };
        TurnedAway::new(status, refusal, sentence)
    })
}

async fn body(request: Request) -> Result<Vec<u8>, TurnedAway> {
    let too_long = || {
        TurnedAway::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooLong,
            format!("a report has at most {LONGEST_BODY} bytes: send fewer records at a time"),
        )
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST_BODY) {
        return Err(too_long());
    }
    let body: Body = request.into_body();
    let reading = tokio::time::timeout(PATIENCE, to_bytes(body, LONGEST_BODY));
    // Who stalls must not keep a place: there are few of them.
    let Ok(read) = reading.await else {
        return Err(TurnedAway::new(
            StatusCode::REQUEST_TIMEOUT,
            Refusal::Unreadable,
            "the report did not come to its end in time",
        ));
    };
    match read {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if is_too_long(&error) => Err(too_long()),
        Err(_) => Err(TurnedAway::new(
            StatusCode::BAD_REQUEST,
            Refusal::Unreadable,
            "the report was cut off",
        )),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn refused(error: &IntakeError) -> TurnedAway {
    let (status, refusal) = match error {
        IntakeError::Unreadable(_) | IntakeError::Batch(_) => {
            (StatusCode::BAD_REQUEST, Refusal::Unreadable)
        }
        IntakeError::OtherHost { .. } => (StatusCode::FORBIDDEN, Refusal::OtherHost),
        IntakeError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, Refusal::NotKept),
    };
    TurnedAway::new(status, refusal, crate::chain(error))
}
