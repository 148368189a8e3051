//! `organization` and `directory/onPremisesSynchronization`: tenant-wide values any engine keeps fresh.

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::{Answer, Ask, Outcome, Scene, select};
use crate::story::ConnectAccount;
use crate::times;
use crate::world::tenant::TenantState;

/// `GET /organization`.
pub(crate) fn organization(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    ask.query.only(&["select"])?;
    let value = select(
        organization_json(scene.tenant, ask.beta()),
        ask.query.select().as_deref(),
    );
    Ok(Answer::json(
        json!({"@odata.context": ask.context("organization"), "value": [value]}),
    ))
}

fn organization_json(tenant: &TenantState, beta: bool) -> Value {
    let spec = &tenant.spec;
    let date = |at: Option<i64>| at.map(times::seconds);
    let mut domains = vec![json!({
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": false,
        "isInitial": true,
        "name": format!("{}.onmicrosoft.com", spec.prefix),
        "type": "Managed",
    })];
    for (n, name) in spec.domains.iter().enumerate() {
        domains.push(json!({
            "capabilities": "Email, Intune",
            "isDefault": n == 0,
            "isInitial": false,
            "name": name,
            "type": "Managed",
        }));
    }
    let mut value = json!({
        "id": spec.id,
        "deletedDateTime": null,
        "businessPhones": [],
        "city": null,
        "countryLetterCode": "DE",
        "createdDateTime": "2017-05-02T08:00:00Z",
        "displayName": spec.display_name,
        "onPremisesLastSyncDateTime": date(tenant.last_sync),
        "onPremisesSyncEnabled": if spec.cloud_only { Value::Null } else { json!(true) },
        "onPremisesSyncStatus": [],
        "preferredLanguage": "de",
        "technicalNotificationMails": [format!("it@{}", spec.domains[0])],
        "tenantType": "AAD",
        "directorySizeQuota": {"used": tenant.directory.users.len() * 2, "total": 300_000},
        "verifiedDomains": domains,
    });
    if beta {
        value["onPremisesLastPasswordSyncDateTime"] = json!(date(tenant.last_password_sync));
    }
    value
}

/// `GET /directory/onPremisesSynchronization`: a collection without an id, an object with one.
pub(crate) fn synchronization(scene: &mut Scene<'_>, ask: &Ask<'_>, id: Option<&str>) -> Outcome {
    ask.query.only(&["select"])?;
    let tenant = &*scene.tenant;
    let own_id = tenant.spec.id.as_str();
    if tenant.spec.cloud_only || id.is_some_and(|id| !id.eq_ignore_ascii_case(own_id)) {
        return Err(GraphError::not_found(id.unwrap_or(own_id)));
    }
    let mut value = select(
        synchronization_json(tenant, ask.beta()),
        ask.query.select().as_deref(),
    );
    if id.is_some() {
        value["@odata.context"] = json!(ask.context("directory/onPremisesSynchronization/$entity"));
        return Ok(Answer::json(value));
    }
    let context = ask.context("directory/onPremisesSynchronization");
    Ok(Answer::json(
        json!({"@odata.context": context, "value": [value]}),
    ))
}

fn synchronization_json(tenant: &TenantState, beta: bool) -> Value {
    let mut configuration = json!({
        "accidentalDeletionPrevention": {"synchronizationPreventionType": "enabledForCount", "alertThreshold": 500},
    });
    if let (true, Some(connect)) = (beta, &tenant.connect) {
        let account = format!(
            "Sync_{}_{}@{}.onmicrosoft.com",
            connect.spec.server, connect.hash, tenant.spec.prefix
        );
        let app = (connect.spec.account == ConnectAccount::Application)
            .then_some(connect.app_id.as_str());
        configuration["anchorAttribute"] = json!("mS-DS-ConsistencyGuid");
        configuration["applicationId"] = json!(app);
        configuration["customerRequestedSynchronizationInterval"] = Value::Null;
        configuration["synchronizationClientVersion"] = json!(connect.spec.version);
        configuration["synchronizationInterval"] =
            json!(times::iso_duration(connect.spec.interval.as_ms()));
        configuration["currentExportData"] = json!({
            "clientMachineName": connect.spec.server,
            "pendingObjectsAddition": 0,
            "pendingObjectsDeletion": 0,
            "pendingObjectsUpdate": connect.spec.audits,
            "serviceAccount": account,
            "successfulLinksProvisioningCount": 0,
            "successfulObjectsProvisioningCount": connect.spec.audits,
            "totalConnectorSpaceObjects": tenant.directory.users.len() + tenant.directory.groups.len(),
        });
        configuration["writebackConfiguration"] =
            json!({"unifiedGroupContainer": null, "userContainer": null});
    }
    let on = [
        "blockCloudObjectTakeoverThroughHardMatchEnabled",
        "passwordSyncEnabled",
        "quarantineUponProxyAddressesConflictEnabled",
        "quarantineUponUpnConflictEnabled",
        "softMatchOnUpnEnabled",
        "synchronizeUpnForManagedUsersEnabled",
    ];
    let off = [
        "allowOnPremUpdateOfOnPremisesObjectIdentifierEnabled",
        "blockSoftMatchEnabled",
        "bypassDirSyncOverridesEnabled",
        "cloudPasswordPolicyForPasswordSyncedUsersEnabled",
        "concurrentCredentialUpdateEnabled",
        "concurrentOrgIdProvisioningEnabled",
        "deviceWritebackEnabled",
        "directoryExtensionsEnabled",
        "fopeConflictResolutionEnabled",
        "groupWriteBackEnabled",
        "passwordWritebackEnabled",
        "unifiedGroupWritebackEnabled",
        "userForcePasswordChangeOnLogonEnabled",
        "userWritebackEnabled",
    ];
    let features: serde_json::Map<String, Value> = on
        .iter()
        .map(|name| ((*name).to_owned(), json!(true)))
        .chain(off.iter().map(|name| ((*name).to_owned(), json!(false))))
        .collect();
    json!({"id": tenant.spec.id, "configuration": configuration, "features": features})
}
