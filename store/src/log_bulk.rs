//! The fastest way to write rows into each database. It works only when every row is new.

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, SqliteConnection};

use crate::codec::CURRENT;
use crate::error::{During, StoreError};
use crate::log::stream_code;
use crate::log_page::PageRow;
use crate::log_write::{Batch, COLUMNS, columns};
use crate::pools::{Tx, plain_places};

const OPERATION: &str = "write log rows";
/// Rows per statement of SQLite: many enough that a statement costs little per row, few enough
/// that a page is mostly whole ones, whose text is kept prepared.
const SQLITE_CHUNK: usize = 125;
/// Rows per statement of PostgreSQL: a page is one.
const POSTGRES_CHUNK: usize = 1000;

/// Inserts the rows; gives how many were new. When that is not all, the transaction is of no use.
pub(crate) async fn insert_all(tx: &mut Tx, batch: Batch<'_>) -> Result<u64, StoreError> {
    let chunk = match tx {
        Tx::Sqlite(_) => SQLITE_CHUNK,
        Tx::Postgres(_) => POSTGRES_CHUNK,
    };
    let mut written = 0;
    for rows in batch.rows.chunks(chunk) {
        let part = Batch { rows, ..batch };
        let new = match tx {
            Tx::Sqlite(tx) => insert_values(tx, part).await?,
            Tx::Postgres(tx) => insert_arrays(tx, part).await?,
        };
        written += new;
        if new != rows.len() as u64 {
            break;
        }
    }
    Ok(written)
}

async fn insert_values(
    connection: &mut SqliteConnection,
    batch: Batch<'_>,
) -> Result<u64, StoreError> {
    let rows = batch.rows;
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
    for row in rows {
        add(&mut arguments, batch, row)
            .map_err(sqlx::Error::Encode)
            .during(OPERATION)?;
    }
    sqlx::query_with(AssertSqlSafe(sql), arguments)
        .persistent(rows.len() == SQLITE_CHUNK)
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
        .during(OPERATION)
}

fn add(
    arguments: &mut SqliteArguments,
    batch: Batch<'_>,
    row: &PageRow,
) -> Result<(), BoxDynError> {
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
    arguments.add(batch.page.packed(row))
}

/// One array per column: the statement is the same for any number of rows, and goes out and is
/// answered at once. The arrays are unfolded in the list of results, which keeps no copy of them.
/// Without `on conflict`, which would take a lock and a second entry in the server's log for every
/// row; none was new when the server says that one was not.
async fn insert_arrays(connection: &mut PgConnection, batch: Batch<'_>) -> Result<u64, StoreError> {
    const INSERT: &str = concat!(
        "insert into observation (",
        columns!(),
        ") select unnest($3::bigint[]), unnest($4::bytea[]), unnest($5::bigint[]), $1::smallint, \
         unnest($6::smallint[]), unnest($7::smallint[]), unnest($8::text[]), unnest($9::text[]), $2::smallint, \
         unnest($10::bytea[])"
    );
    let arguments = arrays(batch).map_err(sqlx::Error::Encode);
    sqlx::query_with(INSERT, arguments.during(OPERATION)?)
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

fn arrays(batch: Batch<'_>) -> Result<PgArguments, BoxDynError> {
    /// Bytes of a row beside its JSON, roughly.
    const REST: usize = 128;
    let Batch { page, rows, .. } = batch;
    let numbers: Vec<_> = rows.iter().map(|row| batch.numbers(row)).collect();
    let packed: Vec<_> = rows.iter().map(|row| page.packed(row)).collect();
    let size = packed.iter().map(|packed| packed.len() + REST).sum();
    let mut arguments = PgArguments::default();
    arguments.reserve(COLUMNS, size);
    arguments.add(stream_code(page.stream))?;
    arguments.add(CURRENT)?;
    arguments.add(each(&numbers, |row| row.occurred_at))?;
    arguments.add(each(rows, |row| row.id.0.as_slice()))?;
    arguments.add(each(&numbers, |row| row.job_ref))?;
    arguments.add(each(&numbers, |row| row.action))?;
    arguments.add(each(&numbers, |row| row.status))?;
    arguments.add(each(rows, |row| row.error_code.as_deref()))?;
    arguments.add(each(rows, |row| row.object_id.as_deref()))?;
    arguments.add(packed)?;
    Ok(arguments)
}

fn is_repetition(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn each<'a, R, T: 'a>(rows: &'a [R], column: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}
