//! Rows of logs: deduplicated, packed, counted, and the objects that fail at present.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::AssertSqlSafe;
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use syncwatch_domain::time::Timestamp;

use crate::codec::unpack;
use crate::error::StoreError;
use crate::log_page::{LogPage, PageRow};
use crate::log_write::{Batch, Way, write_rows};
use crate::model::{LogRow, LogStream, PollReceipt, SourceId};
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// How many ids are remembered per generation. Two generations cover the overlap of two polls of
/// a busy tenant; the database still refuses what memory forgot.
const REMEMBERED: usize = 100_000;

/// As many totals as a page mostly has: statements of these sizes are kept prepared.
const FEW_TOTALS: usize = 16;

/// Numbers of the jobs of a page, in their order there.
pub(crate) type JobRefs = Vec<i64>;

/// What the store remembers of recent log rows between polls.
#[derive(Debug, Default)]
pub(crate) struct LogState {
    recent: Mutex<Recent>,
    job_refs: Mutex<HashMap<(String, String), i64>>,
    /// Tenants of sources, which never change.
    tenants: Mutex<HashMap<SourceId, String>>,
}

/// Ids seen lately with their instants, in two generations: the older one is dropped when the
/// younger is full.
#[derive(Debug, Default)]
struct Recent {
    young: HashMap<RowId, Timestamp>,
    old: HashMap<RowId, Timestamp>,
}

impl Recent {
    fn get(&self, id: &RowId) -> Option<Timestamp> {
        self.young.get(id).or_else(|| self.old.get(id)).copied()
    }

    fn insert(&mut self, id: RowId, occurred_at: Timestamp) {
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, occurred_at);
    }
}

/// The rows of a page that are still to be written.
pub(crate) struct NewLog<'a> {
    page: &'a LogPage,
    rows: Vec<&'a PageRow>,
    repeated: u64,
    conflicting: u64,
}

/// The number a word is stored as; the order of declaration is part of the schema.
pub(crate) fn code_of<T: PartialEq + Copy>(all: &[T], member: T) -> i16 {
    let at = all.iter().position(|other| *other == member).unwrap_or(0);
    i16::try_from(at).unwrap_or(0)
}

fn member_of<T: Copy>(all: &[T], code: i16, column: &'static str) -> Result<T, StoreError> {
    usize::try_from(code)
        .ok()
        .and_then(|at| all.get(at))
        .copied()
        .ok_or_else(|| StoreError::Row {
            table: "observation",
            column,
            found: code.to_string(),
        })
}

pub(crate) fn action_of(code: i16) -> Result<ProvisioningAction, StoreError> {
    member_of(ProvisioningAction::ALL, code, "action")
}

pub(crate) fn status_of(code: i16) -> Result<ProvisioningStatus, StoreError> {
    member_of(ProvisioningStatus::ALL, code, "status")
}

pub(crate) const fn stream_code(stream: LogStream) -> i16 {
    match stream {
        LogStream::Provisioning => 0,
        LogStream::Audit => 1,
    }
}

/// A log row as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLogRow {
    /// Id of the row.
    pub id: RowId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What was tried.
    pub action: ProvisioningAction,
    /// How it went.
    pub status: ProvisioningStatus,
    /// Error code of a failure.
    pub error_code: Option<String>,
    /// Source object, where it tells.
    pub object_id: Option<String>,
    /// The row's JSON as it came.
    pub raw: Vec<u8>,
}

impl Store {
    /// Sorts out what memory knows already, and what comes twice on a page. Gives the other rows,
    /// and how many are repeated and conflicting.
    pub(crate) fn sort_out<'a>(&self, rows: &'a [LogRow<'a>]) -> (Vec<&'a LogRow<'a>>, u64, u64) {
        let (mut repeated, mut conflicting) = (0, 0);
        let mut on_page = HashMap::<RowId, Timestamp>::with_capacity(rows.len());
        let mut new = Vec::with_capacity(rows.len());
        let recent = self.recent();
        for row in rows {
            let known = on_page.get(&row.id).copied();
            match known.or_else(|| recent.get(&row.id)) {
                Some(known) if known == row.occurred_at => repeated += 1,
                Some(_) => conflicting += 1,
                None => {
                    on_page.insert(row.id, row.occurred_at);
                    new.push(row);
                }
            }
        }
        (new, repeated, conflicting)
    }

