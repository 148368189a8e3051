//! Section `password_sync`: the state of every domain, and the lanes of password hashes.

use syncwatch_domain::lane::LaneKind;
use syncwatch_domain::report::forms::ShapeError;
use syncwatch_domain::report::password_sync::{self, PartitionState};
use syncwatch_domain::sync_server::{Part, PasswordDomain, PasswordSync, Runs, Scheduler};

use super::known::Known;
use super::lanes::{Terms, gone, success, update};
use super::{Learned, Reading};
use crate::agents::Who;

pub(super) fn learn(
    who: &Who,
    reading: &Reading<'_>,
    known: &mut Known,
) -> Result<Learned, ShapeError> {
    let read = password_sync::read(&reading.record.data, &reading.forms())?;
    let scheduler: Option<Scheduler> = known.part(Part::Scheduler);
    let runs: Runs = known.part_or_default(Part::Runs);
    let before: PasswordSync = known.part_or_default(Part::PasswordSync);
    let mut now = PasswordSync::default();
    let mut lanes = Vec::new();
    for state in &read.partitions {
        let enabled = enabled(&read, state, &runs);
        let mut domain = domain(reading, state, enabled, &before);
        if let Some(scheduler) = &scheduler {
            // A single lane, whatever brought the sign of life: state or event.
            let new = domain.alive_at.filter(|at| domain.counted_at < Some(*at));
            domain.counted_at = domain.counted_at.max(new);
            let cycles = new.map(success).into_iter().collect();
            let terms = Terms::of_passwords(who, scheduler, enabled, &domain.domain);
            let lane = (LaneKind::PasswordHash, domain.domain.as_str());
            lanes.extend(update(who, known, lane, cycles, terms));
        }
        now.domains.push(domain);
    }
    let listed = now.domains.iter().map(|domain| domain.domain.as_str());
    lanes.extend(gone(who, known, LaneKind::PasswordHash, &listed.collect()));
    now.domains.sort_by(|a, b| a.domain.cmp(&b.domain));
    Ok(Learned {
        facts: vec![known.learn(Part::PasswordSync, &now)],
        lanes,
        ..Learned::of(reading)
    })
}

/// What is known of a domain: its state, and what events added before.
fn domain(
    reading: &Reading<'_>,
    state: &PartitionState,
    enabled: Option<bool>,
    before: &PasswordSync,
) -> PasswordDomain {
    let known = before
        .domains
        .iter()
        .find(|known| known.domain == state.domain);
    // A state that comes again is as old as it was, however the clock is corrected by now.
    let is_new = known.is_none_or(|known| known.state_as_told != state.success_ended_at);
    let new = state.success_ended_at.filter(|_| is_new);
    let succeeded_at = new.map(|at| reading.true_time(at));
    PasswordDomain {
        domain: state.domain.clone(),
        connector_id: state.connector_id.clone(),
        enabled,
        alive_at: succeeded_at.max(known.and_then(|known| known.alive_at)),
        state_as_told: state.success_ended_at,
        counted_at: known.and_then(|known| known.counted_at),
        failed_at: known
            .map(|known| known.failed_at.clone())
            .unwrap_or_default(),
        failure_text: known.and_then(|known| known.failure_text.clone()),
        state_not_stored_at: known.and_then(|known| known.state_not_stored_at),
    }
}

/// Whether it is on for the connector of a domain. Configurations name connectors; where the run
/// history has not told the name yet, the connector of a forest has the forest's name.
fn enabled(
    read: &password_sync::PasswordSync,
    state: &PartitionState,
    runs: &Runs,
) -> Option<bool> {
    let connector = runs
        .connectors
        .iter()
        .find(|connector| connector.id == state.connector_id);
    if let Some(connector) = connector {
        return read.enabled(&connector.name);
    }
    let mut forests: Vec<_> = read
        .configurations
        .iter()
        .filter(|configuration| is_within(&state.domain, &configuration.source.to_lowercase()))
        .collect();
    forests.sort_by_key(|configuration| configuration.source.len());
    forests.last().map(|configuration| configuration.enabled)
}

/// Whether a domain is one of a forest.
fn is_within(domain: &str, forest: &str) -> bool {
    domain
        .strip_suffix(forest)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
