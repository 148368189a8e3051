//! What is on record already: a read that repeats it need not be written again.
//!
//! Kept as digests, so that a hundred thousand lanes cost little memory.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use syncwatch_domain::cycle::Cycle;
use syncwatch_domain::job::Job;
use syncwatch_domain::lane::LaneKey;
use syncwatch_store::LaneUpdate;

/// What was committed of a lane last.
#[derive(Clone, Debug)]
struct Told {
    /// Digest of the whole update, its lane included: two lanes that share a place in the map
    /// are written each time, never left out.
    content: u64,
    cycles: Box<[Cycle]>,
}

/// What was committed last, of lanes and of the jobs of each configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    lanes: HashMap<u64, Told>,
    jobs: HashMap<String, u64>,
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Record {
    /// Whether an update says what is on record already.
    pub(crate) fn repeats(&self, update: &LaneUpdate) -> bool {
        !update.confirmed
            && update.gaps_between.is_none()
            && self
                .lanes
                .get(&digest(&update.key))
                .is_some_and(|told| told.content == digest(update))
    }

    /// The cycles of a lane as last committed: what its status named before.
    pub(crate) fn told(&self, key: &LaneKey) -> &[Cycle] {
        self.lanes
            .get(&digest(key))
            .map_or(&[], |told| &*told.cycles)
    }

    /// These updates are on record now.
    pub(crate) fn committed(&mut self, updates: Vec<LaneUpdate>) {
        for mut update in updates {
            update.confirmed = false;
            update.gaps_between = None;
            let told = Told {
                content: digest(&update),
                cycles: update.cycles.into_boxed_slice(),
            };
            self.lanes.insert(digest(&update.key), told);
        }
    }

    /// Timing or pauses changed: every lane is written again.
    pub(crate) fn forget_lanes(&mut self) {
        self.lanes.clear();
    }

    /// Whether the complete list of a configuration's jobs is on record as it is.
    pub(crate) fn repeats_jobs(&self, principal: &str, jobs: &[Job]) -> bool {
        self.jobs.get(principal) == Some(&digest_of_jobs(jobs))
    }

    /// The complete list is on record now.
    pub(crate) fn committed_jobs(&mut self, principal: &str, jobs: &[Job]) {
        self.jobs.insert(principal.to_owned(), digest_of_jobs(jobs));
    }

    /// Something else was written about jobs of this configuration.
    pub(crate) fn forget_jobs(&mut self, principal: &str) {
        self.jobs.remove(principal);
    }
}

fn digest_of_jobs(jobs: &[Job]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for job in jobs {
        job.lasting().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use syncwatch_domain::job::{JobStatus, ScheduleState};
    use syncwatch_domain::lane::{Engine, LaneKind};
    use syncwatch_domain::time::Timestamp;
    use syncwatch_store::Expectation;

    use super::*;

    fn update() -> LaneUpdate {
        LaneUpdate {
            key: LaneKey {
                tenant: "yew".into(),
                engine: Engine::Cloud,
                kind: LaneKind::Objects,
                partition: "ad.yew.example".into(),
            },
            job_id: None,
            cycles: Vec::new(),
            promised: None,
            expectation: Expectation::Expected,
            confirmed: false,
            gaps_between: None,
        }
    }

    #[test]
    fn what_is_on_record_is_not_written_again() {
        let mut record = Record::default();
        assert!(!record.repeats(&update()));
        record.committed(vec![update()]);
        assert!(record.repeats(&update()));
        let confirmed = LaneUpdate {
            confirmed: true,
            ..update()
        };
        assert!(!record.repeats(&confirmed));
        record.committed(vec![confirmed]);
        assert!(record.repeats(&update()), "confirmation is no lasting fact");
        let paused = LaneUpdate {
            expectation: Expectation::Paused { reason: "r".into() },
            ..update()
        };
        assert!(!record.repeats(&paused));
        record.forget_lanes();
        assert!(!record.repeats(&update()));
    }

    #[test]
    fn a_list_of_jobs_repeats_until_one_of_them_changes_for_good() {
        let job = |status, read_at| Job {
            tenant: "yew".into(),
            service_principal_id: "sp1".into(),
            job_id: "a".into(),
            template: "AD2AADProvisioning".into(),
            domain: "ad.yew.example".into(),
            status,
            schedule: ScheduleState::Active,
            interval: None,
            quarantine: None,
            error: None,
            successive_failures: 0,
            steady_first_at: None,
            steady_last_at: Some(read_at),
            read_at,
        };
        let (early, late) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        let active = |at| [job(JobStatus::Active, at)];
        let mut record = Record::default();
        assert!(!record.repeats_jobs("sp1", &active(early)));
        record.committed_jobs("sp1", &active(early));
        assert!(record.repeats_jobs("sp1", &active(late)));
        assert!(!record.repeats_jobs("sp2", &active(early)));
        assert!(!record.repeats_jobs("sp1", &[job(JobStatus::Paused, late)]));
        assert!(!record.repeats_jobs("sp1", &[]), "one is gone");
        record.forget_jobs("sp1");
        assert!(!record.repeats_jobs("sp1", &active(late)));
    }
}
