//! Managed identities: IMDS of a virtual machine and the endpoint of App Service. Numbers are strings there.

use serde_json::json;

use crate::login::{access, identity_header};
use crate::world::World;

/// A managed identity token lives a day.
const LIFE_MS: i64 = 86_400_000;

/// What the caller asked for.
#[derive(Debug)]
pub(crate) struct IdentityAsk<'a> {
    pub(crate) query: &'a str,
    /// Value of the `Metadata` header.
    pub(crate) metadata: Option<&'a str>,
    /// Value of the `X-IDENTITY-HEADER` header.
    pub(crate) identity_header: Option<&'a str>,
    pub(crate) forwarded: bool,
}

fn error(status: u16, description: &str) -> (u16, String) {
    (
        status,
        json!({"error": "invalid_request", "error_description": description}).to_string(),
    )
}

struct Token {
    value: String,
    client: String,
    resource: String,
}

fn issue(world: &World, query: &str, expected_version: &str) -> Result<Token, (u16, String)> {
    let get = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    if get("api-version").as_deref() != Some(expected_version) {
        return Err(error(
            400,
            "Required query variable 'api-version' is missing or not supported",
        ));
    }
    let resource = get("resource")
        .ok_or_else(|| error(400, "Required query variable 'resource' is missing"))?;
    let wanted = get("client_id");
    let found = world.tenants.iter().find_map(|tenant| {
        let client = tenant.spec.clients.iter().find(|client| {
            client.managed_identity
                && wanted
                    .as_ref()
                    .is_none_or(|id| client.id.eq_ignore_ascii_case(id))
        })?;
        Some((tenant, client.id.clone()))
    });
    let (tenant, client) = found.ok_or_else(|| error(400, "Identity not found"))?;
    let audience = super::audience(resource.trim_end_matches('/'));
    let value = access::issue(world.seed, tenant, &client, &audience, world.now, LIFE_MS);
    Ok(Token {
        value,
        client,
        resource,
    })
}

/// `GET /metadata/identity/oauth2/token`.
pub(crate) fn imds(world: &World, ask: &IdentityAsk<'_>) -> (u16, String) {
    if ask
        .metadata
        .is_none_or(|value| !value.eq_ignore_ascii_case("true"))
        || ask.forwarded
    {
        return error(400, "Required metadata header not specified");
    }
    match issue(world, ask.query, "2018-02-01") {
        Err(refused) => refused,
        Ok(token) => {
            let now = world.now / 1000;
            let body = json!({
                "access_token": token.value,
                "refresh_token": "",
                "expires_in": (LIFE_MS / 1000 - 1).to_string(),
                "expires_on": (now + LIFE_MS / 1000).to_string(),
                "not_before": now.to_string(),
                "resource": token.resource,
                "token_type": "Bearer",
            });
            (200, body.to_string())
        }
    }
}

/// `GET {IDENTITY_ENDPOINT}`.
pub(crate) fn app_service(world: &World, ask: &IdentityAsk<'_>) -> (u16, String) {
    if ask.identity_header != Some(identity_header(world.seed).as_str()) {
        return error(401, "The identity header is missing or wrong");
    }
    match issue(world, ask.query, "2019-08-01") {
        Err(refused) => refused,
        Ok(token) => {
            let body = json!({
                "access_token": token.value,
                "expires_on": (world.now / 1000 + LIFE_MS / 1000).to_string(),
                "resource": token.resource,
                "token_type": "Bearer",
                "client_id": token.client,
            });
            (200, body.to_string())
        }
    }
}
