//! Lists of objects, read page by page to their end: each page is committed as it comes.

use syncwatch_domain::owner::ObjectType;
use syncwatch_domain::source::ReadFailure;
use syncwatch_store::{ListedPage, ObjectList, PollCommit, PollOutcome};
use url::Url;

use super::{Learned, PollError, PollRun, Ran, readable};
use crate::graph::{Endpoint, GraphError};
use crate::parse::objects::ids;

/// No list that is read here has more pages.
const PAGES_MOST: u32 = 10_000;

/// Reads which users are managed in Entra ID. There is no right to read this of single users that
/// could not change it as well, so the list is filtered (Microsoft Graph reference,
/// *onPremisesSyncBehavior*).
pub(super) async fn cloud_managed(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let query = [
        ("$filter", "onPremisesSyncBehavior/isCloudManaged eq true"),
        ("$count", "true"),
        ("$select", "id"),
        ("$top", "999"),
    ];
    let url = run.tenant.graph.url("v1.0/users", &query);
    let list = ObjectList::CloudManaged(ObjectType::User);
    match read(run, Endpoint::CloudManaged, url, &list).await {
        Ok(()) => Ok(done()),
        // A cloud that does not know the filter has no such users.
        Err(PollError::Graph(error)) if error.status == Some(400) => Err(GraphError {
            failure: ReadFailure::NotAvailable,
            ..error
        }
        .into()),
        Err(error) => Err(error),
    }
}

/// Reads a list from its first page on.
pub(super) async fn read(
    run: &PollRun<'_>,
    endpoint: Endpoint,
    first: Url,
    list: &ObjectList,
) -> Result<(), PollError> {
    let graph = &run.tenant.graph;
    let reading = number(run);
    let mut next = Some(first);
    for _ in 0..PAGES_MOST {
        let Some(url) = next else {
            return Ok(());
        };
        let body = graph.get(endpoint, &url).await?;
        let page = readable(run, endpoint, &body, ids(&body))?;
        let link = page.next_link.as_deref();
        next = link
            .map(|link| graph.next_url(endpoint, link))
            .transpose()?;
        let listed = ListedPage {
            list: list.clone(),
            reading,
            ends: next.is_none(),
            ids: page.items,
        };
        commit(run, listed, reading).await?;
    }
    Err(GraphError::unreadable(endpoint.as_str(), "the list does not end").into())
}

/// The number of a reading: its start, and always higher than that of the one before.
fn number(run: &PollRun<'_>) -> i64 {
    let now = run.started_at.as_millis();
    let shared = run.tenant.shared();
    let known = shared.readings.get(&run.source.state.key.poll).copied();
    let stored = run.source.resume.as_deref();
    let before = known.or_else(|| stored?.parse().ok());
    before.map_or(now, |before: i64| now.max(before.saturating_add(1)))
}

async fn commit(run: &PollRun<'_>, listed: ListedPage, reading: i64) -> Result<(), PollError> {
    let finished_at = run.tenant.now().max(run.started_at);
    let (id, outcome) = (run.source.id, PollOutcome::Partial);
    let commit = PollCommit {
        listed: Some(listed),
        resume: Some(reading.to_string()),
        ..PollCommit::bare(id, run.started_at, finished_at, outcome)
    };
    run.store.commit_poll(&commit, run.policy).await?;
    let poll = run.source.state.key.poll;
    run.tenant.shared().readings.insert(poll, reading);
    Ok(())
}

/// Nothing more is to be committed than that everything was read.
pub(super) fn done() -> Ran {
    Ran::Learned(Box::<Learned>::default())
}
