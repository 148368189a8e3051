//! Graph over HTTP: token, faults, errors and the headers around every answer.

use serde_json::Value;

use crate::action::DownMode;
use crate::core::{Core, RequestRecord};
use crate::graph::error::GraphError;
use crate::graph::odata::Query;
use crate::graph::{Ask, Body, Outcome, Scene, mangle, route};
use crate::http::{Delivery, Inbound, Reply, record};
use crate::login::access::{self, Claims};
use crate::times;
use crate::world::World;

const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Answers one request to the Graph host of a tenant.
pub(crate) fn answer(core: &Core, host_tenant: usize, inbound: &Inbound) -> (Reply, RequestRecord) {
    let mut record = record(core, inbound);
    let number = core.next_number();
    let mut world = core.world();
    let now = world.now;
    let request_id = world.seed.corner("request").nth(number).guid();
    let host = &world.tenants[host_tenant];
    let (mut down, mut delay_ms, mut skew) = (host.faults.down, host.faults.slow_ms, host.skew_ms);
    record.tenant = Some(host.spec.name.clone());
    let claims = claims(&mut world, inbound);
    if let Ok((tenant, claims)) = &claims {
        let tenant = &world.tenants[*tenant];
        (down, delay_ms, skew) = (tenant.faults.down, tenant.faults.slow_ms, tenant.skew_ms);
        record.tenant = Some(tenant.spec.name.clone());
        record.app = Some(claims.appid.clone());
    }
    if let Some(reply) = down.and_then(Reply::down) {
        return (Reply { delay_ms, ..reply }, record);
    }
    let outcome = match down {
        Some(DownMode::Unavailable) => Err(unavailable(number)),
        Some(DownMode::GatewayTimeout) => Err(GraphError::new(504, "UnknownError", "")),
        _ => claims.and_then(|(tenant, claims)| ask(&mut world, tenant, claims, inbound)),
    };
    let client_id = record
        .client_request_id
        .clone()
        .unwrap_or_else(|| request_id.clone());
    let mut reply = reply(outcome, down, now + skew, &request_id, &client_id);
    reply.delay_ms = delay_ms;
    reply.headers.push(("request-id", request_id));
    reply.headers.push(("client-request-id", client_id));
    reply.headers.push(("Date", times::http_date(now + skew)));
    let diagnostic = r#"{"ServerInfo":{"DataCenter":"Germany West Central","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"FR2PEPF0000SIM"}}"#;
    reply
        .headers
        .push(("x-ms-ags-diagnostic", diagnostic.to_owned()));
    (reply, record)
}

fn unavailable(number: u64) -> GraphError {
    let error = GraphError::new(
        503,
        "serviceNotAvailable",
        "The service is temporarily unavailable.",
    );
    if number.is_multiple_of(3) {
        error.with("Retry-After", "1")
    } else {
        error
    }
}

fn claims(world: &mut World, inbound: &Inbound) -> Result<(usize, Claims), GraphError> {
    let token = inbound
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .filter(|token| !token.trim().is_empty())
        .ok_or_else(|| GraphError::unauthenticated("Access token is empty."))?;
    let claims = access::read(world.seed, token, world.now)
        .map_err(|bad| GraphError::unauthenticated(bad.message()))?;
    let tenant = world.tenant_by_authority(&claims.tid).ok_or_else(|| {
        GraphError::unauthenticated("Access token validation failure. Invalid tenant.")
    })?;
    if claims.xms_issued < world.tenants[tenant].tokens_valid_from {
        return Err(GraphError::unauthenticated(
            "Lifetime validation failed, the token is expired.",
        ));
    }
    Ok((tenant, claims))
}

fn ask(world: &mut World, tenant: usize, claims: Claims, inbound: &Inbound) -> Outcome {
    let path = decode(inbound.path());
    let mut split = path.trim_start_matches('/').splitn(2, '/');
    let version = split.next().unwrap_or("");
    if version != "v1.0" && version != "beta" {
        return Err(GraphError::new(
            400,
            "BadRequest",
            format!("Invalid version: {version}"),
        ));
    }
    let accept = inbound.header("accept").unwrap_or("*/*");
    let ask = Ask {
        version,
        path: split.next().unwrap_or("").trim_end_matches('/').to_owned(),
        query: Query::parse(inbound.query())?,
        base: &inbound.base,
        method: inbound.parts.method.as_str(),
        eventual: inbound
            .header("consistencylevel")
            .is_some_and(|value| value.eq_ignore_ascii_case("eventual")),
        accepts_json_only: accept.contains("json")
            && !accept.contains("text/plain")
            && !accept.contains("*/*"),
        prefer: inbound.header("prefer").unwrap_or("").to_owned(),
        body: &inbound.body,
        roles: claims.roles,
        app: claims.appid,
    };
    let (now, settings) = (world.now, world.settings.clone());
    let state = &mut world.tenants[tenant];
    let mut answer = route::answer(
        &mut Scene {
            tenant: state,
            settings: &settings,
            now,
        },
        &ask,
    )?;
    let (unknown, nulls) = (state.faults.unknown_members, state.faults.null_fields);
    if unknown || nulls {
        let mut value = match answer.body {
            Body::Raw(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
            Body::Json(value) => value,
            other => {
                answer.body = other;
                return Ok(answer);
            }
        };
        if unknown {
            mangle::unknown_members(&mut value);
        }
        if nulls {
            mangle::null_fields(&mut value);
        }
        answer.body = Body::Json(value);
    }
    Ok(answer)
}

fn reply(
    outcome: Outcome,
    down: Option<DownMode>,
    now: i64,
    request_id: &str,
    client_id: &str,
) -> Reply {
    let (mut reply, text) = match outcome {
        Err(error) => {
            let text = error.body(now, request_id, client_id);
            let mut reply = Reply::new(error.status, JSON, "");
            reply.headers = error.headers;
            (reply, text)
        }
        Ok(answer) => {
            let (content_type, text) = match answer.body {
                Body::Empty => ("", String::new()),
                Body::Json(value) => (JSON, value.to_string()),
                Body::Raw(text) => (JSON, text),
                Body::Plain(text) => ("text/plain", text),
            };
            let mut reply = Reply::new(answer.status, content_type, "");
            reply.headers = answer.headers;
            (reply, text)
        }
    };
    reply.body = match down {
        Some(
            mode @ (DownMode::WrongTypes
            | DownMode::HugeNumbers
            | DownMode::WrongEncoding
            | DownMode::Garbage),
        ) => {
            reply.status = 200;
            mangle::spoil(&text, mode)
        }
        _ => text.into_bytes(),
    };
    if down == Some(DownMode::Cut) {
        reply.delivery = Delivery::Cut;
    }
    reply
}

/// Undoes percent encoding; a plus sign stays a plus sign in a path.
fn decode(path: &str) -> String {
    let form = format!("p={}", path.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
