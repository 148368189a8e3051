//! Rows of the provisioning log: which are ours, and the cycles they belong to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::log::{ProvisioningStatus, RowId};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::LogRow;

use super::reader::Reader;
use crate::parse::ParseError;
use crate::parse::jobs::template_of;
use crate::parse::provisioning::{Row, rows};
use crate::polls::PollRun;
use crate::polls::tenant::{LogView, Shared};

/// The rows of a page that belong to Cloud Sync.
pub(super) struct Page<'a> {
    pub(super) next_link: Option<Cow<'a, str>>,
    rows: Vec<Row<'a>>,
}

/// Reads a page. Other provisioning applications write into the same log; their rows are left.
pub(super) fn page<'a>(run: &PollRun<'_>, body: &'a [u8]) -> Result<Page<'a>, ParseError> {
    let mut page = rows(body)?;
    let mut ours = Vec::new();
    for row in page.by_ref() {
        let row = row?;
        if is_ours(&run.tenant.shared(), &row) {
            ours.push(row);
        }
    }
    Ok(Page {
        next_link: page.next_link().map(|link| Cow::Owned(link.to_owned())),
        rows: ours,
    })
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

impl Page<'_> {
    pub(super) fn log_rows(&self) -> Vec<LogRow<'_>> {
        self.rows
            .iter()
            .map(|row| LogRow {
                id: RowId::of(&row.id),
                occurred_at: row.occurred_at,
                job_id: row.job_id.as_deref().unwrap_or_default(),
                action: row.action,
                status: row.status,
                error_code: row.error_code.as_deref(),
                object_id: row.object_id.as_deref(),
                cycle_id: row.cycle_id.as_deref().map(RowId::of),
                raw: row.raw.as_bytes(),
            })
            .collect()
    }
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
    pub(super) fn take(&mut self, page: &Page<'_>) {
        for row in &page.rows {
            let (Some(job_id), Some(cycle_id)) = (row.job_id.as_deref(), row.cycle_id.as_deref())
            else {
                continue;
            };
            if !self.jobs.contains_key(job_id) {
                self.jobs.insert(job_id.to_owned(), BTreeMap::new());
            }
            let Some(cycles) = self.jobs.get_mut(job_id) else {
                continue;
            };
            let run = cycles.entry(RowId::of(cycle_id)).or_insert(Run {
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
