//! The fastest way to write rows into each database: chunk by chunk, packed while the database is
//! busy with what it was handed before. It works only when every row is new.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, SqliteConnection};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::codec::Packer;
use crate::error::{During, StoreError};
use crate::log_write::{Batch, COLUMNS, columns};
use crate::model::LogRow;
use crate::pools::{Tx, plain_places};

const OPERATION: &str = "write log rows";
/// Rows per statement: many enough that a statement costs little per row, few enough that the
/// database does not wait long for the first.
const CHUNK: usize = 125;
/// Rows packed before the database's answers are looked after again.
const PIECE: usize = 25;
/// Packed chunks that may wait for the database: memory stays small when it is slow.
pub(crate) const WAITING: usize = 2;

/// Rows of one statement with their packed JSON.
#[derive(Debug)]
pub(crate) struct Chunk<'a> {
    rows: &'a [&'a LogRow<'a>],
    raw: Vec<Vec<u8>>,
}

/// Packs rows and hands them over; ends early when nobody takes them any more.
pub(crate) async fn pack_all<'a>(
    rows: &'a [&'a LogRow<'a>],
    packed: Sender<Chunk<'a>>,
) -> Result<(), StoreError> {
    let mut packer = Packer::new()?;
    for rows in rows.chunks(CHUNK) {
        let mut raw = Vec::with_capacity(rows.len());
        for piece in rows.chunks(PIECE) {
            for row in piece {
                raw.push(packer.pack(row.raw)?);
            }
            tokio::task::yield_now().await;
        }
        if packed.send(Chunk { rows, raw }).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Inserts the chunks as they come; gives how many rows were new. After the first row that was
/// not, only the savepoint before is of use.
pub(crate) async fn insert_all(
    tx: &mut Tx,
    batch: Batch<'_>,
    mut packed: Receiver<Chunk<'_>>,
) -> Result<u64, StoreError> {
    let mut written = 0;
    while let Some(chunk) = packed.recv().await {
        let new = match tx {
            Tx::Sqlite(tx) => insert_values(tx, batch, chunk.rows, chunk.raw).await?,
            Tx::Postgres(tx) => insert_arrays(tx, batch, &chunk).await?,
        };
        written += new;
        if new != chunk.rows.len() as u64 {
            break;
        }
    }
    Ok(written)
}

async fn insert_values(
    connection: &mut SqliteConnection,
    batch: Batch<'_>,
    rows: &[&LogRow<'_>],
    raw: Vec<Vec<u8>>,
) -> Result<u64, StoreError> {
    let sql = format!(
        concat!(
            "insert into observation (",
            columns!(),
            ") values {} on conflict (occurred_at, id) do nothing"
        ),
        plain_places(rows.len(), COLUMNS)
    );
    let mut arguments = SqliteArguments::default();
    arguments.reserve(rows.len() * COLUMNS, 0);
    for (row, raw) in rows.iter().zip(raw) {
        add(&mut arguments, batch, row, raw)
            .map_err(sqlx::Error::Encode)
            .during(OPERATION)?;
    }
    sqlx::query_with(AssertSqlSafe(sql), arguments)
        .persistent(rows.len() == CHUNK)
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .during(OPERATION)
}

fn add(
    arguments: &mut SqliteArguments,
    batch: Batch<'_>,
    row: &LogRow<'_>,
    raw: Vec<u8>,
) -> Result<(), sqlx::error::BoxDynError> {
    let numbers = batch.numbers(row);
    arguments.add(numbers.occurred_at)?;
    arguments.add(row.id.0.to_vec())?;
    arguments.add(numbers.job_ref)?;
    arguments.add(numbers.stream)?;
    arguments.add(numbers.action)?;
    arguments.add(numbers.status)?;
    arguments.add(row.error_code.as_deref())?;
    arguments.add(row.object_id.as_deref())?;
    arguments.add(numbers.dictionary)?;
    arguments.add(raw)
}

/// One array per column: the statement is the same for any number of rows, and goes out and is
/// answered at once. Without `on conflict`, which would take a lock and a second entry in the
/// server's log for every row; none was new when the server says that one was not.
async fn insert_arrays(
    connection: &mut PgConnection,
    batch: Batch<'_>,
    chunk: &Chunk<'_>,
) -> Result<u64, StoreError> {
    const INSERT: &str = concat!(
        "insert into observation (",
        columns!(),
        ") select occurred_at, id, job_ref, $1, action, status, error_code, object_id, $2, raw \
         from unnest($3::bigint[], $4::bytea[], $5::bigint[], $6::smallint[], $7::smallint[], $8::text[], \
         $9::text[], $10::bytea[]) as row (occurred_at, id, job_ref, action, status, error_code, object_id, raw)"
    );
    let rows = chunk.rows;
    let numbers: Vec<_> = rows.iter().map(|row| batch.numbers(row)).collect();
    let (stream, dictionary) = numbers
        .first()
        .map_or((0, 0), |first| (first.stream, first.dictionary));
    sqlx::query(INSERT)
        .bind(stream)
        .bind(dictionary)
        .bind(each(&numbers, |row| row.occurred_at))
        .bind(each(rows, |row| row.id.0.as_slice()))
        .bind(each(&numbers, |row| row.job_ref))
        .bind(each(&numbers, |row| row.action))
        .bind(each(&numbers, |row| row.status))
        .bind(each(rows, |row| row.error_code.as_deref()))
        .bind(each(rows, |row| row.object_id.as_deref()))
        .bind(&chunk.raw)
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .or_else(|error| {
            if is_repetition(&error) {
                Ok(0)
            } else {
                Err(error)
            }
        })
        .during(OPERATION)
}

fn is_repetition(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn each<'a, R, T: 'a>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}
