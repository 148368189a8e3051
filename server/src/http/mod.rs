//! The HTTP surface: status page, metrics, health, API.
//!
//! Reads the store and never waits for Microsoft Graph. Everything but the test message and the
//! reports of agents only reads; see `test_notify` and `reports` for what guards those.

mod agents;
mod api;
mod error;
mod events;
mod health;
mod metrics;
mod page;
mod refusals;
mod reports;
pub mod shape;
mod stage;
mod test_notify;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

pub use self::agents::EnrolledAgent;
pub(crate) use self::agents::enrolled;
use self::error::ApiError;
pub(crate) use self::reports::Door;
pub use self::stage::{Serving, Stage, Surface};
pub use self::test_notify::{TestAnswer, TestRequest};

/// What every answer carries: pages run no script and load nothing from elsewhere.
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

/// Where agents push their reports.
const REPORTS: &str = "/agent/v1/reports";

/// What agents on other machines reach: the way in for reports, and nothing else.
pub fn intake_router(surface: Surface) -> Router {
    Router::new()
        .route(REPORTS, post(reports::reports))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_way)
        .layer(map_response(with_headers))
        .with_state(surface)
}

/// The whole surface.
pub fn router(surface: Surface) -> Router {
    Router::new()
        .route("/", get(page::status))
        .route("/metrics", get(metrics::metrics))
        .route("/-/healthy", get(health::healthy))
        .route("/-/ready", get(health::ready))
        .route("/api/v1/status", get(api::status))
        .route("/api/v1/lanes", get(api::lanes))
        .route("/api/v1/windows", get(api::windows))
        .route("/api/v1/alerts", get(api::alerts))
        .route("/api/v1/agents", get(agents::agents))
        .route("/api/v1/owners", get(api::owners))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/test-notify", post(test_notify::test_notify))
        .route(REPORTS, post(reports::reports))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_way)
        .layer(map_response(with_headers))
        .with_state(surface)
}

async fn nothing_here(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}", uri.path()))
}

async fn not_this_way(uri: Uri) -> ApiError {
    ApiError::method(format!("{} does not take this method", uri.path()))
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
