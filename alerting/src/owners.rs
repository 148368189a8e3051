//! Who owns each object: judged again when an object changed, and for all objects when a
//! configuration did.

mod configuration;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::clock::Clock;
use syncwatch_domain::dn;
use syncwatch_domain::scope::known::{Members, ruling};
use syncwatch_domain::scope::site::{Configuration, Places, Site};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{Owned, OwnerVerdict, Store, StoreError, StoredObject, Topic};
use tokio_util::sync::CancellationToken;

/// Objects judged and committed at a time.
const PAGE: u32 = 1_000;
/// Looks at least this often, whatever it was told.
const PERIOD: Duration = Duration::from_secs(30);
/// Wait after the database refused.
const RETRY: Duration = Duration::from_secs(1);

/// Keeps the owners of a service's tenants.
#[derive(Debug)]
pub struct OwnerKeeper {
    store: Store,
    tenants: BTreeMap<String, Option<JudgedWith>>,
}

/// What all objects of a tenant were judged with.
#[derive(Debug, PartialEq, Eq)]
struct JudgedWith {
    configuration: Configuration,
    /// Groups whose members are known.
    groups: BTreeSet<String>,
}

/// Direct members of groups whose members are known.
struct InGroups(BTreeMap<String, HashSet<String>>);

impl Members for InGroups {
    fn is_member(&self, group: &str, object_id: &str) -> Option<bool> {
        Some(self.0.get(group)?.contains(object_id))
    }
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnerReport {
    /// Objects that were looked at.
    pub judged: usize,
    /// Objects of which something else is on record now.
    pub changed: usize,
}

impl OwnerKeeper {
    /// Keeps the owners of these tenants.
    pub fn new(store: Store, tenants: impl IntoIterator<Item = String>) -> Self {
        Self {
            store,
            tenants: tenants.into_iter().map(|tenant| (tenant, None)).collect(),
        }
    }

    /// Judges until `stop`: after each commit of the collector, and every 30 seconds.
    pub async fn run(mut self, clock: Arc<dyn Clock>, stop: CancellationToken) {
        let mut wake = self.store.feed().subscribe(Topic::Observed);
        loop {
            let wait = match self.run_once(clock.now()).await {
                Ok(_) => PERIOD,
                Err(error) => {
                    tracing::warn!("owners cannot be kept, trying again: {error}");
                    RETRY
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = wake.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Judges what has to be judged.
    ///
    /// # Errors
    /// When the database refuses; the next round does what this one did not.
    pub async fn run_once(&mut self, now: Timestamp) -> Result<OwnerReport, StoreError> {
        let mut report = OwnerReport::default();
        for (tenant, judged_with) in &mut self.tenants {
            let now_with = JudgedWith {
                configuration: configuration::load(&self.store, tenant).await?,
                groups: self.store.groups_read(tenant).await?,
            };
            let changed = judged_with.as_ref() != Some(&now_with);
            if !changed && self.store.unseen_objects(tenant, 1).await?.is_empty() {
                continue;
            }
            let site = Site::new(now_with.configuration.clone());
            let round = Round {
                store: &self.store,
                tenant,
                site: &site,
                members: InGroups(self.store.group_members(tenant).await?),
                cause: cause(judged_with.as_ref(), &now_with),
                now,
            };
            if changed {
                round.all(&mut report).await?;
                *judged_with = Some(now_with);
            } else {
                round.unseen(&mut report).await?;
            }
        }
        Ok(report)
    }
}

/// What changed from one judgement of all objects to the next, in words for a record of changes.
fn cause(before: Option<&JudgedWith>, after: &JudgedWith) -> &'static str {
    let configuration = before.map(|before| &before.configuration);
    let same = configuration == Some(&after.configuration);
    if same && before.is_some_and(|before| before.groups != after.groups) {
        return "members of a group became known, or cannot be told any more";
    }
    configuration::difference(configuration, &after.configuration)
}

/// A look at the objects of one tenant.
struct Round<'a> {
    store: &'a Store,
    tenant: &'a str,
    site: &'a Site,
    members: InGroups,
    cause: &'static str,
    now: Timestamp,
}

impl Round<'_> {
    async fn all(&self, report: &mut OwnerReport) -> Result<(), StoreError> {
        let mut places = self.site.places();
        let mut after = 0;
        loop {
            let page = self.store.objects_after(self.tenant, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.row;
            self.judge(&page, &mut places, report).await?;
        }
    }

    async fn unseen(&self, report: &mut OwnerReport) -> Result<(), StoreError> {
        let mut places = self.site.places();
        loop {
            let page = self.store.unseen_objects(self.tenant, PAGE).await?;
            // What changes again and again is judged in the next round.
            if page.is_empty() || self.judge(&page, &mut places, report).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Judges objects and commits what is not on record; gives how many were committed.
    async fn judge(
        &self,
        objects: &[StoredObject],
        places: &mut Places<'_>,
        report: &mut OwnerReport,
    ) -> Result<usize, StoreError> {
        report.judged += objects.len();
        let verdicts: Vec<OwnerVerdict> = objects
            .iter()
            .filter_map(|stored| {
                let after = self.owned(stored, places);
                (stored.unseen || stored.owned != after).then(|| OwnerVerdict {
                    row: stored.row,
                    version: stored.version,
                    object_id: stored.object.id.clone(),
                    kind: stored.object.kind,
                    before: stored.owned.clone(),
                    after,
                })
            })
            .collect();
        if verdicts.is_empty() {
            return Ok(0);
        }
        report.changed += verdicts
            .iter()
            .filter(|verdict| verdict.before != verdict.after)
            .count();
        self.store
            .commit_owners(self.tenant, &verdicts, self.cause, self.now)
            .await
    }

    fn owned(&self, stored: &StoredObject, places: &mut Places<'_>) -> Option<Owned> {
        let object = &stored.object;
        let (ruling, _) = ruling(self.site, object, &self.members, |dn| places.find(dn))?;
        let domain = object.facts.dn.as_deref().and_then(dn::domain);
        Some(Owned {
            owner: ruling.owner,
            standing: ruling.standing,
            doubt: ruling.doubt.map(|doubt| doubt.to_string()),
            domain: domain
                .or_else(|| object.facts.domain.as_deref().map(str::to_lowercase))
                .unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
