//! Which Cloud Sync configurations there are, and who holds the role of Connect Sync.

use std::collections::BTreeMap;

use serde_json::json;
use syncwatch_domain::scope::cloud;
use syncwatch_domain::source::Poll;

use super::{Learned, PollError, PollRun, Ran, fact, pages, taken_back};
use crate::graph::{Endpoint, GraphError};
use crate::parse::principals::{Holder, Principal, holders, principals};

/// Application template of Cloud Sync, and the app id of its older shape.
const CLOUD_SYNC: &str = "1a4721b3-e57f-4451-ae87-ef078703ec94";
/// The service Connect Sync writes through, the same in all clouds.
const SYNC_SERVICE: &str = "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016";
/// Its role `ADSynchronization.ReadWrite.All`.
const SYNC_ROLE: &str = "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9";
const SELECT: &str = "id,appId,displayName,appDisplayName,applicationTemplateId,accountEnabled";

/// Looks for configurations: by template, by the older shape, and by the ids of the config.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let mut found: BTreeMap<String, Principal> = BTreeMap::new();
    for property in ["applicationTemplateId", "appId"] {
        for principal in list(run, property).await? {
            found.entry(principal.id.clone()).or_insert(principal);
        }
    }
    for id in &run.tenant.config.service_principals {
        found.entry(id.clone()).or_insert_with(|| Principal {
            id: id.clone(),
            name: String::new(),
            enabled: None,
        });
    }
    let connect = match connect_holders(run).await {
        Ok(holders) => Some(holders),
        Err(error) => {
            // Discovery of Cloud Sync stands; actors of Connect stay those known before.
            tracing::warn!(tenant = %run.tenant.config.name, "applications of Connect Sync were not found: {error}");
            None
        }
    };
    Ok(Ran::Learned(Box::new(learned(
        run,
        &found,
        connect.as_deref(),
    ))))
}

async fn list(run: &PollRun<'_>, property: &str) -> Result<Vec<Principal>, GraphError> {
    let filter = format!("{property} eq '{CLOUD_SYNC}'");
    let query = [
        ("$filter", filter.as_str()),
        ("$count", "true"),
        ("$select", SELECT),
        ("$top", "999"),
    ];
    pages(
        run,
        Endpoint::ServicePrincipals,
        "v1.0/servicePrincipals",
        &query,
        principals,
    )
    .await
}

/// The applications that may write as Connect Sync; none where the service is not in the tenant.
async fn connect_holders(run: &PollRun<'_>) -> Result<Vec<Holder>, GraphError> {
    let path = format!("v1.0/servicePrincipals(appId='{SYNC_SERVICE}')/appRoleAssignedTo");
    let listed = pages(run, Endpoint::AppRoleAssignments, &path, &[], |body| {
        holders(body, SYNC_ROLE)
    })
    .await;
    match listed {
        Err(error) if error.status == Some(404) => Ok(Vec::new()),
        listed => listed,
    }
}

fn learned(
    run: &PollRun<'_>,
    found: &BTreeMap<String, Principal>,
    connect: Option<&[Holder]>,
) -> Learned {
    let tenant = run.tenant;
    let mut facts: Vec<_> = found
        .values()
        .map(|principal| {
            let value = json!({ "name": principal.name, "enabled": principal.enabled });
            fact(format!("configuration/{}", principal.id), value)
        })
        .collect();
    facts.extend(taken_back(run, "configuration/", &facts));
    if let Some(connect) = connect {
        let applications: Vec<_> = connect
            .iter()
            .map(|holder| {
                fact(
                    format!("connect_application/{}", holder.principal_id),
                    json!({ "name": holder.name }),
                )
            })
            .collect();
        facts.extend(taken_back(run, "connect_application/", &applications));
        facts.extend(applications);
    }
    let mut shared = tenant.shared();
    if let Some(connect) = connect {
        shared.connect_principals = connect
            .iter()
            .map(|holder| holder.principal_id.clone())
            .collect();
    }
    let gone: Vec<String> = shared
        .configurations
        .keys()
        .filter(|id| !found.contains_key(*id))
        .cloned()
        .collect();
    for id in &gone {
        shared.book.forget_principal(id);
        shared.record.forget_jobs(id);
        shared.schemas.remove(id);
    }
    if !gone.is_empty() {
        shared.record.forget_lanes();
    }
    shared.discovered = true;
    shared.configurations = found
        .values()
        .map(|p| (p.id.clone(), p.name.clone()))
        .collect();
    drop(shared);
    let jobs_enabled = tenant.config.poll(Poll::Jobs).enabled;
    for id in &gone {
        facts.extend(taken_back(run, &cloud::fact_name(id, ""), &[]));
    }
    Learned {
        facts,
        discovered: found
            .keys()
            .filter(|_| jobs_enabled)
            .map(|id| tenant.source(Poll::Jobs, id))
            .collect(),
        retired: gone
            .iter()
            .flat_map(|id| Poll::PER_CONFIGURATION.map(|poll| tenant.source(poll, id)))
            .collect(),
        ..Learned::default()
    }
}
