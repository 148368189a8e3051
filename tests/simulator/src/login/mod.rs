//! The token endpoint and the two managed identity endpoints.

pub(crate) mod access;
pub(crate) mod assertion;
pub(crate) mod errors;
pub(crate) mod identity;

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::chance::Seed;
use crate::login::assertion::{BadAssertion, Certificate};
use crate::login::errors::LoginError;
use crate::story::{Client, Federated};
use crate::times::Span;
use crate::world::World;
use crate::world::tenant::TenantState;

const BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// Keys and the memory of the token endpoint.
#[derive(Debug, Default)]
pub(crate) struct Login {
    /// Certificates by client id.
    certificates: HashMap<String, Certificate>,
    /// Certificates of external issuers by client id and issuer.
    issuers: HashMap<(String, String), Certificate>,
    used_ids: HashSet<String>,
    /// Tokens given so far: gives each error its own trace id.
    requests: u64,
}

impl Login {
    /// Reads every certificate of a story.
    pub(crate) fn new(tenants: &[crate::story::Tenant]) -> Result<Self, String> {
        let mut login = Self::default();
        for client in tenants.iter().flat_map(|tenant| &tenant.clients) {
            if let Some(pem) = &client.certificate_pem {
                login
                    .certificates
                    .insert(client.id.clone(), Certificate::from_pem(pem)?);
            }
            for federated in &client.federated {
                if let Federated::Issuer {
                    issuer,
                    certificate_pem,
                    ..
                } = federated
                {
                    let key = (client.id.clone(), issuer.clone());
                    login
                        .issuers
                        .insert(key, Certificate::from_pem(certificate_pem)?);
                }
            }
        }
        Ok(login)
    }

    /// Answers `POST /{authority}/oauth2/v2.0/token`: status and body.
    pub(crate) fn token(
        &mut self,
        world: &mut World,
        authority: &str,
        form: &[u8],
        base: &str,
    ) -> (u16, String) {
        self.requests += 1;
        let trace = world.seed.corner("trace").nth(self.requests);
        match self.grant(world, authority, form, base) {
            Ok((token, seconds)) => {
                let body = json!({
                    "token_type": "Bearer",
                    "expires_in": seconds,
                    "ext_expires_in": seconds,
                    "access_token": token,
                });
                (200, body.to_string())
            }
            Err(error) => (error.status, error.body(world.now, trace)),
        }
    }

