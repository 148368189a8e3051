//! Agents that have fallen silent: a report that does not come is told by nobody else.

use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::clock::Clock;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{PollCommit, PollOutcome, Store, StoreError, StoredSource};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Enrolled;
use super::intake::instance;
use super::trouble::{Trouble, Troubles};
use crate::config::AgentConfig;

/// How often a silence that lasts is looked at again, at the least.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Watches for silence until `stop`.
pub(super) async fn watch(
    agents: &[Enrolled],
    store: &Store,
    clock: &Arc<dyn Clock>,
    policy: &watch::Receiver<Arc<LanePolicy>>,
    troubles: &Troubles,
    stop: &CancellationToken,
) {
    // What was not heard while this process was down says nothing about the agents.
    let listening_since = clock.now();
    let shortest = agents.iter().map(|agent| agent.config.silent_after).min();
    let look_again = shortest.map_or(LOOK_AGAIN, |shortest| shortest.min(LOOK_AGAIN));
    loop {
        let now = clock.now();
        let looked = look(agents, store, policy, troubles, (listening_since, now)).await;
        let wait = match looked {
            Ok(next) => next.map_or(look_again, |next| next.since(now).min(look_again)),
            Err(error) => {
                let reason = crate::http::chain(&error);
                tracing::warn!(reason, "cannot look whether agents report");
                look_again
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
        }
    }
}

/// Looks once; gives the next instant at which an agent would have been silent for too long.
pub(super) async fn look(
    agents: &[Enrolled],
    store: &Store,
    policy: &watch::Receiver<Arc<LanePolicy>>,
    troubles: &Troubles,
    (listening_since, now): (Timestamp, Timestamp),
) -> Result<Option<Timestamp>, StoreError> {
    let mut next = None;
    for Enrolled { who, config } in agents {
        let key = SourceKey {
            tenant: who.tenant.clone(),
            poll: Poll::AgentReports,
            instance: instance(&who.host, ""),
        };
        let source = store.ensure_source(&key, now).await?;
        let at = silent_at(&source, config).max(listening_since + config.silent_after);
        if at > now {
            next = Some(next.map_or(at, |next: Timestamp| next.min(at)));
            continue;
        }
        let commit = silence(&source, config, troubles.of(who), now);
        let policy = Arc::clone(&policy.borrow());
        store.commit_poll(&commit, &policy).await?;
    }
    Ok(next)
}

/// When it has been silent for too long: counted from its last report, or from when it was first
/// expected.
fn silent_at(source: &StoredSource, agent: &AgentConfig) -> Timestamp {
    let state = &source.state;
    state.read_at.unwrap_or(state.first_seen_at) + agent.silent_after
}

/// Says since when nothing came, and why where that is known.
fn silence(
    source: &StoredSource,
    agent: &AgentConfig,
    trouble: Option<Trouble>,
    now: Timestamp,
) -> PollCommit<'static> {
    let state = &source.state;
    let since = state.read_at.map_or_else(
        || format!("no report ever came from {}", agent.host),
        |at| format!("the last report from {} came at {at}", agent.host),
    );
    let (failure, text) = match trouble {
        Some(Trouble { failure, text }) => (failure, format!("{since}: {text}")),
        None => (ReadFailure::Timeout, since),
    };
    PollCommit::bare(source.id, now, now, PollOutcome::Failed { failure, text })
}
