//! The live part of `check-config`: signs in and lists which rights the token carries.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use syncwatch_domain::clock::Clock;
use syncwatch_domain::source::{Poll, Right};

use crate::auth::{Environment, TokenRequest};
use crate::config::TenantConfig;
use crate::http::{chain, client};
use crate::polls::tenant::login_route;

/// What a sign-in showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFinding {
    /// Whether a token was given; else why not and what to do.
    pub sign_in: Result<(), String>,
    /// The right of each enabled poll.
    pub rights: Vec<RightFinding>,
}

/// Whether the right of a poll is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RightFinding {
    /// The poll that needs it.
    pub poll: Poll,
    /// The right, and what is lost without it.
    pub right: Right,
    /// The permission that gives it: the documented one or a wider one.
    pub held_by: Option<&'static str>,
    /// `false` when the token does not tell its rights: then nothing is known.
    pub known: bool,
}

/// Signs in to a tenant and looks at the rights of the token.
pub async fn check(tenant: &TenantConfig, clock: &Arc<dyn Clock>) -> LiveFinding {
    let token = match sign_in(tenant, clock).await {
        Ok(token) => token,
        Err(text) => {
            return LiveFinding {
                sign_in: Err(text),
                rights: Vec::new(),
            };
        }
    };
    let roles = roles(&token);
    let rights = Poll::GRAPH
        .iter()
        .filter(|poll| tenant.poll(**poll).enabled)
        .filter_map(|poll| {
            Some(RightFinding {
                poll: *poll,
                right: poll.right()?,
                held_by: roles.as_ref().and_then(|roles| held_by(*poll, roles)),
                known: roles.is_some(),
            })
        })
        .collect();
    LiveFinding {
        sign_in: Ok(()),
        rights,
    }
}

async fn sign_in(
    tenant: &TenantConfig,
    clock: &Arc<dyn Clock>,
) -> Result<zeroize::Zeroizing<String>, String> {
    let environment: Environment = Arc::new(|name: &str| std::env::var(name).ok());
    let http =
        client(tenant.request_timeout, login_route(tenant)).map_err(|error| chain(&error))?;
    let request = TokenRequest::new(tenant, http, environment);
    let token = request
        .fetch(clock.now())
        .await
        .map_err(|error| error.text)?;
    Ok(zeroize::Zeroizing::new(token.expose().to_owned()))
}

/// The `roles` of an application's token. Graph tokens are opaque by contract: this serves a
/// person's check and decides nothing.
fn roles(token: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        roles: Vec<String>,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&payload)
        .ok()
        .map(|claims| claims.roles)
}

/// The first of the permissions that open a poll (Microsoft Graph permissions reference).
fn held_by(poll: Poll, roles: &[String]) -> Option<&'static str> {
    let any: &[&str] = match poll {
        Poll::ServicePrincipals | Poll::Credentials => {
            &["Application.Read.All", "Directory.Read.All"]
        }
        Poll::Jobs | Poll::JobSchemas => {
            &["Synchronization.Read.All", "Synchronization.ReadWrite.All"]
        }
        Poll::ProvisioningLogs => &[
            "AuditLog.Read.All",
            "ProvisioningLog.Read.All",
            "Directory.Read.All",
        ],
        Poll::DirectoryAudits => &["AuditLog.Read.All", "Directory.Read.All"],
        Poll::Organization | Poll::OrganizationBeta => &[
            "Organization.Read.All",
            "User.Read.All",
            "Directory.Read.All",
        ],
        Poll::Agents => &[
            "OnPremisesPublishingProfiles.ReadWrite.All",
            "Policy.Read.HybridAuthentication",
        ],
        Poll::Users | Poll::CloudManaged => &["User.Read.All", "Directory.Read.All"],
        Poll::Groups | Poll::GroupMembers => &[
            "Group.Read.All",
            "GroupMember.Read.All",
            "Directory.Read.All",
        ],
        Poll::AgentReports | Poll::AgentSection => &[],
    };
    any.iter()
        .copied()
        .find(|permission| roles.iter().any(|role| role == permission))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use serde_json::json;
    use syncwatch_domain::clock::SystemClock;

    use super::*;
    use crate::testing::{serve, tenant};

    fn jwt(claims: &serde_json::Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    async fn finding(status: u16, answer: serde_json::Value) -> LiveFinding {
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        let router =
            Router::new().fallback(post(move || async move { (status, answer.to_string()) }));
        let server = serve(router).await;
        check(
            &tenant(server.url()),
            &(Arc::new(SystemClock) as Arc<dyn Clock>),
        )
        .await
    }

    #[tokio::test]
    async fn every_poll_is_told_which_permission_opens_it() {
        let token = jwt(&json!({"roles": ["Directory.Read.All", "Synchronization.Read.All"]}));
        let found = finding(200, json!({"access_token": token, "expires_in": 3599})).await;
        assert_eq!(found.sign_in, Ok(()));
        let held = |poll| {
            found
                .rights
                .iter()
                .find(|right| right.poll == poll)
                .unwrap()
                .held_by
        };
        assert_eq!(held(Poll::Jobs), Some("Synchronization.Read.All"));
        assert_eq!(held(Poll::ServicePrincipals), Some("Directory.Read.All"));
        assert_eq!(held(Poll::ProvisioningLogs), Some("Directory.Read.All"));
        assert_eq!(held(Poll::Agents), None);
        assert!(found.rights.iter().all(|right| right.known));
    }

    #[tokio::test]
    async fn a_token_that_tells_nothing_is_no_missing_right() {
        let found = finding(200, json!({"access_token": "opaque", "expires_in": 3599})).await;
        assert!(
            found
                .rights
                .iter()
                .all(|right| !right.known && right.held_by.is_none())
        );
    }

    #[tokio::test]
    async fn a_refused_sign_in_is_told_with_its_hint_and_without_the_secret() {
        let refusal = json!({"error": "invalid_client", "error_codes": [7_000_222], "error_description": "medlar"});
        let found = finding(401, refusal).await;
        let text = found.sign_in.unwrap_err();
        assert!(
            text.contains("AADSTS7000222") && text.contains("expired"),
            "{text}"
        );
        assert!(!text.contains("medlar"), "{text}");
        assert!(found.rights.is_empty());
    }
}
