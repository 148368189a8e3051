#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::{Poll, ReadFailure};
use syncwatch_domain::sync_server::{self, Part};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{LaneFilter, LaneView, Store, StoreOptions, StoredSource};
use tokio::sync::watch;

use super::silence::look;
use super::{Agents, Enrolled, Intake, Who};
use crate::config::{AgentSection, TenantConfig, TenantSection};

const FOREST: &str = "ad.hauser.example";
const CLOUD: &str = "b891884f-051e-4a83-95af-2544101c9083";
const FOREST_ID: &str = "11111111-0000-4000-8000-000000000001";

/// An intake on a store of its own, and a clock that stands still.
struct Desk {
    _folder: tempfile::TempDir,
    store: Store,
    clock: Arc<ScriptedClock>,
    agents: Agents,
    intake: Intake,
    _policy: watch::Sender<Arc<LanePolicy>>,
}

fn start() -> Timestamp {
    Timestamp::parse("2026-11-17T09:00:00Z").unwrap()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("t.db").display());
        let store = Store::open_and_migrate(&StoreOptions::new(url, "t"))
            .await
            .unwrap();
        let clock = Arc::new(ScriptedClock::new(start()));
        let config = config(&["SYNC01", "SYNC02"]);
        let (sender, policy) = watch::channel(Arc::new(LanePolicy::default()));
        let shared: Arc<dyn Clock> = clock.clone();
        let agents = Agents::new(&[config], &store, &shared, policy).unwrap();
        Self {
            _folder: folder,
            intake: agents.intake(),
            store,
            clock,
            agents,
            _policy: sender,
        }
    }

    fn who(&self, host: &str) -> Who {
        self.intake.who(&format!("a long token of {host}")).unwrap()
    }

    /// Takes a batch of these sections, read a second ago.
    async fn report(&self, host: &str, first: u64, sections: &[(&str, Value)]) -> u64 {
        let sent_at = self.clock.now();
        let records = sections.iter().zip(first..).map(|((section, data), seq)| {
            json!({
                "seq": seq, "section": section, "collected_at": sent_at - Duration::from_secs(1),
                "elapsed": {"run": "r", "ms": 9000}, "utc_offset_minutes": 60, "outcome": "read", "data": data,
            })
        });
        self.take(host, sent_at, records.collect()).await
    }

    async fn take(&self, host: &str, sent_at: Timestamp, records: Vec<Value>) -> u64 {
        let batch = json!({
            "schema": 1, "agent": {"id": format!("agent-{host}"), "host": host, "version": "0.1.0"},
            "sent_at": sent_at, "elapsed": {"run": "r", "ms": 10_000},
            "spool": {"id": "spool-1", "first": 1, "next": 1000}, "records": records,
        });
        let body = batch.to_string();
        let taken = self.intake.take(&self.who(host), body.as_bytes()).await;
        taken.unwrap().acknowledged
    }

    async fn lane(&self, kind: LaneKind, partition: &str) -> Option<LaneView> {
        let lanes = self.store.lanes(&LaneFilter::default()).await.unwrap();
        lanes.into_iter().find(|lane| {
            lane.key.engine == Engine::Connect
                && lane.key.kind == kind
                && lane.key.partition == partition
        })
    }

    async fn source(&self, poll: Poll, instance: &str) -> Option<StoredSource> {
        let sources = self.store.sources(None).await.unwrap();
        sources
            .into_iter()
            .find(|source| source.state.key.poll == poll && source.state.key.instance == instance)
    }

    async fn part<T: serde::de::DeserializeOwned>(&self, host: &str, part: Part) -> Option<T> {
        let name = sync_server::fact_name(&format!("agent-{host}"), part);
        let facts = self.store.facts(None).await.unwrap();
        let fact = facts.into_iter().find(|fact| fact.name == name)?;
        Some(serde_json::from_value(fact.value).unwrap())
    }
}

fn config(hosts: &[&str]) -> TenantConfig {
    let agent = hosts.iter().map(|host| AgentSection {
        host: (*host).to_owned(),
        token: Some(Secret::new(format!("a long token of {host}"))),
        ..AgentSection::default()
    });
    let section = TenantSection {
        name: "rowan".to_owned(),
        id: "5c1e7a90-0b3d-4d62-9f84-2a6b8c7d1e30".to_owned(),
        client_id: Some("9d2f4b61-7c08-4e15-a3b9-60f1d5e8c742".to_owned()),
        client_secret: Some(Secret::new("medlar".to_owned())),
        agent: agent.collect(),
        ..TenantSection::default()
    };
    section.check().unwrap()
}

