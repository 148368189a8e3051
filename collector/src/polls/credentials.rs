//! When the credentials of the own application end.

use serde_json::json;

use super::{Learned, PollError, PollRun, Ran, fact, readable, taken_back};
use crate::graph::Endpoint;
use crate::parse::credentials::credentials;

/// Reads the credentials that are registered on the own application.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let Some(client_id) = run.tenant.config.client_id() else {
        // A system-assigned identity has no application whose credentials could end.
        return Ok(Ran::Learned(Box::default()));
    };
    let filter = format!("appId eq '{client_id}'");
    let select = "id,appId,displayName,keyCredentials,passwordCredentials";
    let query = [
        ("$filter", filter.as_str()),
        ("$select", select),
        ("$count", "true"),
    ];
    let graph = &run.tenant.graph;
    let url = graph.url("v1.0/applications", &query);
    let body = graph.get(Endpoint::Applications, &url).await?;
    let registered = readable(run, Endpoint::Applications, &body, credentials(&body))?;
    let mut facts: Vec<_> = registered
        .unwrap_or_default()
        .into_iter()
        .map(|credential| {
            let value = json!({
                "kind": credential.kind.as_str(), "name": credential.name, "ends_at": credential.ends_at,
                "app": "own", "app_id": client_id,
            });
            fact(format!("credential/{}", credential.key_id), value)
        })
        .collect();
    facts.extend(taken_back(run, "credential/", &facts));
    Ok(Ran::Learned(Box::new(Learned {
        facts,
        ..Learned::default()
    })))
}
