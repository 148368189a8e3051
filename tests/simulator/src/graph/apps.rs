//! Service principals and applications: where Cloud Sync configurations and the Connect application are found.

use serde_json::{Value, json};

use crate::chance::Seed;
use crate::graph::error::GraphError;
use crate::graph::odata::{Field, Op, Rule, advanced, plain};
use crate::graph::{Answer, Ask, Family, Listing, Outcome, Scene, collection, select};
use crate::story::{ConnectAccount, Shape};
use crate::times::{self, Span};
use crate::world::tenant::{CLOUD_SYNC_TEMPLATE, TenantState};

/// The service whose role marks Connect Sync applications.
const AD_SYNC_SERVICE: &str = "6bf85cfa-ac8a-4be5-b5de-425a0d0dc016";
const AD_SYNC_SERVICE_NAME: &str = "Microsoft Entra AD Synchronization Service";
const AD_SYNC_ROLE: &str = "ab43b826-2c7a-4aff-9ecd-d0629d0ca6a9";
const OTHER_ROLE: &str = "18d14569-c3bd-439b-9a66-3a2aee01d14f";
/// Owner of legacy-shape Cloud Sync principals.
const LEGACY_OWNER: &str = "47df5bb7-e6bc-4256-afb0-dd8c8e3c1ce8";
const SYNC_FABRIC: &str = "00000014-0000-0000-c000-000000000000";
const YEAR_MS: i64 = 365 * 86_400_000;

const RULES: &[Rule] = &[
    plain("id", &[Op::Eq]),
    plain("appId", &[Op::Eq]),
    plain("displayName", &[Op::Eq, Op::StartsWith]),
    plain("accountEnabled", &[Op::Eq]),
    advanced("applicationTemplateId", &[Op::Eq, Op::Ne]),
    plain("servicePrincipalType", &[Op::Eq]),
];

/// A service principal before rendering.
#[derive(Debug, Clone)]
struct Principal {
    id: String,
    app_id: String,
    name: String,
    shape: Option<Shape>,
    first_party: bool,
}

fn principals(tenant: &TenantState) -> Vec<Principal> {
    let mut all: Vec<Principal> = tenant
        .apps
        .iter()
        .map(|app| Principal {
            id: app.service_principal.clone(),
            app_id: app.app_id.clone(),
            name: match app.shape {
                Some(Shape::Legacy) => {
                    "Active Directory to Azure Active Directory Provisioning".to_owned()
                }
                _ => app.name.clone(),
            },
            shape: app.shape,
            first_party: false,
        })
        .collect();
    let own = |id: String, app_id: &str, name: String, first_party| Principal {
        id,
        app_id: app_id.to_owned(),
        name,
        shape: None,
        first_party,
    };
    if let Some(connect) = tenant
        .connect
        .as_ref()
        .filter(|connect| connect.spec.account == ConnectAccount::Application)
    {
        all.push(own(
            connect.service_principal.clone(),
            &connect.app_id,
            connect_name(tenant),
            false,
        ));
    }
    for client in &tenant.spec.clients {
        all.push(own(
            client_object_id(tenant.seed, &client.id),
            &client.id,
            "sync-monitor".to_owned(),
            false,
        ));
    }
    all.push(own(
        first_party_id(tenant, AD_SYNC_SERVICE),
        AD_SYNC_SERVICE,
        AD_SYNC_SERVICE_NAME.to_owned(),
        true,
    ));
    all.push(own(
        first_party_id(tenant, SYNC_FABRIC),
        SYNC_FABRIC,
        "Microsoft.Azure.SyncFabric".to_owned(),
        true,
    ));
    all
}

fn first_party_id(tenant: &TenantState, app_id: &str) -> String {
    tenant.seed.corner("first party").corner(app_id).guid()
}

/// Object id of the service principal of a client; it is also `oid` in its tokens.
pub(crate) fn client_object_id(seed: Seed, client: &str) -> String {
    seed.corner("client").corner(client).guid()
}

/// Display name of the Connect Sync application.
pub(crate) fn connect_name(tenant: &TenantState) -> String {
    tenant.connect.as_ref().map_or_else(String::new, |connect| {
        format!(
            "ConnectSyncProvisioning_{}_{}",
            connect.spec.server, connect.hash
        )
    })
}

