//! The two logs: read in overlapping windows, every page committed as it comes, the watermark
//! only when everything was read. Rows that come twice are known by their id. While a page is
//! committed the next one is fetched and made ready, never more than one.

mod actors;
mod audits;
mod provisioning;
mod reader;
mod ready;
mod window;

use syncwatch_domain::source::Poll;
use syncwatch_store::{Fact, PollCommit, PollOutcome};
use url::Url;

pub(crate) use self::reader::Reader;
use self::ready::{Lesson, ready_audits};
pub use self::ready::{LogPageError, NotReady, ReadyPage, ready_provisioning};
use self::window::{Reach, Resume, inclusive_filter, plan, strict_filter};
use super::tenant::lock;
use super::{PollError, PollRun, Ran, unreadable};
use crate::graph::{Endpoint, GraphError, Next};
use crate::parse::provisioning::Row;

/// Rows per page of the directory audits, the documented most.
const AUDIT_PAGE: u32 = 1000;

/// What a log makes of its rows beside keeping them.
enum Learner {
    Provisioning(provisioning::Cycles),
    Audits(audits::Writes),
}

impl Learner {
    fn new(run: &PollRun<'_>) -> Self {
        match run.source.state.key.poll {
            Poll::DirectoryAudits => Self::Audits(audits::Writes::new(run.tenant)),
            _ => Self::Provisioning(provisioning::Cycles::default()),
        }
    }

    const fn endpoint(&self) -> Endpoint {
        match self {
            Self::Provisioning(_) => Endpoint::Provisioning,
            Self::Audits(_) => Endpoint::DirectoryAudits,
        }
    }

    /// What the page is committed with when it is the last one.
    fn facts(&self, last: &Lesson) -> Vec<Fact> {
        match (self, last) {
            (Self::Audits(writes), Lesson::Writes(last)) => writes.facts(last),
            _ => Vec::new(),
        }
    }

    /// A page is committed.
    fn take(&mut self, lesson: Lesson) {
        match (self, lesson) {
            (Self::Provisioning(cycles), Lesson::Cycles(page)) => cycles.take(page),
            (Self::Audits(writes), Lesson::Writes(page)) => writes.take(&page),
            // A learner reads its own log only.
            _ => {}
        }
    }
}

/// A position with what was learned on the way to it.
pub(crate) struct Progress {
    reader: Reader,
    learner: Learner,
}

/// Reads on from where the last run stopped.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let mut progress = take(run);
    let result = read_on(run, &mut progress).await;
    if matches!(result, Ok(Ran::Committed)) {
        finish(run, progress);
    } else {
        run.tenant
            .shared()
            .progress
            .insert(run.source.state.key.poll, progress);
    }
    result
}

/// The interrupted position, unless more is wanted than it will bring; else a new one.
fn take(run: &PollRun<'_>) -> Progress {
    let poll = run.source.state.key.poll;
    let mut shared = run.tenant.shared();
    let wanted = shared.wanted.filter(|_| poll == Poll::ProvisioningLogs);
    if let Some(mut progress) = shared.progress.remove(&poll) {
        let reader = &mut progress.reader;
        if wanted
            .is_none_or(|wanted| reader.from <= wanted.from && reader.started_at >= wanted.begun_at)
        {
            reader.resumed();
            return progress;
        }
    }
    drop(shared);
    let resume = Resume::parse(run.source.resume.as_deref());
    let config = &run.tenant.config;
    let reach = Reach {
        overlap: config.log_overlap,
        first_read: config.log_first_read,
    };
    // Only a read of this process counts: before it, rows may have been missed.
    let last_read_at = run
        .source
        .state
        .read_at
        .filter(|at| *at >= run.tenant.born_at);
    let span = plan(
        run.started_at,
        &resume,
        last_read_at,
        wanted.map(|wanted| wanted.from),
        &reach,
    );
    let page_size = match poll {
        Poll::DirectoryAudits => AUDIT_PAGE,
        _ => resume
            .page_size
            .unwrap_or(config.provisioning_page_size)
            .min(config.provisioning_page_size),
    };
    Progress {
        reader: Reader::new(span, run.started_at, page_size),
        learner: Learner::new(run),
    }
}

/// Everything was read and committed: others may use it.
fn finish(run: &PollRun<'_>, progress: Progress) {
    let mut shared = run.tenant.shared();
    match progress.learner {
        Learner::Provisioning(cycles) => {
            if shared.wanted.is_some_and(|wanted| {
                progress.reader.from <= wanted.from && progress.reader.started_at >= wanted.begun_at
            }) {
                shared.wanted = None;
            }
            shared.view = Some(cycles.into_view(&progress.reader));
        }
        Learner::Audits(writes) => writes.publish(&mut shared),
    }
}

/// A page as it was fetched.
struct Fetched {
    page: ReadyPage,
    link: Option<Url>,
}

/// Why a page was not fetched.
enum Missed {
    /// The request failed; the reader may know how to go on.
    Request(GraphError),
    /// What came cannot be used.
    Answer(PollError),
}

