//! Rows of the provisioning log: which are ours, and the cycles they belong to.

use std::collections::BTreeMap;

use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::log::{ProvisioningStatus, RowId};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::LogRow;

use super::reader::Reader;
use crate::parse::jobs::template_of;
use crate::parse::provisioning::Row;
use crate::polls::tenant::{LogView, Shared};

/// Whether a row is about what is watched: other provisioning applications write into the same log.
pub(super) fn is_ours(shared: &Shared, row: &Row<'_>) -> bool {
    let by_job = row
        .job_id
        .as_deref()
        .is_some_and(|id| template_of(id).is_some() || shared.book.knows(id));
    by_job
        || row
            .principal_id
            .as_deref()
            .is_some_and(|id| shared.configurations.contains_key(id))
}

/// Cycles put together from their rows, whatever the order rows come in.
#[derive(Debug, Default)]
pub(super) struct Cycles {
    jobs: BTreeMap<String, BTreeMap<RowId, Run>>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    began_at: Timestamp,
    ended_at: Timestamp,
    failures: bool,
}

impl Cycles {
    pub(super) fn of(rows: &[LogRow<'_>]) -> Self {
        let mut cycles = Self::default();
        for row in rows {
            cycles.add(row);
        }
        cycles
    }

    fn add(&mut self, row: &LogRow<'_>) {
        let (job_id, Some(cycle_id)) = (row.job_id.as_ref(), row.cycle_id) else {
            return;
        };
        if job_id.is_empty() {
            return;
        }
        let run = Run {
            began_at: row.occurred_at,
            ended_at: row.occurred_at,
            failures: row.status == ProvisioningStatus::Failure,
        };
        match self.jobs.get_mut(job_id) {
            Some(runs) => join(runs, cycle_id, run),
            None => {
                let runs = BTreeMap::from([(cycle_id, run)]);
                self.jobs.insert(job_id.to_owned(), runs);
            }
        }
    }

    pub(super) fn take(&mut self, page: Self) {
        for (job_id, cycles) in page.jobs {
            let known = self.jobs.entry(job_id).or_default();
            for (cycle_id, run) in cycles {
                join(known, cycle_id, run);
            }
        }
    }

    pub(super) fn into_view(self, reader: &Reader) -> LogView {
        let cycles = self
            .jobs
            .into_iter()
            .map(|(job_id, runs)| {
                let mut cycles: Vec<Cycle> = runs.into_values().map(cycle).collect();
                cycles.sort_unstable_by_key(|cycle| cycle.ended_at);
                (job_id, cycles)
            })
            .collect();
        LogView {
            from: reader.from,
            started_at: reader.started_at,
            cycles,
        }
    }
}

fn join(runs: &mut BTreeMap<RowId, Run>, cycle_id: RowId, part: Run) {
    let run = runs.entry(cycle_id).or_insert(part);
    run.began_at = run.began_at.min(part.began_at);
    run.ended_at = run.ended_at.max(part.ended_at);
    run.failures |= part.failures;
}

/// A cycle that wrote log rows ran to where they end; objects may have failed in it.
fn cycle(run: Run) -> Cycle {
    Cycle {
        began_at: Some(run.began_at),
        ended_at: run.ended_at,
        outcome: if run.failures {
            CycleOutcome::ObjectErrors
        } else {
            CycleOutcome::Succeeded
        },
        evidence: CycleEvidence::Log,
        exported: None,
        escrowed: None,
    }
}