fn scheduler(staging: bool, enabled: bool) -> (&'static str, Value) {
    (
        "scheduler",
        json!([{
            "AllowedSyncCycleInterval": "00:30:00", "CurrentlyEffectiveSyncCycleInterval": "00:30:00",
            "CustomizedSyncCycleInterval": null, "NextSyncCyclePolicyType": "Delta",
            "NextSyncCycleStartTimeInUTC": "2026-11-17T09:21:00Z", "PurgeRunHistoryInterval": "7.00:00:00",
            "SyncCycleEnabled": enabled, "MaintenanceEnabled": true, "StagingModeEnabled": staging,
            "SchedulerSuspended": false, "SyncCycleInProgress": false,
        }]),
    )
}

fn run(number: u32, connector: (&str, &str), profile: &str, result: &str, ended: &str) -> Value {
    json!({
        "RunHistoryId": format!("00000000-0000-4000-8000-{number:012}"), "ConnectorId": connector.0,
        "ConnectorName": connector.1, "RunProfileId": "00000000-0000-4000-8000-00000000000f",
        "RunProfileName": profile, "RunNumber": number, "Username": "NT SERVICE\\ADSync",
        "IsRunComplete": true, "Result": result, "CurrentStepNumber": 1, "TotalSteps": 1,
        "StartDate": ended, "EndDate": ended, "RunStepResults": null,
    })
}

fn import(number: u32, result: &str, ended: &str) -> Value {
    run(number, (FOREST_ID, FOREST), "Delta Import", result, ended)
}

fn export(number: u32, result: &str, ended: &str) -> Value {
    let cloud = (CLOUD, "hauser.onmicrosoft.com - AAD");
    run(number, cloud, "Export", result, ended)
}

fn password_state(ended: &str) -> (&'static str, Value) {
    (
        "password_sync",
        json!([
            {
                "Kind": "Partition", "ConnectorId": FOREST_ID, "DN": "DC=ad,DC=hauser,DC=example",
                "PasswordSyncLastSuccessfulCycleStartTimestamp": ended,
                "PasswordSyncLastSuccessfulCycleEndTimestamp": ended,
                "PasswordSyncLastCycleStartTimestamp": ended, "PasswordSyncLastCycleEndTimestamp": ended,
                "PasswordSyncLastCycleStatus": "Successful",
            },
            {"Kind": "Configuration", "SourceConnector": FOREST, "TargetConnector": "x", "Enabled": true},
        ]),
    )
}

#[tokio::test]
async fn runs_become_lanes_of_objects_and_a_failed_import_is_no_success() {
    let desk = Desk::new().await;
    let runs = json!([
        import(1, "success", "2026-11-17T08:21:00Z"),
        export(1, "completed-export-errors", "2026-11-17T08:23:00Z"),
        import(2, "no-start-connection", "2026-11-17T08:51:00Z"),
        export(2, "success", "2026-11-17T08:53:00Z"),
    ]);
    let reached = desk
        .report("SYNC01", 1, &[("runs", runs), scheduler(false, true)])
        .await;
    assert_eq!(reached, 2);
    let forest = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(
        forest.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:21:00Z")
    );
    assert_eq!(forest.intervals.promised, Some(minutes(30)));
    assert_eq!(forest.source_key.instance, "SYNC01/runs");
    let cloud = desk
        .lane(LaneKind::Objects, "hauser.onmicrosoft.com - AAD")
        .await
        .unwrap();
    assert_eq!(
        cloud.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:53:00Z")
    );
    let runs: sync_server::Runs = desk.part("SYNC01", Part::Runs).await.unwrap();
    // The newest import failed: no whole cycle is known.
    assert_eq!(runs.last_success_at, None);
    let newest = &runs.connectors[0].newest[0];
    assert_eq!(
        (newest.bad_in_a_row, newest.result.as_str()),
        (1, "no-start-connection")
    );
}

