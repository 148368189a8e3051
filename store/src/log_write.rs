//! Writing log rows and what follows from them: first in the fastest way, which only works when
//! every row is new; else, from the start again, in one that tells which are.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};

use crate::codec::CURRENT;
use crate::error::StoreError;
use crate::log::{code_of, count_rows, row_id, stream_code};
use crate::log_bulk::insert_all;
use crate::log_page::{LogPage, PageRow};
use crate::model::LogStream;
use crate::object_error::note_object_errors;
use crate::pools::{Tx, fetch_in};

/// The columns of a row, in the order everything here writes them.
macro_rules! columns {
    () => {
        "occurred_at, id, job_ref, stream, action, status, error_code, object_id, dictionary, raw"
    };
}
pub(crate) use columns;

/// How many they are.
pub(crate) const COLUMNS: usize = 10;

/// Rows per statement that tells which of them are new.
const CHUNK: usize = 500;

/// Rows of a page with what writing them needs.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) page: &'a LogPage,
    pub(crate) rows: &'a [&'a PageRow],
    /// Numbers of the page's jobs.
    pub(crate) refs: &'a [i64],
}

/// The columns of a row that are numbers.
pub(crate) struct Numbers {
    pub(crate) occurred_at: i64,
    pub(crate) job_ref: i64,
    pub(crate) stream: i16,
    pub(crate) action: i16,
    pub(crate) status: i16,
    pub(crate) dictionary: i16,
}

impl Batch<'_> {
    pub(crate) fn numbers(&self, row: &PageRow) -> Numbers {
        Numbers {
            occurred_at: row.occurred_at.as_millis(),
            job_ref: self.refs[row.job],
            stream: stream_code(self.page.stream),
            action: code_of(ProvisioningAction::ALL, row.action),
            status: code_of(ProvisioningStatus::ALL, row.status),
            dictionary: CURRENT,
        }
    }
}

/// How the rows of a page are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As fast as it can be; it works only when every row is new. Nearly always all are: memory
    /// has sorted out the repetitions.
    AllNew,
    /// So that it shows which are new, where memory had forgotten some (after a restart).
    Telling,
}

/// Writes rows and what follows from them; gives how many are new. `None` when the way was the
/// wrong one: then the transaction must be taken back.
pub(crate) async fn write_rows(
    tx: &mut Tx,
    batch: Batch<'_>,
    way: Way,
) -> Result<Option<u64>, StoreError> {
    if batch.rows.is_empty() {
        return Ok(Some(0));
    }
    if way == Way::AllNew {
        draw_consequences(tx, batch).await?;
        let all = batch.rows.len() as u64;
        return Ok((insert_all(tx, batch).await? == all).then_some(all));
    }
    let mut fresh = Vec::new();
    for rows in batch.rows.chunks(CHUNK) {
        let written = insert_and_tell(tx, Batch { rows, ..batch }).await?;
        fresh.extend(rows.iter().filter(|row| written.contains(&row.id)));
    }
    let rows = fresh.as_slice();
    draw_consequences(tx, Batch { rows, ..batch }).await?;
    Ok(Some(fresh.len() as u64))
}

/// What follows from new rows: totals of their jobs and the objects that fail at present.
async fn draw_consequences(tx: &mut Tx, batch: Batch<'_>) -> Result<(), StoreError> {
    if batch.page.stream != LogStream::Provisioning {
        return Ok(());
    }
    count_rows(tx, batch.rows, batch.refs).await?;
    note_object_errors(tx, batch.rows, batch.refs).await
}

/// Writes rows; gives the ids of those that are new.
async fn insert_and_tell(tx: &mut Tx, batch: Batch<'_>) -> Result<HashSet<RowId>, StoreError> {
    let sql = format!(
        concat!(
            "insert into observation (",
            columns!(),
            ") values {} on conflict (occurred_at, id) do nothing returning id"
        ),
        tx.places(batch.rows.len(), COLUMNS)
    );
    let ids: Vec<(Vec<u8>,)> = fetch_in!(tx, "write log rows", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
        for row in batch.rows {
            let numbers = batch.numbers(row);
            query = query
                .bind(numbers.occurred_at)
                .bind(row.id.0.as_slice())
                .bind(numbers.job_ref)
                .bind(numbers.stream)
                .bind(numbers.action)
                .bind(numbers.status)
                .bind(row.error_code.as_deref())
                .bind(row.object_id.as_deref())
                .bind(numbers.dictionary)
                .bind(batch.page.packed(row));
        }
        query.persistent(batch.rows.len() == CHUNK)
    })?;
    ids.into_iter().map(|(id,)| row_id(id)).collect()
}
