//! The yardstick on SQLite: a prepared statement in a loop, with nothing between it and the database.

use std::path::Path;

use anyhow::{Context, ensure};
use rusqlite::Connection;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_store::LogRow;
use zstd::bulk::Compressor;

use super::input::parse;

/// The product's own schema.
const SCHEMA: &str = include_str!("../../../../store/migrations/sqlite/0001_init.sql");
/// What everybody would write first: the id is unique, the time has an index.
const OBVIOUS_SCHEMA: &str = "
    create table observation (
        occurred_at bigint not null, id blob not null unique, job_ref bigint not null, stream smallint not null,
        action smallint not null, status smallint not null, error_code text, object_id text,
        dictionary smallint not null, raw blob not null
    );
    create index observation_time on observation (occurred_at);";
const DICTIONARY: &[u8] = include_bytes!("../../../../store/dictionaries/1.zdict");
const LEVEL: i32 = 1;
const INSERT: &str = "insert into observation (occurred_at, id, job_ref, stream, action, status, error_code, object_id, \
     dictionary, raw) values (?1, ?2, 1, 0, ?3, ?4, ?5, ?6, 1, ?7) on conflict do nothing";

/// A row with its columns as they are stored.
#[derive(Clone, Debug)]
pub(super) struct ReadyRow {
    /// When it happened, in milliseconds.
    pub(super) occurred_at: i64,
    /// Id of the row.
    pub(super) id: [u8; 16],
    /// Number of the action.
    pub(super) action: i16,
    /// Number of the result.
    pub(super) status: i16,
    /// Error code of a failure.
    pub(super) error_code: Option<String>,
    /// Source object.
    pub(super) object_id: Option<String>,
    /// The row as it came, packed.
    pub(super) raw: Vec<u8>,
}

/// Packs rows like the store does.
pub(super) struct Packer(Compressor<'static>);

impl Packer {
    /// A packer with the store's dictionary.
    ///
    /// # Errors
    /// When the compressor cannot be made.
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(
            Compressor::with_dictionary(LEVEL, DICTIONARY).context("a compressor")?,
        ))
    }

    /// From the bytes of a page to rows that only have to be stored, in the order of the key.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub(super) fn ready(&mut self, body: &str) -> anyhow::Result<Vec<ReadyRow>> {
        let rows = parse(body)?;
        let mut ready = self.pack(&rows)?;
        ready.sort_unstable_by_key(|row| (row.occurred_at, row.id));
        Ok(ready)
    }

    fn pack(&mut self, rows: &[LogRow<'_>]) -> anyhow::Result<Vec<ReadyRow>> {
        let rows = rows.iter().map(|row| {
            Ok(ReadyRow {
                occurred_at: row.occurred_at.as_millis(),
                id: row.id.0,
                action: place(ProvisioningAction::ALL, row.action)?,
                status: place(ProvisioningStatus::ALL, row.status)?,
                error_code: row.error_code.as_deref().map(str::to_owned),
                object_id: row.object_id.as_deref().map(str::to_owned),
                raw: self.0.compress(row.raw).context("pack a row")?,
            })
        });
        rows.collect()
    }
}

fn place<T: PartialEq + Copy>(all: &[T], member: T) -> anyhow::Result<i16> {
    let at = all
        .iter()
        .position(|other| *other == member)
        .context("a word without a number")?;
    i16::try_from(at).context("too many words")
}

/// Which table the rows go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// The product's, with its checkpoint setting.
    Same,
    /// Unique random id and a separate index on the time, SQLite's default checkpoint.
    Obvious,
}

/// A database written by a loop.
#[derive(Debug)]
pub(super) struct Bare {
    connection: Connection,
}

impl Bare {
    /// Creates the database; every commit reaches the disk before it is confirmed, as in the product.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub(super) fn create(path: &Path, schema: Schema) -> anyhow::Result<Self> {
        let connection = Connection::open(path).context("open a database")?;
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on",
        )?;
        match schema {
            Schema::Same => {
                connection.execute_batch("pragma wal_autocheckpoint = 10000")?;
                connection
                    .execute_batch(SCHEMA)
                    .context("create the product's tables")?;
            }
            Schema::Obvious => connection
                .execute_batch(OBVIOUS_SCHEMA)
                .context("create the obvious table")?,
        }
        Ok(Self { connection })
    }

    /// Stores the rows of one page in one transaction.
    ///
    /// # Errors
    /// When SQLite refuses or has a row already.
    pub(super) fn store(&mut self, rows: &[ReadyRow]) -> anyhow::Result<()> {
        let transaction = self.connection.transaction().context("begin")?;
        let mut written = 0;
        {
            let mut insert = transaction.prepare_cached(INSERT).context("prepare")?;
            for row in rows {
                written += insert.execute(rusqlite::params![
                    row.occurred_at,
                    row.id.as_slice(),
                    row.action,
                    row.status,
                    row.error_code,
                    row.object_id,
                    row.raw,
                ])?;
            }
        }
        transaction.commit().context("commit")?;
        ensure!(
            written == rows.len(),
            "{written} of {} rows were new",
            rows.len()
        );
        Ok(())
    }
}

/// Compares the logs of two databases row by row.
///
/// # Errors
/// When they differ, or cannot be read.
pub(super) fn same_rows(one: &Path, other: &Path) -> anyhow::Result<i64> {
    const COLUMNS: &str =
        "occurred_at, id, job_ref, stream, action, status, error_code, object_id, dictionary, raw";
    let connection = Connection::open(one).context("open a database")?;
    connection
        .execute("attach database ?1 as other", [other.to_string_lossy()])
        .context("attach the other")?;
    let count = |sql: String| connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
    let rows = count("select count(*) from main.observation".into())?;
    for (here, there) in [("main", "other"), ("other", "main")] {
        let more = count(format!(
            "select count(*) from (select {COLUMNS} from {here}.observation except select {COLUMNS} from {there}.observation)"
        ))?;
        ensure!(more == 0, "{more} rows of {here} are not in {there}");
    }
    Ok(rows)
}