#[tokio::test]
async fn runs_that_come_again_are_counted_once() {
    let desk = Desk::new().await;
    for (seq, count) in [(1, 1), (2, 1), (3, 2)] {
        // Each report is on its way for another while: its instants are corrected a little otherwise.
        desk.clock.advance(Duration::from_millis(700 * seq));
        let mut runs = vec![import(1, "stopped-server-down", "2026-11-17T08:21:00Z")];
        if seq == 3 {
            runs.push(import(2, "stopped-server-down", "2026-11-17T08:51:00Z"));
        }
        let (_, state) = scheduler(false, true);
        let sent_at = start() + Duration::from_secs(seq);
        let record = |seq: u64, section: &str, data: Value| {
            json!({
                "seq": seq, "section": section, "collected_at": sent_at, "elapsed": {"run": "r", "ms": 10_000},
                "outcome": "read", "data": data,
            })
        };
        let records = vec![
            record(2 * seq - 1, "scheduler", state),
            record(2 * seq, "runs", Value::Array(runs)),
        ];
        desk.take("SYNC01", sent_at, records).await;
        let runs: sync_server::Runs = desk.part("SYNC01", Part::Runs).await.unwrap();
        assert_eq!(runs.connectors[0].newest[0].bad_in_a_row, count);
        let cycles: i64 = desk
            .store
            .cycle_totals()
            .await
            .unwrap()
            .iter()
            .map(|total| total.count)
            .sum();
        assert_eq!(cycles, i64::from(count));
    }
}

#[tokio::test]
async fn a_state_that_comes_again_is_no_new_success() {
    let desk = Desk::new().await;
    for round in 1..4 {
        desk.clock.advance(Duration::from_millis(1300));
        let (_, state) = scheduler(false, true);
        let record = |seq: u64, section: &str, data: &Value| {
            json!({
                "seq": seq, "section": section, "collected_at": start(), "elapsed": {"run": "r", "ms": 10_000},
                "outcome": "read", "data": data,
            })
        };
        let records = vec![
            record(2 * round - 1, "scheduler", &state),
            record(
                2 * round,
                "password_sync",
                &password_state("2026-11-17T08:40:00Z").1,
            ),
        ];
        desk.take("SYNC01", start(), records).await;
        let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
        let first = Timestamp::parse("2026-11-17T08:40:00Z").unwrap();
        assert_eq!(
            lane.facts.last_success_at,
            Some(first + Duration::from_millis(1300))
        );
    }
}

#[tokio::test]
async fn what_a_complete_list_does_not_name_any_more_is_over() {
    let desk = Desk::new().await;
    let runs = json!([import(1, "success", "2026-11-17T08:51:00Z")]);
    desk.report(
        "SYNC01",
        1,
        &[
            scheduler(false, true),
            ("runs", runs),
            password_state("2026-11-17T08:58:00Z"),
        ],
    )
    .await;
    assert!(
        !desk
            .lane(LaneKind::Objects, FOREST)
            .await
            .unwrap()
            .facts
            .paused
    );
    let connectors = json!([{
        "Name": "hauser.onmicrosoft.com - AAD", "Identifier": CLOUD, "Type": "Extensible2",
        "Subtype": "Windows Azure Active Directory (Microsoft)", "Partitions": [],
    }]);
    let states = json!([]);
    desk.report(
        "SYNC01",
        4,
        &[("connectors", connectors), ("password_sync", states)],
    )
    .await;
    for kind in [LaneKind::Objects, LaneKind::PasswordHash] {
        let lane = desk.lane(kind, FOREST).await.unwrap();
        assert!(lane.facts.paused, "{kind}");
    }
    let runs: sync_server::Runs = desk.part("SYNC01", Part::Runs).await.unwrap();
    assert_eq!(runs.connectors, []);
}

#[tokio::test]
async fn a_server_whose_scheduler_was_not_read_claims_no_lanes() {
    let desk = Desk::new().await;
    let runs = json!([import(1, "success", "2026-11-17T08:51:00Z")]);
    let sections = [("runs", runs), password_state("2026-11-17T08:58:00Z")];
    desk.report("SYNC02", 1, &sections).await;
    assert!(desk.lane(LaneKind::Objects, FOREST).await.is_none());
    assert!(desk.lane(LaneKind::PasswordHash, FOREST).await.is_none());
}

#[tokio::test]
async fn agents_are_given_time_after_a_start() {
    let desk = Desk::new().await;
    let policy = watch::Sender::new(Arc::new(LanePolicy::default())).subscribe();
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    // The service was down for an hour and listens again since a minute.
    desk.clock.advance(minutes(61));
    let agents: &[Enrolled] = &desk.agents.enrolled;
    let since = start() + minutes(60);
    let next = look(agents, &desk.store, &policy, since, desk.clock.now())
        .await
        .unwrap();
    assert_eq!(next, Some(since + minutes(10)));
    let heard = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
    assert_eq!(heard.state.failing_since, None);
}

