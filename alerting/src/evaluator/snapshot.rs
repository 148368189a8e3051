//! What the detectors beyond lanes look at, read from the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use syncwatch_domain::alert::{Condition, Finding, Rule, Subject};
use syncwatch_domain::job::Job;
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    LaneFilter, ObjectErrorSummary, Seen, Store, StoreError, StoredFact, StoredJob, StoredSource,
    Unseen,
};

use super::firing::{Firing, Key};
use super::judge;
use crate::config::AlertSettings;
use crate::detect::sources::{Context, LaneBehind};
use crate::detect::{credentials, jobs, object_errors, rights, servers, sources, unwatched};

/// Facts of one tenant's sources and credentials.
#[derive(Debug, Default)]
struct Tenant {
    sources: Vec<SourceState>,
    facts: Vec<StoredFact>,
}

/// Jobs of a sweep that are held in memory at a time.
const JOBS_AT_ONCE: u32 = 1_000;

/// What the detectors have to say.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) conditions: Vec<Condition>,
    /// When to look at the servers of each tenant again that was looked at.
    pub(crate) looks: BTreeMap<String, Option<Timestamp>>,
}

/// What is looked at in one judgement.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    tenants: BTreeMap<String, Tenant>,
    jobs: Vec<StoredJob>,
    known_jobs: HashMap<(String, String), Job>,
    object_errors: Vec<ObjectErrorSummary>,
    pub(crate) seen: Seen,
    /// Something changed. Sources that fail are listed each time; to have looked at them again
    /// is worth no commit of its own.
    pub(crate) has_news: bool,
    /// More changed than one look takes.
    pub(crate) more: bool,
    /// Everything is looked at.
    sweep: bool,
}

impl Snapshot {
    /// What changed since the last look, and the tenants that are `due`; in a sweep everything.
    pub(crate) async fn load(
        store: &Store,
        sweep: bool,
        due: &BTreeSet<String>,
    ) -> Result<Self, StoreError> {
        let unseen = store.unseen().await?;
        let mut snapshot = Self {
            seen: seen(&unseen),
            has_news: has_news(&unseen),
            more: unseen.more,
            sweep,
            ..Self::default()
        };
        snapshot.take_tenants(store, &unseen, sweep, due).await?;
        let known = if sweep || !unseen.object_errors.is_empty() {
            store.jobs_with_object_errors().await?
        } else {
            Vec::new()
        };
        if sweep {
            snapshot.object_errors = store.object_errors().await?;
        }
        snapshot.known_jobs = known
            .into_iter()
            .map(|job| ((job.tenant.clone(), job.job_id.clone()), job))
            .collect();
        snapshot.take_changes(unseen);
        Ok(snapshot)
    }

    /// Sources and facts of the tenants that are concerned, all of each.
    async fn take_tenants(
        &mut self,
        store: &Store,
        unseen: &Unseen,
        sweep: bool,
        due: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        let mut concerned: BTreeSet<&str> = unseen
            .sources
            .iter()
            .map(|source| source.state.key.tenant.as_str())
            .collect();
        let judged = unseen.facts.iter().filter(|fact| {
            fact.name.starts_with(credentials::PREFIX) || servers::is_about_one(fact)
        });
        concerned.extend(judged.map(|fact| fact.tenant.as_str()));
        concerned.extend(due.iter().map(String::as_str));
        let all = if sweep {
            store.sources(None).await?
        } else {
            Vec::new()
        };
        concerned.extend(all.iter().map(|source| source.state.key.tenant.as_str()));
        for tenant in concerned {
            let live = if sweep {
                all.iter()
                    .filter(|source| source.state.key.tenant == tenant)
                    .cloned()
                    .collect()
            } else {
                store.sources(Some(tenant)).await?
            };
            let retired = unseen
                .sources
                .iter()
                .filter(|source| source.state.retired && source.state.key.tenant == tenant);
            let sources = live
                .iter()
                .chain(retired)
                .map(|source: &StoredSource| source.state.clone())
                .collect();
            let facts = store.facts(Some(tenant)).await?;
            self.tenants
                .insert(tenant.to_owned(), Tenant { sources, facts });
        }
        Ok(())
    }

    /// What is unseen replaces what a sweep found.
    fn take_changes(&mut self, unseen: Unseen) {
        self.jobs = unseen.jobs;
        let changed: BTreeSet<(&str, &str)> = unseen
            .object_errors
            .iter()
            .map(|errors| (errors.tenant.as_str(), errors.job_id.as_str()))
            .collect();
        self.object_errors
            .retain(|errors| !changed.contains(&(errors.tenant.as_str(), errors.job_id.as_str())));
        self.object_errors.extend(unseen.object_errors);
    }

