use std::collections::BTreeMap;
use std::time::Duration;

use prometheus::Registry;
use serde_json::json;
use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    Expectation, Fact, LaneUpdate, PollCommit, PollOutcome, Store, StoreOptions,
};

use super::fleet;
use crate::exporter::{Exporter, Rendered, Wanted};
use crate::format::Format;
use crate::testing::parse;

const START: Timestamp = Timestamp::from_millis(1_793_606_400_000);

struct Fixture {
    // Removed after the store is gone.
    store: Store,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("syncwatch.db").display());
    let store = Store::open_and_migrate(&StoreOptions::new(url, "test"))
        .await
        .expect("a new store");
    Fixture {
        store,
        _folder: folder,
    }
}

impl Fixture {
    /// Commits what one poll learned, `edit` on top of the bare outcome.
    async fn poll(&self, poll: Poll, outcome: PollOutcome, edit: impl FnOnce(&mut PollCommit<'_>)) {
        let key = SourceKey {
            tenant: "hauser".into(),
            poll,
            instance: String::new(),
        };
        let source = self
            .store
            .ensure_source(&key, START)
            .await
            .expect("a source")
            .id;
        let mut commit =
            PollCommit::bare(source, START, START + Duration::from_millis(80), outcome);
        edit(&mut commit);
        self.store
            .commit_poll(&commit, &LanePolicy::default())
            .await
            .expect("committed");
    }

    async fn values(&self) -> BTreeMap<String, f64> {
        let page = Exporter::new(self.store.clone(), Registry::new())
            .render(&Wanted::default())
            .await;
        parse(&text(&page), Format::Text).values()
    }
}

fn text(page: &Rendered) -> String {
    String::from_utf8(page.body.clone()).expect("pages are UTF-8")
}

fn cloud_lane(success_at: Timestamp) -> LaneUpdate {
    let cycle = |ended_at: Timestamp, outcome| Cycle {
        began_at: Some(ended_at - Duration::from_secs(4)),
        ended_at,
        outcome,
        evidence: CycleEvidence::Status,
        exported: None,
        escrowed: None,
    };
    LaneUpdate {
        key: LaneKey {
            tenant: "hauser".into(),
            engine: Engine::Cloud,
            kind: LaneKind::Objects,
            partition: "ad.hauser.example".into(),
        },
        job_id: None,
        cycles: vec![
            cycle(success_at, CycleOutcome::Succeeded),
            cycle(success_at + Duration::from_secs(60), CycleOutcome::Failed),
        ],
        promised: Some(Duration::from_secs(1200)),
        expectation: Expectation::Expected,
        confirmed: false,
        gaps_between: None,
    }
}

#[tokio::test]
async fn what_polls_committed_is_on_the_page() {
    let fixture = fixture().await;
    let success_at = START - Duration::from_secs(300);
    fixture
        .poll(Poll::Jobs, PollOutcome::Read, |commit| {
            commit.lanes.push(cloud_lane(success_at));
        })
        .await;
    let agent = |id: &str, status: &str| Fact {
        name: format!("agent/{id}"),
        value: json!({ "machine": format!("{id}.hauser.example"), "status": status, "groups": [] }),
    };
    fixture
        .poll(Poll::Agents, PollOutcome::Read, |commit| {
            commit.facts = vec![agent("sync1", "active"), agent("sync2", "inactive")];
        })
        .await;
    let failed = PollOutcome::Failed {
        failure: ReadFailure::ServerError,
        text: "503 from the jobs of hauser".into(),
    };
    fixture.poll(Poll::ProvisioningLogs, failed, |_| ()).await;

    let values = fixture.values().await;
    let lane = r#"engine="cloud",kind="objects""#;
    let end = r#"partition="ad.hauser.example",tenant="hauser""#;
    for (series, value) in [
        ("syncwatch_snapshot_successful".to_owned(), 1.0),
        ("syncwatch_outbox_depth".to_owned(), 0.0),
        (
            format!("syncwatch_lane_last_success_timestamp_seconds{{{lane},{end}}}"),
            success_at.as_seconds(),
        ),
        (
            format!("syncwatch_lane_deadline_timestamp_seconds{{{lane},{end}}}"),
            success_at.as_seconds() + 7200.0,
        ),
        (
            format!(r#"syncwatch_lane_interval_seconds{{basis="promised",{lane},{end}}}"#),
            1200.0,
        ),
        (
            format!(r#"syncwatch_cycles_total{{{lane},outcome="failed",{end}}}"#),
            1.0,
        ),
        (
            format!("syncwatch_cycle_duration_seconds_sum{{{lane},{end}}}"),
            8.0,
        ),
        (
            format!("syncwatch_cycle_duration_seconds_count{{{lane},{end}}}"),
            2.0,
        ),
        (
            r#"syncwatch_source_up{poll="jobs",tenant="hauser"}"#.to_owned(),
            1.0,
        ),
        (
            r#"syncwatch_source_up{poll="provisioning_logs",tenant="hauser"}"#.to_owned(),
            0.0,
        ),
        (
            r#"syncwatch_agent_up{agent="sync1.hauser.example",tenant="hauser"}"#.to_owned(),
            1.0,
        ),
        (
            r#"syncwatch_agent_up{agent="sync2.hauser.example",tenant="hauser"}"#.to_owned(),
            0.0,
        ),
    ] {
        assert_eq!(values.get(&series), Some(&value), "{series} in {values:#?}");
    }
}

#[tokio::test]
async fn nothing_of_a_failure_text_reaches_the_page() {
    let fixture = fixture().await;
    let failed = PollOutcome::Failed {
        failure: ReadFailure::Network,
        text: "anna.muster@hauser.example".into(),
    };
    fixture.poll(Poll::Jobs, failed, |_| ()).await;
    let page = Exporter::new(fixture.store.clone(), Registry::new())
        .render(&Wanted::default())
        .await;
    assert!(!text(&page).contains("anna"), "{}", text(&page));
}

#[tokio::test]
async fn store_that_fails_leaves_the_rest_of_the_page() {
    let fixture = fixture().await;
    fixture.store.close().await;
    let page = Exporter::new(fixture.store.clone(), fleet::registry())
        .render(&Wanted::default())
        .await;
    let values = parse(&text(&page), Format::Text).values();
    assert_eq!(values["syncwatch_snapshot_successful"], 0.0);
    assert_eq!(values["syncwatch_config_last_reload_successful"], 1.0);
    assert!(!values.contains_key("syncwatch_outbox_depth"));
}

#[tokio::test]
async fn headers_of_the_answer_say_what_the_body_is() {
    let fixture = fixture().await;
    let exporter = Exporter::new(fixture.store.clone(), Registry::new());
    let plain = exporter.render(&Wanted::default()).await;
    assert_eq!(
        (plain.content_type, plain.content_encoding),
        ("text/plain; version=0.0.4; charset=utf-8", None)
    );
    let wanted = Wanted {
        accept: "application/openmetrics-text;version=1.0.0",
        accept_encoding: "gzip",
    };
    let packed = exporter.render(&wanted).await;
    assert_eq!(
        packed.content_type,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(packed.content_encoding, Some("gzip"));
    assert_eq!(packed.body[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn many_readers_at_once_all_get_their_page() {
    let fixture = fixture().await;
    let exporter = Exporter::new(fixture.store.clone(), Registry::new());
    let wanted = Wanted::default();
    let (one, two, three) = tokio::join!(
        exporter.render(&wanted),
        exporter.render(&wanted),
        exporter.render(&wanted)
    );
    for page in [one, two, three] {
        assert_eq!(
            parse(&text(&page), Format::Text).values()["syncwatch_snapshot_successful"],
            1.0
        );
    }
}
