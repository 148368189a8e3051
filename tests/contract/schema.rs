//! The two schemas are the same, and another one is refused with a way out.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection, SqliteConnection};
use syncwatch_store::{Store, StoreError, StoreOptions, Trouble};

use crate::bench::{Bench, at, jobs_source};

type Columns = BTreeMap<String, Vec<String>>;

async fn sqlite_columns(url: &str) -> Columns {
    let mut link = SqliteConnection::connect(url).await.expect("a link");
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select t.name, c.name from sqlite_master t, pragma_table_info(t.name) c \
         where t.type = 'table' and t.name not like '\\_%' escape '\\' and t.name not like 'sqlite%'",
    )
    .fetch_all(&mut link)
    .await
    .expect("columns");
    by_table(rows)
}

async fn postgres_columns(url: &str) -> Columns {
    let mut link = PgConnection::connect(url).await.expect("a link");
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns \
         where table_schema = 'public' and table_name not like '\\_%' order by table_name, ordinal_position",
    )
    .fetch_all(&mut link)
    .await
    .expect("columns");
    by_table(rows)
}

fn by_table(rows: Vec<(String, String)>) -> Columns {
    let mut columns = Columns::new();
    for (table, column) in rows {
        columns.entry(table).or_default().push(column);
    }
    columns
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (Bench::sqlite().await, Bench::postgres().await);
    assert!(sqlite.is_sqlite() && !postgres.is_sqlite());
    let columns = sqlite_columns(&sqlite.url()).await;
    assert!(columns.len() > 10, "{columns:?}");
    assert_eq!(columns, postgres_columns(&postgres.url()).await);
}

crate::on_both!(
    migrating_again_changes_nothing,
    a_database_of_a_newer_version_is_refused
);

async fn migrating_again_changes_nothing(bench: Bench) {
    let (needed, found) = bench.store.schema().await.expect("versions");
    assert_eq!(needed, found);
    let again = Store::open_and_migrate(&StoreOptions::new(bench.url(), "first"))
        .await
        .expect("a store");
    assert_eq!(again.sources(None).await.expect("sources").len(), 1);
}

async fn a_database_of_a_newer_version_is_refused(bench: Bench) {
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 select 9999, 'newer', success, checksum, 0 from _sqlx_migrations limit 1";
    if bench.is_sqlite() {
        let mut link = SqliteConnection::connect(&bench.url())
            .await
            .expect("a link");
        sqlx::query(newer)
            .execute(&mut link)
            .await
            .expect("written");
    } else {
        let mut link = PgConnection::connect(&bench.url()).await.expect("a link");
        sqlx::query(newer)
            .execute(&mut link)
            .await
            .expect("written");
    }
    let error = Store::open(&StoreOptions::new(bench.url(), "first"))
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn an_empty_database_is_refused_with_the_command_that_mends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("new.db").display());
    let error = Store::open(&StoreOptions::new(url, "first"))
        .await
        .expect_err("refused");
    assert!(error.to_string().contains("syncwatch migrate"), "{error}");
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused_without_their_password() {
    for url in [
        "mysql://app:tulip@db/x",
        "sqlite:",
        "sqlite::memory:",
        "postgres://app:tulip@:x/y",
    ] {
        let error = Store::open(&StoreOptions::new(url, "first"))
            .await
            .expect_err("refused");
        assert!(matches!(error, StoreError::Url { .. }), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("tulip"), "{error:?}");
    }
}

#[tokio::test]
async fn a_locked_database_is_reported_in_clear_words_and_loses_nothing() {
    let bench = Bench::sqlite().await;
    let mut link = SqliteConnection::connect(&bench.url())
        .await
        .expect("a link");
    sqlx::query("begin exclusive")
        .execute(&mut link)
        .await
        .expect("locked");
    let error = bench.store.check_writable().await.expect_err("locked");
    assert!(
        matches!(
            error,
            StoreError::Statement {
                class: Trouble::Locked,
                ..
            }
        ),
        "{error:?}"
    );
    sqlx::query("rollback")
        .execute(&mut link)
        .await
        .expect("unlocked");
    bench.store.check_writable().await.expect("writable again");
    bench
        .store
        .ensure_source(&jobs_source("late"), at(1))
        .await
        .expect("a source");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_reported_in_clear_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    std::fs::write(
        &path,
        "these are my notes, and there are many of them\n".repeat(200),
    )
    .expect("written");
    let url = format!("sqlite:{}", path.display());
    let error = Store::open_and_migrate(&StoreOptions::new(url, "first"))
        .await
        .expect_err("refused");
    assert!(
        error.to_string().contains("cannot open the database"),
        "{error}"
    );
    let text = std::fs::read_to_string(&path).expect("still there");
    assert!(
        text.starts_with("these are my notes"),
        "and is left as it was"
    );
}
