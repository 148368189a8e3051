//! Section `password_sync`: the state of every domain, and the lanes of password hashes.

use syncwatch_domain::lane::LaneKind;
use syncwatch_domain::report::forms::ShapeError;
use syncwatch_domain::report::password_sync::{self, PartitionState};
use syncwatch_domain::sync_server::{Part, PasswordDomain, PasswordSync, Runs, Scheduler};

use super::known::Known;
use super::lanes::{Terms, success, update};
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
        let domain = domain(reading, state, enabled, &before);
        // A single lane, whatever brought the sign of life: state or event.
        let cycles = domain.alive_at.map(success).into_iter().collect();
        let terms = Terms::of_passwords(who, scheduler.as_ref(), enabled, &domain.domain);
        let lane = (LaneKind::PasswordHash, domain.domain.as_str());
        lanes.extend(update(who, known, lane, cycles, terms));
        now.domains.push(domain);
    }
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
    let succeeded_at = state.success_ended_at.map(|at| reading.true_time(at));
    PasswordDomain {
        domain: state.domain.clone(),
        connector_id: state.connector_id.clone(),
        enabled,
        alive_at: succeeded_at.max(known.and_then(|known| known.alive_at)),
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