    /// Everything the detectors have to say.
    pub(crate) async fn said(
        &self,
        store: &Store,
        firing: &Firing,
        settings: &AlertSettings,
        now: Timestamp,
    ) -> Result<Said, StoreError> {
        let mut looks = BTreeMap::new();
        let mut found = self.unwatched_conditions(firing, now);
        found.extend(job_conditions(&self.jobs, firing, settings));
        if self.sweep {
            found.extend(self.swept_jobs(store, firing, settings).await?);
        }
        found.extend(self.object_error_conditions(firing, settings, now));
        for (tenant, facts) in &self.tenants {
            found.extend(source_conditions(store, tenant, facts, firing, settings).await?);
            let live: Vec<&SourceState> = facts.sources.iter().collect();
            found.extend(rights::conditions(tenant, &live));
            let stored: Vec<&StoredFact> = facts.facts.iter().collect();
            let read_at = credentials_read_at(&live);
            found.extend(credentials::conditions(
                tenant, &stored, read_at, settings, now,
            ));
            let known = (facts.facts.as_slice(), facts.sources.as_slice());
            let of_servers =
                super::servers::look(store, tenant, known, firing, settings, now).await?;
            looks.insert(tenant.clone(), of_servers.next_due);
            found.extend(of_servers.conditions);
        }
        found.retain(|condition| condition.finding == Finding::Clear || self.may_hold(condition));
        Ok(Said {
            conditions: found,
            looks,
        })
    }

    /// What jobs that did not change mean, part by part: there may be a hundred thousand.
    async fn swept_jobs(
        &self,
        store: &Store,
        firing: &Firing,
        settings: &AlertSettings,
    ) -> Result<Vec<Condition>, StoreError> {
        let changed: BTreeSet<(&str, &str)> = self.jobs.iter().map(key_of).collect();
        let mut found = Vec::new();
        let mut after = (String::new(), String::new());
        loop {
            let mut part = store.jobs_after((&after.0, &after.1), JOBS_AT_ONCE).await?;
            let Some(last) = part.last() else {
                return Ok(found);
            };
            after = (last.job.tenant.clone(), last.job.job_id.clone());
            part.retain(|stored| !changed.contains(&key_of(stored)));
            let conditions = job_conditions(&part, firing, settings).into_iter();
            found.extend(conditions.filter(|condition| judge::matters(condition, firing)));
        }
    }

    /// What ends because the config does not ask for it any more. Looked for when a source was
    /// retired, and in every sweep.
    fn unwatched_conditions(&self, firing: &Firing, now: Timestamp) -> Vec<Condition> {
        let mut tenants: BTreeSet<&str> = self
            .tenants
            .iter()
            .filter(|(_, tenant)| self.sweep || tenant.sources.iter().any(|source| source.retired))
            .map(|(name, _)| name.as_str())
            .collect();
        if self.sweep {
            tenants.extend(firing.tenants());
        }
        tenants
            .into_iter()
            .flat_map(|tenant| {
                unwatched::conditions(firing.of_tenant(tenant), &self.live(tenant), now)
            })
            .collect()
    }

    /// Facts that were learned before a poll was taken out of the config raise nothing.
    fn may_hold(&self, condition: &Condition) -> bool {
        let tenant = &condition.subject.tenant;
        let known = self.sweep || self.tenants.contains_key(tenant);
        !known
            || unwatched::is_watched(
                condition.rule,
                &condition.subject.path,
                &condition.labels,
                &self.live(tenant),
            )
    }

    /// The sources of a tenant that are polled.
    fn live(&self, tenant: &str) -> Vec<&SourceState> {
        let known = self.tenants.get(tenant).into_iter();
        known
            .flat_map(|tenant| &tenant.sources)
            .filter(|source| !source.retired)
            .collect()
    }

    fn object_error_conditions(
        &self,
        firing: &Firing,
        settings: &AlertSettings,
        now: Timestamp,
    ) -> Vec<Condition> {
        self.object_errors
            .iter()
            .filter_map(|summary| {
                let job = self
                    .known_jobs
                    .get(&(summary.tenant.clone(), summary.job_id.clone()));
                let path = object_errors::path(summary);
                let reported = firing
                    .about(&summary.tenant, &path)
                    .iter()
                    .find_map(object_errors::Reported::of);
                object_errors::condition(summary, job, reported, settings, now)
            })
            .collect()
    }

    /// The next instant at which time alone changes what is said here.
    pub(crate) fn next_due(&self, settings: &AlertSettings, now: Timestamp) -> Option<Timestamp> {
        self.tenants
            .values()
            .filter_map(|tenant| {
                let facts: Vec<&StoredFact> = tenant.facts.iter().collect();
                credentials::next_due(&facts, settings, now)
            })
            .min()
    }
}

