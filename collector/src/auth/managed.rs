//! Managed identities: the platform signs in for the machine (Azure reference: instance metadata
//! service; App Service managed identity endpoint).

use reqwest::{Response, StatusCode};
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::time::Timestamp;
use url::Url;

use super::error::AuthError;
use super::request::{TokenRequest, read_refusal, read_token};
use super::{AuthClass, Token};
use crate::config::{IdentityKind, ManagedIdentity};
use crate::http::ExchangeError;
use crate::http::retry_after::retry_after;

const METADATA_SERVICE: &str = "http://169.254.169.254";
const METADATA_PATH: &str = "/metadata/identity/oauth2/token";

/// Asks the machine's identity endpoint.
pub(super) async fn fetch(
    request: &TokenRequest,
    identity: &ManagedIdentity,
    now: Timestamp,
) -> Result<Token, AuthError> {
    let (url, header, value) = match identity.kind {
        IdentityKind::Vm => (vm_endpoint(identity)?, "Metadata", "true".to_owned()),
        IdentityKind::AppService => {
            let (url, header) = app_service_endpoint(request, identity)?;
            (url, "X-IDENTITY-HEADER", header)
        }
    };
    let version = match identity.kind {
        IdentityKind::Vm => "2018-02-01",
        IdentityKind::AppService => "2019-08-01",
    };
    let url = with_query(
        url,
        version,
        &request.resource,
        identity.client_id.as_deref(),
    );
    let response = request
        .http
        .get(url)
        .header(header, &value)
        .send()
        .await
        .map_err(ExchangeError::from)?;
    if response.status() == StatusCode::OK {
        return read_token(response, &value, now).await;
    }
    Err(refused(identity.kind, response, &value, now).await)
}

fn vm_endpoint(identity: &ManagedIdentity) -> Result<Url, AuthError> {
    let base = match &identity.endpoint {
        Some(url) => url.clone(),
        None => {
            Url::parse(METADATA_SERVICE).map_err(|error| AuthError::operator(error.to_string()))?
        }
    };
    base.join(METADATA_PATH)
        .map_err(|error| AuthError::operator(error.to_string()))
}

/// The platform may rotate both variables, so they are read for each request.
fn app_service_endpoint(
    request: &TokenRequest,
    identity: &ManagedIdentity,
) -> Result<(Url, String), AuthError> {
    let missing = |name: &str| {
        AuthError::operator(format!(
            "{name} is not set: this machine offers no managed identity, or it is not switched on for the app"
        ))
    };
    let read = |name: &str| (request.environment)(name).filter(|value| !value.is_empty());
    let header = read("IDENTITY_HEADER").ok_or_else(|| missing("IDENTITY_HEADER"))?;
    if let Some(url) = &identity.endpoint {
        return Ok((url.clone(), header));
    }
    let endpoint = read("IDENTITY_ENDPOINT").ok_or_else(|| missing("IDENTITY_ENDPOINT"))?;
    let url = Url::parse(&endpoint)
        .map_err(|_| AuthError::operator("IDENTITY_ENDPOINT is not an address"))?;
    Ok((url, header))
}

fn with_query(mut url: Url, version: &str, resource: &str, client_id: Option<&str>) -> Url {
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("api-version", version)
            .append_pair("resource", resource);
        if let Some(client_id) = client_id {
            query.append_pair("client_id", client_id);
        }
    }
    url
}

/// 404, 410, 429 and 5xx pass by themselves; everything else is a setting.
async fn refused(
    kind: IdentityKind,
    response: Response,
    secret: &str,
    now: Timestamp,
) -> AuthError {
    let status = response.status().as_u16();
    let after = retry_after(response.headers(), now);
    let mut error = read_refusal(response, secret, now).await;
    let passing = matches!(
        (kind, status),
        (_, 429 | 500..) | (IdentityKind::Vm, 404 | 410)
    );
    if passing {
        error.class = AuthClass::Retry(after);
        if error.failure == ReadFailure::SignInRefused {
            error.failure = ReadFailure::ServerError;
        }
    }
    error.text = error
        .text
        .replacen("sign-in failed", "the managed identity gave no token", 1);
    error
}