fn principal_json(tenant: &TenantState, principal: &Principal) -> Value {
    let owner = match (principal.shape, principal.first_party) {
        (Some(Shape::Legacy), _) => LEGACY_OWNER,
        (_, true) => "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        _ => tenant.spec.id.as_str(),
    };
    let homepage = principal.shape.map(|_| {
        "https://account.activedirectory.windowsazure.com:444/applications/default.aspx?metadata=AD2AADProvisioning|ISV9.1|primary|z"
    });
    let template = match principal.shape {
        Some(Shape::Template) => json!(CLOUD_SYNC_TEMPLATE),
        _ => Value::Null,
    };
    json!({
        "id": principal.id,
        "deletedDateTime": null,
        "accountEnabled": true,
        "appDisplayName": principal.name,
        "appId": principal.app_id,
        "applicationTemplateId": template,
        "appOwnerOrganizationId": owner,
        "displayName": principal.name,
        "homepage": homepage,
        "servicePrincipalType": "Application",
        "tags": if principal.shape.is_some() { json!(["WindowsAzureActiveDirectoryIntegratedApp"]) } else { json!([]) },
        "keyCredentials": [],
        "passwordCredentials": [],
    })
}

fn field<'a>(principal: &'a Principal, path: &str) -> Field<'a> {
    match path.to_ascii_lowercase().as_str() {
        "id" => Field::text(&principal.id),
        "appid" => Field::text(&principal.app_id),
        "displayname" => Field::text(&principal.name),
        "accountenabled" => Field::Flag(true),
        "serviceprincipaltype" => Field::text("Application"),
        "applicationtemplateid" if principal.shape == Some(Shape::Template) => {
            Field::text(CLOUD_SYNC_TEMPLATE)
        }
        _ => Field::Null,
    }
}

/// `GET /servicePrincipals`.
pub(crate) fn service_principals(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    ask.query
        .only(&["filter", "select", "top", "count", "skiptoken", "orderby"])?;
    let all = principals(scene.tenant);
    let page = scene.page(ask, Family::Directory, |_| {
        let filter = ask.query.filter()?;
        let needs = filter
            .as_ref()
            .map_or(Ok(false), |expr| expr.check(RULES))?
            || ask.query.counts();
        if needs && !ask.is_advanced() {
            return Err(GraphError::unsupported_query());
        }
        let items = (0_u32..)
            .zip(&all)
            .filter(|(_, one)| {
                filter
                    .as_ref()
                    .is_none_or(|expr| expr.holds(false, &|path| field(one, path)))
            })
            .map(|(index, _)| index)
            .collect();
        let top = ask.query.top(100, 999)?;
        Ok(Listing {
            items,
            top,
            advanced: needs,
            counted: ask.query.counts(),
        })
    })?;
    let wanted = ask.query.select();
    let values = page
        .items
        .iter()
        .map(|index| {
            select(
                principal_json(scene.tenant, &all[*index as usize]),
                wanted.as_deref(),
            )
        })
        .collect();
    Ok(Answer::json(collection(
        &ask.context("servicePrincipals"),
        &page,
        values,
    )))
}

/// Finds a principal by object id or by `servicePrincipals(appId='...')`.
fn find(tenant: &TenantState, id: &str) -> Result<Principal, GraphError> {
    let by_app_id = id
        .strip_prefix("servicePrincipals(appId='")
        .and_then(|rest| rest.strip_suffix("')"));
    principals(tenant)
        .into_iter()
        .find(|one| match by_app_id {
            Some(app_id) => one.app_id.eq_ignore_ascii_case(app_id),
            None => one.id.eq_ignore_ascii_case(id),
        })
        .ok_or_else(|| GraphError::not_found(by_app_id.unwrap_or(id)))
}

/// `GET /servicePrincipals/{id}`.
pub(crate) fn service_principal(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    ask.query.only(&["select"])?;
    let principal = find(scene.tenant, id)?;
    let mut value = select(
        principal_json(scene.tenant, &principal),
        ask.query.select().as_deref(),
    );
    value["@odata.context"] = json!(ask.context("servicePrincipals/$entity"));
    Ok(Answer::json(value))
}

/// `GET /servicePrincipals/{id}/appRoleAssignedTo`: the client applications of a resource.
pub(crate) fn assigned_to(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    ask.query.only(&["top", "skiptoken", "select", "count"])?;
    let resource = find(scene.tenant, id)?;
    let assignments = assignments(scene.tenant, &resource);
    let count = u32::try_from(assignments.len()).unwrap_or(0);
    let page = scene.page(ask, Family::Directory, |_| {
        let top = ask.query.top(100, 999)?;
        Ok(Listing {
            items: (0..count).collect(),
            top,
            advanced: false,
            counted: false,
        })
    })?;
    let values = page
        .items
        .iter()
        .map(|index| assignments[*index as usize].clone())
        .collect();
    Ok(Answer::json(collection(
        &ask.context("appRoleAssignments"),
        &page,
        values,
    )))
}

