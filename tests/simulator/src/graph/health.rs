//! Service health, sign-in health alerts, and sending mail through Graph.

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::{Answer, Ask, Body, Family, Listing, Outcome, Scene, collection};
use crate::times;

/// `GET /admin/serviceAnnouncement/healthOverviews`.
pub(crate) fn overviews(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    ask.query.only(&["expand", "select"])?;
    let degraded = scene.tenant.faults.down.is_some();
    let entra = if degraded {
        "serviceDegradation"
    } else {
        "ServiceOperational"
    };
    Ok(Answer::json(json!({
        "@odata.context": ask.context("admin/serviceAnnouncement/healthOverviews"),
        "value": [
            {"id": "Entra", "service": "Microsoft Entra", "status": entra},
            {"id": "Exchange", "service": "Exchange Online", "status": "serviceOperational"},
        ],
    })))
}

/// `GET /admin/serviceAnnouncement/issues`.
pub(crate) fn issues(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    ask.query
        .only(&["filter", "top", "skip", "skiptoken", "orderby", "select"])?;
    const COUNT: u32 = 3;
    let origin = scene.tenant.origin_ms;
    let page = scene.page(ask, Family::Directory, |_| {
        Ok(Listing {
            items: (0..COUNT).collect(),
            top: ask.query.top(100, 1000)?,
            advanced: false,
            counted: false,
        })
    })?;
    let values = page.items.iter().map(|n| issue(origin, *n)).collect();
    Ok(Answer::json(collection(
        &ask.context("admin/serviceAnnouncement/issues"),
        &page,
        values,
    )))
}

fn issue(origin: i64, n: u32) -> Value {
    let open = n == 0;
    let (service, feature) = match n {
        0 => ("Microsoft Entra", "Directory synchronization"),
        1 => ("Exchange Online", "E-Mail and calendar access"),
        _ => ("Identity Service", "Sign-in"),
    };
    let began = origin - i64::from(n + 1) * 86_400_000;
    json!({
        "id": format!("MO9{n:05}"),
        "startDateTime": times::seconds(began),
        "endDateTime": if open { Value::Null } else { json!(times::seconds(began + 7_200_000)) },
        "lastModifiedDateTime": times::trimmed(began + 3_600_910),
        "title": format!("{feature} is slower than usual"),
        "impactDescription": "Changes made on-premises may take longer than expected to appear in the cloud.",
        "classification": "advisory",
        "origin": "microsoft",
        "status": if open { "ServiceDegradation" } else { "serviceRestored" },
        "service": service,
        "feature": feature,
        "featureGroup": "Identity",
        "isResolved": !open,
        "details": [],
        "posts": [{
            "createdDateTime": times::trimmed(began + 600_200),
            "postType": "regular",
            "description": {"contentType": "html", "content": "<p>Investigation in progress.</p>"},
        }],
    })
}

/// `GET /reports/healthMonitoring/alerts` (beta): never about synchronisation.
pub(crate) fn alerts(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    Ok(Answer::json(json!({
        "@odata.context": ask.context("reports/healthMonitoring/alerts"),
        "value": [{
            "id": scene.tenant.seed.corner("health alert").guid(),
            "alertType": "mfaSignInFailure",
            "scenario": "mfa",
            "category": "authentication",
            "createdDateTime": times::seconds(scene.tenant.origin_ms - 7_200_000),
            "state": "active",
            "enrichment": {"state": "enriched", "impacts": [], "supportingData": {}},
            "signals": {},
            "documentation": {},
        }],
    })))
}

/// `POST /users/{mailbox}/sendMail`: 202 means accepted, not delivered.
pub(crate) fn send_mail(scene: &mut Scene<'_>, ask: &Ask<'_>, mailbox: &str) -> Outcome {
    const MOST_BYTES: usize = 4 << 20;
    if ask.body.len() > MOST_BYTES {
        return Err(GraphError::new(
            413,
            "RequestEntityTooLarge",
            "The request entity is too large.",
        ));
    }
    let known = scene
        .tenant
        .spec
        .domains
        .iter()
        .any(|domain| mailbox.ends_with(&format!("@{domain}")));
    if !known
        && !scene
            .tenant
            .directory
            .users
            .iter()
            .any(|user| user.person.id == mailbox)
    {
        return Err(GraphError::new(
            404,
            "ErrorInvalidUser",
            format!("The requested user '{mailbox}' is invalid."),
        ));
    }
    let request: Value = serde_json::from_slice(ask.body)
        .map_err(|_| GraphError::bad_request("Unable to read JSON request payload."))?;
    let recipients = request["message"]["toRecipients"]
        .as_array()
        .is_some_and(|list| {
            !list.is_empty()
                && list.iter().all(|one| {
                    one["emailAddress"]["address"]
                        .as_str()
                        .is_some_and(|to| to.contains('@'))
                })
        });
    if !recipients || !request["message"]["subject"].is_string() {
        return Err(GraphError::new(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient is not valid.",
        ));
    }
    let headers = request["message"]["internetMessageHeaders"].as_array();
    if headers.into_iter().flatten().any(|one| {
        !one["name"]
            .as_str()
            .is_some_and(|name| name.to_ascii_lowercase().starts_with("x-"))
    }) {
        return Err(GraphError::new(
            400,
            "InvalidInternetMessageHeader",
            "The internet message header name should start with 'x-' or 'X-'.",
        ));
    }
    Ok(Answer {
        status: 202,
        body: Body::Empty,
        headers: Vec::new(),
    })
}
