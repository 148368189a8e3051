//! Errors of the API: a status and a sentence.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use syncwatch_store::StoreError;

use super::shape::Failure;

/// An answer that is an error.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    sentence: String,
}

impl ApiError {
    /// The request cannot be understood.
    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            sentence: sentence.into(),
        }
    }

    /// The service cannot answer at present.
    pub(super) fn unavailable(sentence: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            sentence: sentence.into(),
        }
    }

    /// There is nothing at this address.
    pub(super) fn not_found(sentence: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            sentence: sentence.into(),
        }
    }

    /// The address is right, the method is not.
    pub(super) fn method(sentence: impl Into<String>) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            sentence: sentence.into(),
        }
    }

    /// The request may not be made.
    pub(super) fn forbidden(sentence: impl Into<String>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            sentence: sentence.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::unavailable(crate::chain(&error))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::warn!(
                http.status = self.status.as_u16(),
                reason = self.sentence,
                "a request could not be answered"
            );
        }
        (
            self.status,
            Json(Failure {
                error: self.sentence,
            }),
        )
            .into_response()
    }
}
