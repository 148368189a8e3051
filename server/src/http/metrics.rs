//! `/metrics`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use syncwatch_exporters::{Rendered, Wanted};

use super::error::ApiError;
use super::stage::Surface;

pub(super) async fn metrics(
    State(surface): State<Surface>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let text = |name: HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let wanted = Wanted {
        accept: text(header::ACCEPT),
        accept_encoding: text(header::ACCEPT_ENCODING),
    };
    let serving = surface.serving()?;
    let Rendered {
        content_type,
        content_encoding,
        body,
    } = serving.exporter.render(&wanted).await;
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, content_type)
        .header(header::VARY, "accept, accept-encoding");
    if let Some(encoding) = content_encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    response
        .body(Body::from(body))
        .map_err(|error| ApiError::unavailable(error.to_string()))
}
