#![expect(clippy::unwrap_used, reason = "tests")]

mod batches;
mod lanes;
mod modes;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
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
