//! Delta queries: rounds of pages, then a token that is a position in the order of changes.
//!
//! Rows come twice, later in the round; a row of an object that was told before may tell only what changed of it; a
//! property that was never set is absent; objects in the bin are told as removed even to who never heard of them.

use serde_json::{Map, Value, json};

use crate::graph::error::GraphError;
use crate::graph::objects::{USER_PROPERTIES, group_json, user_property};
use crate::graph::paging::Cursor;
use crate::graph::{Answer, Ask, Outcome, Scene, select};
use crate::world::directory::{Life, User};
use crate::world::tenant::TenantState;

/// Page size of delta answers; `$top` is not supported.
const PAGE: usize = 200;
/// Marks a row that comes a second time.
const AGAIN: u32 = 1 << 31;
/// Share of rows that come a second time: of changes, and of a first round.
const REPLAYS: (f64, f64) = (0.2, 0.01);
/// Share of rows that tell only what changed.
const PARTS: f64 = 0.5;

/// What a delta token stands for.
struct Position {
    changes: u64,
    issued: i64,
    epoch: u64,
    select: String,
}

fn write_token(position: &Position) -> String {
    let plain = format!(
        "{}|{}|{}|{}",
        position.changes, position.issued, position.epoch, position.select
    );
    plain.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read_token(token: &str) -> Option<Position> {
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| {
            token
                .get(at..at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    let plain = String::from_utf8(bytes?).ok()?;
    let mut parts = plain.splitn(4, '|');
    Some(Position {
        changes: parts.next()?.parse().ok()?,
        issued: parts.next()?.parse().ok()?,
        epoch: parts.next()?.parse().ok()?,
        select: parts.next()?.to_owned(),
    })
}

/// The differences between users and groups.
struct Kind {
    name: &'static str,
    /// Objects that changed after a position (all that are present, for the first round).
    changed: fn(&TenantState, Option<u64>) -> Vec<u32>,
    render: fn(&TenantState, &Row<'_>) -> Value,
    /// `$filter` is not implemented: only `id eq` would be allowed.
    unsupported: &'static [&'static str],
}

/// A row to be written.
struct Row<'a> {
    index: u32,
    /// It was in the round before.
    again: bool,
    /// Position after which changes are told; `None` where everything is.
    since: Option<u64>,
    wanted: &'a [&'a str],
}

/// `GET /users/delta`.
pub(crate) fn users(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    round(
        scene,
        ask,
        &Kind {
            name: "users",
            changed: changed_users,
            render: render_user,
            unsupported: &["top", "orderby", "expand", "search", "filter"],
        },
    )
}

/// `GET /groups/delta`.
pub(crate) fn groups(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    round(
        scene,
        ask,
        &Kind {
            name: "groups",
            changed: changed_groups,
            render: render_group,
            unsupported: &["top", "orderby", "search", "filter"],
        },
    )
}

fn round(scene: &mut Scene<'_>, ask: &Ask<'_>, kind: &Kind) -> Outcome {
    for (name, _) in &ask.query.pairs {
        if kind.unsupported.contains(&name.trim_start_matches('$')) {
            return Err(GraphError::unsupported_query());
        }
    }
    let clock = scene.tenant.directory.clock;
    let cursor = if let Some(token) = ask.query.get("skiptoken") {
        scene.tenant.pages.find(token, &ask.path, scene.now).ok_or_else(|| {
            GraphError::new(400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
        })?
    } else {
        let chosen = ask.query.get("select").unwrap_or("").to_owned();
        let (items, since, chosen) = match ask.query.get("deltatoken") {
            Some("latest") => (Vec::new(), None, chosen),
            Some("") | None => (round_items(scene.tenant, kind, None), None, chosen),
            Some(token) => {
                let position = check_token(scene, ask, kind, token)?;
                let since = Some(position.changes);
                let items = round_items(scene.tenant, kind, since);
                (items, since, position.select)
            }
        };
        let mut cursor = Cursor::new(&ask.path, items, PAGE);
        cursor.delta_at = Some(clock);
        cursor.since = since;
        cursor.select = Some(chosen);
        cursor
    };
    answer(scene, ask, kind, cursor)
}

fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>, kind: &Kind, cursor: Cursor) -> Outcome {
    let chosen = cursor.select.clone().unwrap_or_default();
    let changes = cursor.delta_at.unwrap_or(0);
    let since = cursor.since;
    let life = scene.settings.page_token_life.as_ms();
    let page = scene
        .tenant
        .pages
        .take(cursor, scene.now, life, scene.settings.empty_page_share);
    let wanted: Vec<&str> = chosen
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let values: Vec<Value> = page
        .items
        .iter()
        .map(|item| {
            let row = Row {
                index: item & !AGAIN,
                again: item & AGAIN != 0,
                since,
                wanted: &wanted,
            };
            (kind.render)(scene.tenant, &row)
        })
        .collect();
    let root = format!("{}/{}/delta", ask.root(), kind.name);
    let mut body = json!({"@odata.context": ask.context(&format!("{}({chosen})", kind.name)), "value": values});
    match page.next_token {
        Some(token) => body["@odata.nextLink"] = json!(format!("{root}?$skiptoken={token}")),
        None => {
            let position = Position {
                changes,
                issued: scene.now,
                epoch: scene.tenant.delta_epoch,
                select: chosen,
            };
            body["@odata.deltaLink"] =
                json!(format!("{root}?$deltatoken={}", write_token(&position)));
        }
    }
    Ok(Answer::json(body))
}

fn check_token(
    scene: &Scene<'_>,
    ask: &Ask<'_>,
    kind: &Kind,
    token: &str,
) -> Result<Position, GraphError> {
    let unknown = || {
        GraphError::new(
            404,
            "syncStateNotFound",
            "The sync state generation is not found; start over without the delta token.",
        )
    };
    let position = read_token(token).ok_or_else(unknown)?;
    if position.epoch != scene.tenant.delta_epoch && scene.tenant.faults.delta_unknown {
        return Err(unknown());
    }
    let old = scene.now - position.issued >= scene.settings.delta_token_life.as_ms();
    if position.epoch != scene.tenant.delta_epoch || old {
        let restart = format!(
            "{}/{}/delta?$select={}&$deltatoken=",
            ask.root(),
            kind.name,
            position.select
        );
        let message = "Resync required. Any items returned should be treated as a full set.";
        return Err(GraphError::new(410, "resyncRequired", message).with("Location", restart));
    }
    Ok(position)
}

/// What a round tells of. Replays happen: some rows come a second time later in the round.
fn round_items(tenant: &TenantState, kind: &Kind, since: Option<u64>) -> Vec<u32> {
    let mut items = (kind.changed)(tenant, since);
    let share = if since.is_some() {
        REPLAYS.0
    } else {
        REPLAYS.1
    };
    let draw = tenant.seed.corner("replay").nth(tenant.directory.clock);
    let again: Vec<u32> = items
        .iter()
        .filter(|index| draw.nth(u64::from(**index)).happens(share))
        .map(|index| index | AGAIN)
        .collect();
    items.extend(again);
    items
}

fn changed_users(tenant: &TenantState, since: Option<u64>) -> Vec<u32> {
    let in_bin = |user: &User| {
        let draw = tenant.seed.corner("bin").nth(u64::from(user.index));
        matches!(user.life, Life::SoftDeleted { .. }) && draw.happens(0.5)
    };
    let mut hits: Vec<(u64, u32)> = tenant
        .directory
        .users
        .iter()
        .filter(|user| match since {
            None => user.life == Life::Present || in_bin(user),
            Some(since) => user.changed > since,
        })
        .map(|user| (user.changed, user.index))
        .collect();
    hits.sort_unstable();
    hits.into_iter().map(|(_, index)| index).collect()
}

fn changed_groups(tenant: &TenantState, since: Option<u64>) -> Vec<u32> {
    (0_u32..)
        .zip(&tenant.directory.groups)
        .filter(|(_, group)| match since {
            None => group.life == Life::Present,
            Some(since) => group.changed > since,
        })
        .map(|(index, _)| index)
        .collect()
}

fn removed(id: &str, life: Life) -> Option<Value> {
    let reason = match life {
        Life::Present => return None,
        Life::SoftDeleted { .. } => "changed",
        Life::Gone => "deleted",
    };
    Some(json!({"id": id, "@removed": {"reason": reason}}))
}

fn with_id<'a>(wanted: &[&'a str]) -> Vec<&'a str> {
    let mut list = wanted.to_vec();
    if list.is_empty() {
        list.extend(["displayName", "userPrincipalName"]);
    }
    list.push("id");
    list
}

