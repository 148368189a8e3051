//! Jobs of one Cloud Sync configuration: their state, and the cycles their status tells of.

use std::time::Duration;

use syncwatch_domain::cadence::Intervals;
use syncwatch_domain::job::{Job, JobStatus, ScheduleState, lane_kind_of_template};
use syncwatch_domain::lane::{Engine, LaneKey};
use syncwatch_domain::source::Poll;
use syncwatch_store::{CrossingLane, Expectation, LaneUpdate};

use super::catch_up::{Gap, JobsResume, is_talkative, lookback, only_in_logs, regained};
use super::tenant::Wanted;
use super::{Learned, PollError, PollRun, Ran, pages, readable};
use crate::graph::Endpoint;
use crate::parse::jobs::{JobFacts, job, jobs, template_of};

/// With more lanes than this, one that is due is asked for alone.
const LIST_UP_TO: usize = 4;
/// At most so many single jobs are asked for before the list is cheaper.
const SINGLE_UP_TO: usize = 2;

/// Reads the jobs of the source's configuration.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    if let Some(learned) = confirm(run).await? {
        return Ok(Ran::Learned(Box::new(learned)));
    }
    let listed = pages(run, Endpoint::Jobs, &path(run), &[], jobs).await?;
    let listed: Vec<JobFacts> = listed
        .into_iter()
        .filter(|facts| template_of(&facts.template).is_some())
        .collect();
    let sight = Sight::of(run, &listed).await?;
    if sight.wants_logs(run) {
        return Ok(Ran::AwaitsLogs);
    }
    Ok(Ran::Learned(Box::new(learned(run, listed, &sight))))
}

fn path(run: &PollRun<'_>) -> String {
    format!(
        "v1.0/servicePrincipals/{}/synchronization/jobs",
        run.source.state.key.instance
    )
}

/// Asks for the few jobs whose lanes crossed an instant; `None` when the list is the better way.
async fn confirm(run: &PollRun<'_>) -> Result<Option<Learned>, PollError> {
    let Some(since) = run.errand.confirms_since else {
        return Ok(None);
    };
    let state = &run.source.state;
    if state.failing_since.is_some()
        || run.tenant.shared().book.lanes_of(&state.key.instance) <= LIST_UP_TO
    {
        return Ok(None);
    }
    let crossing = run
        .store
        .lanes_crossing(run.source.id, since, run.started_at)
        .await?;
    let ids: Option<Vec<&str>> = crossing.iter().map(|lane| lane.job_id.as_deref()).collect();
    let Some(ids) = ids.filter(|ids| (1..=SINGLE_UP_TO).contains(&ids.len())) else {
        return Ok(None);
    };
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        match single(run, id).await? {
            Some(facts) => found.push(facts),
            None => return Ok(None),
        }
    }
    Ok(Some(confirmed(run, found, &crossing)))
}

