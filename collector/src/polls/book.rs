//! Which jobs there are, which lane each one feeds, and whether any of a kind is at work.

use std::collections::BTreeMap;

use syncwatch_domain::cycle::Cycle;
use syncwatch_domain::job::{Job, lane_kind_of_template};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_store::LaneUpdate;

/// What is remembered of a job between polls.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    principal: String,
    kind: LaneKind,
    domain: String,
    partition: String,
    /// It is listed; a job that is gone keeps its lane's name until another job takes it.
    listed: bool,
    /// Cycles are expected of it.
    at_work: bool,
    /// It is gone, and its lane does not know yet.
    owed: bool,
}

/// The jobs of a tenant that feed lanes.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobBook {
    jobs: BTreeMap<String, Entry>,
    /// Lane updates as last committed: what did not change need not be written again.
    committed: BTreeMap<LaneKey, LaneUpdate>,
}

impl JobBook {
    /// Takes in a job that was known before the start, with the partition its lane has on record.
    pub(crate) fn recall(&mut self, job: &Job, partition: Option<&str>) {
        let Some(kind) = lane_kind_of_template(&job.template) else {
            return;
        };
        self.jobs.insert(
            job.job_id.clone(),
            Entry {
                principal: job.service_principal_id.clone(),
                kind,
                domain: job.domain.clone(),
                partition: partition.unwrap_or(&job.domain).to_owned(),
                listed: true,
                at_work: job.is_expected_to_run(),
                owed: false,
            },
        );
    }

    /// Takes in a job as read and gives the lane it feeds.
    ///
    /// The partition is the AD domain. Where two jobs of a kind serve one domain, the later one
    /// gets its own: the domain and the end of its id. A lane keeps its name.
    pub(crate) fn note(&mut self, tenant: &str, job: &Job) -> Option<LaneKey> {
        let kind = lane_kind_of_template(&job.template)?;
        let known = self.jobs.get(&job.job_id);
        let partition = match known.filter(|entry| entry.domain == job.domain) {
            Some(entry) => entry.partition.clone(),
            None => self.free_partition(kind, job),
        };
        self.jobs.insert(
            job.job_id.clone(),
            Entry {
                principal: job.service_principal_id.clone(),
                kind,
                domain: job.domain.clone(),
                partition: partition.clone(),
                listed: true,
                at_work: job.is_expected_to_run(),
                owed: false,
            },
        );
        Some(lane(tenant, kind, &partition))
    }

    fn free_partition(&self, kind: LaneKind, job: &Job) -> String {
        let taken = self.jobs.iter().any(|(id, entry)| {
            *id != job.job_id && entry.listed && entry.kind == kind && entry.partition == job.domain
        });
        if !taken {
            return job.domain.clone();
        }
        let tail: String = job
            .job_id
            .chars()
            .rev()
            .take(8)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        format!("{} {tail}", job.domain)
    }

    /// The complete list of a configuration's jobs was read: others of it are gone.
    pub(crate) fn list(&mut self, principal: &str, is_listed: impl Fn(&str) -> bool) {
        for (id, entry) in &mut self.jobs {
            if entry.listed && entry.principal == principal && !is_listed(id) {
                entry.listed = false;
                entry.at_work = false;
                entry.owed = true;
            }
        }
    }

    /// Lanes of jobs of `principal` that are gone, until that is committed. A lane that another
    /// job feeds by now is not among them.
    pub(crate) fn gone(&self, tenant: &str, principal: &str) -> Vec<(LaneKey, String)> {
        let is_fed = |gone: &Entry| {
            self.jobs.values().any(|entry| {
                entry.listed && entry.kind == gone.kind && entry.partition == gone.partition
            })
        };
        self.jobs
            .iter()
            .filter(|(_, entry)| entry.owed && entry.principal == principal && !is_fed(entry))
            .map(|(id, entry)| (lane(tenant, entry.kind, &entry.partition), id.clone()))
            .collect()
    }

    /// The configuration is gone with all its jobs.
    pub(crate) fn forget_principal(&mut self, principal: &str) {
        for entry in self
            .jobs
            .values_mut()
            .filter(|entry| entry.principal == principal)
        {
            entry.listed = false;
            entry.at_work = false;
        }
        self.committed.clear();
    }

    /// How many lanes the jobs of a configuration feed.
    pub(crate) fn lanes_of(&self, principal: &str) -> usize {
        self.jobs
            .values()
            .filter(|entry| entry.listed && entry.principal == principal)
            .count()
    }

    /// Whether a Cloud Sync job of the kind is at work.
    pub(crate) fn is_at_work(&self, kind: LaneKind) -> bool {
        self.jobs
            .values()
            .any(|entry| entry.kind == kind && entry.at_work)
    }

    /// Whether the log rows of this job are ours by what is known of it.
    pub(crate) fn knows(&self, job_id: &str) -> bool {
        self.jobs.contains_key(job_id)
    }

    /// Leaves out updates that say what is on record already.
    pub(crate) fn without_repetition(&self, updates: Vec<LaneUpdate>) -> Vec<LaneUpdate> {
        updates
            .into_iter()
            .filter(|update| {
                update.confirmed
                    || update.gaps_between.is_some()
                    || self.committed.get(&update.key) != Some(update)
            })
            .collect()
    }

    /// The cycles of a lane as last committed: what its status named before.
    pub(crate) fn told(&self, key: &LaneKey) -> &[Cycle] {
        self.committed.get(key).map_or(&[], |update| &update.cycles)
    }

    /// These updates are on record now.
    pub(crate) fn committed(&mut self, updates: Vec<LaneUpdate>) {
        for mut update in updates {
            for entry in self.jobs.values_mut().filter(|entry| entry.owed) {
                entry.owed =
                    entry.kind != update.key.kind || entry.partition != update.key.partition;
            }
            update.confirmed = false;
            update.gaps_between = None;
            self.committed.insert(update.key.clone(), update);
        }
    }

    /// Timing or pauses changed: every lane is written again.
    pub(crate) fn forget_committed(&mut self) {
        self.committed.clear();
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
