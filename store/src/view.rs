//! What comes out for people and metrics, and what goes for good.

use std::collections::HashMap;
use std::time::Duration;

use syncwatch_domain::alert::{AlertState, Rule, Severity};
use syncwatch_domain::cadence::{Intervals, Timing};
use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_domain::source::SourceKey;
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::LaneFacts;

use crate::model::{LaneId, StoredAgent};

/// How many alerts there are of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertTotal {
    /// Tenant.
    pub tenant: String,
    /// Rule.
    pub rule: Rule,
    /// Severity.
    pub severity: Severity,
    /// State.
    pub state: AlertState,
    /// How many are kept.
    pub count: i64,
}

/// Which lanes to list; an absent field matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneFilter {
    /// Tenant.
    pub tenant: Option<String>,
    /// Engine.
    pub engine: Option<Engine>,
    /// Kind.
    pub kind: Option<LaneKind>,
    /// Status.
    pub status: Option<LaneStatus>,
}

/// A lane as shown to people and metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneView {
    /// Number of its row.
    pub id: LaneId,
    /// Which lane.
    pub key: LaneKey,
    /// The Cloud Sync job behind it.
    pub job_id: Option<String>,
    /// Its source.
    pub source_key: SourceKey,
    /// Status on record.
    pub status: LaneStatus,
    /// Since when, in event time.
    pub status_at: Option<Timestamp>,
    /// Facts behind it.
    pub facts: LaneFacts,
    /// Its three intervals.
    pub intervals: Intervals,
    /// Its timing.
    pub timing: Timing,
    /// Why it is paused or masked.
    pub idle_reason: Option<String>,
    /// Missed windows since it is known.
    pub missed_windows: i64,
}

/// Cycles of a lane since it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleTotal {
    /// Which lane.
    pub key: LaneKey,
    /// Outcome.
    pub outcome: CycleOutcome,
    /// How many.
    pub count: i64,
    /// How many of them had a known length.
    pub timed: i64,
    /// Sum of the known lengths.
    pub duration_ms: i64,
}

/// Log rows of a job since it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTotal {
    /// Tenant.
    pub tenant: String,
    /// Job.
    pub job_id: String,
    /// What was tried.
    pub action: ProvisioningAction,
    /// How it went.
    pub status: ProvisioningStatus,
    /// Group of the error; `None` without one.
    pub error_group: Option<ErrorGroup>,
    /// How many.
    pub count: i64,
}

/// The agent of every host that reported last: one that was set up anew has another id, and its
/// former self is history.
#[derive(Clone, Debug, Default)]
pub struct AgentsByHost(HashMap<(String, String), StoredAgent>);

impl AgentsByHost {
    /// Sorts agents by their hosts.
    #[must_use]
    pub fn of(agents: Vec<StoredAgent>) -> Self {
        let mut newest = HashMap::<_, StoredAgent>::with_capacity(agents.len());
        for agent in agents {
            let place = host_key(&agent.tenant, &agent.identity.host);
            match newest.get(&place) {
                Some(other) if other.reported_at >= agent.reported_at => {}
                _ => drop(newest.insert(place, agent)),
            }
        }
        Self(newest)
    }

    /// The agent on a host, however its name is written.
    #[must_use]
    pub fn on(&self, tenant: &str, host: &str) -> Option<&StoredAgent> {
        self.0.get(&host_key(tenant, host))
    }
}

fn host_key(tenant: &str, host: &str) -> (String, String) {
    (tenant.to_owned(), host.to_ascii_lowercase())
}

/// Which alerts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only firing ones.
    pub firing_only: bool,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// At most this many, newest first; 0 for the default of 500.
    pub limit: u32,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Log rows and records of agents.
    pub observations: Duration,
    /// Cycles and transitions.
    pub cycles: Duration,
    /// Resolved alerts with their deliveries and attempts, and ledger entries.
    pub alerts: Duration,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Log rows and records of agents.
    pub observations: u64,
    /// Cycles and transitions.
    pub cycles: u64,
    /// Alerts, deliveries, attempts and ledger entries.
    pub alerts: u64,
    /// There is more to remove; call again.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use syncwatch_domain::report::AgentIdentity;

    use super::*;

    fn agent(tenant: &str, host: &str, id: &str, reported_at: i64) -> StoredAgent {
        StoredAgent {
            tenant: tenant.into(),
            identity: AgentIdentity {
                id: id.into(),
                host: host.into(),
                version: String::new(),
                system: String::new(),
                roles: BTreeSet::new(),
            },
            first_seen_at: Timestamp::from_millis(0),
            reported_at: Timestamp::from_millis(reported_at),
            clock_ahead_ms: 0,
            spool: None,
        }
    }

    #[test]
    fn of_agents_on_one_host_the_one_that_reported_last_counts() {
        let agents = AgentsByHost::of(vec![
            agent("hauser", "SYNC01", "old", 5),
            agent("hauser", "sync01", "new", 9),
            agent("hauser", "SYNC01", "older", 1),
            agent("other", "SYNC01", "elsewhere", 20),
        ]);
        let on = |tenant, host| {
            agents
                .on(tenant, host)
                .map(|agent| agent.identity.id.as_str())
        };
        assert_eq!(on("hauser", "Sync01"), Some("new"));
        assert_eq!(on("other", "SYNC01"), Some("elsewhere"));
        assert_eq!(on("hauser", "SYNC02"), None);
    }
}
