//! A collector that dies now and then, beside a simulated tenant with many users.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use syncwatch::config::{Config, load};
use syncwatch_collector::{Collector, Parts};
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Ports, Running, Simulator, Story};
use syncwatch_store::{CommitProbe, Store, StoreOptions, StoredObject};
use syncwatch_tests::install_crypto;

use super::TENANT;
use crate::house::{Deaths, Place, Shared};

/// The users' pages are more than one span of ten seconds may ask for.
const STORY: &str = r#"
seed = 77
[settings]
empty_page_share = 0.1
page_token_life = "5m"
delta_token_life = "7d"
directory_units = 40
log_delay = "1s"
log_jitter = "1s"

[[tenant]]
name = "grossberg"
id = "0d4c8f72-5b1e-4a93-8c6d-e21f7a90b354"
display_name = "Grossberg AG"
prefix = "grossberg"
domains = ["grossberg.example"]

[[tenant.client]]
id = "6a1f0c35-9d84-4e27-b3c8-5f70e2d1a496"
secret = "grossberg-secret"
secret_ends = "200d"
roles = ["Application.Read.All", "Group.Read.All", "Synchronization.Read.All", "User.Read.All"]

[[tenant.configuration]]
domain = "werke.example"
netbios = "WERKE"
containers = [
    "ou=staff, dc=werke, dc=example",
    "OU=Lieferanten \\\"A\\\",OU=Extern,DC=werke,DC=example",
    "OU=\\C5\\81\\C3\\B3d\\C5\\BA\\2c \\C5\\9Ar\\C3\\B3dmie\\C5\\9Bcie,OU=Werke,DC=werke,DC=example",
]

[[tenant.configuration.job]]
template = "AD2AADProvisioning"
interval = "20m"
cadence = "20m"
takes = "1s"
objects = 20
rows = 0

[tenant.directory]
users = 0
groups = 60
"#;

const POLLS: &str = r#"request_timeout = "10s"
polls.service_principals.schedule = "15m"
polls.jobs.schedule = "10m"
polls.job_schemas.schedule = "15m"
polls.users.schedule = "5m"
polls.groups.schedule = "5m"
polls.provisioning_logs.enabled = false
polls.directory_audits.enabled = false
polls.organization.enabled = false
polls.organization_beta.enabled = false
polls.agents.enabled = false
polls.credentials.enabled = false
"#;

/// The simulated tenant and the clock of all.
pub(crate) struct World {
    pub(crate) sim: Running,
    clock: Arc<ScriptedClock>,
}

impl World {
    pub(crate) async fn start(users: u32) -> Self {
        install_crypto();
        let mut story = Story::parse(STORY).expect("a story");
        story.tenants[0].directory.users = users;
        let clock = Arc::new(ScriptedClock::new(Timestamp::from_millis(story.start_ms())));
        let shared = Arc::new(Shared(Arc::clone(&clock)));
        let sim = Simulator::start(story, shared, Ports::free())
            .await
            .expect("a simulator");
        Self { sim, clock }
    }
}

/// A collector with a store of its own.
pub(crate) struct Reader<'a> {
    pub(crate) store: Store,
    pub(crate) lives: u32,
    world: &'a World,
    collector: Collector,
    config: Config,
    place: Place,
    deaths: Deaths,
    commits: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl<'a> Reader<'a> {
    /// Dies at the commits of which `deaths` says so, and lives again.
    pub(crate) async fn new(
        world: &'a World,
        place: Place,
        deaths: impl Fn(u64) -> bool + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = crate::story::config(&world.sim, &place.url(), folder.path(), "", POLLS);
        let config =
            load("scenario.toml", &text, []).unwrap_or_else(|report| panic!("{report}\n{text}"));
        Store::open_and_migrate(&StoreOptions::new(place.url(), "scenario"))
            .await
            .expect("a store")
            .close()
            .await;
        let deaths: Deaths = Arc::new(deaths);
        let commits = Arc::new(AtomicU64::new(0));
        let (store, collector) = begin(world, &config, &place, &deaths, &commits).await;
        Self {
            store,
            lives: 1,
            world,
            collector,
            config,
            place,
            deaths,
            commits,
            _folder: folder,
        }
    }

    /// Reads whatever is due within the next time, from instant to instant.
    pub(crate) async fn run_for(&mut self, time: Duration) {
        let clock = &self.world.clock;
        let until = clock.now() + time;
        loop {
            let now = clock.now();
            let next = match self.collector.run_once(now).await {
                Ok(report) => report.next_due,
                Err(error) => {
                    let text = format!("{error:?}");
                    assert!(text.contains("Closed"), "{text}");
                    self.live_again().await;
                    continue;
                }
            };
            if now >= until {
                return;
            }
            clock.set(next.unwrap_or(until).min(until).max(now));
        }
    }

    async fn live_again(&mut self) {
        self.store.close().await;
        let parts = begin(
            self.world,
            &self.config,
            &self.place,
            &self.deaths,
            &self.commits,
        );
        (self.store, self.collector) = parts.await;
        self.lives += 1;
    }

    /// Every object on record.
    pub(crate) async fn objects(&self) -> Vec<StoredObject> {
        let mut all: Vec<StoredObject> = Vec::new();
        loop {
            let after = all.last().map_or(0, |last| last.row);
            let page = self.store.objects_after(TENANT, after, 5_000).await;
            let page = page.expect("objects");
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }
}

async fn begin(
    world: &World,
    config: &Config,
    place: &Place,
    deaths: &Deaths,
    commits: &Arc<AtomicU64>,
) -> (Store, Collector) {
    let (deaths, commits) = (Arc::clone(deaths), Arc::clone(commits));
    let mut options = StoreOptions::new(place.url(), "scenario");
    options.probe = Some(CommitProbe::new(move |_| {
        let number = commits.fetch_add(1, Ordering::SeqCst) + 1;
        !deaths(number)
    }));
    let store = Store::open(&options).await.expect("a store");
    let collector = Collector::new(Parts {
        store: store.clone(),
        clock: Arc::clone(&world.clock) as Arc<dyn Clock>,
        tenants: config.tenants.clone(),
        policy: config.lanes.clone(),
        registry: &prometheus::Registry::new(),
    });
    (store, collector.expect("a collector"))
}
