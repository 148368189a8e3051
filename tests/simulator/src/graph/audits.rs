//! `auditLogs/directoryAudits`: which engine wrote what, with records that name nobody in between.

use serde_json::{Value, json};

use crate::graph::apps::connect_name;
use crate::graph::odata::{Field, Op, Rule, plain};
use crate::graph::provisioning::check_window;
use crate::graph::{Answer, Ask, Family, Listing, Outcome, Scene, collection};
use crate::story::ConnectAccount;
use crate::times;
use crate::world::logs::{Actor, AuditRow, Deed};
use crate::world::tenant::TenantState;

const MOST: usize = 1000;
/// Both engines' accounts carry the same display name.
const ACCOUNT_NAME: &str = "On-Premises Directory Synchronization Service Account";

const RULES: &[Rule] = &[
    plain("activityDateTime", &[Op::Eq, Op::Ge, Op::Le]),
    plain("activityDisplayName", &[Op::Eq, Op::StartsWith]),
    plain("category", &[Op::Eq]),
    plain("correlationId", &[Op::Eq]),
    plain("id", &[Op::Eq]),
    plain("loggedByService", &[Op::Eq]),
    plain("initiatedBy/user/id", &[Op::Eq]),
    plain("initiatedBy/user/displayName", &[Op::Eq]),
    plain(
        "initiatedBy/user/userPrincipalName",
        &[Op::Eq, Op::StartsWith],
    ),
    plain("initiatedBy/app/appId", &[Op::Eq]),
    plain("initiatedBy/app/displayName", &[Op::Eq]),
    plain("targetResources/id", &[Op::Eq]),
    plain("targetResources/displayName", &[Op::Eq, Op::StartsWith]),
];

/// Activity, category, service and operation of a deed.
fn wording(deed: &Deed) -> (&'static str, &'static str, &'static str, &'static str) {
    const CORE: &str = "Core Directory";
    const PROVISIONING: &str = "Account Provisioning";
    match deed {
        Deed::UpdateUser => ("Update user", "UserManagement", CORE, "Update"),
        Deed::ChangePassword => ("Change user password", "UserManagement", CORE, "Update"),
        Deed::UpdateTokensValidFrom => (
            "Update StsRefreshTokenValidFrom Timestamp",
            "UserManagement",
            CORE,
            "Update",
        ),
        Deed::DeleteUser { hard: false } => ("Delete user", "UserManagement", CORE, "Delete"),
        Deed::DeleteUser { hard: true } => ("Hard Delete user", "UserManagement", CORE, "Delete"),
        Deed::CloudManaged => (
            "Change Source of Authority from AD to cloud",
            "UserManagement",
            CORE,
            "Update",
        ),
        Deed::DomainRecalculation => ("Update user", "UserManagement", CORE, "Update"),
        Deed::Export { .. } => ("Export", "ProvisioningManagement", PROVISIONING, ""),
        Deed::Skip { .. } => (
            "Synchronization rule action",
            "ProvisioningManagement",
            PROVISIONING,
            "",
        ),
        Deed::Quarantine { .. } => ("Quarantine", "ProvisioningManagement", PROVISIONING, ""),
        Deed::JobPaused { .. } => (
            "Disable/pause provisioning configuration",
            "ProvisioningManagement",
            PROVISIONING,
            "",
        ),
        Deed::JobStarted { .. } => (
            "Enable/start provisioning configuration",
            "ProvisioningManagement",
            PROVISIONING,
            "",
        ),
        Deed::ScopeChanged { .. } => (
            "Update attribute mappings or scope",
            "ProvisioningManagement",
            PROVISIONING,
            "",
        ),
    }
}

fn job_of(deed: &Deed) -> Option<u16> {
    match deed {
        Deed::Export { job }
        | Deed::Skip { job }
        | Deed::Quarantine { job, .. }
        | Deed::JobPaused { job }
        | Deed::JobStarted { job }
        | Deed::ScopeChanged { job } => Some(*job),
        _ => None,
    }
}

/// `(upn, object id)` of the account that wrote, if it was a user.
fn writer(tenant: &TenantState, actor: Actor) -> Option<(String, String)> {
    let initial = format!("{}.onmicrosoft.com", tenant.spec.prefix);
    let id = |name: &str| tenant.seed.corner("account").corner(name).guid();
    match actor {
        Actor::Connect => {
            let connect = tenant.connect.as_ref()?;
            let upn = format!("Sync_{}_{}@{initial}", connect.spec.server, connect.hash);
            (connect.spec.account == ConnectAccount::Legacy).then(|| (upn, id("connect")))
        }
        Actor::CloudSync => Some((format!("ADToAADSyncServiceAccount@{initial}"), id("cloud"))),
        Actor::Admin => Some((
            format!("hybrid.admin@{}", tenant.spec.domains[0]),
            id("admin"),
        )),
        Actor::ProvisioningService | Actor::Nobody => None,
    }
}

fn app_name(tenant: &TenantState, actor: Actor) -> Option<String> {
    match actor {
        Actor::ProvisioningService => Some("Azure AD Cloud Sync".to_owned()),
        Actor::Connect if writer(tenant, actor).is_none() => Some(connect_name(tenant)),
        _ => None,
    }
}