    /// Leaves out what memory has learned since the page was prepared.
    pub(crate) fn still_new<'a>(&self, page: &'a LogPage) -> NewLog<'a> {
        let mut new = NewLog {
            page,
            rows: Vec::with_capacity(page.rows.len()),
            repeated: page.repeated,
            conflicting: page.conflicting,
        };
        let recent = self.recent();
        for row in &page.rows {
            match recent.get(&row.id) {
                Some(known) if known == row.occurred_at => new.repeated += 1,
                Some(_) => new.conflicting += 1,
                None => new.rows.push(row),
            }
        }
        new
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        lock(&self.log_state().recent)
    }

    /// After the commit: these rows and jobs are known now.
    pub(crate) fn remember_log(&self, tenant: &str, new: &NewLog<'_>, refs: JobRefs) {
        let mut known = self.job_ref_cache();
        for (job_id, number) in new.page.jobs.iter().zip(refs) {
            known.insert((tenant.to_owned(), job_id.clone()), number);
        }
        let mut recent = self.recent();
        for row in &new.rows {
            recent.insert(row.id, row.occurred_at);
        }
    }

    /// Writes the new rows of a page within the poll's transaction; `None` when that has to be
    /// taken back and written in the other way.
    pub(crate) async fn store_log(
        &self,
        tx: &mut Tx,
        tenant: &str,
        new: &NewLog<'_>,
        way: Way,
        receipt: &mut PollReceipt,
    ) -> Result<Option<JobRefs>, StoreError> {
        receipt.repeated += new.repeated;
        receipt.conflicting += new.conflicting;
        let refs = self.job_refs(tx, tenant, &new.page.jobs).await?;
        let batch = Batch {
            page: new.page,
            rows: &new.rows,
            refs: &refs,
        };
        let Some(stored) = write_rows(tx, batch, way).await? else {
            return Ok(None);
        };
        receipt.stored += stored;
        receipt.repeated += new.rows.len() as u64 - stored;
        Ok(Some(refs))
    }

    /// Numbers of jobs; made for those that are new.
    async fn job_refs(
        &self,
        tx: &mut Tx,
        tenant: &str,
        jobs: &[String],
    ) -> Result<JobRefs, StoreError> {
        let mut refs = JobRefs::with_capacity(jobs.len());
        for job_id in jobs {
            let key = (tenant.to_owned(), job_id.clone());
            let cached = self.job_ref_cache().get(&key).copied();
            refs.push(match cached {
                Some(number) => number,
                None => make_job_ref(tx, tenant, job_id).await?,
            });
        }
        Ok(refs)
    }

    fn job_ref_cache(&self) -> MutexGuard<'_, HashMap<(String, String), i64>> {
        lock(&self.log_state().job_refs)
    }

    /// The tenant of a source, where it was asked before.
    pub(crate) fn known_tenant(&self, source: SourceId) -> Option<String> {
        lock(&self.log_state().tenants).get(&source).cloned()
    }

    /// Keeps the tenant of a source in mind.
    pub(crate) fn remember_tenant(&self, source: SourceId, tenant: &str) {
        lock(&self.log_state().tenants).insert(source, tenant.to_owned());
    }

    /// The newest rows of a job, unpacked.
    ///
    /// # Errors
    /// When the database refuses or a row cannot be unpacked.
    pub async fn log_rows(
        &self,
        tenant: &str,
        job_id: &str,
        limit: u32,
    ) -> Result<Vec<StoredLogRow>, StoreError> {
        type Row = (
            Vec<u8>,
            i64,
            i16,
            i16,
            Option<String>,
            Option<String>,
            i16,
            Vec<u8>,
        );
        let rows: Vec<Row> = fetch!(
            self,
            "list log rows",
            sqlx::query_as(
                "select o.id, o.occurred_at, o.action, o.status, o.error_code, o.object_id, o.dictionary, o.raw \
                 from observation o join job_ref j on j.id = o.job_ref \
                 where j.tenant = $1 and j.job_id = $2 order by o.occurred_at desc limit $3"
            )
            .bind(tenant)
            .bind(job_id)
            .bind(i64::from(limit))
        )?;
        rows.into_iter()
            .map(
                |(id, at, action, status, error_code, object_id, dictionary, raw)| {
                    Ok(StoredLogRow {
                        id: row_id(id)?,
                        occurred_at: Timestamp::from_millis(at),
                        action: action_of(action)?,
                        status: status_of(status)?,
                        error_code,
                        object_id,
                        raw: unpack(dictionary, &raw)?,
                    })
                },
            )
            .collect()
    }

    /// How many rows of logs are kept.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn log_row_count(&self) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = fetch!(
            self,
            "count log rows",
            sqlx::query_as("select count(*) from observation")
        )?;
        Ok(rows.first().map_or(0, |row| row.0))
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn make_job_ref(tx: &mut Tx, tenant: &str, job_id: &str) -> Result<i64, StoreError> {
    let rows: Vec<(i64,)> = fetch_in!(
        tx,
        "number a job",
        sqlx::query_as(
            "insert into job_ref (tenant, job_id) values ($1, $2) \
             on conflict (tenant, job_id) do update set job_id = excluded.job_id returning id"
        )
        .bind(tenant)
        .bind(job_id)
    )?;
    rows.first()
        .map(|row| row.0)
        .ok_or_else(|| StoreError::Row {
            table: "job_ref",
            column: "id",
            found: job_id.to_owned(),
        })
}

/// Reads an id column.
pub(crate) fn row_id(id: Vec<u8>) -> Result<RowId, StoreError> {
    id.try_into()
        .map(RowId)
        .map_err(|id: Vec<u8>| StoreError::Row {
            table: "observation",
            column: "id",
            found: format!("{} bytes", id.len()),
        })
}

/// Adds the rows to the totals of their jobs.
pub(crate) async fn count_rows(
    tx: &mut Tx,
    rows: &[&PageRow],
    refs: &[i64],
) -> Result<(), StoreError> {
    let mut totals = BTreeMap::<(i64, i16, i16, &str), i64>::new();
    for row in rows {
        let group = row.error_group().map_or("", ErrorGroup::as_str);
        let action = code_of(ProvisioningAction::ALL, row.action);
        let status = code_of(ProvisioningStatus::ALL, row.status);
        let key = (refs[row.job], action, status, group);
        *totals.entry(key).or_default() += 1;
    }
    if totals.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into event_total (job_ref, action, status, error_group, count) values {} \
         on conflict (job_ref, action, status, error_group) do update set count = event_total.count + excluded.count",
        tx.places(totals.len(), 5)
    );
    execute!(tx, "count log rows", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for ((job_ref, action, status, group), count) in &totals {
            query = query
                .bind(*job_ref)
                .bind(*action)
                .bind(*status)
                .bind(*group)
                .bind(*count);
        }
        query.persistent(totals.len() <= FEW_TOTALS)
    })?;
    Ok(())
}
