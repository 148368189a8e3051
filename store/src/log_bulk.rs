//! The fastest way to write rows into each database. It works only when every row is new.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, SqliteConnection};

use crate::error::{During, StoreError};
use crate::log_page::PageRow;
use crate::log_write::{Batch, COLUMNS, columns};
use crate::pools::{Tx, plain_places};

const OPERATION: &str = "write log rows";
/// Rows per statement of SQLite: many enough that a statement costs little per row, few enough
/// that a page is mostly whole ones, whose text is kept prepared.
const SQLITE_CHUNK: usize = 125;
/// Rows per statement of PostgreSQL: a page is one.
const POSTGRES_CHUNK: usize = 1000;

/// Inserts the rows; gives how many were new. When that is not all, only the savepoint before is
/// of use.
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
    arguments.add(batch.page.packed(row))
}

/// One array per column: the statement is the same for any number of rows, and goes out and is
/// answered at once. Without `on conflict`, which would take a lock and a second entry in the
/// server's log for every row; none was new when the server says that one was not.
async fn insert_arrays(connection: &mut PgConnection, batch: Batch<'_>) -> Result<u64, StoreError> {
    const INSERT: &str = concat!(
        "insert into observation (",
        columns!(),
        ") select occurred_at, id, job_ref, $1, action, status, error_code, object_id, $2, raw \
         from unnest($3::bigint[], $4::bytea[], $5::bigint[], $6::smallint[], $7::smallint[], $8::text[], \
         $9::text[], $10::bytea[]) as row (occurred_at, id, job_ref, action, status, error_code, object_id, raw)"
    );
    let rows = batch.rows;
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
        .bind(each(rows, |row| batch.page.packed(row)))
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