fn initiated_by(tenant: &TenantState, actor: Actor) -> Value {
    if let Some((upn, id)) = writer(tenant, actor) {
        let name = if actor == Actor::Admin {
            Value::Null
        } else {
            json!(ACCOUNT_NAME)
        };
        return json!({
            "user": {
                "id": id,
                "displayName": name,
                "userPrincipalName": upn,
                "ipAddress": if actor == Actor::Admin { json!("203.0.113.40") } else { Value::Null },
                "userType": null,
                "homeTenantId": null,
                "homeTenantName": null,
            },
            "app": null,
        });
    }
    let Some(name) = app_name(tenant, actor) else {
        return json!({"user": null, "app": null});
    };
    let principal = match (actor, &tenant.connect) {
        (Actor::Connect, Some(connect)) => json!(connect.service_principal),
        _ => Value::Null,
    };
    json!({
        "user": null,
        "app": {"appId": null, "displayName": name, "servicePrincipalId": principal, "servicePrincipalName": null},
    })
}

fn correlation(tenant: &TenantState, row: &AuditRow) -> String {
    tenant.seed.corner("audit").nth(row.key).guid()
}

fn audit_id(tenant: &TenantState, row: &AuditRow) -> String {
    let prefix = if job_of(&row.deed).is_some() {
        "Sync"
    } else {
        "Directory"
    };
    let own = tenant.seed.corner("audit").nth(row.key);
    let letters = own.corner("letters").hex(5).to_uppercase();
    format!(
        "{prefix}_{}_{letters}_{}",
        correlation(tenant, row),
        own.below(100_000_000)
    )
}

fn field<'a>(tenant: &'a TenantState, row: &AuditRow, path: &str) -> Field<'a> {
    let (activity, category, service, _) = wording(&row.deed);
    let or_null = |value: Option<String>| value.map_or(Field::Null, Field::owned);
    match path.to_ascii_lowercase().as_str() {
        "activitydatetime" => Field::ms(row.at),
        "activitydisplayname" => Field::text(activity),
        "category" => Field::text(category),
        "loggedbyservice" => Field::text(service),
        "correlationid" => Field::owned(correlation(tenant, row)),
        "id" => Field::owned(audit_id(tenant, row)),
        "initiatedby/user/id" => or_null(writer(tenant, row.actor).map(|(_, id)| id)),
        "initiatedby/user/userprincipalname" => {
            or_null(writer(tenant, row.actor).map(|(upn, _)| upn))
        }
        "initiatedby/user/displayname"
            if matches!(row.actor, Actor::Connect | Actor::CloudSync) =>
        {
            Field::text(ACCOUNT_NAME)
        }
        "initiatedby/app/displayname" => or_null(app_name(tenant, row.actor)),
        "targetresources/id" => {
            let mut ids = Vec::new();
            if let Some(job) = job_of(&row.deed) {
                ids.push(tenant.app_of(job).service_principal.as_str().into());
            }
            ids.extend(
                tenant
                    .directory
                    .users
                    .get(row.person as usize)
                    .map(|user| user.person.id.as_str().into()),
            );
            Field::Texts(ids)
        }
        "targetresources/displayname" => match job_of(&row.deed) {
            Some(job) => Field::text(&tenant.app_of(job).name),
            None => Field::Null,
        },
        _ => Field::Null,
    }
}

/// `GET /auditLogs/directoryAudits`.
pub(crate) fn list(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    ask.query.only(&["filter", "top", "orderby", "skiptoken"])?;
    let now = scene.now;
    let settings = scene.settings;
    let page = scene.page(ask, Family::Reports, |tenant| {
        let filter = ask.query.filter()?;
        if let Some(expr) = &filter {
            expr.check(RULES)?;
            check_window(expr.window(), now, settings)?;
        }
        let top = ask.query.top(100, MOST)?;
        let oldest_first = ask
            .query
            .get("orderby")
            .is_some_and(|order| order.trim().ends_with(" asc"));
        let mut hits: Vec<(i64, u32)> = (0_u32..)
            .zip(&tenant.logs.audits)
            .filter(|(_, row)| row.visible <= now)
            .filter(|(_, row)| {
                filter
                    .as_ref()
                    .is_none_or(|expr| expr.holds(false, &|path| field(tenant, row, path)))
            })
            .map(|(index, row)| (row.at, index))
            .collect();
        hits.sort_unstable();
        if !oldest_first {
            hits.reverse();
        }
        let items = hits.into_iter().map(|(_, index)| index).collect();
        Ok(Listing {
            items,
            top,
            advanced: false,
            counted: false,
        })
    })?;
    let tenant = &*scene.tenant;
    let values = page
        .items
        .iter()
        .map(|index| render(tenant, &tenant.logs.audits[*index as usize]))
        .collect();
    Ok(Answer::json(collection(
        &ask.context("auditLogs/directoryAudits"),
        &page,
        values,
    )))
}