fn assignments(tenant: &TenantState, resource: &Principal) -> Vec<Value> {
    if resource.app_id != AD_SYNC_SERVICE {
        return Vec::new();
    }
    let assignment = |role: &str, principal: &str, name: &str| {
        json!({
            "id": tenant.seed.corner("assignment").corner(principal).corner(role).hex(16),
            "deletedDateTime": null,
            "appRoleId": role,
            "createdDateTime": "2026-05-11T08:02:45.1234567Z",
            "principalDisplayName": name,
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": resource.name,
            "resourceId": resource.id,
        })
    };
    let mut list = Vec::new();
    if let Some(connect) = tenant
        .connect
        .as_ref()
        .filter(|connect| connect.spec.account == ConnectAccount::Application)
    {
        list.push(assignment(
            AD_SYNC_ROLE,
            &connect.service_principal,
            &connect_name(tenant),
        ));
    }
    // Somebody else with another role of the same service: must not be taken for Connect Sync.
    let other = tenant.seed.corner("password writeback helper").guid();
    list.push(assignment(OTHER_ROLE, &other, "Password reset helper"));
    list
}

/// `GET /applications`: credential expiry.
pub(crate) fn applications(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    ask.query
        .only(&["filter", "select", "top", "count", "skiptoken"])?;
    let filter = ask.query.filter()?;
    let rules = [
        plain("appId", &[Op::Eq]),
        plain("displayName", &[Op::Eq, Op::StartsWith]),
        plain("id", &[Op::Eq]),
    ];
    if let Some(expr) = &filter {
        expr.check(&rules)?;
    }
    if ask.query.counts() && !ask.eventual {
        return Err(GraphError::unsupported_query());
    }
    let all = applications_of(scene.tenant);
    let page = scene.page(ask, Family::Directory, |_| {
        let matches = |value: &Value| {
            filter.as_ref().is_none_or(|expr| {
                expr.holds(false, &|path| {
                    value[path]
                        .as_str()
                        .map_or(Field::Null, |text| Field::owned(text.to_owned()))
                })
            })
        };
        let items = (0_u32..)
            .zip(&all)
            .filter(|(_, value)| matches(value))
            .map(|(index, _)| index)
            .collect();
        let top = ask.query.top(100, 999)?;
        Ok(Listing {
            items,
            top,
            advanced: ask.query.counts(),
            counted: ask.query.counts(),
        })
    })?;
    let wanted = ask.query.select();
    let values = page
        .items
        .iter()
        .map(|index| select(all[*index as usize].clone(), wanted.as_deref()))
        .collect();
    Ok(Answer::json(collection(
        &ask.context("applications"),
        &page,
        values,
    )))
}

fn applications_of(tenant: &TenantState) -> Vec<Value> {
    let mut list = Vec::new();
    let origin = tenant.origin_ms;
    let ends = |span: Option<Span>| origin + span.map_or(YEAR_MS, Span::as_ms);
    if let Some(connect) = tenant
        .connect
        .as_ref()
        .filter(|connect| connect.spec.account == ConnectAccount::Application)
    {
        let key = key_credential(tenant.seed, "connect", ends(connect.spec.certificate_ends));
        list.push(application(
            tenant,
            &connect.app_id,
            &connect_name(tenant),
            &[key],
            &[],
        ));
    }
    for client in &tenant.spec.clients {
        let keys = match &client.certificate_pem {
            Some(_) => vec![key_credential(
                tenant.seed,
                &client.id,
                ends(client.certificate_ends),
            )],
            None => Vec::new(),
        };
        let secrets = match &client.secret {
            Some(secret) => vec![password_credential(
                tenant.seed,
                &client.id,
                secret,
                ends(client.secret_ends),
            )],
            None => Vec::new(),
        };
        list.push(application(
            tenant,
            &client.id,
            "sync-monitor",
            &keys,
            &secrets,
        ));
    }
    list
}

fn application(
    tenant: &TenantState,
    app_id: &str,
    name: &str,
    keys: &[Value],
    secrets: &[Value],
) -> Value {
    json!({
        "id": tenant.seed.corner("application").corner(app_id).guid(),
        "appId": app_id,
        "displayName": name,
        "keyCredentials": keys,
        "passwordCredentials": secrets,
    })
}

fn key_credential(seed: Seed, owner: &str, ends: i64) -> Value {
    let own = seed.corner("key").corner(owner);
    json!({
        "customKeyIdentifier": format!("{}{}{}", own.hex(16), own.nth(1).hex(16), own.nth(2).hex(8)).to_uppercase(),
        "displayName": "CN=Entra Connect Sync Provisioning",
        "endDateTime": times::seconds(ends),
        "key": null,
        "keyId": own.guid(),
        "startDateTime": times::seconds(ends - YEAR_MS / 2),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    })
}

fn password_credential(seed: Seed, owner: &str, secret: &str, ends: i64) -> Value {
    json!({
        "customKeyIdentifier": null,
        "displayName": "monitor",
        "endDateTime": times::seconds(ends),
        "hint": secret.chars().take(3).collect::<String>(),
        "keyId": seed.corner("password").corner(owner).guid(),
        "secretText": null,
        "startDateTime": times::seconds(ends - YEAR_MS),
    })
}