    fn grant(
        &mut self,
        world: &mut World,
        authority: &str,
        form: &[u8],
        base: &str,
    ) -> Result<(String, i64), LoginError> {
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(form).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str);
        if field("grant_type") != Some("client_credentials") {
            return Err(LoginError::grant_type());
        }
        let index = world
            .tenant_by_authority(authority)
            .ok_or_else(|| LoginError::tenant(authority))?;
        let (now, seed, life) = (world.now, world.seed, world.settings.token_life.as_ms());
        let tenant = &mut world.tenants[index];
        if tenant.spec.other_cloud {
            return Err(LoginError::other_cloud());
        }
        if let Some((code, left)) = tenant.faults.login_error {
            tenant.faults.login_error = (left > 1).then_some((code, left - 1));
            return Err(LoginError::told(code));
        }
        let client_id = field("client_id").unwrap_or("");
        let client = tenant
            .spec
            .clients
            .iter()
            .find(|client| client.id.eq_ignore_ascii_case(client_id))
            .cloned()
            .ok_or_else(|| LoginError::app(client_id, &tenant.spec.display_name))?;
        if client.disabled {
            return Err(LoginError::disabled(&client.id));
        }
        let scope = field("scope").unwrap_or("");
        if scope.contains(' ') || !scope.ends_with("/.default") {
            return Err(LoginError::scope(scope));
        }
        let local = now + tenant.skew_ms;
        if let Some(secret) = field("client_secret") {
            check_secret(&client, secret, tenant, local)?;
        } else if let Some(token) = field("client_assertion") {
            if field("client_assertion_type") != Some(BEARER_ASSERTION) {
                return Err(LoginError::nothing());
            }
            let endpoint = format!("{base}/{authority}/oauth2/v2.0/token");
            self.check_assertion(&client, token, tenant, local, &endpoint)?;
        } else {
            return Err(LoginError::nothing());
        }
        let resource = scope.trim_end_matches("/.default");
        let audience = audience(resource);
        Ok((
            access::issue(seed, tenant, &client.id, &audience, now, life),
            life / 1000,
        ))
    }

    fn check_assertion(
        &mut self,
        client: &Client,
        token: &str,
        tenant: &TenantState,
        now: i64,
        endpoint: &str,
    ) -> Result<(), LoginError> {
        let fixed = client
            .federated
            .iter()
            .any(|one| matches!(one, Federated::Fixed { token: known } if known == token));
        if fixed {
            return Ok(());
        }
        let own =
            assertion::peek(token).is_none_or(|claims| claims.iss.eq_ignore_ascii_case(&client.id));
        if !own {
            return self.check_external(client, token, now);
        }
        let certificate = self
            .certificates
            .get(&client.id)
            .ok_or_else(LoginError::assertion)?;
        let ends = tenant.origin_ms + client.certificate_ends.map_or(i64::MAX / 4, Span::as_ms);
        if now >= ends {
            return Err(LoginError::assertion());
        }
        let claims =
            assertion::verify(token, certificate, now / 1000, true).map_err(|bad| match bad {
                BadAssertion::NotAccepted => LoginError::assertion(),
                BadAssertion::OutsideWindow => LoginError::window(),
            })?;
        let subject = claims.sub.eq_ignore_ascii_case(&client.id);
        if !subject || !claims.is_for(endpoint) {
            return Err(LoginError::assertion());
        }
        // A random id is used once.
        let fresh = claims.jti.is_some_and(|id| self.used_ids.insert(id));
        if fresh {
            Ok(())
        } else {
            Err(LoginError::assertion())
        }
    }

    fn check_external(&self, client: &Client, token: &str, now: i64) -> Result<(), LoginError> {
        let claims = assertion::peek(token).ok_or_else(LoginError::no_federation)?;
        let matches = client.federated.iter().any(|one| {
            matches!(one, Federated::Issuer { issuer, subject, .. } if *issuer == claims.iss && *subject == claims.sub)
        });
        let certificate = self.issuers.get(&(client.id.clone(), claims.iss.clone()));
        let (true, Some(certificate)) = (matches && claims.is_for(EXCHANGE_AUDIENCE), certificate)
        else {
            return Err(LoginError::no_federation());
        };
        match assertion::verify(token, certificate, now / 1000, false) {
            Ok(_) => Ok(()),
            Err(BadAssertion::OutsideWindow) => Err(LoginError::window()),
            Err(BadAssertion::NotAccepted) => Err(LoginError::assertion()),
        }
    }
}

/// Every Graph host of the simulator is the one Graph; other resources stay what they are.
fn audience(resource: &str) -> String {
    let graph = resource.starts_with("http://127.0.0.1") || resource.contains("graph");
    if graph {
        "https://graph.microsoft.com".to_owned()
    } else {
        resource.to_owned()
    }
}

fn check_secret(
    client: &Client,
    secret: &str,
    tenant: &TenantState,
    now: i64,
) -> Result<(), LoginError> {
    if client.secret.as_deref() != Some(secret) {
        return Err(LoginError::secret(&client.id));
    }
    let ends = tenant.origin_ms + client.secret_ends.map_or(i64::MAX / 4, Span::as_ms);
    if now >= ends {
        return Err(LoginError::expired_secret(&client.id));
    }
    Ok(())
}

/// A secret header value for App Service, derived from the seed.
pub(crate) fn identity_header(seed: Seed) -> String {
    seed.corner("identity header").guid()
}
