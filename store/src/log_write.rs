//! Writing log rows and what follows from them: first in the fastest way, which only works when
//! every row is new; else in one that tells which are.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use tokio::sync::mpsc::channel;

use crate::codec::{CURRENT, Packer};
use crate::error::StoreError;
use crate::log::{JobRefs, code_of, count_rows, row_id, stream_code};
use crate::log_bulk::{WAITING, insert_all, pack_all};
use crate::model::{LogRow, LogStream};
use crate::object_error::note_object_errors;
use crate::pools::{Tx, execute, fetch_in};

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

/// Rows of one log with what writing them needs.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) stream: LogStream,
    pub(crate) rows: &'a [&'a LogRow<'a>],
    pub(crate) refs: &'a JobRefs,
}

/// The columns of a row that are numbers.
pub(crate) struct Numbers {
    pub(crate) occurred_at: i64,
    pub(crate) job_ref: Option<i64>,
    pub(crate) stream: i16,
    pub(crate) action: i16,
    pub(crate) status: i16,
    pub(crate) dictionary: i16,
}

impl Batch<'_> {
    pub(crate) fn numbers(&self, row: &LogRow<'_>) -> Numbers {
        Numbers {
            occurred_at: row.occurred_at.as_millis(),
            job_ref: self.refs.get(row.job_id.as_ref()).copied(),
            stream: stream_code(self.stream),
            action: code_of(ProvisioningAction::ALL, row.action),
            status: code_of(ProvisioningStatus::ALL, row.status),
            dictionary: CURRENT,
        }
    }
}

/// Writes rows and what follows from them; gives how many are new.
///
/// Nearly always all are: memory has sorted out the repetitions. Only where it had forgotten some
/// (after a restart) is everything taken back and written again in the slower way.
pub(crate) async fn write_rows(tx: &mut Tx, batch: Batch<'_>) -> Result<u64, StoreError> {
    if batch.rows.is_empty() {
        return Ok(0);
    }
    execute!(tx, "write log rows", sqlx::query("savepoint log_rows"))?;
    let (sender, receiver) = channel(WAITING);
    let (written, packed) = tokio::join!(
        biased;
        // First what needs no packing: there is something to do while the first rows are packed.
        async {
            draw_consequences(tx, batch).await?;
            insert_all(tx, batch, receiver).await
        },
        pack_all(batch.rows, sender),
    );
    packed?;
    let all = batch.rows.len() as u64;
    if written? == all {
        execute!(
            tx,
            "write log rows",
            sqlx::query("release savepoint log_rows")
        )?;
        return Ok(all);
    }
    execute!(
        tx,
        "write log rows",
        sqlx::query("rollback to savepoint log_rows")
    )?;
    let mut packer = Packer::new()?;
    let mut fresh = Vec::new();
    for rows in batch.rows.chunks(CHUNK) {
        let written = insert_and_tell(tx, Batch { rows, ..batch }, &mut packer).await?;
        fresh.extend(rows.iter().filter(|row| written.contains(&row.id)));
    }
    let rows = fresh.as_slice();
    draw_consequences(tx, Batch { rows, ..batch }).await?;
    Ok(fresh.len() as u64)
}

/// What follows from new rows: totals of their jobs and the objects that fail at present.
async fn draw_consequences(tx: &mut Tx, batch: Batch<'_>) -> Result<(), StoreError> {
    if batch.stream != LogStream::Provisioning {
        return Ok(());
    }
    count_rows(tx, batch.rows, batch.refs).await?;
    note_object_errors(tx, batch.rows, batch.refs).await
}

/// Writes rows; gives the ids of those that are new.
async fn insert_and_tell(
    tx: &mut Tx,
    batch: Batch<'_>,
    packer: &mut Packer,
) -> Result<HashSet<RowId>, StoreError> {
    let raw = batch.rows.iter().map(|row| packer.pack(row.raw));
    let raw: Vec<Vec<u8>> = raw.collect::<Result<_, _>>()?;
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
        for (row, raw) in batch.rows.iter().zip(&raw) {
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
                .bind(raw.as_slice());
        }
        query.persistent(batch.rows.len() == CHUNK)
    })?;
    ids.into_iter().map(|(id,)| row_id(id)).collect()
}