fn render_user(tenant: &TenantState, row: &Row<'_>) -> Value {
    let user = &tenant.directory.users[row.index as usize];
    if let Some(gone) = removed(&user.person.id, user.life) {
        return gone;
    }
    let wanted = with_id(row.wanted);
    let only_part = tells_part(tenant, user, row);
    let told = USER_PROPERTIES.iter().filter(|name| {
        wanted.iter().any(|one| one.eq_ignore_ascii_case(name))
            && (!only_part || *name == &"id" || has_changed(user, name, row.since.unwrap_or(0)))
    });
    let told = told.map(|name| ((*name).to_owned(), user_property(user, tenant, name)));
    // What was never set is absent; what is not set any more is null.
    let told: Map<String, Value> = told
        .filter(|(_, value)| !value.is_null() || user.left > 0)
        .collect();
    Value::Object(told)
}

/// Whether only what changed is told: of objects that were told before alone.
fn tells_part(tenant: &TenantState, user: &User, row: &Row<'_>) -> bool {
    let known = row.again || row.since.is_some_and(|since| user.came <= since);
    let draw = tenant.seed.corner("parts").nth(u64::from(row.index));
    let draw = draw.nth(user.changed).nth(u64::from(row.again));
    known && draw.happens(PARTS)
}

/// Whether a property changed after a position. What moves with each write is told with each.
fn has_changed(user: &User, name: &str, since: u64) -> bool {
    match name {
        "onPremisesDistinguishedName" => user.moved.max(user.left) > since,
        "onPremisesLastSyncDateTime" => true,
        name => name.starts_with("onPremises") && user.left > since,
    }
}

