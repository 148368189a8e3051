//! Rows of the provisioning log: which are ours, and the cycles they belong to.

use std::collections::BTreeMap;

use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::log::{ProvisioningStatus, RowId};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::LogRow;

use super::reader::Reader;
use crate::parse::ParseError;
use crate::parse::jobs::template_of;
use crate::parse::provisioning::{Row, Wanted, wanted};
use crate::polls::PollRun;
use crate::polls::tenant::{LogView, Shared};

/// Reads a page. Other provisioning applications write into the same log; their rows are left.
pub(super) fn page<'a>(run: &PollRun<'_>, body: &'a [u8]) -> Result<Wanted<'a>, ParseError> {
    let most = run.tenant.config.provisioning_page_size;
    let most = usize::try_from(most).unwrap_or_default();
    wanted(body, most, |row| is_ours(&run.tenant.shared(), row))
}

fn is_ours(shared: &Shared, row: &Row<'_>) -> bool {
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
    pub(super) fn take(&mut self, rows: &[LogRow<'_>]) {
        for row in rows {
            let (job_id, Some(cycle_id)) = (row.job_id.as_ref(), row.cycle_id) else {
                continue;
            };
            if job_id.is_empty() {
                continue;
            }
            if !self.jobs.contains_key(job_id) {
                self.jobs.insert(job_id.to_owned(), BTreeMap::new());
            }
            let Some(cycles) = self.jobs.get_mut(job_id) else {
                continue;
            };
            let run = cycles.entry(cycle_id).or_insert(Run {
                began_at: row.occurred_at,
                ended_at: row.occurred_at,
                failures: false,
            });
            run.began_at = run.began_at.min(row.occurred_at);
            run.ended_at = run.ended_at.max(row.occurred_at);
            run.failures |= row.status == ProvisioningStatus::Failure;
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
