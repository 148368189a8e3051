//! What is on record already: a read that repeats it need not be written again.
//!
//! Kept as digests, so that a hundred thousand lanes cost little memory. Reads of one source may
//! overlap: what began earlier never takes the place of what began later.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use syncwatch_domain::cycle::Cycle;
use syncwatch_domain::job::Job;
use syncwatch_domain::lane::LaneKey;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::LaneUpdate;

/// What was committed of a lane last.
#[derive(Clone, Debug)]
struct ToldLane {
    /// Digest of the whole update, its lane included: two lanes that share a place in the map
    /// are written each time, never left out.
    content: u64,
    /// Start of the read it comes from.
    read_at: Timestamp,
    cycles: Box<[Cycle]>,
}

/// What was committed of a job last.
#[derive(Clone, Copy, Debug)]
struct ToldJob {
    content: u64,
    read_at: Timestamp,
}

/// What was committed last, of lanes and of the jobs of each configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    lanes: HashMap<u64, ToldLane>,
    jobs: HashMap<String, HashMap<u64, ToldJob>>,
}

/// What a read learned of lanes, to be noted once it is committed.
#[derive(Debug, Default)]
pub(crate) struct LaneNotes(Vec<(u64, ToldLane)>);

/// What a read learned of the jobs of a configuration, to be noted once it is committed.
#[derive(Debug)]
pub(crate) struct JobNotes {
    jobs: Vec<(u64, ToldJob)>,
    /// They are all the jobs there are.
    complete: bool,
}

/// When a read began and ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) began_at: Timestamp,
    pub(crate) ended_at: Timestamp,
}

impl Taken {
    /// Whether a read that began at `other` knows better. One from the future does not: the clock
    /// was put back.
    fn is_overtaken_by(self, other: Timestamp) -> bool {
        other > self.began_at && other <= self.ended_at
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Digest of what an update says for good: that it was confirmed is no lasting fact.
fn content(update: &LaneUpdate) -> u64 {
    let LaneUpdate {
        key,
        job_id,
        cycles,
        promised,
        expectation,
        confirmed: _,
        gaps_between: _,
    } = update;
    digest(&(key, job_id, cycles, promised, expectation))
}

impl Record {
    /// Leaves of the updates of a read those that say something new, and tells what to note once
    /// they are committed.
    pub(crate) fn sift_lanes(&self, updates: &mut Vec<LaneUpdate>, taken: Taken) -> LaneNotes {
        let mut notes = Vec::new();
        updates.retain(|update| {
            let place = digest(&update.key);
            let content = content(update);
            let told = self.lanes.get(&place);
            let asks = update.confirmed || update.gaps_between.is_some();
            let repeats =
                |told: &ToldLane| told.content == content || taken.is_overtaken_by(told.read_at);
            if !asks && told.is_some_and(repeats) {
                return false;
            }
            let cycles = update.cycles.clone().into_boxed_slice();
            let told = ToldLane {
                content,
                read_at: taken.began_at,
                cycles,
            };
            notes.push((place, told));
            true
        });
        LaneNotes(notes)
    }

    /// The cycles of a lane as last committed: what its status named before.
    pub(crate) fn told(&self, key: &LaneKey) -> &[Cycle] {
        self.lanes
            .get(&digest(key))
            .map_or(&[], |told| &*told.cycles)
    }

    /// These lanes are on record now.
    pub(crate) fn note_lanes(&mut self, notes: LaneNotes) {
        for (place, told) in notes.0 {
            let known = self.lanes.get(&place);
            if known.is_some_and(|known| known.read_at > told.read_at) {
                // Whose words the database holds now is not worth finding out.
                self.lanes.remove(&place);
            } else {
                self.lanes.insert(place, told);
            }
        }
    }

    /// Timing or pauses changed: every lane is written again.
    pub(crate) fn forget_lanes(&mut self) {
        self.lanes.clear();
    }

    /// Leaves of the jobs of a configuration what has to be written: all of a complete list that
    /// is not on record as it is, else those that say something new. `complete` is taken back for
    /// a list that a later read overtook: it may miss what that one saw.
    pub(crate) fn sift_jobs(
        &self,
        principal: &str,
        jobs: &mut Vec<Job>,
        complete: &mut bool,
        taken: Taken,
    ) -> JobNotes {
        let known = self.jobs.get(principal);
        let told = |job: &(u64, ToldJob)| known.and_then(|known| known.get(&job.0));
        let notes: Vec<_> = jobs.iter().map(|job| note_of(job, taken)).collect();
        let is_new = |note: &(u64, ToldJob)| {
            told(note).is_none_or(|told| {
                told.content != note.1.content && !taken.is_overtaken_by(told.read_at)
            })
        };
        let overtaken = self.is_overtaken(principal, taken);
        // A service may list a job twice.
        let listed: HashSet<u64> = notes.iter().map(|note| note.0).collect();
        let as_many = known.map_or(0, HashMap::len) == listed.len();
        let is_news = !as_many || notes.iter().any(is_new);
        let was_complete = *complete;
        if was_complete && is_news && !overtaken {
            return JobNotes {
                jobs: notes,
                complete: true,
            };
        }
        *complete = false;
        let mut at = 0;
        jobs.retain(|_| {
            at += 1;
            is_new(&notes[at - 1])
        });
        JobNotes {
            jobs: notes,
            complete: was_complete && !overtaken,
        }
    }

    /// Whether jobs of the configuration are on record from a read that knows better.
    pub(crate) fn is_overtaken(&self, principal: &str, taken: Taken) -> bool {
        let mut known = self
            .jobs
            .get(principal)
            .into_iter()
            .flat_map(HashMap::values);
        known.any(|told| taken.is_overtaken_by(told.read_at))
    }

    /// The configuration is gone with all its jobs.
    pub(crate) fn forget_jobs(&mut self, principal: &str) {
        self.jobs.remove(principal);
    }

    /// These jobs are on record now.
    pub(crate) fn note_jobs(&mut self, principal: &str, notes: JobNotes) {
        if notes.jobs.is_empty() && !notes.complete {
            return;
        }
        let known = self.jobs.entry(principal.to_owned()).or_default();
        let overtaken = |(place, told): &(u64, ToldJob)| {
            known
                .get(place)
                .is_some_and(|known| known.read_at > told.read_at)
        };
        if notes.jobs.iter().any(overtaken) {
            self.jobs.remove(principal);
        } else if notes.complete {
            *known = notes.jobs.into_iter().collect();
        } else {
            known.extend(notes.jobs);
        }
    }
}

fn note_of(job: &Job, taken: Taken) -> (u64, ToldJob) {
    let told = ToldJob {
        content: digest(&job.lasting()),
        read_at: taken.began_at,
    };
    (digest(&job.job_id), told)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