fn render_group(tenant: &TenantState, row: &Row<'_>) -> Value {
    let (wanted, index) = (row.wanted, row.index);
    let group = &tenant.directory.groups[index as usize];
    if let Some(gone) = removed(&group.id, group.life) {
        return gone;
    }
    let mut value = select(group_json(group), Some(&with_id(wanted)));
    if wanted.contains(&"members") {
        let members: Vec<Value> = group
            .members
            .iter()
            .filter_map(|member| tenant.directory.users.get(*member as usize))
            .map(|user| {
                let mut one = json!({"@odata.type": "#microsoft.graph.user", "id": user.person.id});
                if user.life != Life::Present {
                    one["@removed"] = json!({"reason": "deleted"});
                }
                one
            })
            .collect();
        value["members@delta"] = Value::Array(members);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_back_and_rubbish_is_not() {
        let token = write_token(&Position {
            changes: 7,
            issued: -5,
            epoch: 1,
            select: "id,displayName".to_owned(),
        });
        let seen = read_token(&token).map(|position| {
            (
                position.changes,
                position.issued,
                position.epoch,
                position.select,
            )
        });
        assert_eq!(seen, Some((7, -5, 1, "id,displayName".to_owned())));
        for rubbish in ["", "zz", "é", "313233", "abc"] {
            assert!(read_token(rubbish).is_none(), "{rubbish}");
        }
    }
}
