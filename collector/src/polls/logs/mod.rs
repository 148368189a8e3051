//! The two logs: read in overlapping windows, every page committed as it comes, the watermark
//! only when everything was read. Rows that come twice are known by their id.

mod actors;
mod audits;
mod provisioning;
mod reader;
mod window;

use syncwatch_domain::source::Poll;
use syncwatch_store::{Fact, LogPage, LogRow, LogStream, PollCommit, PollOutcome};
use url::Url;

pub(crate) use self::reader::Reader;
use self::window::{Reach, Resume, inclusive_filter, plan, strict_filter};
use super::{PollError, PollRun, Ran, readable};
use crate::graph::{Endpoint, GraphError, Next};

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

async fn read_on(run: &PollRun<'_>, progress: &mut Progress) -> Result<Ran, PollError> {
    let endpoint = progress.learner.endpoint();
    loop {
        let url = match &progress.reader.link {
            Some(link) => link.clone(),
            None => first_page(run, endpoint, &progress.reader),
        };
        let body = match run.tenant.graph.get(endpoint, &url).await {
            Ok(body) => body,
            Err(error) => match error.next {
                Next::Budget(at) => return Ok(Ran::Paused(at)),
                _ => {
                    progress.reader.recover(error)?;
                    continue;
                }
            },
        };
        if !take_page(run, progress, endpoint, &body).await? {
            return Ok(Ran::Committed);
        }
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

/// Commits a page. `false` when it was the last one; then the watermark is committed with it.
async fn take_page(
    run: &PollRun<'_>,
    progress: &mut Progress,
    endpoint: Endpoint,
    body: &[u8],
) -> Result<bool, PollError> {
    let Progress { reader, learner } = progress;
    match learner {
        Learner::Provisioning(cycles) => {
            let page = readable(run, endpoint, body, provisioning::page(run, body))?;
            let link = follow(run, endpoint, page.next_link.as_deref())?;
            let last = reader.is_last(link.as_ref());
            commit(
                run,
                reader,
                last,
                LogStream::Provisioning,
                &page.rows,
                Vec::new(),
            )
            .await?;
            cycles.take(&page.rows);
            Ok(reader.advance(link)?)
        }
        Learner::Audits(writes) => {
            let page = readable(run, endpoint, body, writes.page(body))?;
            let link = follow(run, endpoint, page.next_link.as_deref())?;
            let last = reader.is_last(link.as_ref());
            writes.take(&page);
            let facts = if last { writes.facts() } else { Vec::new() };
            commit(run, reader, last, LogStream::Audit, &page.log_rows(), facts).await?;
            Ok(reader.advance(link)?)
        }
    }
}

fn follow(
    run: &PollRun<'_>,
    endpoint: Endpoint,
    link: Option<&str>,
) -> Result<Option<Url>, GraphError> {
    link.map(|link| run.tenant.graph.next_url(endpoint, link))
        .transpose()
}

async fn commit(
    run: &PollRun<'_>,
    reader: &Reader,
    last: bool,
    stream: LogStream,
    rows: &[LogRow<'_>],
    facts: Vec<Fact>,
) -> Result<(), PollError> {
    if rows.is_empty() && !last {
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
    let finished_at = run.tenant.now().max(run.started_at);
    let receipt = run
        .store
        .commit_poll(
            &PollCommit {
                log: (!rows.is_empty()).then_some(LogPage { stream, rows }),
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
