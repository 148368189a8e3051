//! Lanes of Connect Sync, as an agent on its server tells of them.

use std::collections::BTreeSet;
use std::time::Duration;

use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_domain::sync_server::Scheduler;
use syncwatch_domain::time::{Timestamp, span_of_millis};
use syncwatch_store::{Expectation, LaneUpdate};

use super::known::Known;
use crate::agents::Who;

/// Password hash sync runs every 2 minutes, which cannot be changed (Entra Connect Sync scheduler:
/// two schedulers inside the service).
const PASSWORD_CYCLE: Duration = Duration::from_secs(120);

/// Whether cycles are expected of the lanes of a server.
pub(super) struct Terms {
    staging: bool,
    expectation: Expectation,
    interval: Option<Duration>,
}

impl Terms {
    /// Terms of object lanes. What a scheduler that was not read would say is not guessed: the
    /// server may be a copy in staging mode.
    pub(super) fn of_objects(who: &Who, scheduler: &Scheduler) -> Self {
        let paused = if scheduler.staging_mode {
            Some(staging(who))
        } else if scheduler.sync_cycle_enabled {
            None
        } else {
            Some(format!("the scheduler of {} is disabled", who.host))
        };
        Self {
            staging: scheduler.staging_mode,
            expectation: expectation(paused),
            interval: Some(span_of_millis(scheduler.effective_interval_ms)),
        }
    }

    /// Terms of a lane of password hashes. The scheduler does not matter to it, staging does.
    pub(super) fn of_passwords(
        who: &Who,
        scheduler: &Scheduler,
        enabled: Option<bool>,
        domain: &str,
    ) -> Self {
        let paused = if scheduler.staging_mode {
            Some(staging(who))
        } else if enabled == Some(false) {
            Some(format!("password hash sync is off for {domain}"))
        } else {
            None
        };
        Self {
            staging: scheduler.staging_mode,
            expectation: expectation(paused),
            interval: Some(PASSWORD_CYCLE),
        }
    }

    /// Terms of a lane whose connector or domain is not there any more.
    fn of_gone(who: &Who, partition: &str) -> Self {
        Self {
            staging: false,
            expectation: expectation(Some(format!(
                "{} does not synchronize {partition} any more",
                who.host
            ))),
            interval: None,
        }
    }
}

/// The lanes of a kind that the server had and that a complete list does not name any more.
pub(super) fn gone(
    who: &Who,
    known: &Known,
    kind: LaneKind,
    listed: &BTreeSet<&str>,
) -> Vec<LaneUpdate> {
    known
        .lanes(kind)
        .filter(|partition| !listed.contains(partition))
        .filter_map(|partition| {
            let terms = Terms::of_gone(who, partition);
            update(who, known, (kind, partition), Vec::new(), terms)
        })
        .collect()
}

fn staging(who: &Who) -> String {
    format!("{} is in staging mode", who.host)
}

fn expectation(paused: Option<String>) -> Expectation {
    match paused {
        Some(reason) => Expectation::Paused { reason },
        None => Expectation::Expected,
    }
}

/// What a reading says of one lane. A server that only keeps a copy has no lanes; those that it
/// had before wait for the one that takes its place.
pub(super) fn update(
    who: &Who,
    known: &Known,
    (kind, partition): (LaneKind, &str),
    cycles: Vec<Cycle>,
    terms: Terms,
) -> Option<LaneUpdate> {
    let cycles = if terms.staging {
        known.has_lane(kind, partition).then(Vec::new)?
    } else {
        cycles
    };
    Some(LaneUpdate {
        key: LaneKey {
            tenant: who.tenant.clone(),
            engine: Engine::Connect,
            kind,
            partition: partition.to_owned(),
        },
        job_id: None,
        cycles,
        promised: terms.interval,
        expectation: terms.expectation,
        confirmed: false,
        gaps_between: None,
    })
}

/// A cycle that ended well, of which no more is known.
pub(super) const fn success(ended_at: Timestamp) -> Cycle {
    Cycle {
        began_at: None,
        ended_at,
        outcome: CycleOutcome::Succeeded,
        evidence: CycleEvidence::Status,
        exported: None,
        escrowed: None,
    }
}

/// Adds what a later reading says: its cycles to the earlier ones, the rest in their place.
pub(super) fn merge(lanes: &mut Vec<LaneUpdate>, newer: Vec<LaneUpdate>) {
    for mut update in newer {
        if let Some(at) = lanes.iter().position(|older| older.key == update.key) {
            let older = lanes.swap_remove(at);
            let known = update.cycles.len();
            for cycle in older.cycles {
                if !update.cycles[..known].contains(&cycle) {
                    update.cycles.push(cycle);
                }
            }
        }
        lanes.push(update);
    }
}
