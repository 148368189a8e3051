use sqlx::{Connection, PgConnection, Row};
use syncwatch_tests::peers::{Durability, Postgres, TestDatabase};
use syncwatch_tests::wait;

use std::path::Path;
use std::time::Duration;

async fn setting(url: &str, name: &'static str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = sqlx::query("select current_setting($1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    row.get(0)
}

#[tokio::test]
async fn two_test_databases_do_not_see_each_other() {
    let (one, two) = (
        TestDatabase::create().await.unwrap(),
        TestDatabase::create().await.unwrap(),
    );
    let mut connection = PgConnection::connect(one.url()).await.unwrap();
    sqlx::query("create table lane (id bigint primary key)")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut other = PgConnection::connect(two.url()).await.unwrap();
    let error = sqlx::query("select id from lane")
        .fetch_all(&mut other)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn dropped_test_database_is_gone_even_under_an_open_connection() {
    let keeper = TestDatabase::create().await.unwrap();
    let database = TestDatabase::create().await.unwrap();
    let url = database.url().to_owned();
    let _open = PgConnection::connect(&url).await.unwrap();
    drop(database);
    let error = PgConnection::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    PgConnection::connect(keeper.url()).await.unwrap();
}

#[tokio::test]
async fn ended_sessions_fail_their_next_statement() {
    let database = TestDatabase::create().await.unwrap();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    database.end_sessions().await.unwrap();
    assert!(
        sqlx::query("select 1")
            .execute(&mut connection)
            .await
            .is_err()
    );
    PgConnection::connect(database.url()).await.unwrap();
}

#[tokio::test]
async fn own_server_is_as_durable_as_asked_and_stops_with_its_value() {
    let server = Postgres::start(Durability::Full).await.unwrap();
    let url = server.create_database("bench").await.unwrap();
    assert_eq!(setting(&url, "fsync").await, "on");
    assert_eq!(setting(&url, "synchronous_commit").await, "on");
    assert!(server.usage().unwrap().peak_memory > 0);
    let process = format!("/proc/{}", server.pid());
    assert!(Path::new(&process).exists());
    drop(server);
    let gone = async || {
        if Path::new(&process).exists() {
            Err("still there")
        } else {
            Ok(())
        }
    };
    wait::until("the server to be gone", Duration::from_secs(5), gone)
        .await
        .unwrap();
    assert!(PgConnection::connect(&url).await.is_err());
}
