//! Users, groups and deleted items.

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::odata::{Field, Op, Rule, advanced, plain};
use crate::graph::{Answer, Ask, Body, Family, Listing, Outcome, Scene, collection, select};
use crate::times;
use crate::world::directory::{Group, Life, Sync, User};
use crate::world::tenant::TenantState;

const OPTIONS: &[&str] = &["filter", "select", "top", "count", "orderby", "skiptoken"];

const USER_RULES: &[Rule] = &[
    plain("id", &[Op::Eq]),
    plain("userPrincipalName", &[Op::Eq, Op::StartsWith]),
    plain("displayName", &[Op::Eq, Op::StartsWith]),
    plain("accountEnabled", &[Op::Eq]),
    plain("onPremisesSyncEnabled", &[Op::Eq]),
    plain("onPremisesLastSyncDateTime", &[Op::Eq, Op::Ge, Op::Le]),
    plain("onPremisesImmutableId", &[Op::Eq]),
    advanced("onPremisesSamAccountName", &[Op::Eq, Op::StartsWith]),
    advanced("onPremisesSyncBehavior/isCloudManaged", &[Op::Eq]),
    advanced("createdDateTime", &[Op::Eq, Op::Ge, Op::Le]),
    advanced("userPrincipalName", &[Op::EndsWith]),
    plain("onPremisesProvisioningErrors/category", &[Op::Eq]),
    plain(
        "onPremisesProvisioningErrors/propertyCausingError",
        &[Op::Eq],
    ),
];

const GROUP_RULES: &[Rule] = &[
    plain("id", &[Op::Eq]),
    plain("displayName", &[Op::Eq, Op::StartsWith]),
    plain("onPremisesSyncEnabled", &[Op::Eq]),
    plain("onPremisesLastSyncDateTime", &[Op::Eq, Op::Ge, Op::Le]),
    plain("securityEnabled", &[Op::Eq]),
];

/// Properties without `$select`.
const USER_DEFAULT: &[&str] = &[
    "id",
    "displayName",
    "userPrincipalName",
    "mail",
    "givenName",
    "surname",
    "jobTitle",
];

/// Properties of a user, as Graph spells them.
pub(crate) const USER_PROPERTIES: &[&str] = &[
    "id",
    "accountEnabled",
    "displayName",
    "userPrincipalName",
    "mail",
    "mailNickname",
    "department",
    "givenName",
    "surname",
    "jobTitle",
    "proxyAddresses",
    "createdDateTime",
    "lastPasswordChangeDateTime",
    "passwordPolicies",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesExtensionAttributes",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName",
    "onPremisesProvisioningErrors",
    "serviceProvisioningErrors",
    "onPremisesSyncBehavior",
    "deletedDateTime",
];

fn user_field<'a>(user: &'a User, path: &str) -> Field<'a> {
    let synced = user.sync != Sync::Cloud;
    match path.to_ascii_lowercase().as_str() {
        "id" => Field::text(&user.person.id),
        "userprincipalname" => Field::text(&user.upn),
        "displayname" => Field::text(&user.person.display_name),
        "accountenabled" => Field::Flag(user.sync != Sync::Former),
        "createddatetime" => Field::ms(user.created),
        "onpremisessyncenabled" => match user.sync {
            Sync::Synced => Field::Flag(true),
            Sync::Former => Field::Flag(false),
            Sync::Cloud => Field::Null,
        },
        "onpremiseslastsyncdatetime" if synced => {
            Field::ms(user.last_sync - user.last_sync.rem_euclid(1000))
        }
        "onpremisesimmutableid" if synced => Field::owned(user.person.immutable_id()),
        "onpremisessamaccountname" if synced => Field::text(&user.person.account),
        "onpremisessyncbehavior/iscloudmanaged" => Field::Flag(user.cloud_managed),
        "onpremisesprovisioningerrors/category" if user.conflict => Field::text("PropertyConflict"),
        "onpremisesprovisioningerrors/propertycausingerror" if user.conflict => {
            Field::text("ProxyAddresses")
        }
        _ => Field::Null,
    }
}