/// What jobs mean for the alerts about them.
pub(crate) fn job_conditions(
    stored: &[StoredJob],
    firing: &Firing,
    settings: &AlertSettings,
) -> Vec<Condition> {
    stored
        .iter()
        .flat_map(|stored| {
            let quarantined = Key::new(Rule::JobQuarantined, &jobs::subject(&stored.job));
            let mut found = jobs::conditions(stored, firing.get(&quarantined).is_some(), settings);
            if stored.gone {
                found.extend(object_errors::gone(&stored.job));
            }
            found
        })
        .collect()
}

/// What is behind a source, and how the last outage ended, is asked for only when a source is
/// about to be reported.
async fn source_conditions(
    store: &Store,
    tenant: &str,
    known: &Tenant,
    firing: &Firing,
    settings: &AlertSettings,
) -> Result<Vec<Condition>, StoreError> {
    let states: Vec<&SourceState> = known.sources.iter().collect();
    let facts: Vec<&StoredFact> = known.facts.iter().collect();
    let active_servers = servers::active_hosts(tenant, &facts, &states);
    let mut context = Context {
        active_servers: &active_servers,
        ..Context::default()
    };
    let mut found = sources::conditions(tenant, &states, context, settings);
    if !any_begins(&found, firing) {
        return Ok(found);
    }
    context.outage_over_at = outage_over_at(store, tenant, &found, firing).await?;
    found = sources::conditions(tenant, &states, context, settings);
    if !any_begins(&found, firing) {
        return Ok(found);
    }
    let lanes = lanes_behind(store, tenant).await?;
    context.lanes = &lanes;
    Ok(sources::conditions(tenant, &states, context, settings))
}

fn any_begins(found: &[Condition], firing: &Firing) -> bool {
    found.iter().any(|condition| {
        condition.finding == Finding::Holds
            && firing
                .get(&Key::new(condition.rule, &condition.subject))
                .is_none()
    })
}

/// When the newest outage of the whole tenant ended: with this look, or before it.
async fn outage_over_at(
    store: &Store,
    tenant: &str,
    found: &[Condition],
    firing: &Firing,
) -> Result<Option<Timestamp>, StoreError> {
    let graph = Subject::graph(tenant);
    let ends_now = found.iter().find(|condition| {
        condition.finding == Finding::Clear && condition.subject.path == graph.path
    });
    if let Some(end) = ends_now
        && firing
            .get(&Key::new(Rule::SourceUnreachable, &graph))
            .is_some()
    {
        return Ok(Some(end.occurred_at));
    }
    store
        .last_resolved(Rule::SourceUnreachable, tenant, &graph.path)
        .await
}

async fn lanes_behind(store: &Store, tenant: &str) -> Result<Vec<LaneBehind>, StoreError> {
    let filter = LaneFilter {
        tenant: Some(tenant.to_owned()),
        ..LaneFilter::default()
    };
    let lanes = store.lanes(&filter).await?;
    Ok(lanes
        .into_iter()
        .map(|lane| LaneBehind {
            title: Subject::lane(&lane.key).title,
            source: lane.source_key,
        })
        .collect())
}

fn credentials_read_at(sources: &[&SourceState]) -> Option<Timestamp> {
    sources
        .iter()
        .find(|source| source.key.poll == Poll::Credentials)
        .and_then(|source| source.read_at)
}

fn key_of(stored: &StoredJob) -> (&str, &str) {
    (&stored.job.tenant, &stored.job.job_id)
}

fn has_news(unseen: &Unseen) -> bool {
    let answers = |source: &StoredSource| source.state.failing_since.is_none();
    unseen.sources.iter().any(answers)
        || !unseen.jobs.is_empty()
        || !unseen.object_errors.is_empty()
        || !unseen.facts.is_empty()
}

/// What of `unseen` a judgement deals with: all of it.
fn seen(unseen: &Unseen) -> Seen {
    let errors: BTreeSet<(String, String, i64)> = unseen
        .object_errors
        .iter()
        .map(|errors| {
            let job_id = errors.job_id.clone();
            (errors.tenant.clone(), job_id, errors.version)
        })
        .collect();
    Seen {
        sources: unseen
            .sources
            .iter()
            .map(|source| {
                let state = &source.state;
                (source.id, state.attempted_at, state.retired)
            })
            .collect(),
        jobs: seen_jobs(&unseen.jobs),
        object_errors: errors.into_iter().collect(),
        facts: unseen
            .facts
            .iter()
            .map(|fact| (fact.tenant.clone(), fact.name.clone(), fact.read_at))
            .collect(),
    }
}

/// Marks jobs as dealt with.
pub(crate) fn seen_jobs(jobs: &[StoredJob]) -> Vec<(String, String, i64)> {
    jobs.iter()
        .map(|stored| {
            (
                stored.job.tenant.clone(),
                stored.job.job_id.clone(),
                stored.version,
            )
        })
        .collect()
}
