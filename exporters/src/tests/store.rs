use std::collections::BTreeMap;
use std::time::Duration;

use prometheus::Registry;
use serde_json::json;
use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::report::{AgentIdentity, Role};
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    Expectation, Fact, LaneUpdate, PollCommit, PollOutcome, ReportCommit, Store, StoreOptions,
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
            r#"syncwatch_agent_up{agent="sync1.hauser.example",kind="provisioning",tenant="hauser"}"#.to_owned(),
            1.0,
        ),
        (
            r#"syncwatch_agent_up{agent="sync2.hauser.example",kind="provisioning",tenant="hauser"}"#.to_owned(),
            0.0,
        ),
    ] {
        assert_eq!(values.get(&series), Some(&value), "{series} in {values:#?}");
    }
}

/// Commits a report of the agent on `host` that brings nothing but itself and the size of a database.
async fn report(fixture: &Fixture, host: &str, id: &str, received_at: Timestamp) {
    let key = |poll, instance: String| SourceKey {
        tenant: "hauser".into(),
        poll,
        instance,
    };
    let source = async |key: SourceKey| {
        let source = fixture.store.ensure_source(&key, START).await;
        source.expect("a source").id
    };
    let bare = |source| PollCommit::bare(source, received_at, received_at, PollOutcome::Read);
    let heard = bare(source(key(Poll::AgentReports, host.into())).await);
    let mut database = bare(source(key(Poll::AgentSection, format!("{host}/database"))).await);
    database.facts.push(Fact {
        name: format!("server/{id}/database"),
        value: json!({ "local_db": true, "used_mb": 2.5 }),
    });
    let agent = AgentIdentity {
        id: id.into(),
        host: host.to_lowercase(),
        version: "0.1.0".into(),
        system: String::new(),
        roles: [Role::ConnectStaging].into(),
    };
    let report = ReportCommit {
        tenant: "hauser",
        agent: &agent,
        spool: "spool",
        acknowledged: 0,
        acknowledges: 3,
        lost: 2,
        waiting: 5,
        received_at,
        clock_ahead_ms: 90_500,
        records: Vec::new(),
        polls: vec![heard, database],
    };
    let policy = LanePolicy::default();
    let kept = fixture.store.commit_report(&report, &policy).await;
    assert!(kept.expect("committed"));
}

#[tokio::test]
async fn what_agents_reported_is_on_the_page() {
    let fixture = fixture().await;
    let later = START + Duration::from_secs(60);
    report(&fixture, "SYNC01", "agent-of-old", START).await;
    report(&fixture, "SYNC01", "agent-1", later).await;
    // Nobody asks for reports of this one any more: it left the config.
    report(&fixture, "SYNC09", "agent-9", START).await;
    let gone = |poll, instance: &str| SourceKey {
        tenant: "hauser".into(),
        poll,
        instance: instance.into(),
    };
    fixture
        .poll(Poll::ServicePrincipals, PollOutcome::Read, |commit| {
            commit.unwatched = vec![
                gone(Poll::AgentReports, "SYNC09"),
                gone(Poll::AgentSection, "SYNC09/database"),
            ];
        })
        .await;

    let values = fixture.values().await;
    let agent = r#"{agent="SYNC01",tenant="hauser"}"#;
    for (series, value) in [
        (
            r#"syncwatch_agent_up{agent="SYNC01",kind="syncwatch",tenant="hauser"}"#.to_owned(),
            1.0,
        ),
        (
            r#"syncwatch_agent_info{agent="SYNC01",kind="syncwatch",tenant="hauser",version="0.1.0"}"#.to_owned(),
            1.0,
        ),
        (
            format!("syncwatch_agent_last_report_timestamp_seconds{agent}"),
            later.as_seconds(),
        ),
        (format!("syncwatch_agent_clock_skew_seconds{agent}"), 90.5),
        (format!("syncwatch_agent_waiting_records{agent}"), 5.0),
        (format!("syncwatch_agent_lost_records_total{agent}"), 2.0),
        (
            r#"syncwatch_server_role{role="connect_staging",server="SYNC01",tenant="hauser"}"#.to_owned(),
            1.0,
        ),
        (
            r#"syncwatch_server_role{role="connect_active",server="SYNC01",tenant="hauser"}"#.to_owned(),
            0.0,
        ),
        (
            r#"syncwatch_server_database_bytes{server="SYNC01",tenant="hauser"}"#.to_owned(),
            2_621_440.0,
        ),
    ] {
        assert_eq!(values.get(&series), Some(&value), "{series} in {values:#?}");
    }
    let of_others = values.keys().find(|series| series.contains("SYNC09"));
    assert_eq!(of_others, None);
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
