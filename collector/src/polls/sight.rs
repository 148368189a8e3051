//! What was missed while a jobs source could not be seen, and what the logs can prove of it.

use std::time::Duration;

use syncwatch_domain::cadence::{Intervals, Timing};
use syncwatch_domain::job::lane_kind_of_template;
use syncwatch_domain::lane::{Engine, LaneKey};
use syncwatch_domain::source::Poll;
use syncwatch_store::LaneUpdate;

use super::catch_up::{Gap, JobsResume, is_talkative, lookback, only_in_logs, regained};
use super::tenant::Wanted;
use super::{PollError, PollRun};
use crate::parse::jobs::JobFacts;

/// What was missed while the source could not be seen, and what can be proven by now.
pub(super) struct Sight {
    resume: JobsResume,
    /// This read ends a time without sight in which windows may have closed.
    regained: Option<Gap>,
    /// The logs of an earlier one are final and were read: it is settled now.
    settles: Option<Gap>,
    /// A read of the logs that would help.
    wanted: Option<Wanted>,
}

impl Sight {
    pub(super) async fn of(run: &PollRun<'_>, listed: &[JobFacts]) -> Result<Self, PollError> {
        let state = &run.source.state;
        let mut sight = Self {
            resume: JobsResume::parse(run.source.resume.as_deref()),
            regained: None,
            settles: None,
            wanted: None,
        };
        if !run.tenant.shared().logs_usable {
            return Ok(sight);
        }
        let back = || lookback(listed.iter().map(|facts| window(run, facts)));
        if let Some(gap) = sight.resume.unsettled {
            let final_at = gap.to() + run.tenant.config.log_settle;
            let needed = Wanted {
                from: gap.from() - back(),
                begun_at: final_at,
            };
            if run.started_at >= final_at && sight.look(run, needed) {
                sight.settles = Some(gap);
            }
        }
        let next_due = state
            .read_at
            .and_then(|at| run.tenant.config.poll(Poll::Jobs).schedule.next_after(at));
        if let Some(gap) = regained(state, next_due, run.started_at)
            && !run
                .store
                .lanes_crossing(run.source.id, gap.from(), gap.to())
                .await?
                .is_empty()
        {
            // Only logs read after the sight came back tell of the whole gap.
            let lost_until = state.attempted_at.filter(|_| state.failing_since.is_some());
            let needed = Wanted {
                from: gap.from() - back(),
                begun_at: lost_until.unwrap_or(run.tenant.born_at),
            };
            sight.look(run, needed);
            sight.regained = Some(gap);
        }
        Ok(sight)
    }

    /// What the source keeps for its next read.
    pub(super) fn resume(&self) -> Option<String> {
        self.resume.after(self.regained, self.settles.is_some())
    }

    /// Whether the logs are read as far as needed; notes what is wanted otherwise.
    fn look(&mut self, run: &PollRun<'_>, needed: Wanted) -> bool {
        let served = run
            .tenant
            .shared()
            .view
            .as_ref()
            .is_some_and(|view| view.serves(needed));
        if !served {
            self.wanted = Some(needed.and(self.wanted));
        }
        served
    }

    /// Asks for the logs and says whether to wait for them.
    pub(super) fn wants_logs(&self, run: &PollRun<'_>) -> bool {
        let Some(wanted) = self.wanted.filter(|_| run.errand.may_wait) else {
            return false;
        };
        let mut shared = run.tenant.shared();
        shared.wanted = Some(wanted.and(shared.wanted));
        true
    }

    /// Adds what the logs tell about the lane.
    pub(super) fn complete(&self, run: &PollRun<'_>, mut update: LaneUpdate) -> LaneUpdate {
        if self.regained.is_none() && self.settles.is_none() {
            return update;
        }
        let shared = run.tenant.shared();
        let job_id = update.job_id.clone().unwrap_or_default();
        let Some(logged) = shared
            .view
            .as_ref()
            .and_then(|view| view.cycles.get(&job_id))
        else {
            return update;
        };
        let timing = timing(run, &update.key, update.promised);
        for gap in self.regained.iter().chain(&self.settles) {
            let told = shared.record.told(&update.key).iter().chain(&update.cycles);
            let more = only_in_logs(logged, gap, &told.collect::<Vec<_>>(), timing.interval);
            update.cycles.extend(more);
        }
        if let Some(gap) = &self.settles
            && is_talkative(logged, gap, timing.missed_after)
        {
            update.gaps_between = Some((gap.from(), gap.to()));
        }
        update
    }
}

/// The window of the lane that a job feeds, as far as the config and the job tell.
fn window(run: &PollRun<'_>, facts: &JobFacts) -> Duration {
    let Some(kind) = lane_kind_of_template(&facts.template) else {
        return Duration::ZERO;
    };
    let key = LaneKey {
        tenant: run.tenant.config.name.clone(),
        engine: Engine::Cloud,
        kind,
        partition: facts.domain.clone().unwrap_or_default(),
    };
    timing(run, &key, facts.interval).missed_after
}

/// The timing of a lane as far as the config and its source's promise tell.
fn timing(run: &PollRun<'_>, key: &LaneKey, promised: Option<Duration>) -> Timing {
    let intervals = Intervals {
        promised,
        ..Intervals::default()
    };
    run.policy
        .terms(key)
        .timing(&intervals, key.engine, key.kind)
}
