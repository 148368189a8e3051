//! The collector against the simulated Graph, which was written from the documents and not from
//! the collector: every way to sign in, every way to break, and every row once.

mod faults;
mod sign_in;

use std::sync::Arc;
use std::time::Duration;

use syncwatch_collector::config::{TenantConfig, TenantSection};
use syncwatch_collector::{Collector, Parts};
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::secret::Secret;
use syncwatch_domain::source::{Poll, ReadFailure, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Action, DownMode, JobRef, Ports, Running, SimClock, Simulator, Story};
use syncwatch_store::{LaneFilter, Store, StoreOptions};
use syncwatch_tests::install_crypto;

const TENANT: &str = "spreewerk";
const CLIENT: &str = "6a1f3c58-90d7-4b2e-8e44-17c5d2f0a963";
const DOMAIN: &str = "ad.spreewerk.example";
const MINUTE: Duration = Duration::from_secs(60);

/// A tenant with one configuration of both jobs and a Connect server.
fn story(client: &str, more: &str) -> Story {
    Story::parse(&format!(
        r#"
seed = 99
start = "2026-10-12T05:00:00Z"
[settings]
duplicate_share = 0.1
late_share = 0.1
late_by = "5m"
empty_page_share = 0.2
failure_share = 0.05
[[tenant]]
name = "{TENANT}"
id = "c7d40b19-2e85-4f6a-a1b3-58e90d7c6f24"
display_name = "Spreewerk AG"
prefix = "spreewerk"
domains = ["spreewerk.example"]
[[tenant.client]]
id = "{CLIENT}"
roles = ["Application.Read.All", "AuditLog.Read.All", "Group.Read.All", "Organization.Read.All", "Synchronization.Read.All", "User.Read.All"]
{client}
[[tenant.configuration]]
domain = "{DOMAIN}"
[[tenant.configuration.job]]
template = "AD2AADProvisioning"
interval = "20m"
cadence = "2m"
takes = "5s"
objects = 3
rows = 3
[[tenant.configuration.job]]
template = "AD2AADPasswordHash"
interval = "20m"
cadence = "2m"
takes = "2s"
objects = 2
[tenant.connect]
server = "SPW-SYNC01"
interval = "30m"
password_interval = "2m"
audits = 2
{more}
"#
    ))
    .expect("a story")
}

const BY_SECRET: &str = "secret = \"by~secret\"";

struct Shared(Arc<ScriptedClock>);

impl SimClock for Shared {
    fn now_ms(&self) -> i64 {
        self.0.now().as_millis()
    }
}

/// A collector that looks at a simulated tenant.
struct Eye {
    sim: Running,
    clock: Arc<ScriptedClock>,
    store: Store,
    collector: Collector,
    _folder: tempfile::TempDir,
}

fn section(sim: &Running) -> TenantSection {
    let login = sim.credentials().into_iter().next().expect("a client");
    TenantSection {
        name: login.tenant,
        id: login.tenant_id,
        client_id: Some(login.client_id),
        client_secret: login.client_secret.map(Secret::new),
        graph_url: Some(login.graph_url),
        login_url: Some(login.login_url),
        ..TenantSection::default()
    }
}

fn checked(section: &TenantSection) -> TenantConfig {
    section
        .check()
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

async fn simulate(story: Story) -> (Running, Arc<ScriptedClock>) {
    install_crypto();
    let clock = Arc::new(ScriptedClock::new(Timestamp::from_millis(story.start_ms())));
    let shared = Arc::new(Shared(Arc::clone(&clock)));
    let sim = Simulator::start(story, shared, Ports::free())
        .await
        .expect("a simulator");
    (sim, clock)
}

async fn eye(story: Story) -> Eye {
    eye_with(story, |_| ()).await
}

async fn eye_with(story: Story, change: impl FnOnce(&mut TenantSection)) -> Eye {
    let (sim, clock) = simulate(story).await;
    let mut section = section(&sim);
    change(&mut section);
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("graph.db").display());
    let store = Store::open_and_migrate(&StoreOptions::new(url, "graph"))
        .await
        .expect("a store");
    let collector = Collector::new(Parts {
        store: store.clone(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        tenants: vec![checked(&section)],
        policy: LanePolicy::default(),
        registry: &prometheus::Registry::new(),
    })
    .expect("a collector");
    Eye {
        sim,
        clock,
        store,
        collector,
        _folder: folder,
    }
}

impl Eye {
    /// Runs everything due in the next minutes at the instants it is due.
    async fn minutes(&mut self, minutes: u32) {
        let end = self.clock.now() + MINUTE * minutes;
        loop {
            let now = self.clock.now();
            match self.collector.run_once(now).await.expect("a run").next_due {
                Some(due) if due <= end => self.clock.set(due.max(now)),
                _ => break,
            }
        }
        self.clock.set(end);
    }

    async fn sources(&self) -> Vec<SourceState> {
        let sources = self.store.sources(None).await.expect("sources");
        sources.into_iter().map(|source| source.state).collect()
    }

    async fn source(&self, poll: Poll) -> SourceState {
        self.sources()
            .await
            .into_iter()
            .find(|state| state.key.poll == poll)
            .expect("the source")
    }

    fn apply(&self, action: &Action) {
        self.sim.apply(action).expect("applied");
    }
}

#[tokio::test]
async fn a_healthy_tenant_is_seen_as_it_is() {
    let mut eye = eye(story(BY_SECRET, "")).await;
    eye.minutes(20).await;
    for state in eye.sources().await {
        let expected = (state.key.poll == Poll::Agents).then_some(ReadFailure::RightMissing);
        assert_eq!(
            state.failure, expected,
            "{}: {:?}",
            state.key, state.failure_text
        );
    }
    for (kind, job) in [
        (LaneKind::Objects, JobRef::objects(TENANT, DOMAIN)),
        (
            LaneKind::PasswordHash,
            JobRef::password_hash(TENANT, DOMAIN),
        ),
    ] {
        let lanes = eye
            .store
            .lanes(&LaneFilter {
                kind: Some(kind),
                ..LaneFilter::default()
            })
            .await
            .expect("lanes");
        let lane = lanes
            .iter()
            .find(|lane| lane.key.engine == Engine::Cloud)
            .expect("the lane");
        assert_eq!(lane.key.partition, DOMAIN);
        let told = eye
            .sim
            .last_success_ms(&job)
            .map(Timestamp::from_millis)
            .expect("a success");
        let seen = lane.facts.last_success_at.expect("a success");
        assert!(
            seen <= told && told.since(seen) <= 2 * MINUTE,
            "{kind}: {seen} of {told}"
        );
        let learned = lane
            .intervals
            .learned
            .expect("eight cycles teach the cadence");
        assert!(
            learned.abs_diff(2 * MINUTE) < Duration::from_secs(5),
            "{kind}: {learned:?}"
        );
    }
    let connect = LaneFilter {
        engine: Some(Engine::Connect),
        ..LaneFilter::default()
    };
    let connect = eye.store.lanes(&connect).await.expect("lanes");
    assert!(
        !connect.is_empty() && connect.iter().all(|lane| lane.facts.deadline_at.is_none()),
        "{connect:#?}"
    );
    let facts = eye.store.facts(Some(TENANT)).await.expect("facts");
    for name in [
        "organization",
        "organization_beta",
        "last_write/connect/objects",
        "last_write/connect/password_hash",
    ] {
        assert!(
            facts
                .iter()
                .any(|fact| fact.name == name && !fact.value.is_null()),
            "{name}"
        );
    }
}
