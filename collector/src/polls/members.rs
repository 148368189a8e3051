//! Direct members of the groups that scopes name.
//!
//! Scopes name groups by distinguished name, which Graph does not have of groups. One is known by
//! its common name: exactly one synced group of its domain must have it as its name and as its
//! account name. Where none has, or several, its members are not told.

use std::collections::BTreeMap;

use syncwatch_domain::dn;
use syncwatch_store::ObjectList;

use super::asked::asked;
use super::{PollError, PollRun, Ran, listed, pages};
use crate::graph::{Endpoint, GraphError};
use crate::parse::objects::{NamedGroup, named_groups};

/// Reads the members of each group that can be told.
pub(super) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let tenant = &run.tenant.config.name;
    let asked = asked(run.store, tenant).await?;
    // A name in two spellings is one group; one that cannot be read is none.
    let groups: BTreeMap<String, String> = asked
        .groups
        .into_iter()
        .filter_map(|name| Some((dn::canonical(&name).ok()?, name)))
        .collect();
    let mut kept = Vec::new();
    for (canonical, name) in groups {
        let Some(id) = find(run, &name).await? else {
            continue;
        };
        let url = run.tenant.graph.url(
            &format!("v1.0/groups/{id}/members"),
            &[("$select", "id"), ("$top", "999")],
        );
        let list = ObjectList::Members(canonical.clone());
        match listed::read(run, Endpoint::GroupMembers, url, &list).await {
            Ok(()) => kept.push(canonical),
            // It went meanwhile.
            Err(PollError::Graph(error)) if error.status == Some(404) => {}
            Err(error) => return Err(error),
        }
    }
    run.store.forget_group_members(tenant, &kept).await?;
    Ok(listed::done())
}

/// The object id of the group with this distinguished name; `None` when it cannot be told.
async fn find(run: &PollRun<'_>, name: &str) -> Result<Option<String>, GraphError> {
    let (Some(common), Some(domain)) = (dn::common_name(name), dn::domain(name)) else {
        return Ok(None);
    };
    let filter = format!("displayName eq '{}'", common.replace('\'', "''"));
    let query = [
        ("$filter", filter.as_str()),
        ("$count", "true"),
        ("$select", NamedGroup::SELECT),
        ("$top", "999"),
    ];
    let found = pages(
        run,
        Endpoint::GroupNames,
        "v1.0/groups",
        &query,
        named_groups,
    )
    .await?;
    let mut those = found
        .into_iter()
        .filter(|group| group.is_synced && group.domain.eq_ignore_ascii_case(&domain));
    let (first, second) = (those.next(), those.next());
    Ok(first
        .filter(|group| second.is_none() && is_same(&group.account, &common))
        .map(|group| group.id))
}

/// Whether two names are the same in a directory, which does not care about case.
fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
