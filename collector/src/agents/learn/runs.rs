//! Section `runs`: the newest runs of every connector, and the lanes of objects.
//!
//! A lane covers a connector. That of a forest lives by its imports: they fail when no domain
//! controller answers, and do not come when the scheduler stands. That of Entra ID lives by its
//! exports, which run once a cycle even when there is nothing to write.

use std::collections::BTreeMap;

use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::lane::LaneKind;
use syncwatch_domain::report::forms::ShapeError;
use syncwatch_domain::report::runs::grade::{self, Grade};
use syncwatch_domain::report::runs::{RunResult, read};
use syncwatch_domain::sync_server::{ConnectorRuns, Part, Run, Running, Runs, Scheduler};
use syncwatch_domain::time::{Timestamp, millis};
use syncwatch_store::LaneUpdate;

use super::known::Known;
use super::lanes::{Terms, update};
use super::{Learned, Reading};
use crate::agents::Who;

/// Fewer runs than this have no median worth the name.
const MEDIAN_FROM: usize = 3;

pub(super) fn learn(
    who: &Who,
    reading: &Reading<'_>,
    known: &mut Known,
) -> Result<Learned, ShapeError> {
    let runs = corrected(read(&reading.record.data, &reading.forms())?, reading);
    let scheduler: Option<Scheduler> = known.part(Part::Scheduler);
    let mut all: Runs = known.part_or_default(Part::Runs);
    let by_connector = by_connector(&runs);
    for connector in &mut all.connectors {
        if !by_connector.contains_key(connector.id.as_str()) {
            connector.running = None;
        }
    }
    let mut lanes = Vec::new();
    for (id, runs) in &by_connector {
        let new = take(&mut all, id, runs);
        lanes.extend(lane(who, known, runs, &new, scheduler.as_ref()));
    }
    all.connectors.sort_by(|a, b| a.name.cmp(&b.name));
    all.last_success_at = all.last_success_at.max(whole_cycle(&all));
    Ok(Learned {
        facts: vec![known.learn(Part::Runs, &all)],
        lanes,
        ..Learned::of(reading)
    })
}

fn corrected(mut runs: Vec<RunResult>, reading: &Reading<'_>) -> Vec<RunResult> {
    for run in &mut runs {
        run.began_at = reading.true_time(run.began_at);
        run.ended_at = run.ended_at.map(|at| reading.true_time(at));
    }
    runs.sort_by_key(|run| run.number);
    runs
}

/// Runs of each connector, oldest first.
fn by_connector(runs: &[RunResult]) -> BTreeMap<&str, Vec<&RunResult>> {
    let mut all = BTreeMap::<&str, Vec<&RunResult>>::new();
    for run in runs {
        all.entry(&run.connector_id).or_default().push(run);
    }
    all
}

/// Brings what is known of a connector up to date; gives the runs that ended and are new.
fn take<'a>(all: &mut Runs, id: &str, runs: &[&'a RunResult]) -> Vec<&'a RunResult> {
    let Some(newest) = runs.last() else {
        return Vec::new();
    };
    let at = all.connectors.iter().position(|known| known.id == id);
    let at = at.unwrap_or_else(|| {
        all.connectors.push(ConnectorRuns {
            id: id.to_owned(),
            name: String::new(),
            cloud: newest.is_cloud(),
            newest: Vec::new(),
            counted_to: 0,
            running: None,
        });
        all.connectors.len() - 1
    });
    let known = &mut all.connectors[at];
    known.name.clone_from(&newest.connector);
    if newest.number < known.counted_to {
        // A server that was set up anew counts from the start.
        known.counted_to = 0;
    }
    let counted_to = known.counted_to;
    let mut new = Vec::new();
    for run in runs.iter().filter(|run| run.number > counted_to) {
        if let Some(ended_at) = run.ended_at.filter(|_| run.complete) {
            take_run(known, run, ended_at);
            known.counted_to = run.number;
            new.push(*run);
        }
    }
    known.newest.sort_by(|a, b| a.profile.cmp(&b.profile));
    known.running = running(runs);
    new
}