/// One job; `None` when it is gone, which the list tells better.
async fn single(run: &PollRun<'_>, id: &str) -> Result<Option<JobFacts>, PollError> {
    let graph = &run.tenant.graph;
    let url = graph.url(&format!("{}/{id}", path(run)), &[]);
    match graph.get(Endpoint::Job, &url).await {
        Ok(body) => Ok(Some(readable(run, Endpoint::Job, &body, job(&body))?)),
        Err(error) if error.status == Some(404) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn confirmed(run: &PollRun<'_>, found: Vec<JobFacts>, crossing: &[CrossingLane]) -> Learned {
    let mut learned = Learned {
        partial: true,
        ..Learned::default()
    };
    for facts in found {
        let (job, lane) = observe(run, facts);
        learned.lanes.extend(lane.map(|mut update| {
            update.confirmed = crossing.iter().any(|crossing| crossing.key == update.key);
            update
        }));
        learned.jobs.push(job);
    }
    learned
}

/// A complete list: every job, and lanes whose job is no longer there.
fn learned(run: &PollRun<'_>, listed: Vec<JobFacts>, sight: &Sight) -> Learned {
    let mut learned = Learned {
        jobs_complete: true,
        resume: sight.resume.after(sight.regained, sight.settles.is_some()),
        ..Learned::default()
    };
    let principal = &run.source.state.key.instance;
    // First: a lane keeps its name when a new job takes the place of one that is gone.
    run.tenant.shared().book.list(principal, |id| {
        listed.iter().any(|facts| facts.job_id == id)
    });
    for facts in listed {
        let (job, lane) = observe(run, facts);
        learned
            .lanes
            .extend(lane.map(|update| sight.complete(run, update)));
        learned.jobs.push(job);
    }
    let mut shared = run.tenant.shared();
    let gone = shared.book.gone(&run.tenant.config.name, principal);
    learned
        .lanes
        .extend(gone.into_iter().map(|(key, job_id)| LaneUpdate {
            key,
            job_id: Some(job_id),
            cycles: Vec::new(),
            promised: None,
            expectation: Expectation::Paused {
                reason: "its job is gone".to_owned(),
            },
            confirmed: false,
            gaps_between: None,
        }));
    shared.jobs_read.insert(principal.clone());
    learned
}

/// A job in our words, and what it says about its lane.
fn observe(run: &PollRun<'_>, facts: JobFacts) -> (Job, Option<LaneUpdate>) {
    let principal = &run.source.state.key.instance;
    let mut shared = run.tenant.shared();
    let domain = facts.domain.unwrap_or_else(|| {
        let name = shared
            .configurations
            .get(principal)
            .filter(|name| !name.is_empty());
        name.unwrap_or(principal).to_ascii_lowercase()
    });
    let job = Job {
        tenant: run.tenant.config.name.clone(),
        service_principal_id: principal.clone(),
        job_id: facts.job_id,
        template: facts.template,
        domain,
        status: facts.status,
        schedule: facts.schedule,
        interval: facts.interval,
        quarantine: facts.quarantine,
        error: facts.error,
        successive_failures: facts.successive_failures,
        steady_first_at: facts.steady_first_at,
        steady_last_at: facts.steady_last_at,
        read_at: run.started_at,
    };
    let lane = shared
        .book
        .note(&run.tenant.config.name, &job)
        .map(|key| LaneUpdate {
            key,
            job_id: Some(job.job_id.clone()),
            cycles: facts.cycles,
            promised: job.interval,
            expectation: expectation(&job),
            confirmed: false,
            gaps_between: None,
        });
    (job, lane)
}

fn expectation(job: &Job) -> Expectation {
    if job.is_expected_to_run() {
        return Expectation::Expected;
    }
    let reason = match (job.schedule, job.status) {
        (ScheduleState::Disabled, _) => "the job is disabled",
        (ScheduleState::Paused, _) | (_, JobStatus::Paused) => "the job is paused",
        _ => "the job is not set up completely",
    };
    Expectation::Paused {
        reason: reason.to_owned(),
    }
}

/// What was missed while the source could not be seen, and what can be proven by now.
struct Sight {
    resume: JobsResume,
    /// This read ends a time without sight in which windows may have closed.
    regained: Option<Gap>,
    /// The logs of an earlier one are final and were read: it is settled now.
    settles: Option<Gap>,
    /// A read of the logs that would help.
    wanted: Option<Wanted>,
}

impl Sight {
    async fn of(run: &PollRun<'_>, listed: &[JobFacts]) -> Result<Self, PollError> {
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
        let back = lookback(listed.iter().map(|facts| window(run, facts)));
        if let Some(gap) = sight.resume.unsettled {
            let final_at = gap.to() + run.tenant.config.log_settle;
            let needed = Wanted {
                from: gap.from() - back,
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
                from: gap.from() - back,
                begun_at: lost_until.unwrap_or(run.tenant.born_at),
            };
            sight.look(run, needed);
            sight.regained = Some(gap);
        }
        Ok(sight)
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
    fn wants_logs(&self, run: &PollRun<'_>) -> bool {
        let Some(wanted) = self.wanted.filter(|_| run.errand.may_wait) else {
            return false;
        };
        let mut shared = run.tenant.shared();
        shared.wanted = Some(wanted.and(shared.wanted));
        true
    }

    /// Adds what the logs tell about the lane.
    fn complete(&self, run: &PollRun<'_>, mut update: LaneUpdate) -> LaneUpdate {
        let shared = run.tenant.shared();
        let job_id = update.job_id.clone().unwrap_or_default();
        let Some(logged) = shared
            .view
            .as_ref()
            .and_then(|view| view.cycles.get(&job_id))
        else {
            return update;
        };
        for gap in self.regained.iter().chain(&self.settles) {
            let told = shared.book.told(&update.key).iter().chain(&update.cycles);
            let more = only_in_logs(logged, gap, &told.collect::<Vec<_>>());
            update.cycles.extend(more);
        }
        if let Some(gap) = &self.settles
            && is_talkative(logged, gap, window_of(run, &update.key, update.promised))
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
    window_of(run, &key, facts.interval)
}

fn window_of(run: &PollRun<'_>, key: &LaneKey, promised: Option<Duration>) -> Duration {
    let intervals = Intervals {
        promised,
        ..Intervals::default()
    };
    run.policy
        .terms(key)
        .timing(&intervals, key.engine, key.kind)
        .missed_after
}
