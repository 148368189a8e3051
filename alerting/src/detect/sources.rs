//! Sources that cannot be read.
//!
//! Decided by attempts alone, never by the clock: a source is unreachable when it was tried and
//! failed, at least twice and over a span of time. When nothing of a tenant can be read, one
//! condition speaks for all of its sources. Agents on sync servers are judged apart: they say
//! nothing about Microsoft Graph, and Graph nothing about them.

pub(crate) mod agents;
mod wording;

use std::time::Duration;

use syncwatch_domain::alert::Condition;
use syncwatch_domain::source::{Poll, SourceKey, SourceState};
use syncwatch_domain::time::Timestamp;

use crate::config::AlertSettings;

/// Fewer failures than this may be chance.
const FAILURES: i64 = 2;

/// How much longer a source may fail while no other source of its tenant was tried: which of
/// them is at fault is open until then.
const UNDECIDED: u32 = 3;

/// A lane, as far as an unreachable source speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneBehind {
    /// Its source.
    pub source: SourceKey,
    /// Its title for people.
    pub title: String,
}

/// What else is known when sources are judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Lanes behind the sources of the tenant.
    pub lanes: &'a [LaneBehind],
    /// Hosts of the Connect servers that export, as far as they were seen.
    pub active_servers: &'a [String],
    /// When the tenant was last seen to be readable again after an outage of all of it. Sources
    /// come back one by one, as their polls fall due: that much time each of them gets again.
    pub outage_over_at: Option<Timestamp>,
}

impl Context<'_> {
    /// Titles of the lanes behind a source.
    fn lanes_of(&self, source: &SourceKey) -> Vec<String> {
        self.titles(|key| key == source)
    }

    /// Titles of the lanes behind the agent on a host.
    fn lanes_of_host(&self, host: &str) -> Vec<String> {
        self.titles(|key| agent_host(key) == Some(host))
    }

    fn titles(&self, belongs: impl Fn(&SourceKey) -> bool) -> Vec<String> {
        let lanes = self.lanes.iter().filter(|lane| belongs(&lane.source));
        lanes.map(|lane| lane.title.clone()).collect()
    }
}

/// The host of the agent that a source belongs to.
#[must_use]
pub fn agent_host(key: &SourceKey) -> Option<&str> {
    match key.poll {
        Poll::AgentReports => Some(&key.instance),
        Poll::AgentSection => key.instance.split('/').next(),
        _ => None,
    }
}

/// What the sources of one tenant mean. `sources` are all of the tenant that were not retired
/// before.
#[must_use]
pub fn conditions(
    tenant: &str,
    sources: &[&SourceState],
    context: Context<'_>,
    settings: &AlertSettings,
) -> Vec<Condition> {
    let (graph, of_agents): (Vec<&SourceState>, Vec<&SourceState>) = sources
        .iter()
        .copied()
        .partition(|source| source.key.poll.is_graph());
    let mut found = of_graph(tenant, &graph, context, settings);
    found.extend(agents::conditions(&of_agents, context, settings));
    found
}

fn of_graph(
    tenant: &str,
    sources: &[&SourceState],
    context: Context<'_>,
    settings: &AlertSettings,
) -> Vec<Condition> {
    let live: Vec<&SourceState> = sources
        .iter()
        .copied()
        .filter(|source| !source.retired)
        .collect();
    let contact = live.iter().filter_map(|source| contact(source)).max();
    let mut found: Vec<Condition> = sources
        .iter()
        .filter(|source| source.retired)
        .map(|source| wording::retired(source))
        .collect();
    found.extend(live.iter().filter_map(|source| wording::read_again(source)));
    let outage = Outage::of(&live, contact);
    match &outage {
        Some(outage) if outage.holds(live.len(), settings) => {
            let behind = context.titles(|key| key.poll.is_graph());
            found.push(wording::tenant_unreachable(tenant, outage, &live, &behind));
            return found;
        }
        Some(_) => {}
        None => found.extend(wording::tenant_read_again(tenant, &live)),
    }
    found.extend(
        live.iter()
            .filter(|source| {
                let spared_until = context.outage_over_at;
                is_unreachable(source, contact, spared_until, live.len(), settings)
            })
            .map(|source| wording::unreachable(source, &context.lanes_of(&source.key))),
    );
    found
}

/// Since when a source is out of sight; `None` while it answers, and where it answers that
/// something is missing.
fn failing(source: &SourceState) -> Option<Timestamp> {
    let outage = source
        .failure
        .is_some_and(syncwatch_domain::source::ReadFailure::is_outage);
    source.failing_since.filter(|_| outage && !source.retired)
}

/// The newest sign that Microsoft Graph answers: a read, or the answer that a right is missing.
fn contact(source: &SourceState) -> Option<Timestamp> {
    let refused = source.failing_since.is_some() && failing(source).is_none();
    let answered = source.attempted_at.filter(|_| refused);
    source.read_at.max(answered)
}

/// Sources of a tenant that fail since the last sign of life from any of them.
struct Outage<'a> {
    sources: Vec<&'a SourceState>,
    since: Timestamp,
    attempts: i64,
    newest_attempt: Timestamp,
    last_contact: Option<Timestamp>,
}

impl<'a> Outage<'a> {
    /// `None` while something of the tenant answered since the last failure began.
    fn of(live: &[&'a SourceState], last_contact: Option<Timestamp>) -> Option<Self> {
        let sources: Vec<&SourceState> = live
            .iter()
            .copied()
            .filter(|source| failing(source).is_some_and(|since| Some(since) > last_contact))
            .collect();
        let since = sources.iter().filter_map(|source| failing(source)).min()?;
        Some(Self {
            since,
            attempts: sources.iter().map(|source| source.failures).sum(),
            newest_attempt: sources
                .iter()
                .filter_map(|source| source.attempted_at)
                .max()
                .unwrap_or(since),
            last_contact,
            sources,
        })
    }

    /// One source that fails while the others were not tried yet proves nothing about the tenant.
    fn holds(&self, known: usize, settings: &AlertSettings) -> bool {
        self.sources.len() >= known.min(2)
            && self.attempts >= FAILURES
            && self.newest_attempt.since(self.since) >= settings.blind_after
    }

    /// The source whose failure is the newest: what to show for all of them.
    fn newest(&self) -> Option<&'a SourceState> {
        self.sources
            .iter()
            .copied()
            .max_by_key(|source| source.attempted_at)
    }
}

/// Whether a single source is unreachable on its own account.
fn is_unreachable(
    source: &SourceState,
    contact: Option<Timestamp>,
    outage_over_at: Option<Timestamp>,
    known: usize,
    settings: &AlertSettings,
) -> bool {
    let Some(since) = failing(source) else {
        return false;
    };
    let own_since = Some(since).max(outage_over_at).unwrap_or(since);
    let lasted: Duration = source.attempted_at.unwrap_or(since).since(own_since);
    let others_answer = contact.is_some_and(|contact| contact > since);
    let patience = if others_answer || known < 2 {
        1
    } else {
        UNDECIDED
    };
    source.failures >= FAILURES && lasted >= settings.blind_after.saturating_mul(patience)
}

#[cfg(test)]
mod tests;
