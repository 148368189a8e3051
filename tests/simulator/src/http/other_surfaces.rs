//! Token endpoint, managed identities, Teams and webhook over HTTP.

use crate::action::DownMode;
use crate::core::{Core, RequestRecord, lock};
use crate::http::{Delivery, Inbound, Reply, record};
use crate::login::identity::{self, IdentityAsk};
use crate::sinks::teams::MOST_BYTES;
use crate::sinks::{
    SignatureCheck, TeamsPost, WebhookCall, teams as teams_sink, webhook as webhook_sink,
};
use crate::times;
use crate::world::faults::{self, Refusal};

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) fn login(core: &Core, inbound: &Inbound) -> (Reply, RequestRecord) {
    let mut record = record(core, inbound);
    let mut world = core.world();
    let down = world.login_down;
    if let Some(reply) = down.and_then(Reply::down) {
        return (reply, record);
    }
    if matches!(down, Some(DownMode::Unavailable | DownMode::GatewayTimeout)) {
        // The login host in trouble answers without JSON.
        let status = if down == Some(DownMode::Unavailable) {
            503
        } else {
            504
        };
        return (
            Reply::new(status, "text/plain", "Service Unavailable"),
            record,
        );
    }
    let path = inbound.path().trim_start_matches('/').to_owned();
    let (reply, skew) = match path.strip_suffix("/oauth2/v2.0/token") {
        Some(authority) if inbound.parts.method == "POST" && !authority.contains('/') => {
            let tenant = world.tenant_by_authority(authority);
            record.tenant = tenant.map(|index| world.tenants[index].spec.name.clone());
            let skew = tenant.map_or(0, |index| world.tenants[index].skew_ms);
            let (status, body) =
                lock(&core.login).token(&mut world, authority, &inbound.body, &inbound.base);
            let mut reply = Reply::json(status, body);
            if status == 503 {
                reply.headers.push(("Retry-After", "1".to_owned()));
            }
            (reply, skew)
        }
        _ => (
            Reply::new(404, "text/html", "<html><body>Not found</body></html>"),
            0,
        ),
    };
    let mut reply = spoiled(reply, down);
    reply
        .headers
        .push(("Date", times::http_date(world.now + skew)));
    (reply, record)
}

fn spoiled(mut reply: Reply, down: Option<DownMode>) -> Reply {
    match down {
        Some(DownMode::Cut) => reply.delivery = Delivery::Cut,
        Some(mode) => {
            reply.body = crate::graph::mangle::spoil(&String::from_utf8_lossy(&reply.body), mode);
        }
        None => {}
    }
    reply
}

/// IMDS at its path, App Service everywhere else.
pub(crate) fn identity(core: &Core, inbound: &Inbound) -> (Reply, RequestRecord) {
    let record = record(core, inbound);
    let world = core.world();
    let ask = IdentityAsk {
        query: inbound.query(),
        metadata: inbound.header("metadata"),
        identity_header: inbound.header("x-identity-header"),
        forwarded: inbound.header("x-forwarded-for").is_some(),
    };
    let (status, body) = match inbound.path() {
        "/metadata/identity/oauth2/token" => identity::imds(&world, &ask),
        "/msi/token" => identity::app_service(&world, &ask),
        _ => (404, "{}".to_owned()),
    };
    (Reply::json(status, body), record)
}

fn refused(refusal: Refusal) -> Reply {
    let text = format!(
        "{{\"error\":{{\"code\":\"{}\",\"message\":\"told to\"}}}}",
        refusal.status
    );
    let mut reply = Reply::json(refusal.status, text);
    if let Some(seconds) = refusal.retry_after {
        reply.headers.push(("Retry-After", seconds.to_string()));
    }
    reply
}

/// The Workflows endpoint.
pub(crate) fn teams(core: &Core, inbound: &Inbound) -> (Reply, RequestRecord) {
    let mut record = record(core, inbound);
    record.query = "<redacted>".to_owned();
    let (refusal, delay_ms) = {
        let mut world = core.world();
        (
            faults::take(&mut world.receivers.teams),
            world.receivers.teams_slow_ms,
        )
    };
    let signed = url::form_urlencoded::parse(inbound.query().as_bytes())
        .any(|(name, value)| name == "sig" && value == core.teams_signature.as_str());
    let known = inbound
        .path()
        .starts_with("/powerautomate/automations/direct/workflows/")
        && inbound.path().ends_with("/triggers/manual/paths/invoke");
    let mut reply = if !known {
        Reply::json(404, "{}")
    } else if !signed {
        Reply::json(
            401,
            r#"{"error":{"code":"DirectApiAuthorizationRequired","message":"The request has SAS authentication scheme while it requires a valid signature."}}"#,
        )
    } else if inbound.parts.method != "POST" {
        Reply::json(405, "{}")
    } else if let Some(refusal) = refusal {
        refused(refusal)
    } else if inbound.body.len() > MOST_BYTES {
        Reply::json(
            413,
            r#"{"error":{"code":"RequestEntityTooLarge","message":"Request Entity too large"}}"#,
        )
    } else {
        // Accepted, whatever the card looks like: a bad one only fails inside the flow.
        Reply::new(202, "", "")
    };
    reply.delay_ms = delay_ms;
    let (card, violations) =
        teams_sink::examine(&inbound.body, inbound.header("content-type").unwrap_or(""));
    core.teams.push(TeamsPost {
        at_ms: core.clock.now_ms(),
        status: reply.status,
        body: String::from_utf8_lossy(&inbound.body).into_owned(),
        card,
        violations,
    });
    (reply, record)
}

/// The generic webhook.
pub(crate) fn webhook(core: &Core, inbound: &Inbound) -> (Reply, RequestRecord) {
    let record = record(core, inbound);
    let (refusal, delay_ms) = {
        let mut world = core.world();
        (
            faults::take(&mut world.receivers.webhook),
            world.receivers.webhook_slow_ms,
        )
    };
    let headers: Vec<(String, String)> = inbound
        .parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let secret = lock(&core.webhook_secret).clone();
    let signature = webhook_sink::check(secret.as_deref(), &headers, &inbound.body);
    let mut reply = match refusal {
        Some(refusal) => refused(refusal),
        None if matches!(signature, SignatureCheck::Missing | SignatureCheck::Wrong) => {
            Reply::json(401, r#"{"error":"bad signature"}"#)
        }
        None => Reply::json(200, "{}"),
    };
    reply.delay_ms = delay_ms;
    core.webhook.push(WebhookCall {
        at_ms: core.clock.now_ms(),
        status: reply.status,
        target: inbound.parts.uri.to_string(),
        headers,
        body: String::from_utf8_lossy(&inbound.body).into_owned(),
        signature,
    });
    (reply, record)
}
