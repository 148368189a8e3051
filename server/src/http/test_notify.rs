//! `POST /api/v1/test-notify`: sends a test message at once.
//!
//! The one request that does something. A page in somebody's browser must not be able to make it:
//! it takes JSON only and refuses whatever names an origin, which browsers always do and the
//! commands never do.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::stage::Surface;
use crate::notify_test::Told;

/// Who is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// Name of a receiver; without it all are told.
    pub receiver: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestAnswer {
    /// One entry per receiver.
    pub told: Vec<Told>,
}

pub(super) async fn test_notify(
    State(surface): State<Surface>,
    headers: HeaderMap,
    request: Result<Json<TestRequest>, JsonRejection>,
) -> Result<Json<TestAnswer>, ApiError> {
    if headers.contains_key(header::ORIGIN) {
        return Err(ApiError::forbidden(
            "test messages cannot be sent from a web page; use syncwatch test-notify",
        ));
    }
    let Json(request) = request.map_err(|error| ApiError::refused(error.body_text()))?;
    let tester = surface.serving()?.tester;
    let told = tester
        .tell(request.receiver.as_deref())
        .await
        .map_err(ApiError::not_found)?;
    Ok(Json(TestAnswer { told }))
}
