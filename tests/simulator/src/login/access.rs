//! Access tokens: shaped like those of Entra, signed with a key only the simulator knows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::chance::Seed;
use crate::graph::apps::client_object_id;
use crate::world::tenant::TenantState;

/// Claims the Graph surface looks at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) tid: String,
    pub(crate) appid: String,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    /// Issue instant to the millisecond, to tell tokens before and after a step apart.
    pub(crate) xms_issued: i64,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    Malformed,
    Signature,
    Audience,
    Expired,
}

impl BadToken {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Malformed => "CompactToken parsing failed with error code: 80049217",
            Self::Signature => "Access token validation failure. Invalid signature.",
            Self::Audience => "Access token validation failure. Invalid audience.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
        }
    }
}

fn key(seed: Seed) -> hmac::Key {
    let own = seed.corner("token key");
    hmac::Key::new(
        hmac::HMAC_SHA256,
        format!("{}{}", own.hex(16), own.nth(1).hex(16)).as_bytes(),
    )
}

/// Issues a token for a client; the permissions of this moment are baked in.
pub(crate) fn issue(
    seed: Seed,
    tenant: &TenantState,
    client: &str,
    audience: &str,
    now: i64,
    life_ms: i64,
) -> String {
    let object_id = client_object_id(tenant.seed, client);
    let claims = json!({
        "aud": audience,
        "iss": format!("https://sts.windows.net/{}/", tenant.spec.id),
        "iat": now / 1000,
        "nbf": now / 1000,
        "exp": (now + life_ms) / 1000,
        "xms_issued": now,
        "app_displayname": "sync-monitor",
        "appid": client,
        "appidacr": "2",
        "idtyp": "app",
        "oid": object_id,
        "sub": object_id,
        "roles": roles(tenant, client),
        "tid": tenant.spec.id,
        "ver": "1.0",
    });
    let header = json!({"typ": "JWT", "alg": "HS256", "kid": seed.corner("kid").hex(16)});
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = hmac::sign(&key(seed), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn roles(tenant: &TenantState, client: &str) -> Vec<String> {
    let granted = tenant.spec.clients.iter().find(|known| known.id == client);
    let mut roles: Vec<String> = granted.map_or_else(Vec::new, |known| known.roles.clone());
    roles.extend(tenant.roles_added.iter().cloned());
    roles.retain(|role| !tenant.roles_removed.contains(role));
    roles.sort();
    roles.dedup();
    roles
}

/// Reads and verifies a token.
pub(crate) fn read(seed: Seed, token: &str, now: i64) -> Result<Claims, BadToken> {
    let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Malformed)?;
    let (_, payload) = signed.split_once('.').ok_or(BadToken::Malformed)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| BadToken::Malformed)?;
    hmac::verify(&key(seed), signed.as_bytes(), &signature).map_err(|_| BadToken::Signature)?;
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| BadToken::Malformed)?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| BadToken::Malformed)?;
    if claims.aud != "https://graph.microsoft.com" {
        return Err(BadToken::Audience);
    }
    if now / 1000 >= claims.exp {
        return Err(BadToken::Expired);
    }
    Ok(claims)
}
