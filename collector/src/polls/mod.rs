//! The polls: each asks for one thing, turns the answer into observations and commits them with
//! the attempt. Every poll can be repeated at any time without harm.

pub(crate) mod agents;
mod asked;
pub(crate) mod book;
pub(crate) mod catch_up;
pub(crate) mod credentials;
pub(crate) mod jobs;
mod listed;
pub(crate) mod logs;
mod members;
pub(crate) mod objects;
pub(crate) mod organization;
pub(crate) mod principals;
pub(crate) mod record;
pub(crate) mod schemas;
mod sight;
pub(crate) mod tenant;

use syncwatch_domain::job::Job;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    CrossingLane, Fact, LaneUpdate, PollCommit, PollOutcome, Store, StoreError, StoredSource,
};

use self::record::{JobNotes, LaneNotes, Taken};
use self::tenant::Tenant;
use crate::graph::{Endpoint, GraphError, Next};
use crate::parse::ParseError;

/// Lanes per commit: a long list must not keep a confirm read waiting for its turn to write.
const LANES_AT_ONCE: usize = 100;

/// No list that is read here has more pages.
const PAGES_MOST: usize = 10_000;

/// One run of a poll.
pub(crate) struct PollRun<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) store: &'a Store,
    pub(crate) policy: &'a LanePolicy,
    pub(crate) source: &'a StoredSource,
    /// Start of the run: what an answer is sure to cover.
    pub(crate) started_at: Timestamp,
    pub(crate) errand: Errand,
    /// Lanes that cross an instant up to the start, when that is why it runs.
    pub(crate) crossing: Vec<CrossingLane>,
}

/// Why a poll runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errand {
    /// Only because lanes crossed an instant after this one; `None` for a regular run.
    pub(crate) confirms_since: Option<Timestamp>,
    /// It may wait for the logs to be read back first.
    pub(crate) may_wait: bool,
}

impl Errand {
    /// Whether it runs only for lanes that crossed an instant.
    pub(crate) const fn is_confirm(self) -> bool {
        self.confirms_since.is_some()
    }
}

/// How a run ended without failing.
#[derive(Debug)]
pub(crate) enum Ran {
    /// Something was learned that is still to be committed.
    Learned(Box<Learned>),
    /// Everything is committed already.
    Committed,
    /// The own budget is used up, or others get their turn; to be continued then.
    Paused(Timestamp),
    /// The answer is there, but the logs must be read back before it counts.
    AwaitsLogs,
}

/// What a poll learned.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Only the confirmed lanes were read.
    pub(crate) partial: bool,
    pub(crate) lanes: Vec<LaneUpdate>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) jobs_complete: bool,
    /// Jobs that are gone, and of which `lanes` tells that.
    pub(crate) told_gone: Vec<String>,
    pub(crate) resume: Option<String>,
    pub(crate) discovered: Vec<SourceKey>,
    pub(crate) retired: Vec<SourceKey>,
    pub(crate) facts: Vec<Fact>,
}

/// A run that failed.
#[derive(Debug)]
pub(crate) enum PollError {
    /// Microsoft Graph could not be read.
    Graph(GraphError),
    /// The store refused.
    Store(StoreError),
}

impl From<GraphError> for PollError {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

impl From<StoreError> for PollError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// How a run ended, after everything is committed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) started_at: Timestamp,
    pub(crate) discovered: Vec<StoredSource>,
    pub(crate) retired: Vec<SourceKey>,
    /// What the source continues from now, where that changed.
    pub(crate) resume: Option<String>,
}

/// The outcome of a run.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The source was read.
    Read,
    /// Some lanes of it were.
    Confirmed,
    /// It could not be read; that is on record.
    Failed(ReadFailure, Next, String),
    /// To be continued at this instant.
    Paused(Timestamp),
    /// It waits for the logs.
    AwaitsLogs,
}

/// Runs a poll and commits what it learned, or that it failed.
pub(crate) async fn run(run: &PollRun<'_>) -> Result<Ended, StoreError> {
    let failure = run.source.state.failure;
    if matches!(
        failure,
        Some(ReadFailure::RightMissing | ReadFailure::LicenceMissing)
    ) {
        // Rights are baked into a token when it is issued.
        run.tenant.graph.tokens().forget();
    }
    let began = std::time::Instant::now();
    let result = ask(run).await;
    let poll = run.source.state.key.poll;
    let ended = settle(run, result).await;
    if matches!(&ended, Ok(ended) if !matches!(ended.outcome, Outcome::Paused(_) | Outcome::AwaitsLogs))
    {
        run.tenant.metrics.polled(poll, began.elapsed());
    }
    ended
}