fn group_field<'a>(group: &'a Group, path: &str) -> Field<'a> {
    match path.to_ascii_lowercase().as_str() {
        "id" => Field::text(&group.id),
        "displayname" => Field::text(&group.name),
        "onpremisessyncenabled" => Field::Flag(true),
        "onpremiseslastsyncdatetime" => {
            Field::ms(group.last_sync - group.last_sync.rem_euclid(1000))
        }
        "securityenabled" => Field::Flag(group.name.starts_with("SG")),
        _ => Field::Null,
    }
}

/// Everything a user has.
pub(crate) fn user_json(user: &User, tenant: &TenantState) -> Value {
    let properties = USER_PROPERTIES.iter();
    let all = properties.map(|name| ((*name).to_owned(), user_property(user, tenant, name)));
    Value::Object(all.collect())
}

/// One property of a user; null where there is none of this name.
pub(crate) fn user_property(user: &User, tenant: &TenantState, name: &str) -> Value {
    match name {
        "id" => json!(user.person.id),
        "accountEnabled" => json!(user.sync != Sync::Former),
        "displayName" => json!(user.person.display_name),
        "userPrincipalName" | "mail" => json!(user.upn),
        "mailNickname" => json!(user.person.mailbox),
        "department" => json!(user.person.team),
        "proxyAddresses" => json!([format!("SMTP:{}", user.upn)]),
        "createdDateTime" => json!(times::seconds(user.created)),
        "lastPasswordChangeDateTime" => json!(times::seconds(user.password_changed)),
        "onPremisesExtensionAttributes" => extensions(user),
        "onPremisesProvisioningErrors" if user.conflict => json!([conflict(user, tenant)]),
        "onPremisesProvisioningErrors" | "serviceProvisioningErrors" => json!([]),
        "onPremisesSyncBehavior" => {
            json!({"id": user.person.id, "isCloudManaged": user.cloud_managed})
        }
        "deletedDateTime" => match user.life {
            Life::SoftDeleted { at } => json!(times::seconds(at)),
            _ => Value::Null,
        },
        _ if user.sync == Sync::Cloud => Value::Null,
        _ => on_premises(user, name),
    }
}

/// What only users have that are synchronised, or were.
fn on_premises(user: &User, name: &str) -> Value {
    match name {
        "passwordPolicies" => json!("DisablePasswordExpiration"),
        "onPremisesDistinguishedName" => json!(user.person.dn_in(user.place, &user.ad_domain)),
        "onPremisesDomainName" => json!(user.ad_domain),
        "onPremisesImmutableId" => json!(user.person.immutable_id()),
        "onPremisesLastSyncDateTime" => json!(times::seconds(user.last_sync)),
        "onPremisesSamAccountName" => json!(user.person.account),
        "onPremisesSecurityIdentifier" => json!(format!(
            "S-1-5-21-1004336348-1177238915-682003330-{}",
            1100 + user.index
        )),
        "onPremisesSyncEnabled" => json!(user.sync == Sync::Synced),
        "onPremisesUserPrincipalName" => json!(user.upn),
        _ => Value::Null,
    }
}

/// All fifteen, most of them empty.
fn extensions(user: &User) -> Value {
    let one = |number: u32| {
        let value = match number {
            1 => json!(user.person.team),
            10 if user.index.is_multiple_of(4) => json!("CloudSyncPilot"),
            _ => Value::Null,
        };
        (format!("extensionAttribute{number}"), value)
    };
    Value::Object((1..=15).map(one).collect())
}

fn conflict(user: &User, tenant: &TenantState) -> Value {
    json!({
        "category": "PropertyConflict",
        "occurredDateTime": times::seconds(user.last_sync),
        "propertyCausingError": "ProxyAddresses",
        "value": format!("smtp:{}@{}", user.person.account, tenant.spec.domains[0]),
    })
}