#[tokio::test]
async fn a_server_that_goes_into_staging_hands_its_lanes_to_the_next() {
    let desk = Desk::new().await;
    let runs = |ended: &str| ("runs", json!([import(1, "success", ended)]));
    desk.report(
        "SYNC01",
        1,
        &[scheduler(false, true), runs("2026-11-17T08:51:00Z")],
    )
    .await;
    desk.report(
        "SYNC02",
        1,
        &[scheduler(true, true), runs("2026-11-17T08:55:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(
        lane.source_key.instance, "SYNC01/runs",
        "a copy has no lanes"
    );
    assert!(!lane.facts.paused);
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:51:00Z")
    );
    desk.report(
        "SYNC01",
        3,
        &[scheduler(true, true), runs("2026-11-17T08:51:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert!(lane.facts.paused);
    desk.report(
        "SYNC02",
        3,
        &[scheduler(false, true), runs("2026-11-17T08:57:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(lane.source_key.instance, "SYNC02/runs");
    assert!(!lane.facts.paused);
    // What the old one says of its past does not take the lane back.
    desk.report(
        "SYNC01",
        5,
        &[scheduler(true, true), runs("2026-11-17T08:51:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(lane.source_key.instance, "SYNC02/runs");
    assert!(!lane.facts.paused);
}

#[tokio::test]
async fn password_hashes_live_by_state_and_events_alike() {
    let desk = Desk::new().await;
    desk.report(
        "SYNC01",
        1,
        &[
            password_state("2026-11-17T08:40:00Z"),
            scheduler(false, true),
        ],
    )
    .await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:40:00Z")
    );
    let event = |id: u32, at: &str, message: &str| {
        json!({
            "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": id, "Level": 4,
            "RecordId": 4000 + id, "TimeCreated": at, "Message": message,
        })
    };
    let events = json!([
        event(
            654,
            "2026-11-17T08:58:00Z",
            "Provision credentials ping end. TrackingID : x"
        ),
        event(
            611,
            "2026-11-17T08:50:00Z",
            "Password hash synchronization failed for domain: ad.hauser.example, domain controller hostname: dc1. Details: System.Exception: RPC Error 1722"
        ),
    ]);
    desk.report(
        "SYNC01",
        3,
        &[("events", events), password_state("2026-11-17T08:40:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:58:00Z")
    );
    let state: sync_server::PasswordSync = desk.part("SYNC01", Part::PasswordSync).await.unwrap();
    assert_eq!(
        state.domains[0].failed_at,
        [Timestamp::parse("2026-11-17T08:50:00Z").unwrap()]
    );
    assert_eq!(state.domains[0].enabled, Some(true));
}

#[tokio::test]
async fn the_clock_of_a_server_is_corrected() {
    let desk = Desk::new().await;
    // The server is an hour ahead; it read half an hour before it sent, as its own count shows.
    let sent_at = start() + minutes(60);
    let record = json!({
        "seq": 1, "section": "password_sync", "collected_at": sent_at - minutes(30),
        "elapsed": {"run": "r", "ms": 10_000}, "outcome": "read",
        "data": password_state("2026-11-17T09:28:00Z").1,
    });
    let (_, data) = scheduler(false, true);
    let scheduler = json!({
        "seq": 2, "section": "scheduler", "collected_at": sent_at - minutes(30),
        "elapsed": {"run": "r", "ms": 10_000}, "outcome": "read", "data": data,
    });
    desk.take("SYNC01", sent_at, vec![record, scheduler]).await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    // By the count it was read this moment, so 09:28 of a clock that shows 09:30 was two minutes ago.
    assert_eq!(lane.facts.last_success_at, Some(start() - minutes(2)));
    let agent: sync_server::Agent = desk.part("SYNC01", Part::Agent).await.unwrap();
    assert_eq!(agent.clock_ahead_ms, 3_600_000);
}

#[tokio::test]
async fn a_section_that_fails_hides_no_other() {
    let desk = Desk::new().await;
    let failed = json!({
        "seq": 1, "section": "runs", "collected_at": start(), "elapsed": {"run": "r", "ms": 9000},
        "outcome": "failed", "failure": "access_denied", "failure_text": "access is denied", "data": [],
    });
    let odd = json!({
        "seq": 2, "section": "scheduler", "collected_at": start(), "elapsed": {"run": "r", "ms": 9000},
        "outcome": "read", "data": [{"SyncCycleEnabled": "perhaps"}],
    });
    let good = json!({
        "seq": 3, "section": "database", "collected_at": start(), "elapsed": {"run": "r", "ms": 9000},
        "outcome": "read", "data": [{"IsLocalDBInstalled": true, "UsedSpaceInMb": 8100.5}],
    });
    assert_eq!(
        desk.take("SYNC01", start(), vec![failed, odd, good]).await,
        3
    );
    let runs = desk
        .source(Poll::AgentSection, "SYNC01/runs")
        .await
        .unwrap();
    assert_eq!(runs.state.failure, Some(ReadFailure::Refused));
    assert_eq!(runs.state.failure_text.as_deref(), Some("access is denied"));
    let scheduler = desk
        .source(Poll::AgentSection, "SYNC01/scheduler")
        .await
        .unwrap();
    assert_eq!(scheduler.state.failure, Some(ReadFailure::BadAnswer));
    let database: sync_server::Database = desk.part("SYNC01", Part::Database).await.unwrap();
    assert!(database.local_db);
    let heard = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
    assert_eq!(heard.state.failing_since, None);
}

#[tokio::test]
async fn an_agent_is_silent_when_no_report_came_for_too_long() {
    let desk = Desk::new().await;
    let policy = watch::Sender::new(Arc::new(LanePolicy::default())).subscribe();
    let look = async || {
        let agents: &[Enrolled] = &desk.agents.enrolled;
        look(agents, &desk.store, &policy, start(), desk.clock.now())
            .await
            .unwrap()
    };
    assert_eq!(look().await, Some(start() + minutes(10)));
    desk.clock.advance(minutes(9));
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    desk.clock.advance(minutes(1));
    assert_eq!(look().await, Some(start() + minutes(19)));
    let silent = desk.source(Poll::AgentReports, "SYNC02").await.unwrap();
    assert_eq!(silent.state.failure, Some(ReadFailure::Timeout));
    let heard = desk.source(Poll::AgentReports, "SYNC01").await.unwrap();
    assert_eq!(heard.state.failure, None);
    desk.report("SYNC02", 1, &[scheduler(true, true)]).await;
    let silent = desk.source(Poll::AgentReports, "SYNC02").await.unwrap();
    assert_eq!(silent.state.failing_since, None);
}

#[tokio::test]
async fn records_of_one_batch_are_understood_together_and_in_order() {
    let desk = Desk::new().await;
    let record = |seq: u64, ago: u64, suspended: bool| {
        let (_, mut data) = scheduler(false, true);
        data[0]["SchedulerSuspended"] = json!(suspended);
        json!({
            "seq": seq, "section": "scheduler", "collected_at": start() - minutes(ago),
            "elapsed": {"run": "r", "ms": 600_000 - ago * 60_000}, "outcome": "read", "data": data,
        })
    };
    let batch = json!({
        "schema": 1, "agent": {"id": "agent-SYNC01", "host": "SYNC01", "version": "0.1.0"},
        "sent_at": start(), "elapsed": {"run": "r", "ms": 600_000},
        "spool": {"id": "spool-1", "first": 4, "next": 8,
                  "gaps": [{"from": 1, "to": 3, "oldest_at": start() - minutes(20), "newest_at": start() - minutes(15)}]},
        "records": [record(4, 9, true), record(5, 8, false), record(6, 7, true), record(7, 6, true)],
    });
    desk.intake
        .take(&desk.who("SYNC01"), batch.to_string().as_bytes())
        .await
        .unwrap();
    let scheduler: sync_server::Scheduler = desk.part("SYNC01", Part::Scheduler).await.unwrap();
    assert_eq!(scheduler.suspended_since, Some(start() - minutes(7)));
    let agent: sync_server::Agent = desk.part("SYNC01", Part::Agent).await.unwrap();
    let gap = agent.newest_gap.unwrap();
    assert_eq!((gap.records, gap.to), (3, start() - minutes(15)));
    let source = desk
        .source(Poll::AgentSection, "SYNC01/scheduler")
        .await
        .unwrap();
    assert_eq!(source.state.read_at, Some(start() - minutes(6)));
}

#[tokio::test]
async fn what_was_removed_from_a_server_is_known_no_more() {
    let desk = Desk::new().await;
    desk.report("SYNC01", 1, &[scheduler(false, true)]).await;
    let known: Option<sync_server::Scheduler> = desk.part("SYNC01", Part::Scheduler).await;
    assert!(known.is_some());
    let absent = json!({
        "seq": 2, "section": "scheduler", "collected_at": start(), "elapsed": {"run": "r", "ms": 9500},
        "outcome": "absent", "data": [],
    });
    desk.take("SYNC01", start(), vec![absent]).await;
    let known: Option<Option<sync_server::Scheduler>> = desk.part("SYNC01", Part::Scheduler).await;
    assert_eq!(known, Some(None));
}
