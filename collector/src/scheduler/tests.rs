//! The whole collector against a Graph on loopback, a real store and a clock moved by hand.

#![expect(clippy::unwrap_used, reason = "tests")]

mod catching_up;
mod lanes;
mod listed;
mod logs;
mod objects;
mod schemas;
mod service;

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::policy::LaneRule;
use syncwatch_domain::source::{Poll, SourceState};
use syncwatch_domain::span::Span;
use syncwatch_store::{LaneFilter, LaneView, StoreOptions};

use super::*;
use crate::testing::graph::{Asked, FakeGraph, Reply, page, refusal};
use crate::testing::tenant;

const START: Timestamp = Timestamp::from_millis(1_793_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const PRINCIPAL: &str = "3f0b7c52-9d14-4a86-8e71-c2d5f6a90b11";
const JOBS: &str =
    "/v1.0/servicePrincipals/3f0b7c52-9d14-4a86-8e71-c2d5f6a90b11/synchronization/jobs";
const OBJECTS: &str = "AD2AADProvisioning.0123456789abcdef0123456789abcdef.0a";
const HASHES: &str = "AD2AADPasswordHash.0123456789abcdef0123456789abcdef.0b";
const PROVISIONING: &str = "/v1.0/auditLogs/provisioning";
const AUDITS: &str = "/v1.0/auditLogs/directoryAudits";

/// Newest success of each job, set by the test, told by the jobs answer.
type Successes = Arc<Mutex<BTreeMap<&'static str, Timestamp>>>;

struct World {
    graph: Arc<FakeGraph>,
    clock: Arc<ScriptedClock>,
    store: Store,
    collector: Collector,
    successes: Successes,
    config: TenantConfig,
    policy: LanePolicy,
    _folder: tempfile::TempDir,
}

/// A tenant with one configuration of two jobs that succeeded at the start.
async fn world(change: impl FnOnce(&mut TenantConfig)) -> World {
    let graph = FakeGraph::start().await;
    let successes: Successes = Arc::new(Mutex::new(BTreeMap::from([
        (OBJECTS, START),
        (HASHES, START),
    ])));
    graph.on("/v1.0/servicePrincipals", |asked| {
        let filter = asked.query["$filter"].as_str();
        if filter.starts_with("applicationTemplateId") {
            page(&[
                json!({"id": PRINCIPAL, "displayName": "ad.rowan.example", "accountEnabled": true}),
            ])
        } else {
            page(&[])
        }
    });
    let told = Arc::clone(&successes);
    graph.on(JOBS, move |_| {
        page(
            &told
                .lock()
                .unwrap()
                .iter()
                .map(|(id, at)| job(id, *at))
                .collect::<Vec<_>>(),
        )
    });
    for path in [PROVISIONING, AUDITS, "/v1.0/applications"] {
        graph.on(path, |_| page(&[]));
    }
    for path in ["/v1.0/organization", "/beta/organization"] {
        graph.on(path, |_| {
            page(&[json!({"id": "t", "onPremisesSyncEnabled": true})])
        });
    }
    graph.on(
        "/beta/onPremisesPublishingProfiles/provisioning/agents",
        |_| {
            refusal(
                403,
                "NotAdminRoleNoEnoughCustomPermission_UnauthorizedAccess",
                "no role",
            )
        },
    );
    let mut config = tenant(&graph.url());
    // One window, so that a first read fits into the budget.
    config.log_first_read = 60 * MINUTE;
    change(&mut config);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("syncwatch.db").display());
    let store = Store::open_and_migrate(&StoreOptions::new(url, "test"))
        .await
        .unwrap();
    let clock = Arc::new(ScriptedClock::new(START));
    // Windows of 10 minutes, late after 6.
    let policy = LanePolicy {
        rules: vec![LaneRule {
            interval: Some(Span::minutes(4)),
            grace: Some(Span::minutes(6)),
            late_after: Some(Span::minutes(6)),
            ..LaneRule::default()
        }],
    };
    let collector = collector(&store, &clock, &config, &policy);
    World {
        graph,
        clock,
        store,
        collector,
        successes,
        config,
        policy,
        _folder: folder,
    }
}

