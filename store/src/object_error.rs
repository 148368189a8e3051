//! Objects that fail at present: the newest log row of each decides.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::log::ProvisioningStatus;
use syncwatch_domain::time::Timestamp;

use crate::error::{StoreError, word};
use crate::log_page::PageRow;
use crate::model::ObjectErrorSummary;
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// Objects per statement.
const CHUNK: usize = 512;

/// The newest row of each object of a page.
fn newest<'a>(rows: &[&'a PageRow], refs: &[i64]) -> BTreeMap<(i64, &'a str), &'a PageRow> {
    let mut newest = BTreeMap::<(i64, &str), &PageRow>::new();
    for row in rows {
        let Some(object) = row.object_id.as_deref() else {
            continue;
        };
        let slot = newest.entry((refs[row.job], object)).or_insert(row);
        if row.occurred_at >= slot.occurred_at {
            *slot = row;
        }
    }
    newest
}

/// Takes in the rows of a page: failures are noted, successes strike off.
pub(crate) async fn note_object_errors(
    tx: &mut Tx,
    rows: &[&PageRow],
    refs: &[i64],
) -> Result<(), StoreError> {
    let newest = newest(rows, refs);
    let (failed, others): (Vec<_>, Vec<_>) = newest
        .into_iter()
        .partition(|(_, row)| row.status == ProvisioningStatus::Failure);
    let mut touched = BTreeSet::new();
    for chunk in failed.chunks(CHUNK) {
        note_failures(tx, chunk).await?;
        touched.extend(chunk.iter().map(|((job_ref, _), _)| *job_ref));
    }
    strike_off(tx, &others, &mut touched).await?;
    for job_ref in touched {
        execute!(
            tx,
            "mark object errors changed",
            sqlx::query(
                "insert into object_error_job (job_ref, unseen) values ($1, 1) \
                 on conflict (job_ref) do update set unseen = 1, \
                 version = object_error_job.version + 1"
            )
            .bind(job_ref)
        )?;
    }
    Ok(())
}

type ObjectRow<'a> = ((i64, &'a str), &'a PageRow);

async fn note_failures(tx: &mut Tx, failed: &[ObjectRow<'_>]) -> Result<(), StoreError> {
    let sql = format!(
        "insert into object_error (job_ref, object_id, error_code, error_group, first_at, last_at) values {} \
         on conflict (job_ref, object_id) do update set error_code = excluded.error_code, \
         error_group = excluded.error_group, last_at = excluded.last_at \
         where excluded.last_at >= object_error.last_at",
        tx.places(failed.len(), 6)
    );
    execute!(tx, "note object errors", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for ((job_ref, object), row) in failed {
            query = query
                .bind(*job_ref)
                .bind(*object)
                .bind(row.error_code.as_deref().unwrap_or_default())
                .bind(row.error_group().unwrap_or(ErrorGroup::Data).as_str())
                .bind(row.occurred_at.as_millis())
                .bind(row.occurred_at.as_millis());
        }
        query.persistent(false)
    })?;
    Ok(())
}

/// Removes the errors of objects that were done since.
async fn strike_off(
    tx: &mut Tx,
    others: &[ObjectRow<'_>],
    touched: &mut BTreeSet<i64>,
) -> Result<(), StoreError> {
    let is_done = |row: &PageRow| {
        matches!(
            row.status,
            ProvisioningStatus::Success | ProvisioningStatus::Warning
        )
    };
    let done: Vec<ObjectRow<'_>> = others
        .iter()
        .filter(|(_, row)| is_done(row))
        .copied()
        .collect();
    for chunk in done.chunks(CHUNK) {
        // Few sizes of the statement, so that each is prepared once: the last object stands in
        // for those that are missing to the next size.
        let size = chunk.len().next_power_of_two();
        let sql = format!(
            "delete from object_error where (job_ref, object_id) in (select e.job_ref, e.object_id \
             from (values {}) as v join object_error e on e.job_ref = v.column1 and e.object_id = v.column2 \
             and e.last_at <= v.column3) returning job_ref",
            tx.places(size, 3)
        );
        let struck: Vec<(i64,)> = fetch_in!(tx, "strike off object errors", {
            let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
            let last = chunk.last().into_iter().cycle();
            for ((job_ref, object), row) in chunk.iter().chain(last).take(size) {
                query = query
                    .bind(*job_ref)
                    .bind(*object)
                    .bind(row.occurred_at.as_millis());
            }
            query
        })?;
        touched.extend(struck.into_iter().map(|(job_ref,)| job_ref));
    }
    Ok(())
}

impl Store {
    /// The open object errors of every job that has or had some, every group of each; a group
    /// without open errors has a count of zero. A job that is gone has none: nobody tries again.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn object_errors(&self) -> Result<Vec<ObjectErrorSummary>, StoreError> {
        self.summaries(0).await
    }

    /// The same for the jobs whose errors changed since the evaluator looked.
    pub(crate) async fn unseen_object_errors(&self) -> Result<Vec<ObjectErrorSummary>, StoreError> {
        self.summaries(1).await
    }

    async fn summaries(&self, least_unseen: i64) -> Result<Vec<ObjectErrorSummary>, StoreError> {
        type Row = (
            String,
            String,
            Option<String>,
            i64,
            Option<String>,
            i64,
            Option<i64>,
            Option<i64>,
        );
        let rows: Vec<Row> = fetch!(
            self,
            "sum up object errors",
            sqlx::query_as(
                "select j.tenant, j.job_id, e.error_group, o.version, e.error_code, count(e.object_id), \
                 min(e.first_at), max(e.last_at) from object_error_job o join job_ref j on j.id = o.job_ref \
                 left join object_error e on e.job_ref = o.job_ref where o.unseen >= $1 \
                 and not exists (select 1 from job g where g.tenant = j.tenant and g.job_id = j.job_id and g.gone = 1) \
                 group by j.tenant, j.job_id, e.error_group, o.version, e.error_code order by 6 desc"
            )
            .bind(least_unseen)
        )?;
        let mut summaries = BTreeMap::<(String, String, ErrorGroup), ObjectErrorSummary>::new();
        for (tenant, job_id, group, version, code, objects, first_at, last_at) in rows {
            for group in ErrorGroup::ALL {
                summaries
                    .entry((tenant.clone(), job_id.clone(), *group))
                    .or_insert_with(|| ObjectErrorSummary {
                        tenant: tenant.clone(),
                        job_id: job_id.clone(),
                        group: *group,
                        objects: 0,
                        first_at: None,
                        last_at: None,
                        codes: Vec::new(),
                        version,
                    });
            }
            let Some(group) = group else { continue };
            let group = word(ErrorGroup::from_word, &group, "object_error", "error_group")?;
            if let Some(summary) = summaries.get_mut(&(tenant, job_id, group)) {
                add(
                    summary,
                    code.unwrap_or_default(),
                    objects,
                    first_at,
                    last_at,
                );
            }
        }
        Ok(summaries.into_values().collect())
    }
}

fn add(
    summary: &mut ObjectErrorSummary,
    code: String,
    objects: i64,
    first_at: Option<i64>,
    last_at: Option<i64>,
) {
    let first_at = first_at.map(Timestamp::from_millis);
    summary.objects += objects;
    summary.first_at = match (summary.first_at, first_at) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    summary.last_at = summary.last_at.max(last_at.map(Timestamp::from_millis));
    summary.codes.push((code, objects));
}
