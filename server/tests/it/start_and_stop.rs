//! How the service starts, what it says when it cannot, and how it stops.

use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use syncwatch::App;
use syncwatch::lifecycle::{Ended, Signals};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_store::{Store, StoreOptions};

use crate::program::{LINE_LIMIT, Program};
use crate::support::{Answer, Site, client, config_text, now, read, until};

/// Byte of an SQLite file that says which version may write it: 3 is none that exists
/// (SQLite file format, "File format version numbers").
const WRITE_VERSION_AT: u64 = 18;

fn set_write_version(path: &std::path::Path, version: u8) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(WRITE_VERSION_AT)).unwrap();
    file.write_all(&[version]).unwrap();
}

async fn ready(url: &str) -> Answer {
    Answer::of(client().get(format!("{url}/-/ready"))).await
}

#[tokio::test]
async fn a_read_only_database_is_said_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syncwatch.db");
    let options = StoreOptions::new(format!("sqlite:{}", path.display()), "test");
    Store::open_and_migrate(&options)
        .await
        .unwrap()
        .close()
        .await;
    set_write_version(&path, 3);

    let config = read(&config_text(&folder, ""));
    let running = App::build(config, Arc::new(ScriptedClock::new(now())))
        .await
        .unwrap()
        .start();
    let url = running.url();
    until("the reason", async || {
        let answer = ready(&url).await;
        assert_eq!(answer.status, 503);
        if answer.body.contains("read-only") {
            Ok(())
        } else {
            Err(answer.body)
        }
    })
    .await;
    assert_eq!(
        Answer::of(client().get(format!("{url}/-/healthy")))
            .await
            .status,
        200,
        "it lives on"
    );
    let page = Answer::of(client().get(&url)).await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("read-only"), "{}", page.body);
    for path in ["/metrics", "/api/v1/lanes", "/api/v1/events"] {
        assert_eq!(
            Answer::of(client().get(format!("{url}{path}")))
                .await
                .status,
            503,
            "{path}"
        );
    }

    set_write_version(&path, 2);
    until("the mended database", async || {
        let answer = ready(&url).await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.body)
        }
    })
    .await;
    running.stop();
    assert_eq!(
        running.until_ended(&mut Signals::listen().unwrap()).await,
        Ended::Soft
    );
}

#[tokio::test]
async fn a_database_that_is_locked_later_fails_readiness_until_it_is_free() {
    let site = Site::start("", async |_| {}).await;
    let path = site.folder.path().join("syncwatch.db");
    let mut other = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path))
        .await
        .unwrap();
    sqlx::query("begin immediate")
        .execute(&mut other)
        .await
        .unwrap();
    let locked = ready(&site.url).await;
    assert_eq!(locked.status, 503);
    assert!(
        locked.body.contains("locked by another process"),
        "{}",
        locked.body
    );
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    until("the lock to be gone", async || {
        let answer = ready(&site.url).await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.body)
        }
    })
    .await;
    assert_eq!(site.end().await, Ended::Soft);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let site = Site::start("", async |_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let address = site.url.trim_start_matches("http://");
    let config = read(&config_text(&folder, "").replace("127.0.0.1:0", address));
    let error = App::build(config, Arc::new(ScriptedClock::new(now())))
        .await
        .unwrap_err();
    assert!(error.to_string().contains(address), "{error}");
    site.end().await;
}

#[tokio::test]
async fn a_stop_ends_event_streams_and_frees_the_address() {
    let site = Site::start("", async |_| {}).await;
    let url = site.url.clone();
    let mut stream = client()
        .get(format!("{url}/api/v1/events"))
        .send()
        .await
        .unwrap();
    assert_eq!(site.end().await, Ended::Soft);
    assert!(
        stream.chunk().await.is_ok_and(|chunk| chunk.is_none()),
        "the stream ends in order"
    );
    assert!(
        client()
            .get(format!("{url}/-/healthy"))
            .send()
            .await
            .is_err()
    );
}

#[test]
fn the_program_logs_json_survives_a_hangup_and_stops_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::run(&folder, "");
    let started = program.line_with("syncwatch is starting");
    let started: serde_json::Value = serde_json::from_str(&started).unwrap();
    assert!(
        started["http.url"]
            .as_str()
            .is_some_and(|url| url.starts_with("http://127.0.0.1:")),
        "{started}"
    );
    program.signal("HUP");
    program.line_with("reloading the configuration is not in this version");
    program.signal("TERM");
    program.line_with("everything in flight was finished");
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_database_url_in_a_file_is_read_and_its_password_never_said() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("url");
    std::fs::write(&url, "postgres://app:tulip@127.0.0.1:9/syncwatch\n").unwrap();
    let path = folder.path().join("syncwatch.toml");
    let database = format!(
        "url = \"sqlite:{}\"",
        folder.path().join("syncwatch.db").display()
    );
    let text =
        config_text(&folder, "").replace(&database, &format!("url_file = \"{}\"", url.display()));
    std::fs::write(&path, text).unwrap();
    let output = crate::support::syncwatch(&["migrate", "--config", path.to_str().unwrap()]);
    let said = crate::support::said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("postgres://app@127.0.0.1:9/syncwatch") && !said.contains("tulip"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_is_hard() {
    let deaf = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let receiver = format!(
        "\n[[receiver]]\nname = \"deaf\"\nkind = \"webhook\"\nurl = \"http://{}/\"\ntimeout = \"1m\"\n",
        deaf.local_addr().unwrap()
    );
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::run(&folder, &receiver);
    let started: serde_json::Value =
        serde_json::from_str(&program.line_with("syncwatch is starting")).unwrap();
    let url = started["http.url"].as_str().unwrap().to_owned();
    until("the service to be ready", async || {
        let answer = ready(&url).await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.body)
        }
    })
    .await;
    let asking = tokio::task::spawn_blocking(move || {
        crate::support::syncwatch(&["test-notify", "--url", &url])
    });
    // The request is in flight once the receiver was called; it never answers.
    let call = tokio::time::timeout(LINE_LIMIT, deaf.accept()).await;
    let _call = call
        .unwrap_or_else(|_| panic!("the receiver was not called"))
        .unwrap();
    program.signal("TERM");
    program.line_with("a second signal stops at once");
    program.signal("TERM");
    program.line_with("stopped hard");
    assert_eq!(program.child.wait().unwrap().code(), Some(1));
    assert_eq!(asking.await.unwrap().status.code(), Some(3));
}

#[test]
fn a_damaged_database_ends_the_program_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let junk = "this is not a database, and long enough to be looked at as one".repeat(40);
    std::fs::write(folder.path().join("syncwatch.db"), junk).unwrap();
    let mut program = Program::run(&folder, "");
    program.line_with("is no database or is damaged");
    assert_eq!(program.child.wait().unwrap().code(), Some(1));
}
