//! Jobs of one Cloud Sync configuration: their state, and the cycles their status tells of.

use std::collections::HashSet;

use syncwatch_domain::job::{Job, JobStatus, ScheduleState};
use syncwatch_domain::source::Poll;
use syncwatch_store::{CrossingLane, Expectation, LaneUpdate};

use super::record::Taken;
use super::sight::Sight;
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

/// Where the jobs of the source's configuration are.
pub(super) fn path(run: &PollRun<'_>) -> String {
    format!(
        "v1.0/servicePrincipals/{}/synchronization/jobs",
        run.source.state.key.instance
    )
}

/// Asks for the few jobs whose lanes crossed an instant; `None` when the list is the better way.
async fn confirm(run: &PollRun<'_>) -> Result<Option<Learned>, PollError> {
    let state = &run.source.state;
    if run.errand.confirms_since.is_none()
        || state.failing_since.is_some()
        || run.tenant.shared().book.lanes_of(&state.key.instance) <= LIST_UP_TO
    {
        return Ok(None);
    }
    let crossing = &run.crossing;
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
    Ok(Some(confirmed(run, found, crossing)))
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
        resume: sight.resume(),
        ..Learned::default()
    };
    let principal = &run.source.state.key.instance;
    // First: a lane keeps its name when a new job takes the place of one that is gone.
    let ids: HashSet<&str> = listed.iter().map(|facts| facts.job_id.as_str()).collect();
    {
        let taken = Taken {
            began_at: run.started_at,
            ended_at: run.tenant.now(),
        };
        let mut shared = run.tenant.shared();
        // A later read may have seen a job that this list does not know yet.
        if !shared.record.is_overtaken(principal, taken) {
            shared.book.list(principal, |id| ids.contains(id));
        }
    }
    for facts in listed {
        let (job, lane) = observe(run, facts);
        learned
            .lanes
            .extend(lane.map(|update| sight.complete(run, update)));
        learned.jobs.push(job);
    }
    let mut shared = run.tenant.shared();
    // Which jobs have a scope is known now.
    if run.tenant.config.poll(Poll::JobSchemas).enabled && !shared.schemas.contains(principal) {
        let schemas = run.tenant.source(Poll::JobSchemas, principal);
        learned.discovered.push(schemas);
    }
    for (key, job_id) in shared.book.gone(&run.tenant.config.name, principal) {
        learned.told_gone.push(job_id.clone());
        learned.lanes.push(LaneUpdate {
            key,
            job_id: Some(job_id),
            cycles: Vec::new(),
            promised: None,
            expectation: Expectation::Paused {
                reason: "its job is gone".to_owned(),
            },
            confirmed: false,
            gaps_between: None,
        });
    }
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