impl<E: Into<PollError>> From<E> for Missed {
    fn from(error: E) -> Self {
        Self::Answer(error.into())
    }
}

async fn read_on(run: &PollRun<'_>, progress: &mut Progress) -> Result<Ran, PollError> {
    let mut ahead = None;
    loop {
        let fetched = match ahead.take() {
            Some(fetched) => fetched,
            None => fetch(run, &progress.learner, &progress.reader).await,
        };
        match fetched {
            Ok(fetched) => match take_page(run, progress, fetched).await? {
                Some(next) => ahead = Some(next),
                None => return Ok(Ran::Committed),
            },
            Err(Missed::Answer(error)) => return Err(error),
            Err(Missed::Request(error)) => match error.next {
                Next::Budget(at) => return Ok(Ran::Paused(at)),
                _ => progress.reader.recover(error)?,
            },
        }
    }
}

/// Fetches the page at which `reader` stands, and makes it ready.
async fn fetch(run: &PollRun<'_>, learner: &Learner, reader: &Reader) -> Result<Fetched, Missed> {
    let endpoint = learner.endpoint();
    let url = match &reader.link {
        Some(link) => link.clone(),
        None => first_page(run, endpoint, reader),
    };
    let body = run.tenant.graph.get(endpoint, &url).await;
    let body = body.map_err(Missed::Request)?;
    let ready = match learner {
        Learner::Provisioning(_) => {
            let most = usize::try_from(reader.page_size).unwrap_or_default();
            let shared = run.tenant.shared_facts();
            let is_ours = move |row: &Row<'_>| provisioning::is_ours(&lock(&shared), row);
            ready_provisioning(run.store, body, most, is_ours).await
        }
        Learner::Audits(writes) => ready_audits(run.store, body, writes.actors()).await,
    };
    let page = ready.map_err(|not_ready| explain(run, endpoint, not_ready))?;
    let link = page.next_link.as_deref();
    let link = link.map(|link| run.tenant.graph.next_url(endpoint, link));
    let link = link.transpose()?;
    Ok(Fetched { page, link })
}

fn explain(run: &PollRun<'_>, endpoint: Endpoint, not_ready: NotReady) -> PollError {
    match not_ready.error {
        LogPageError::Parse(error) => unreadable(run, endpoint, &not_ready.body, error).into(),
        LogPageError::Store(error) => error.into(),
    }
}

fn first_page(run: &PollRun<'_>, endpoint: Endpoint, reader: &Reader) -> Url {
    let graph = &run.tenant.graph;
    let size = reader.page_size.to_string();
    match endpoint {
        Endpoint::DirectoryAudits => {
            let filter = inclusive_filter(reader.window);
            graph.url(
                "v1.0/auditLogs/directoryAudits",
                &[("$filter", &filter), ("$top", &size)],
            )
        }
        _ => {
            let filter = strict_filter(reader.window);
            graph.url(
                "v1.0/auditLogs/provisioning",
                &[("$filter", &filter), ("$top", &size)],
            )
        }
    }
}

/// Commits a page and fetches the next one meanwhile. `None` when it was the last one; then the
/// watermark is committed with it.
async fn take_page(
    run: &PollRun<'_>,
    progress: &mut Progress,
    Fetched { page, link }: Fetched,
) -> Result<Option<Result<Fetched, Missed>>, PollError> {
    let Progress { reader, learner } = progress;
    let last = reader.is_last(link.as_ref());
    let mut next = reader.clone();
    let more = next.advance(link);
    let fetch_next = async {
        Ok(match more {
            Ok(true) => Some(fetch(run, learner, &next).await),
            _ => None,
        })
    };
    // A commit that fails drops what was fetched ahead: this page is read again.
    let ((), ahead) = tokio::try_join!(commit(run, reader, learner, &page, last), fetch_next)?;
    learner.take(page.lesson);
    *reader = next;
    more?;
    Ok(ahead)
}

async fn commit(
    run: &PollRun<'_>,
    reader: &Reader,
    learner: &Learner,
    page: &ReadyPage,
    last: bool,
) -> Result<(), PollError> {
    let log = (!page.log.is_empty()).then_some(&page.log);
    if log.is_none() && !last {
        return Ok(());
    }
    let outcome = if last {
        PollOutcome::Read
    } else {
        PollOutcome::Partial
    };
    let resume = Resume {
        read_to_ms: Some(reader.started_at.as_millis()),
        page_size: Some(reader.page_size),
    };
    let facts = if last {
        learner.facts(&page.lesson)
    } else {
        Vec::new()
    };
    let finished_at = run.tenant.now().max(run.started_at);
    let receipt = run
        .store
        .commit_poll(
            &PollCommit {
                log,
                resume: last.then(|| resume.to_text()),
                facts,
                ..PollCommit::bare(run.source.id, reader.started_at, finished_at, outcome)
            },
            run.policy,
        )
        .await?;
    if receipt.conflicting > 0 {
        tracing::warn!(
            source = %run.source.state.key,
            rows = receipt.conflicting,
            "rows came back under a known id with another instant; the first one is kept"
        );
    }
    Ok(())
}
