//! Objects that fail at present: the newest log row of each decides.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::log::ProvisioningStatus;
use syncwatch_domain::time::Timestamp;

use crate::error::{During, StoreError, word};
use crate::log_page::PageRow;
use crate::model::ObjectErrorSummary;
use crate::pools::{Tx, execute, fetch, plain_places};
use crate::store::Store;

/// Objects per statement.
const CHUNK: usize = 1024;

/// The newest row of each object of a page.
fn newest<'a>(rows: &[&'a PageRow], refs: &[i64]) -> Vec<ObjectRow<'a>> {
    let mut newest = HashMap::<(i64, &str), &PageRow>::with_capacity(rows.len());
    for row in rows {
        let Some(object) = row.object_id.as_deref() else {
            continue;
        };
        let slot = newest.entry((refs[row.job], object)).or_insert(row);
        if row.occurred_at >= slot.occurred_at {
            *slot = row;
        }
    }
    newest.into_iter().collect()
}

/// Takes in the rows of a page: failures are noted, successes strike off.
pub(crate) async fn note_object_errors(
    tx: &mut Tx,
    rows: &[&PageRow],
    refs: &[i64],
) -> Result<(), StoreError> {
    let newest = newest(rows, refs);
    let (mut failed, others): (Vec<_>, Vec<_>) = newest
        .into_iter()
        .partition(|(_, row)| row.status == ProvisioningStatus::Failure);
    // Always in the same order: two transactions must not wait for each other.
    failed.sort_unstable_by_key(|(object, _)| *object);
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
    let rows = match tx {
        Tx::Sqlite(_) => format!("values {}", tx.places(failed.len(), 6)),
        // One array per column: the statement is kept prepared, whatever the number of rows.
        Tx::Postgres(_) => "select unnest($1::bigint[]), unnest($2::text[]), unnest($3::text[]), \
         unnest($4::text[]), unnest($5::bigint[]), unnest($5::bigint[])"
            .to_owned(),
    };
    let sql = format!(
        "insert into object_error (job_ref, object_id, error_code, error_group, first_at, last_at) {rows} \
         on conflict (job_ref, object_id) do update set error_code = excluded.error_code, \
         error_group = excluded.error_group, last_at = excluded.last_at \
         where excluded.last_at >= object_error.last_at"
    );
    let noted = failed.iter().map(|((job_ref, object), row)| {
        let group = row.error_group().unwrap_or(ErrorGroup::Data).as_str();
        let code = row.error_code.as_deref().unwrap_or_default();
        (*job_ref, *object, code, group, row.occurred_at.as_millis())
    });
    let sql = AssertSqlSafe(sql);
    match tx {
        Tx::Sqlite(tx) => {
            let mut query = sqlx::query(sql).persistent(false);
            for (job_ref, object, code, group, at) in noted {
                query = query.bind(job_ref).bind(object).bind(code).bind(group);
                query = query.bind(at).bind(at);
            }
            query.execute(&mut **tx).await.map(drop)
        }
        Tx::Postgres(tx) => {
            let noted: Vec<_> = noted.collect();
            sqlx::query(sql)
                .bind(column(&noted, |row| row.0))
                .bind(column(&noted, |row| row.1))
                .bind(column(&noted, |row| row.2))
                .bind(column(&noted, |row| row.3))
                .bind(column(&noted, |row| row.4))
                .execute(&mut **tx)
                .await
                .map(drop)
        }
    }
    .during("note object errors")
}

/// One column of rows.
fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
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
        let struck: Vec<(i64,)> = match tx {
            Tx::Sqlite(tx) => strike_off_values(tx, chunk).await,
            Tx::Postgres(tx) => strike_off_arrays(tx, chunk).await,
        }
        .during("strike off object errors")?;
        touched.extend(struck.into_iter().map(|(job_ref,)| job_ref));
    }
    Ok(())
}

/// Few sizes of the statement, so that each is prepared once: the last object stands in for those
/// that are missing to the next size.
async fn strike_off_values(
    connection: &mut SqliteConnection,
    done: &[ObjectRow<'_>],
) -> Result<Vec<(i64,)>, sqlx::Error> {
    let size = done.len().next_power_of_two();
    let sql = format!(
        "delete from object_error where (job_ref, object_id) in (select e.job_ref, e.object_id \
         from (values {}) as v join object_error e on e.job_ref = v.column1 and e.object_id = v.column2 \
         and e.last_at <= v.column3) returning job_ref",
        plain_places(size, 3)
    );
    let mut query = sqlx::query_as(AssertSqlSafe(sql));
    let last = done.last().into_iter().cycle();
    for ((job_ref, object), row) in done.iter().chain(last).take(size) {
        query = query
            .bind(*job_ref)
            .bind(*object)
            .bind(row.occurred_at.as_millis());
    }
    query.fetch_all(connection).await
}

async fn strike_off_arrays(
    connection: &mut PgConnection,
    done: &[ObjectRow<'_>],
) -> Result<Vec<(i64,)>, sqlx::Error> {
    sqlx::query_as(
        "delete from object_error e \
         using unnest($1::bigint[], $2::text[], $3::bigint[]) as done (job_ref, object_id, done_at) \
         where e.job_ref = done.job_ref and e.object_id = done.object_id and e.last_at <= done.done_at \
         returning e.job_ref",
    )
    .bind(column(done, |((job_ref, _), _)| *job_ref))
    .bind(column(done, |((_, object), _)| *object))
    .bind(column(done, |(_, row)| row.occurred_at.as_millis()))
    .fetch_all(connection)
    .await
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