fn collector(
    store: &Store,
    clock: &Arc<ScriptedClock>,
    config: &TenantConfig,
    policy: &LanePolicy,
) -> Collector {
    Collector::new(Parts {
        store: store.clone(),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        tenants: vec![config.clone()],
        policy: policy.clone(),
        registry: &Registry::new(),
    })
    .unwrap()
}

/// A healthy job as the service tells it.
fn job(id: &str, success: Timestamp) -> Value {
    json!({
        "id": id, "schedule": {"interval": "PT4M", "state": "Active"},
        "status": {"code": "Active", "steadyStateLastAchievedTime": success.to_string(),
            "lastExecution": {"state": "Succeeded", "timeBegan": success.to_string(), "timeEnded": success.to_string()}},
        "synchronizationJobSettings": [{"name": "DomainFQDN", "value": "ad.rowan.example"}]
    })
}

/// A row of the provisioning log.
fn row(id: u32, job_id: &str, at: Timestamp) -> Value {
    json!({
        "id": format!("00000000-0000-4000-8000-{id:012}"), "activityDateTime": at.to_string(), "jobId": job_id,
        "cycleId": format!("c-{job_id}-{at}"), "provisioningAction": "update",
        "provisioningStatusInfo": {"status": "success", "errorInformation": null},
        "sourceIdentity": {"id": "o-1"}, "servicePrincipal": {"id": PRINCIPAL}
    })
}

/// Whether the filter of a log request lets a row of this instant through.
fn wanted(asked: &Asked, at: Timestamp) -> bool {
    let filter = &asked.query["$filter"];
    let mut words = filter
        .split(' ')
        .skip(2)
        .step_by(4)
        .map(|text| Timestamp::parse(text).unwrap());
    let (from, to) = (words.next().unwrap(), words.next().unwrap());
    at > from && at < to
}

impl World {
    /// Runs everything due up to `minutes` after the start, at the very instants it is due.
    async fn run_to(&mut self, minutes: u32) -> Vec<Did> {
        let end = START + MINUTE * minutes;
        let mut did = Vec::new();
        loop {
            let now = self.clock.now();
            let report = self.collector.run_once(now).await.unwrap();
            did.extend(report.did);
            match report.next_due {
                Some(due) if due <= end => {
                    assert!(due > now, "{due} is not after {now}");
                    self.clock.set(due);
                }
                _ => break,
            }
        }
        self.clock.set(end);
        did
    }

    fn succeed(&self, id: &'static str, at: Timestamp) {
        self.successes.lock().unwrap().insert(id, at);
    }

    fn restart(&mut self) {
        self.collector = collector(&self.store, &self.clock, &self.config, &self.policy);
    }

    async fn source(&self, poll: Poll) -> SourceState {
        let sources = self.store.sources(None).await.unwrap();
        sources
            .into_iter()
            .find(|source| source.state.key.poll == poll)
            .unwrap()
            .state
    }

    async fn lane(&self, engine: Engine, kind: LaneKind) -> Option<LaneView> {
        let lanes = self.store.lanes(&LaneFilter::default()).await.unwrap();
        lanes
            .into_iter()
            .find(|lane| lane.key.engine == engine && lane.key.kind == kind)
    }

    /// All paths that lead to Graph.
    fn all_down(&self) -> Vec<&'static str> {
        let paths = [
            "/v1.0/servicePrincipals",
            JOBS,
            PROVISIONING,
            AUDITS,
            "/v1.0/organization",
            "/beta/organization",
            "/v1.0/applications",
            "/beta/onPremisesPublishingProfiles/provisioning/agents",
        ];
        for path in paths {
            self.graph
                .on(path, |_| refusal(503, "serviceNotAvailable", "busy"));
        }
        paths.to_vec()
    }
}

fn ends(did: &[Did], poll: Poll) -> Vec<RunEnd> {
    did.iter()
        .filter(|did| did.source.poll == poll)
        .map(|did| did.end)
        .collect()
}

/// For answers that are no JSON of Graph.
fn raw(status: u16, body: &str) -> Reply {
    (status, None, body.to_owned())
}
