//! Writing log rows: packed chunk by chunk while the database is busy with the one before.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};

use crate::codec::{CURRENT, Packer};
use crate::error::StoreError;
use crate::log::{JobRefs, code_of, row_id, stream_code};
use crate::model::{LogRow, LogStream};
use crate::pools::{Tx, execute, fetch_in};

/// Rows per insert: many enough that a statement costs little per row, few enough that packing
/// the first of them, which the database waits for, takes a moment only.
const CHUNK: usize = 250;
const COLUMNS: usize = 11;

/// Binds the columns of log rows, in the order of the insert statement.
macro_rules! bind_rows {
    ($query:expr, $stream:expr, $chunk:expr, $refs:expr) => {{
        let mut query = $query;
        for (row, raw) in $chunk.rows.iter().zip(&$chunk.raw) {
            query = query
                .bind(row.occurred_at.as_millis())
                .bind(row.id.0.as_slice())
                .bind($refs.get(row.job_id).copied())
                .bind(stream_code($stream))
                .bind(code_of(ProvisioningAction::ALL, row.action))
                .bind(code_of(ProvisioningStatus::ALL, row.status))
                .bind(row.error_code)
                .bind(row.object_id)
                .bind(row.cycle_id.map(|id| id.0.to_vec()))
                .bind(CURRENT)
                .bind(raw.as_slice());
        }
        query.persistent($chunk.rows.len() == CHUNK)
    }};
}

/// Rows of one statement with their packed JSON.
struct Chunk<'a> {
    rows: &'a [&'a LogRow<'a>],
    raw: Vec<Vec<u8>>,
}

impl<'a> Chunk<'a> {
    fn pack(rows: &'a [&'a LogRow<'a>], packer: &mut Packer) -> Result<Self, StoreError> {
        let raw = rows.iter().map(|row| packer.pack(row.raw));
        Ok(Self {
            rows,
            raw: raw.collect::<Result<_, _>>()?,
        })
    }
}

/// Writes rows; gives those that are new.
///
/// Nearly always all are: memory has sorted out the repetitions. Only where it had forgotten some
/// (after a restart) are the statements taken back and run again in the slower form that tells which.
pub(crate) async fn write_rows<'a>(
    tx: &mut Tx,
    stream: LogStream,
    rows: &'a [&'a LogRow<'a>],
    refs: &JobRefs,
) -> Result<Vec<&'a LogRow<'a>>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut packer = Packer::new()?;
    let mut chunks = rows.chunks(CHUNK);
    let mut pack_next = || {
        let next = chunks.next();
        next.map(|rows| Chunk::pack(rows, &mut packer)).transpose()
    };
    execute!(tx, "write log rows", sqlx::query("savepoint log_rows"))?;
    let mut written: u64 = 0;
    let mut packed = Vec::new();
    let mut next = pack_next()?;
    while let Some(chunk) = next {
        // The first poll hands the statement over; until the answer there is time to pack.
        let (count, after) = tokio::join!(
            biased;
            insert(tx, stream, &chunk, refs),
            async { pack_next() },
        );
        written += count?;
        next = after?;
        packed.push(chunk);
    }
    if written == rows.len() as u64 {
        execute!(
            tx,
            "write log rows",
            sqlx::query("release savepoint log_rows")
        )?;
        return Ok(rows.to_vec());
    }
    execute!(
        tx,
        "write log rows",
        sqlx::query("rollback to savepoint log_rows")
    )?;
    let mut fresh = Vec::new();
    for chunk in &packed {
        let written = insert_and_tell(tx, stream, chunk, refs).await?;
        let new = chunk.rows.iter().filter(|row| written.contains(&row.id));
        fresh.extend(new.copied());
    }
    Ok(fresh)
}

fn insert_text(tx: &Tx, rows: usize) -> String {
    format!(
        "insert into observation (occurred_at, id, job_ref, stream, action, status, error_code, object_id, \
         cycle_id, dictionary, raw) values {} on conflict (occurred_at, id) do nothing",
        tx.places(rows, COLUMNS)
    )
}

/// Writes a chunk; gives how many of its rows are new.
async fn insert(
    tx: &mut Tx,
    stream: LogStream,
    chunk: &Chunk<'_>,
    refs: &JobRefs,
) -> Result<u64, StoreError> {
    let sql = insert_text(tx, chunk.rows.len());
    execute!(
        tx,
        "write log rows",
        bind_rows!(sqlx::query(AssertSqlSafe(sql.clone())), stream, chunk, refs)
    )
}

/// Writes a chunk; gives the ids of its rows that are new.
async fn insert_and_tell(
    tx: &mut Tx,
    stream: LogStream,
    chunk: &Chunk<'_>,
    refs: &JobRefs,
) -> Result<HashSet<RowId>, StoreError> {
    let sql = format!("{} returning id", insert_text(tx, chunk.rows.len()));
    let ids: Vec<(Vec<u8>,)> = fetch_in!(
        tx,
        "write log rows",
        bind_rows!(
            sqlx::query_as(AssertSqlSafe(sql.clone())),
            stream,
            chunk,
            refs
        )
    )?;
    ids.into_iter().map(|(id,)| row_id(id)).collect()
}
