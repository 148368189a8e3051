//! What agents are asked to look up: everything that scopes of Cloud Sync name in the directory.

use std::collections::BTreeSet;

use syncwatch_domain::report::Wishes;
use syncwatch_domain::scope::cloud::{self, CloudScope};
use syncwatch_store::{Store, StoreError};

/// Containers and groups that configurations of the tenant name, whoever can see them: an agent
/// says nothing of a name that lies in a domain it cannot look into.
pub(super) async fn wishes(store: &Store, tenant: &str) -> Result<Wishes, StoreError> {
    let facts = store.facts(Some(tenant)).await?;
    let scopes = facts
        .into_iter()
        .filter(|fact| cloud::of_fact_name(&fact.name).is_some())
        // Another version may have written it in a form of its own; the next read replaces it.
        .filter_map(|fact| serde_json::from_value::<CloudScope>(fact.value).ok());
    let mut names = BTreeSet::new();
    for scope in scopes {
        names.extend(scope.names().map(str::to_owned));
    }
    Ok(Wishes {
        containers: names.into_iter().collect(),
    })
}