fn render(tenant: &TenantState, row: &AuditRow) -> Value {
    let (activity, category, service, operation) = wording(&row.deed);
    let (result, reason) = outcome(tenant, row);
    json!({
        "id": audit_id(tenant, row),
        "category": category,
        "correlationId": correlation(tenant, row),
        "result": result,
        "resultReason": reason,
        "activityDisplayName": activity,
        "activityDateTime": times::ticks(row.at, 0),
        "loggedByService": service,
        "operationType": operation,
        "initiatedBy": initiated_by(tenant, row.actor),
        "targetResources": targets(tenant, row),
        "additionalDetails": details(row),
    })
}

fn outcome(tenant: &TenantState, row: &AuditRow) -> (&'static str, String) {
    let upn = tenant
        .directory
        .users
        .get(row.person as usize)
        .map_or("", |user| user.upn.as_str());
    match &row.deed {
        Deed::Quarantine { .. } => (
            "failure",
            "The provisioning job was placed in quarantine".to_owned(),
        ),
        Deed::Export { .. } => (
            "success",
            format!("User '{upn}' was updated in Microsoft Entra ID"),
        ),
        Deed::Skip { .. } => (
            "success",
            format!("User '{upn}' will be skipped (not in scope)"),
        ),
        _ => ("success", String::new()),
    }
}

fn details(row: &AuditRow) -> Value {
    let event = match &row.deed {
        Deed::Quarantine { code, .. } => {
            return json!([{"key": "ErrorCode", "value": code}, {"key": "EventName", "value": "Quarantine"}]);
        }
        Deed::Export { .. } => "EntryExportUpdate",
        Deed::Skip { .. } => "EntrySynchronizationSkip",
        Deed::UpdateUser | Deed::DomainRecalculation => {
            return json!([{"key": "UserType", "value": "Member"}]);
        }
        _ => return json!([]),
    };
    json!([
        {"key": "Details", "value": ""},
        {"key": "ErrorCode", "value": ""},
        {"key": "EventName", "value": event},
        {"key": "ipaddr", "value": ""},
    ])
}

fn targets(tenant: &TenantState, row: &AuditRow) -> Value {
    let mut list = Vec::new();
    if let Some(job) = job_of(&row.deed) {
        let app = tenant.app_of(job);
        list.push(target(
            &app.service_principal,
            Some(&app.name),
            "ServicePrincipal",
            None,
            &json!([]),
        ));
        if !matches!(row.deed, Deed::Export { .. } | Deed::Skip { .. }) {
            return Value::Array(list);
        }
    }
    if let Some(user) = tenant.directory.users.get(row.person as usize) {
        let name = job_of(&row.deed).map(|_| user.upn.as_str());
        let upn = match row.deed {
            // The UPN of a deleted user starts with the object id without dashes.
            Deed::DeleteUser { .. } => format!("{}{}", user.person.id.replace('-', ""), user.upn),
            _ => user.upn.clone(),
        };
        list.push(target(
            &user.person.id,
            name,
            "User",
            Some(&upn),
            &properties(tenant, row),
        ));
    }
    Value::Array(list)
}

fn target(id: &str, name: Option<&str>, kind: &str, upn: Option<&str>, modified: &Value) -> Value {
    json!({
        "id": id,
        "displayName": name,
        "type": kind,
        "userPrincipalName": upn,
        "groupType": null,
        "modifiedProperties": modified,
    })
}

/// Values are JSON fragments inside strings.
fn properties(tenant: &TenantState, row: &AuditRow) -> Value {
    let change = |name: &str, old: &str, new: &str| json!({"displayName": name, "oldValue": format!("[\"{old}\"]"), "newValue": format!("[\"{new}\"]")});
    let included = |names: &str| json!({"displayName": "Included Updated Properties", "oldValue": null, "newValue": format!("\"{names}\"")});
    let now = times::seconds(row.at);
    let before = times::seconds(row.at - 1_800_000);
    match row.deed {
        Deed::UpdateUser => json!([
            change("Department", "Sales", "Retail"),
            change("LastDirSyncTime", &before, &now),
            included("Department, LastDirSyncTime"),
            {"displayName": "TargetId.UserType", "oldValue": null, "newValue": "\"Member\""},
        ]),
        Deed::UpdateTokensValidFrom => json!([
            change("StsRefreshTokensValidFrom", &before, &now),
            included("StsRefreshTokensValidFrom"),
        ]),
        Deed::DeleteUser { hard } => {
            let flag = if hard { "\"True\"" } else { "\"False\"" };
            json!([{"displayName": "Is Hard Deleted", "oldValue": null, "newValue": flag}])
        }
        Deed::CloudManaged => {
            let anchor = tenant
                .directory
                .users
                .get(row.person as usize)
                .map_or_else(String::new, |user| user.person.immutable_id());
            json!([{"displayName": "OnPremisesObjectIdentifier", "oldValue": format!("[\"{anchor}\"]"), "newValue": "[]"}])
        }
        Deed::Export { .. } => {
            json!([{"displayName": "Department", "oldValue": "\"Sales\"", "newValue": "\"Retail\""}])
        }
        _ => json!([]),
    }
}
