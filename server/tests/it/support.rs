//! A running service on a database of its own, with a clock that stands still.

use std::fmt::Display;
use std::process::Output;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncwatch::config::{self, Config};
use syncwatch::lifecycle::{Ended, Signals};
use syncwatch::{App, Running};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    AlertFilter, Expectation, LaneFilter, LaneUpdate, PollCommit, PollOutcome, Store,
};
use tempfile::TempDir;

/// Bound of every wait.
const LIMIT: Duration = Duration::from_secs(20);

/// When the clock stands.
pub(crate) const NOW: &str = "2026-03-10T12:00:00Z";

pub(crate) fn now() -> Timestamp {
    Timestamp::parse(NOW).unwrap()
}

pub(crate) fn minutes_ago(minutes: u64) -> Timestamp {
    now() - Duration::from_secs(minutes * 60)
}

/// A service and where it keeps its things.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) running: Running,
    pub(crate) store: Store,
    pub(crate) url: String,
}

/// The configuration of a tenant nobody polls.
pub(crate) fn config_text(folder: &TempDir, more: &str) -> String {
    let database = folder.path().join("syncwatch.db");
    let polls: String = Poll::GRAPH
        .iter()
        .map(|poll| format!("polls.{poll}.enabled = false\n"))
        .collect();
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ninstance = \"test\"\nshutdown_grace = \"5s\"\n\
         [store]\nurl = \"sqlite:{}\"\n\
         [[tenant]]\nname = \"orchard\"\nid = \"00000000-0000-4000-8000-000000000001\"\n\
         client_id = \"00000000-0000-4000-8000-000000000002\"\nclient_secret = \"tulip-client\"\n\
         graph_url = \"http://127.0.0.1:9\"\nlogin_url = \"http://127.0.0.1:9\"\n{polls}{more}",
        database.display()
    )
}

pub(crate) fn read(text: &str) -> Config {
    match config::load("test.toml", text, []) {
        Ok(config) => config,
        Err(report) => panic!("{report}"),
    }
}

impl Site {
    /// A service whose store was filled by `seed`.
    pub(crate) async fn start(more: &str, seed: impl AsyncFnOnce(&Store)) -> Self {
        syncwatch::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let config = read(&config_text(&folder, more));
        let app = App::build(config, Arc::new(ScriptedClock::new(now())))
            .await
            .unwrap();
        let running = app.start();
        let store = running.store().await.unwrap();
        // What is in the store before the collector looks at it would be retired: nobody polls it.
        running.caught_up().await.unwrap();
        seed(&store).await;
        let url = running.url();
        Self {
            folder,
            running,
            store,
            url,
        }
    }

    /// Waits until [`orchard`] has been judged: two lanes, and what is wrong with them.
    pub(crate) async fn judged(self) -> Self {
        until("the orchard to be judged", async || {
            let lanes = self.store.lanes(&LaneFilter::default()).await.unwrap();
            let statuses: Vec<_> = lanes.iter().map(|lane| lane.status).collect();
            let alerts = self.store.alerts(&AlertFilter::default()).await.unwrap();
            if statuses == [LaneStatus::OnTime, LaneStatus::Missed] && alerts.len() == 2 {
                return Ok(());
            }
            Err(format!("lanes {statuses:?}, {} alerts", alerts.len()))
        })
        .await;
        self
    }

    /// What is at an address.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(client().get(format!("{}{path}", self.url))).await
    }

    /// Stops softly.
    pub(crate) async fn end(self) -> Ended {
        self.running.stop();
        let mut signals = Signals::listen().unwrap();
        self.running.until_ended(&mut signals).await
    }
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self {
            status,
            headers,
            body: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub(crate) fn client() -> reqwest::Client {
    syncwatch::install_crypto();
    reqwest::Client::builder()
        .timeout(LIMIT)
        .no_proxy()
        .build()
        .unwrap()
}

/// Waits for a condition; what it said last is told when it does not come true.
pub(crate) async fn until<E: Display>(what: &str, mut look: impl AsyncFnMut() -> Result<(), E>) {
    let began = Instant::now();
    loop {
        let Err(last) = look().await else { return };
        assert!(began.elapsed() < LIMIT, "waited for {what}; last: {last}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A lane on time, a lane that missed its window, and a source that fails.
pub(crate) async fn orchard(store: &Store) {
    let jobs = source(store, Poll::Jobs, "00000000-0000-4000-8000-0000000000aa").await;
    let mut commit = PollCommit::bare(jobs, minutes_ago(1), minutes_ago(1), PollOutcome::Read);
    commit.lanes = vec![
        lane(LaneKind::Objects, minutes_ago(10)),
        lane(LaneKind::PasswordHash, minutes_ago(90)),
    ];
    // A lane that is overdue at first sight is judged by the next read.
    let again = PollCommit::bare(jobs, now(), now(), PollOutcome::Read);
    for read in [commit, again] {
        store
            .commit_poll(&read, &LanePolicy::default())
            .await
            .unwrap();
    }
    let audits = source(store, Poll::DirectoryAudits, "").await;
    let text = "Microsoft Graph answered 403: AuditLog.Read.All is missing".to_owned();
    let outcome = PollOutcome::Failed {
        failure: ReadFailure::RightMissing,
        text,
    };
    let failed = PollCommit::bare(audits, minutes_ago(2), minutes_ago(2), outcome);
    store
        .commit_poll(&failed, &LanePolicy::default())
        .await
        .unwrap();
}

async fn source(store: &Store, poll: Poll, instance: &str) -> syncwatch_store::SourceId {
    let key = SourceKey {
        tenant: "orchard".into(),
        poll,
        instance: instance.into(),
    };
    store
        .ensure_source(&key, minutes_ago(200))
        .await
        .unwrap()
        .id
}

fn lane(kind: LaneKind, success: Timestamp) -> LaneUpdate {
    LaneUpdate {
        key: LaneKey {
            tenant: "orchard".into(),
            engine: Engine::Cloud,
            kind,
            partition: "ad.orchard.example".into(),
        },
        job_id: None,
        cycles: vec![Cycle {
            began_at: None,
            ended_at: success,
            outcome: CycleOutcome::Succeeded,
            evidence: CycleEvidence::Status,
            exported: None,
            escrowed: None,
        }],
        promised: Some(Duration::from_secs(20 * 60)),
        expectation: Expectation::Expected,
        confirmed: true,
        gaps_between: None,
    }
}

/// The program itself, in an empty environment.
pub(crate) fn syncwatch(args: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_syncwatch"))
        .args(args)
        .env_clear()
        .output()
        .unwrap()
}

/// What a program said and how it ended.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "exit {}\n--- out\n{}--- err\n{}",
        output
            .status
            .code()
            .map_or("by a signal".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