async fn ask(run: &PollRun<'_>) -> Result<Ran, PollError> {
    match run.source.state.key.poll {
        Poll::ServicePrincipals => principals::read(run).await,
        Poll::Jobs => jobs::read(run).await,
        Poll::JobSchemas => schemas::read(run).await,
        Poll::ProvisioningLogs | Poll::DirectoryAudits => logs::read(run).await,
        Poll::Organization | Poll::OrganizationBeta => organization::read(run).await,
        Poll::Agents => agents::read(run).await,
        Poll::Credentials => credentials::read(run).await,
        Poll::Users | Poll::Groups => objects::read(run).await,
        Poll::CloudManaged => listed::cloud_managed(run).await,
        Poll::GroupMembers => members::read(run).await,
        // Agents bring their reports by another way; nothing schedules these.
        Poll::AgentReports | Poll::AgentSection => Ok(Ran::Committed),
    }
}

/// Commits the end of a run.
async fn settle(run: &PollRun<'_>, result: Result<Ran, PollError>) -> Result<Ended, StoreError> {
    let finished_at = run.tenant.now().max(run.started_at);
    let mut ended = Ended {
        outcome: Outcome::Read,
        started_at: run.started_at,
        discovered: Vec::new(),
        retired: Vec::new(),
        resume: None,
    };
    match result {
        Ok(Ran::Learned(learned)) => {
            let learned = *learned;
            if learned.partial {
                ended.outcome = Outcome::Confirmed;
            }
            ended.retired.clone_from(&learned.retired);
            ended.resume.clone_from(&learned.resume);
            ended.discovered = commit(run, learned, finished_at).await?;
        }
        Ok(Ran::Committed) => {}
        Ok(Ran::Paused(at)) => ended.outcome = Outcome::Paused(at),
        Ok(Ran::AwaitsLogs) => ended.outcome = Outcome::AwaitsLogs,
        Err(PollError::Store(error)) => return Err(error),
        Err(PollError::Graph(error)) => {
            let text = sentence(run, &error);
            let outcome = PollOutcome::Failed {
                failure: error.failure,
                text: text.clone(),
            };
            let commit = PollCommit::bare(run.source.id, run.started_at, finished_at, outcome);
            run.store.commit_poll(&commit, run.policy).await?;
            ended.outcome = Outcome::Failed(error.failure, error.next, text);
        }
    }
    Ok(ended)
}

/// Commits what was learned and is not on record. A long list is committed in parts, of which the
/// last one says that it was read. What jobs are up to comes first: it explains their lanes.
async fn commit(
    run: &PollRun<'_>,
    mut learned: Learned,
    finished_at: Timestamp,
) -> Result<Vec<StoredSource>, StoreError> {
    let principal = &run.source.state.key.instance;
    let told_gone = std::mem::take(&mut learned.told_gone);
    let (lanes, jobs) = sift(run, &mut learned, finished_at);
    let mut whole = commit_of(run, learned, finished_at);
    while whole.lanes.len() > LANES_AT_ONCE {
        let rest = whole.lanes.split_off(LANES_AT_ONCE);
        let lanes = std::mem::replace(&mut whole.lanes, rest);
        let part = PollCommit {
            lanes,
            jobs: std::mem::take(&mut whole.jobs),
            jobs_complete: std::mem::take(&mut whole.jobs_complete),
            ..PollCommit::bare(
                whole.source,
                whole.started_at,
                whole.finished_at,
                PollOutcome::Partial,
            )
        };
        run.store.commit_poll(&part, run.policy).await?;
    }
    let receipt = run.store.commit_poll(&whole, run.policy).await?;
    let mut shared = run.tenant.shared();
    shared.book.told_gone(&told_gone);
    shared.record.note_lanes(lanes);
    shared.record.note_jobs(principal, jobs);
    Ok(receipt.discovered)
}

