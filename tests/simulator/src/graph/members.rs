//! Direct members of groups.

use serde_json::json;

use crate::graph::error::GraphError;
use crate::graph::objects::user_json;
use crate::graph::{Answer, Ask, Family, Listing, Outcome, Scene, collection, select};
use crate::world::directory::Life;
use crate::world::tenant::TenantState;

const OPTIONS: &[&str] = &["select", "top", "count", "skiptoken"];

/// `GET /groups/{id}/members`. Members in the bin are not listed.
pub(crate) fn members(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    ask.query.only(OPTIONS)?;
    let wanted = ask.query.select();
    let page = scene.page(ask, Family::Directory, |tenant| {
        Ok(Listing {
            items: of(tenant, id)?,
            top: ask.query.top(100, 999)?,
            advanced: false,
            counted: false,
        })
    })?;
    let users = &scene.tenant.directory.users;
    let values = page.items.iter().map(|index| {
        let user = user_json(&users[*index as usize], scene.tenant);
        let mut value = select(user, wanted.as_deref());
        value["@odata.type"] = json!("#microsoft.graph.user");
        value
    });
    let values = values.collect();
    Ok(Answer::json(collection(
        &ask.context("directoryObjects"),
        &page,
        values,
    )))
}

fn of(tenant: &TenantState, id: &str) -> Result<Vec<u32>, GraphError> {
    let groups = tenant.directory.groups.iter();
    let mut those = groups.filter(|group| group.life == Life::Present && group.id == id);
    let group = those.next().ok_or_else(|| GraphError::not_found(id))?;
    let is_present = |index: &u32| {
        let user = tenant.directory.users.get(*index as usize);
        user.is_some_and(|user| user.life == Life::Present)
    };
    let mut members: Vec<u32> = group.members.iter().copied().filter(is_present).collect();
    members.sort_unstable();
    members.dedup();
    Ok(members)
}
