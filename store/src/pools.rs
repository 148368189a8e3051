//! The two databases behind one face: pools, transactions, and macros that run the same
//! statement text on either.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{During, StoreError};

pub(crate) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
pub(crate) static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Readers beside the one writer of SQLite.
const SQLITE_READERS: u32 = 4;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 8;
/// How long SQLite waits for another process before it reports a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages in the write-ahead log before it is folded back: fewer, larger checkpoints write the
/// hot right edge of the log table once instead of many times.
const WAL_CHECKPOINT_PAGES: &str = "10000";

/// Connections to one of the two databases.
#[derive(Debug)]
pub(crate) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// The write-ahead log beside the file.
        log: PathBuf,
        /// Held by the one long transaction that may queue for the writer.
        long: Semaphore,
    },
    Postgres(PgPool),
}

/// A transaction on either.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs a statement in a transaction; gives the number of rows affected.
macro_rules! execute {
    ($tx:expr, $operation:literal, $query:expr) => {{
        use $crate::error::During as _;
        match &mut *$tx {
            $crate::pools::Tx::Sqlite(tx) => ($query)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected())
                .during($operation),
            $crate::pools::Tx::Postgres(tx) => ($query)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected())
                .during($operation),
        }
    }};
}
pub(crate) use execute;

/// Fetches all rows of a statement in a transaction.
macro_rules! fetch_in {
    ($tx:expr, $operation:literal, $query:expr) => {{
        use $crate::error::During as _;
        match &mut *$tx {
            $crate::pools::Tx::Sqlite(tx) => ($query).fetch_all(&mut **tx).await.during($operation),
            $crate::pools::Tx::Postgres(tx) => {
                ($query).fetch_all(&mut **tx).await.during($operation)
            }
        }
    }};
}
pub(crate) use fetch_in;

/// Fetches all rows of a statement outside a transaction.
macro_rules! fetch {
    ($store:expr, $operation:literal, $query:expr) => {{
        use $crate::error::During as _;
        match $store.pools()? {
            $crate::pools::Pools::Sqlite { readers, .. } => {
                ($query).fetch_all(readers).await.during($operation)
            }
            $crate::pools::Pools::Postgres(pool) => {
                ($query).fetch_all(pool).await.during($operation)
            }
        }
    }};
}
pub(crate) use fetch;

impl Pools {
    pub(crate) async fn connect(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Self::connect_sqlite(path.trim_start_matches("//"), url).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::connect_postgres(url).await;
        }
        Err(StoreError::Url {
            url: without_password(url),
        })
    }

    async fn connect_sqlite(path: &str, url: &str) -> Result<Self, StoreError> {
        if path.is_empty() || path.contains(":memory:") {
            return Err(StoreError::Url {
                url: url.to_owned(),
            });
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("wal_autocheckpoint", WAL_CHECKPOINT_PAGES)
            // What a statement would take back on a failure is kept in memory; it is at most as
            // much as a page of a log changes, and would be written to a temporary file for nothing.
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let open = |source| StoreError::Open {
            url: url.to_owned(),
            source,
        };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // A file does not hang up: to ask before each use would only cost time.
            .test_before_acquire(false)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await
            .map_err(open)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .test_before_acquire(false)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.pragma("query_only", "on"))
            .await
            .map_err(open)?;
        Ok(Self::Sqlite {
            writer,
            readers,
            log: PathBuf::from(format!("{path}-wal")),
            long: Semaphore::new(1),
        })
    }

    async fn connect_postgres(url: &str) -> Result<Self, StoreError> {
        let shown = without_password(url);
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Url { url: shown.clone() })?
            .application_name("syncwatch")
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { url: shown, source })?;
        Ok(Self::Postgres(pool))
    }

    /// To be held during a long transaction. SQLite has one writer, who takes transactions in their
    /// order: when long ones queue elsewhere, a short one waits for one of them at most.
    pub(crate) async fn long_turn(&self) -> Option<SemaphorePermit<'_>> {
        match self {
            Self::Sqlite { long, .. } => long.acquire().await.ok(),
            Self::Postgres(_) => None,
        }
    }

    pub(crate) async fn begin(&self, operation: &'static str) -> Result<Tx, StoreError> {
        match self {
            // Immediate: a transaction that reads first must not find the lock taken when it writes.
            Self::Sqlite { writer, .. } => writer
                .begin_with("begin immediate")
                .await
                .map(Tx::Sqlite)
                .during(operation),
            Self::Postgres(pool) => pool.begin().await.map(Tx::Postgres).during(operation),
        }
    }

    /// Places of values for a statement with many rows.
    pub(crate) fn places(&self, rows: usize, columns: usize) -> String {
        match self {
            Self::Sqlite { .. } => plain_places(rows, columns),
            Self::Postgres(_) => numbered_places(rows, columns),
        }
    }

    pub(crate) const fn migrations(&self) -> &'static Migrator {
        match self {
            Self::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Self::Postgres(_) => &POSTGRES_MIGRATIONS,
        }
    }

    pub(crate) async fn migrate(&self) -> Result<(), StoreError> {
        let done = match self {
            Self::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await,
            Self::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await,
        };
        done.map_err(|source| StoreError::Migrate { source })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub(crate) async fn commit(self, operation: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await.during(operation),
            Self::Postgres(tx) => tx.commit().await.during(operation),
        }
    }

    pub(crate) async fn rollback(self, operation: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await.during(operation),
            Self::Postgres(tx) => tx.rollback().await.during(operation),
        }
    }

    /// Places for `rows` rows of `columns` values, for a statement that has no other parameters.
    ///
    /// PostgreSQL wants numbers. SQLite would search the name of every numbered place in a list,
    /// which takes the square of their count; places without numbers have no names.
    pub(crate) fn places(&self, rows: usize, columns: usize) -> String {
        match self {
            Self::Sqlite(_) => plain_places(rows, columns),
            Self::Postgres(_) => numbered_places(rows, columns),
        }
    }
}

/// An address as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let Some((login, host)) = rest.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = login.split(':').next().unwrap_or_default();
    let host = host.split('?').next().unwrap_or_default();
    format!("{scheme}://{user}@{host}")
}

/// `(?,?),(?,?)`.
pub(crate) fn plain_places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; rows].join(",")
}

/// `($1,$2),($3,$4)`.
fn numbered_places(rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { "," };
            write!(text, "{comma}${}", row * columns + column)
                .expect("writing to a String cannot fail");
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_passwords() {
        assert_eq!(
            without_password("postgres://app:tulip@db/x?sslmode=require"),
            "postgres://app@db/x"
        );
        assert_eq!(
            without_password("postgres://app:tu@lip@db/x"),
            "postgres://app@db/x"
        );
        assert_eq!(without_password("sqlite:a.db"), "sqlite:a.db");
    }

    #[test]
    fn places_count_on_over_rows() {
        assert_eq!(numbered_places(2, 3), "($1,$2,$3),($4,$5,$6)");
        assert_eq!(plain_places(2, 3), "(?,?,?),(?,?,?)");
    }
}
