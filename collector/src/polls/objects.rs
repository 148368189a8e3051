//! Users and groups by delta queries: a full round once, then what changed.
//!
//! Each page is committed with the link to what comes behind it, so that a restart goes on in the
//! middle of a round. A token that the service does not know any more begins a full round anew.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncwatch_domain::owner::ObjectType;
use syncwatch_domain::source::Poll;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{ObjectPage, PollCommit, PollOutcome};
use url::Url;

use super::asked::asked;
use super::{PollError, PollRun, Ran, readable};
use crate::graph::{Endpoint, GraphError, Next};
use crate::parse::objects::{DeltaPage, delta, held, select};

/// Pages of one run: then others get their turn, and the process may stop.
const PAGES_AT_ONCE: u32 = 50;
/// A round has no more pages.
const PAGES_MOST: u32 = 100_000;

/// Where a round stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Round {
    /// Attributes that are asked for; the service keeps the selection with the token.
    attributes: BTreeSet<String>,
    /// Number of the newest full round: the instant it began, and always higher than the one before.
    number: i64,
    /// The full round is under way.
    full: bool,
    /// What comes next; `None` is the first page of a full round.
    link: Option<String>,
    /// Pages of the round so far.
    pages: u32,
}

impl Round {
    fn new(attributes: BTreeSet<String>, now: Timestamp, before: Option<&Self>) -> Self {
        let least = before.map_or(i64::MIN, |before| before.number.saturating_add(1));
        Self {
            attributes,
            number: now.as_millis().max(least),
            full: true,
            link: None,
            pages: 0,
        }
    }

    fn parse(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What is asked, and where.
const fn of(poll: Poll) -> (ObjectType, Endpoint, &'static str) {
    match poll {
        Poll::Groups => (ObjectType::Group, Endpoint::Groups, "v1.0/groups/delta"),
        _ => (ObjectType::User, Endpoint::Users, "v1.0/users/delta"),
    }
}

/// Reads on from where the last run stopped.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let poll = run.source.state.key.poll;
    let attributes = wanted(run).await?;
    let known = run.tenant.shared().rounds.remove(&poll);
    let known = known.or_else(|| Round::parse(run.source.resume.as_deref()));
    // Another selection needs every object anew, and so does another host.
    let mut round = match known {
        Some(round)
            if round.attributes == attributes
                && round.pages < PAGES_MOST
                && url(run, &round).is_ok() =>
        {
            round
        }
        before => Round::new(attributes, run.started_at, before.as_ref()),
    };
    let result = read_on(run, &mut round).await;
    run.tenant.shared().rounds.insert(poll, round);
    result
}

/// Attributes that scopes ask for and that Graph has: no more is kept of a person.
async fn wanted(run: &PollRun<'_>) -> Result<BTreeSet<String>, PollError> {
    let (kind, ..) = of(run.source.state.key.poll);
    let asked = asked(run.store, &run.tenant.config.name).await?;
    let attributes = asked.attributes.iter();
    Ok(attributes.filter_map(|name| held(kind, name)).collect())
}

async fn read_on(run: &PollRun<'_>, round: &mut Round) -> Result<Ran, PollError> {
    let mut began_anew = false;
    for _ in 0..PAGES_AT_ONCE {
        match fetch(run, round).await {
            Ok(page) => {
                let ends = page.delta_link.is_some();
                take(run, round, page).await?;
                if ends {
                    return Ok(Ran::Committed);
                }
            }
            Err(error) if !began_anew && round.link.is_some() && is_lost(&error) => {
                tracing::info!(source = %run.source.state.key, "everything is read anew: {error}");
                began_anew = true;
                *round = Round::new(round.attributes.clone(), run.tenant.now(), Some(round));
            }
            Err(GraphError {
                next: Next::Budget(at),
                ..
            }) => return Ok(Ran::Paused(at)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Ran::Paused(run.tenant.now()))
}

/// The service does not know the token any more: 410 `resyncRequired`, 40x `syncStateNotFound`, or
/// an expired page token (Microsoft Graph, *Use delta query*).
fn is_lost(error: &GraphError) -> bool {
    error.next == Next::RestartWindow
        || error.status == Some(410)
        || error.text.contains("syncStateNotFound")
        || error.text.contains("resyncRequired")
}

/// The page at which a round stands.
fn url(run: &PollRun<'_>, round: &Round) -> Result<Url, GraphError> {
    let (kind, endpoint, path) = of(run.source.state.key.poll);
    let graph = &run.tenant.graph;
    match &round.link {
        Some(link) => graph.next_url(endpoint, link),
        None => Ok(graph.url(path, &[("$select", &select(kind, &round.attributes))])),
    }
}

async fn fetch(run: &PollRun<'_>, round: &Round) -> Result<DeltaPage, GraphError> {
    let (kind, endpoint, _) = of(run.source.state.key.poll);
    let graph = &run.tenant.graph;
    let body = graph.get(endpoint, &url(run, round)?).await?;
    let page = readable(run, endpoint, &body, delta(&body, kind, &round.attributes))?;
    // A link that leads elsewhere must not get on record.
    for link in page.delta_link.iter().chain(&page.next_link) {
        graph.next_url(endpoint, link)?;
    }
    let circles = page.delta_link.is_none() && page.next_link == round.link;
    if circles || round.pages >= PAGES_MOST {
        return Err(GraphError::unreadable(
            endpoint.as_str(),
            "its pages do not end",
        ));
    }
    Ok(page)
}

/// Commits a page, with where to go on behind it.
async fn take(run: &PollRun<'_>, round: &mut Round, page: DeltaPage) -> Result<(), PollError> {
    let (kind, ..) = of(run.source.state.key.poll);
    let ends = page.delta_link.is_some();
    let objects = ObjectPage {
        kind,
        round: round.number,
        ends_round: ends && round.full,
        asked: round.attributes.iter().cloned().collect(),
        changes: page.changes,
    };
    let next = Round {
        full: round.full && !ends,
        link: page.delta_link.or(page.next_link),
        pages: if ends { 0 } else { round.pages + 1 },
        ..round.clone()
    };
    let outcome = if ends {
        PollOutcome::Read
    } else {
        PollOutcome::Partial
    };
    let finished_at = run.tenant.now().max(run.started_at);
    let commit = PollCommit {
        objects: Some(objects),
        resume: Some(next.to_text()),
        ..PollCommit::bare(run.source.id, run.started_at, finished_at, outcome)
    };
    run.store.commit_poll(&commit, run.policy).await?;
    *round = next;
    Ok(())
}