/// Takes in a run that ended.
fn take_run(known: &mut ConnectorRuns, run: &RunResult, ended_at: Timestamp) {
    let at = known
        .newest
        .iter()
        .position(|before| before.profile == run.profile);
    let before = at.map(|at| known.newest.remove(at));
    let grade = run.grade();
    // As bad as this one, or worse.
    let as_bad = before
        .as_ref()
        .filter(|before| grade::of(&before.result) >= grade);
    let (bad_in_a_row, bad_since) = if grade == Grade::Ok {
        (0, None)
    } else {
        let so_far = as_bad.map_or(0, |before| before.bad_in_a_row);
        let since = as_bad.and_then(|before| before.bad_since);
        (
            so_far.saturating_add(1),
            Some(since.unwrap_or(run.began_at)),
        )
    };
    known.newest.push(Run {
        profile: run.profile.clone(),
        result: run.result.clone(),
        began_at: run.began_at,
        ended_at,
        bad_in_a_row,
        bad_since,
        export_failures: run.export_failures().unwrap_or(0),
        export_failures_before: before.map_or(0, |before| before.export_failures),
    });
}

/// The run under way, and how long its kind usually takes.
fn running(runs: &[&RunResult]) -> Option<Running> {
    // One that never ended before others did is a leftover of a crash.
    let run = runs.last().filter(|run| !run.complete)?;
    let mut lengths: Vec<i64> = runs
        .iter()
        .filter(|other| other.profile == run.profile)
        .filter_map(|other| Some(millis(other.ended_at?.since(other.began_at))))
        .collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied();
    Some(Running {
        profile: run.profile.clone(),
        began_at: run.began_at,
        median_ms: median.filter(|_| lengths.len() >= MEDIAN_FROM),
    })
}

/// Whether a profile reads from a directory.
fn is_import(profile: &str) -> bool {
    profile.ends_with("Import")
}

/// When the newest cycle ended of which every import worked: that is what keeps delta cycles
/// possible (Entra Connect Sync scheduler: 7 days). `None` while the newest import of one failed.
fn whole_cycle(all: &Runs) -> Option<Timestamp> {
    let mut oldest = None;
    for connector in &all.connectors {
        let imports = connector
            .newest
            .iter()
            .filter(|run| is_import(&run.profile));
        let newest = imports.max_by_key(|run| run.ended_at)?;
        if outcome(&newest.result) == CycleOutcome::Failed {
            return None;
        }
        oldest = Some(oldest.map_or(newest.ended_at, |at: Timestamp| at.min(newest.ended_at)));
    }
    oldest
}

/// How a run counts for its lane.
fn outcome(result: &str) -> CycleOutcome {
    match grade::of(result) {
        Grade::Ok | Grade::Info if !result.starts_with("no-start") => CycleOutcome::Succeeded,
        Grade::Warning if result.starts_with("completed") => CycleOutcome::ObjectErrors,
        _ => CycleOutcome::Failed,
    }
}

fn lane(
    who: &Who,
    known: &Known,
    runs: &[&RunResult],
    new: &[&RunResult],
    scheduler: Option<&Scheduler>,
) -> Option<LaneUpdate> {
    let newest = runs.last()?;
    let beats = |run: &RunResult| {
        if run.is_cloud() {
            run.profile == "Export"
        } else {
            is_import(&run.profile)
        }
    };
    let cycles = new.iter().filter(|run| beats(run)).filter_map(|run| {
        Some(Cycle {
            began_at: Some(run.began_at),
            ended_at: run.ended_at?,
            outcome: outcome(&run.result),
            evidence: CycleEvidence::Status,
            exported: run.exported().filter(|_| run.is_cloud()),
            escrowed: run.export_failures().filter(|_| run.is_cloud()),
        })
    });
    let terms = Terms::of_objects(who, scheduler?);
    let lane = (LaneKind::Objects, newest.connector.as_str());
    update(who, known, lane, cycles.collect(), terms)
}