/// Leaves what has to be written, and gives what is on record once it is.
fn sift(run: &PollRun<'_>, learned: &mut Learned, finished_at: Timestamp) -> (LaneNotes, JobNotes) {
    let record = &run.tenant.shared().record;
    let taken = Taken {
        began_at: run.started_at,
        ended_at: finished_at,
    };
    let lanes = record.sift_lanes(&mut learned.lanes, taken);
    let jobs = record.sift_jobs(
        &run.source.state.key.instance,
        &mut learned.jobs,
        &mut learned.jobs_complete,
        taken,
    );
    (lanes, jobs)
}

fn commit_of(run: &PollRun<'_>, learned: Learned, finished_at: Timestamp) -> PollCommit<'static> {
    let outcome = if learned.partial {
        PollOutcome::Partial
    } else {
        PollOutcome::Read
    };
    PollCommit {
        lanes: learned.lanes,
        jobs: learned.jobs,
        jobs_complete: learned.jobs_complete,
        resume: learned.resume,
        discovered: learned.discovered,
        retired: learned.retired,
        facts: learned.facts,
        ..PollCommit::bare(run.source.id, run.started_at, finished_at, outcome)
    }
}

/// What failed, and what a person can do where a right or a licence is missing.
fn sentence(run: &PollRun<'_>, error: &GraphError) -> String {
    let Some(right) = run.source.state.key.poll.right() else {
        return error.to_string();
    };
    match error.failure {
        ReadFailure::RightMissing => format!(
            "{error}. Grant the application permission {} with admin consent. Without it this is lost: {}",
            right.permission, right.lost
        ),
        ReadFailure::LicenceMissing => format!(
            "{error}. This log needs Microsoft Entra ID P1 or P2; if the tenant has it, grant Directory.Read.All as \
             well, which works around a known fault of the licence check. Without it this is lost: {}",
            right.lost
        ),
        _ => error.to_string(),
    }
}

/// Reads every page of a list, following the links.
pub(crate) async fn pages<T>(
    run: &PollRun<'_>,
    endpoint: Endpoint,
    path: &str,
    query: &[(&str, &str)],
    parse: impl Fn(&[u8]) -> Result<crate::parse::principals::Listed<T>, ParseError>,
) -> Result<Vec<T>, GraphError> {
    let graph = &run.tenant.graph;
    let mut url = graph.url(path, query);
    let mut all = Vec::new();
    for _ in 0..PAGES_MOST {
        let body = graph.get(endpoint, &url).await?;
        let page = readable(run, endpoint, &body, parse(&body))?;
        all.extend(page.items);
        match page.next_link {
            None => return Ok(all),
            Some(link) => url = graph.next_url(endpoint, &link)?,
        }
    }
    Err(GraphError::unreadable(
        endpoint.as_str(),
        "the list does not end",
    ))
}

/// Notes in the debug log how an answer began that could not be read.
pub(crate) fn readable<T>(
    run: &PollRun<'_>,
    endpoint: Endpoint,
    body: &[u8],
    parsed: Result<T, ParseError>,
) -> Result<T, GraphError> {
    parsed.map_err(|error| unreadable(run, endpoint, body, error))
}

/// Notes how the answer began.
fn unreadable(run: &PollRun<'_>, endpoint: Endpoint, body: &[u8], error: ParseError) -> GraphError {
    let error = GraphError::from(error);
    run.tenant.graph.note_unreadable(endpoint, body, &error);
    error
}

/// A fact, unless the tenant has none of this name and this one says that there is nothing.
pub(crate) fn fact(name: String, value: serde_json::Value) -> Fact {
    Fact { name, value }
}

/// Facts with `prefix` on record that are not among `present` any more, as taken back.
pub(crate) fn taken_back(run: &PollRun<'_>, prefix: &str, present: &[Fact]) -> Vec<Fact> {
    let mut shared = run.tenant.shared();
    let gone: Vec<String> = shared
        .facts
        .iter()
        .filter(|name| name.starts_with(prefix) && !present.iter().any(|fact| fact.name == **name))
        .cloned()
        .collect();
    for fact in present {
        shared.facts.insert(fact.name.clone());
    }
    for name in &gone {
        shared.facts.remove(name);
    }
    gone.into_iter()
        .map(|name| fact(name, serde_json::Value::Null))
        .collect()
}
