//! Which jobs there are, which lane each one feeds, and whether any of a kind is at work.
//!
//! A tenant may have a hundred thousand jobs, so nothing here walks through all of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use syncwatch_domain::job::{Job, lane_kind_of_template};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};

/// What is remembered of a job between polls.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    principal: Arc<str>,
    kind: LaneKind,
    domain: Arc<str>,
    partition: Arc<str>,
    /// It is listed; a job that is gone keeps its lane's name until another job takes it.
    listed: bool,
    /// Cycles are expected of it.
    at_work: bool,
}

/// The jobs of a tenant that feed lanes.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobBook {
    jobs: HashMap<Arc<str>, Entry>,
    /// Listed jobs by configuration.
    listed: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Listed jobs by the lane they feed.
    feeders: HashMap<(LaneKind, Arc<str>), BTreeSet<Arc<str>>>,
    /// How many listed jobs of a kind are at work.
    at_work: HashMap<LaneKind, usize>,
    /// Jobs that are gone, and whose lanes do not know yet.
    owed: BTreeSet<Arc<str>>,
}

impl JobBook {
    /// Takes in a job that was known before the start, with the partition its lane has on record.
    pub(crate) fn recall(&mut self, job: &Job, partition: Option<&str>) {
        if let Some(kind) = lane_kind_of_template(&job.template) {
            self.enter(job, kind, partition.unwrap_or(&job.domain).into());
        }
    }

    /// Takes in a job as read and gives the lane it feeds.
    ///
    /// The partition is the AD domain. Where two jobs of a kind serve one domain, the later one
    /// gets its own: the domain and the end of its id. A lane keeps its name.
    pub(crate) fn note(&mut self, tenant: &str, job: &Job) -> Option<LaneKey> {
        let kind = lane_kind_of_template(&job.template)?;
        let known = self.jobs.get(job.job_id.as_str());
        let partition = match known.filter(|entry| *entry.domain == *job.domain) {
            Some(entry) => Arc::clone(&entry.partition),
            None => self.free_partition(kind, job).into(),
        };
        let key = lane(tenant, kind, &partition);
        self.enter(job, kind, partition);
        Some(key)
    }

    fn free_partition(&self, kind: LaneKind, job: &Job) -> String {
        let taken = self
            .feeders(kind, &job.domain)
            .is_some_and(|ids| ids.iter().any(|id| **id != *job.job_id));
        if !taken {
            return job.domain.clone();
        }
        let letters = job.job_id.chars().count();
        let tail: String = job.job_id.chars().skip(letters.saturating_sub(8)).collect();
        format!("{} {tail}", job.domain)
    }

    fn feeders(&self, kind: LaneKind, partition: &str) -> Option<&BTreeSet<Arc<str>>> {
        self.feeders.get(&(kind, Arc::from(partition)))
    }

    /// Puts a listed job in its places.
    fn enter(&mut self, job: &Job, kind: LaneKind, partition: Arc<str>) {
        let principal = self
            .listed
            .get_key_value(job.service_principal_id.as_str())
            .map_or_else(
                || Arc::from(job.service_principal_id.as_str()),
                |(known, _)| Arc::clone(known),
            );
        let domain = if *partition == *job.domain {
            Arc::clone(&partition)
        } else {
            Arc::from(job.domain.as_str())
        };
        let entry = Entry {
            principal,
            kind,
            domain,
            partition,
            listed: true,
            at_work: job.is_expected_to_run(),
        };
        if self.jobs.get(job.job_id.as_str()) == Some(&entry) {
            return;
        }
        self.strike(&job.job_id);
        let id: Arc<str> = Arc::from(job.job_id.as_str());
        self.owed.remove(&id);
        self.listed
            .entry(Arc::clone(&entry.principal))
            .or_default()
            .insert(Arc::clone(&id));
        self.feeders
            .entry((kind, Arc::clone(&entry.partition)))
            .or_default()
            .insert(Arc::clone(&id));
        if entry.at_work {
            *self.at_work.entry(kind).or_default() += 1;
        }
        self.jobs.insert(id, entry);
    }

    /// Takes a job out of all places but its entry.
    fn strike(&mut self, id: &str) {
        let Some(entry) = self.jobs.get_mut(id).filter(|entry| entry.listed) else {
            return;
        };
        entry.listed = false;
        if std::mem::take(&mut entry.at_work)
            && let Some(count) = self.at_work.get_mut(&entry.kind)
        {
            *count -= 1;
        }
        if let Some(ids) = self.listed.get_mut(&entry.principal) {
            ids.remove(id);
        }
        let lane = (entry.kind, Arc::clone(&entry.partition));
        if let Some(ids) = self.feeders.get_mut(&lane) {
            ids.remove(id);
            if ids.is_empty() {
                self.feeders.remove(&lane);
            }
        }
    }

    /// The complete list of a configuration's jobs was read: others of it are gone.
    pub(crate) fn list(&mut self, principal: &str, is_listed: impl Fn(&str) -> bool) {
        for id in self.listed_of(principal) {
            if !is_listed(&id) {
                self.strike(&id);
                self.owed.insert(id);
            }
        }
    }

    fn listed_of(&self, principal: &str) -> Vec<Arc<str>> {
        let ids = self.listed.get(principal).into_iter().flatten();
        ids.cloned().collect()
    }

    /// Lanes of jobs of `principal` that are gone, until that is committed. A lane that another
    /// job feeds by now is not among them, and nothing is owed to it.
    pub(crate) fn gone(&mut self, tenant: &str, principal: &str) -> Vec<(LaneKey, String)> {
        let (jobs, feeders) = (&self.jobs, &self.feeders);
        self.owed.retain(|id| {
            jobs.get(id).is_some_and(|entry| {
                !feeders.contains_key(&(entry.kind, Arc::clone(&entry.partition)))
            })
        });
        let entries = self
            .owed
            .iter()
            .filter_map(|id| Some((id, self.jobs.get(id)?)));
        entries
            .filter(|(_, entry)| *entry.principal == *principal)
            .map(|(id, entry)| (lane(tenant, entry.kind, &entry.partition), id.to_string()))
            .collect()
    }

    /// The configuration is gone with all its jobs.
    pub(crate) fn forget_principal(&mut self, principal: &str) {
        for id in self.listed_of(principal) {
            self.strike(&id);
        }
    }

    /// Ids of the listed jobs of a configuration.
    pub(crate) fn jobs_of(&self, principal: &str) -> impl Iterator<Item = &str> {
        let listed = self.listed.get(principal);
        listed.into_iter().flatten().map(AsRef::as_ref)
    }

    /// How many lanes the jobs of a configuration feed.
    pub(crate) fn lanes_of(&self, principal: &str) -> usize {
        self.listed.get(principal).map_or(0, BTreeSet::len)
    }

    /// Whether a Cloud Sync job of the kind is at work.
    pub(crate) fn is_at_work(&self, kind: LaneKind) -> bool {
        self.at_work.get(&kind).is_some_and(|count| *count > 0)
    }

    /// Whether the log rows of this job are ours by what is known of it.
    pub(crate) fn knows(&self, job_id: &str) -> bool {
        self.jobs.contains_key(job_id)
    }

    /// It is on record now that these jobs are gone.
    pub(crate) fn told_gone(&mut self, ids: &[String]) {
        for id in ids {
            self.owed.remove(id.as_str());
        }
    }
}

fn lane(tenant: &str, kind: LaneKind, partition: &str) -> LaneKey {
    LaneKey {
        tenant: tenant.to_owned(),
        engine: Engine::Cloud,
        kind,
        partition: partition.to_owned(),
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