pub(crate) fn group_json(group: &Group) -> Value {
    let security = group.name.starts_with("SG");
    let first_label = group.ad_domain.split('.').next().unwrap_or("");
    json!({
        "id": group.id,
        "displayName": group.name,
        "groupTypes": [],
        "mailEnabled": !security,
        "securityEnabled": security,
        "createdDateTime": times::seconds(group.created),
        "onPremisesDomainName": group.ad_domain,
        "onPremisesLastSyncDateTime": times::seconds(group.last_sync),
        "onPremisesNetBiosName": first_label.to_uppercase(),
        "onPremisesSamAccountName": group.name,
        "onPremisesSecurityIdentifier": if security { json!(group.sid) } else { Value::Null },
        "onPremisesSyncEnabled": true,
        "onPremisesProvisioningErrors": [],
        "serviceProvisioningErrors": [],
    })
}

/// Which rows of a list the filter keeps, and whether that needed an advanced query.
fn matching(
    ask: &Ask<'_>,
    rules: &[Rule],
    count: usize,
    keeps: impl Fn(usize, &dyn Fn(&dyn Fn(&str) -> Field<'static>) -> bool) -> bool,
) -> Result<(Vec<u32>, bool), GraphError> {
    let filter = ask.query.filter()?;
    let mut needs = ask.query.counts();
    if let Some(expr) = &filter {
        needs |= expr.check(rules)? || ask.query.get("orderby").is_some();
    }
    if needs && !ask.is_advanced() {
        return Err(GraphError::unsupported_query());
    }
    let items = (0..count)
        .filter(|index| {
            keeps(*index, &|field| {
                filter
                    .as_ref()
                    .is_none_or(|expr| expr.holds(false, &|path| field(path)))
            })
        })
        .filter_map(|index| u32::try_from(index).ok())
        .collect();
    Ok((items, needs))
}

fn owned(field: Field<'_>) -> Field<'static> {
    match field {
        Field::Text(text) => Field::owned(text.into_owned()),
        Field::Texts(list) => Field::Texts(
            list.into_iter()
                .map(|text| text.into_owned().into())
                .collect(),
        ),
        Field::Instant(at) => Field::Instant(at),
        Field::Number(number) => Field::Number(number),
        Field::Flag(flag) => Field::Flag(flag),
        Field::Null => Field::Null,
    }
}

fn matching_users(
    tenant: &TenantState,
    ask: &Ask<'_>,
    deleted: bool,
) -> Result<(Vec<u32>, bool), GraphError> {
    let users = &tenant.directory.users;
    matching(ask, USER_RULES, users.len(), |index, test| {
        let user = &users[index];
        let there = match user.life {
            Life::Present => !deleted,
            Life::SoftDeleted { .. } => deleted,
            Life::Gone => false,
        };
        there && test(&|path| owned(user_field(user, path)))
    })
}

fn matching_groups(
    tenant: &TenantState,
    ask: &Ask<'_>,
    deleted: bool,
) -> Result<(Vec<u32>, bool), GraphError> {
    let groups = &tenant.directory.groups;
    matching(ask, GROUP_RULES, groups.len(), |index, test| {
        let group = &groups[index];
        let there = (group.life == Life::Present) != deleted && group.life != Life::Gone;
        there && test(&|path| owned(group_field(group, path)))
    })
}

type Matcher = fn(&TenantState, &Ask<'_>, bool) -> Result<(Vec<u32>, bool), GraphError>;

fn list(
    scene: &mut Scene<'_>,
    ask: &Ask<'_>,
    entity: &str,
    deleted: bool,
    matcher: Matcher,
    render: impl Fn(&TenantState, u32) -> Value,
) -> Outcome {
    ask.query.only(OPTIONS)?;
    let page = scene.page(ask, Family::Directory, |tenant| {
        let (items, advanced) = matcher(tenant, ask, deleted)?;
        Ok(Listing {
            items,
            top: ask.query.top(100, 999)?,
            advanced,
            counted: ask.query.counts(),
        })
    })?;
    let values = page
        .items
        .iter()
        .map(|index| render(scene.tenant, *index))
        .collect();
    Ok(Answer::json(collection(
        &ask.context(entity),
        &page,
        values,
    )))
}

/// `GET /users`.
pub(crate) fn users(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    let wanted = ask.query.select().unwrap_or_else(|| USER_DEFAULT.to_vec());
    list(
        scene,
        ask,
        "users",
        false,
        matching_users,
        |tenant, index| {
            select(
                user_json(&tenant.directory.users[index as usize], tenant),
                Some(&wanted),
            )
        },
    )
}

/// `GET /directory/deletedItems/microsoft.graph.user`.
pub(crate) fn deleted_users(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    let wanted = ask.query.select();
    list(
        scene,
        ask,
        "users",
        true,
        matching_users,
        |tenant, index| {
            let user = &tenant.directory.users[index as usize];
            let mut value = user_json(user, tenant);
            value["userPrincipalName"] =
                json!(format!("{}{}", user.person.id.replace('-', ""), user.upn));
            select(value, wanted.as_deref())
        },
    )
}

/// `GET /groups`.
pub(crate) fn groups(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    let wanted = ask.query.select();
    list(
        scene,
        ask,
        "groups",
        false,
        matching_groups,
        |tenant, index| {
            select(
                group_json(&tenant.directory.groups[index as usize]),
                wanted.as_deref(),
            )
        },
    )
}

/// `GET /directory/deletedItems/microsoft.graph.group`.
pub(crate) fn deleted_groups(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    let wanted = ask.query.select();
    list(
        scene,
        ask,
        "groups",
        true,
        matching_groups,
        |tenant, index| {
            select(
                group_json(&tenant.directory.groups[index as usize]),
                wanted.as_deref(),
            )
        },
    )
}

fn count(scene: &Scene<'_>, ask: &Ask<'_>, matcher: Matcher) -> Outcome {
    ask.query.only(&["filter"])?;
    if !ask.eventual {
        return Err(GraphError::bad_request(
            "The segment '$count' requires the ConsistencyLevel header.",
        ));
    }
    if ask.accepts_json_only {
        return Err(GraphError::new(
            415,
            "Request_BadRequest",
            "A supported MIME type could not be found that matches the content type of the response.",
        ));
    }
    // The segment is an advanced query by itself.
    let mut counted = Ask {
        query: ask.query.clone(),
        ..ask.like()
    };
    counted
        .query
        .pairs
        .push(("$count".to_owned(), "true".to_owned()));
    let (items, _) = matcher(scene.tenant, &counted, false)?;
    Ok(Answer {
        status: 200,
        body: Body::Plain(items.len().to_string()),
        headers: Vec::new(),
    })
}

/// `GET /users/$count`.
pub(crate) fn count_users(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    count(scene, ask, matching_users)
}

/// `GET /groups/$count`.
pub(crate) fn count_groups(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    count(scene, ask, matching_groups)
}

fn find<'a>(tenant: &'a TenantState, id: &str) -> Result<&'a User, GraphError> {
    tenant
        .directory
        .users
        .iter()
        .find(|user| {
            user.life == Life::Present
                && (user.person.id == id || user.upn.eq_ignore_ascii_case(id))
        })
        .ok_or_else(|| GraphError::not_found(id))
}

/// `GET /users/{id}`.
pub(crate) fn user(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    ask.query.only(&["select"])?;
    let wanted = ask.query.select().unwrap_or_else(|| USER_DEFAULT.to_vec());
    let mut value = select(
        user_json(find(scene.tenant, id)?, scene.tenant),
        Some(&wanted),
    );
    value["@odata.context"] = json!(ask.context("users/$entity"));
    Ok(Answer::json(value))
}

/// `GET /users/{id}/onPremisesSyncBehavior`: sometimes plain, sometimes wrapped in `value`.
pub(crate) fn sync_behavior(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    let user = find(scene.tenant, id)?;
    let plain = json!({"id": user.person.id, "isCloudManaged": user.cloud_managed});
    if user.index % 2 == 1 {
        return Ok(Answer::json(json!({"value": plain})));
    }
    let mut value = plain;
    value["@odata.context"] = json!(ask.context("users/onPremisesSyncBehavior/$entity"));
    Ok(Answer::json(value))
}
