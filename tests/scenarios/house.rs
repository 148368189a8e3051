//! The whole service without its loops: the parts are run by hand, one after the other, until
//! nothing is left to do at an instant; then the clock goes to the next instant that matters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncwatch::config::{Config, load};
use syncwatch_alerting::deliverer::{Deliverer, DeliveryMetrics};
use syncwatch_alerting::evaluator::{Evaluator, Terms};
use syncwatch_alerting::router::Router;
use syncwatch_collector::{Collector, Parts};
use syncwatch_domain::clock::{Clock, ScriptedClock};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Ports, Running, SimClock, Simulator, Story};
use syncwatch_store::{CommitProbe, Store, StoreOptions};
use syncwatch_tests::install_crypto;
use syncwatch_tests::peers::TestDatabase;
use tokio::sync::watch;

use crate::story::WEBHOOK_SECRET;

/// Where the data lives.
pub(crate) enum Place {
    Sqlite(tempfile::TempDir),
    Postgres(TestDatabase),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(TestDatabase::create().await.expect("a database"))
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => {
                format!("sqlite:{}", folder.path().join("scenario.db").display())
            }
            Self::Postgres(database) => database.url().to_owned(),
        }
    }
}

/// The product's clock, as the simulator sees it.
pub(crate) struct Shared(pub(crate) Arc<ScriptedClock>);

impl SimClock for Shared {
    fn now_ms(&self) -> i64 {
        self.0.now().as_millis()
    }
}

/// The parts of one life of the process.
struct Crew {
    store: Store,
    collector: Collector,
    evaluator: Evaluator,
    deliverer: Deliverer,
}

/// Decides at which commits, counted over all lives, the process dies.
pub(crate) type Deaths = Arc<dyn Fn(u64) -> bool + Send + Sync>;

pub(crate) struct House {
    pub(crate) sim: Running,
    pub(crate) clock: Arc<ScriptedClock>,
    config: Config,
    place: Place,
    /// Files that the config names.
    _folder: tempfile::TempDir,
    deaths: Deaths,
    commits: Arc<AtomicU64>,
    crew: Option<Crew>,
    pub(crate) lives: u64,
}

/// Something went wrong that is not the death the test asked for.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

impl House {
    /// Starts the simulator with `story` and prepares the service; `extra` is added to its config.
    pub(crate) async fn new(
        story: Story,
        place: Place,
        extra: &str,
        polls: &str,
        deaths: Deaths,
    ) -> Self {
        install_crypto();
        let start = Timestamp::from_millis(story.start_ms());
        let clock = Arc::new(ScriptedClock::new(start));
        let shared = Arc::new(Shared(Arc::clone(&clock)));
        let sim = Simulator::start(story, shared, Ports::free())
            .await
            .expect("a simulator");
        sim.set_webhook_secret(Some(WEBHOOK_SECRET));
        let folder = tempfile::tempdir().expect("a folder");
        let text = crate::story::config(&sim, &place.url(), folder.path(), extra, polls);
        let config =
            load("scenario.toml", &text, []).unwrap_or_else(|report| panic!("{report}\n{text}"));
        Store::open_and_migrate(&StoreOptions::new(place.url(), "scenario"))
            .await
            .expect("a store")
            .close()
            .await;
        let commits = Arc::new(AtomicU64::new(0));
        Self {
            sim,
            clock,
            config,
            place,
            _folder: folder,
            deaths,
            commits,
            crew: None,
            lives: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Commits over all lives.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// The store of the present life.
    pub(crate) async fn store(&mut self) -> Store {
        if self.crew.is_none() {
            self.crew = Some(self.start().await.expect("a start"));
        }
        self.crew
            .as_ref()
            .map(|crew| crew.store.clone())
            .expect("just started")
    }

    async fn start(&mut self) -> Result<Crew, Trouble> {
        self.lives += 1;
        let (commits, deaths) = (Arc::clone(&self.commits), Arc::clone(&self.deaths));
        let mut options = StoreOptions::new(self.place.url(), "scenario");
        options.probe = Some(CommitProbe::new(move |_| {
            let number = commits.fetch_add(1, Ordering::SeqCst) + 1;
            !deaths(number)
        }));
        let store = Store::open(&options).await?;
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let registry = prometheus::Registry::new();
        store.apply_policy(&self.config.lanes, clock.now()).await?;
        let collector = Collector::new(Parts {
            store: store.clone(),
            clock: Arc::clone(&clock),
            tenants: self.config.tenants.clone(),
            policy: self.config.lanes.clone(),
            registry: &registry,
        })?;
        let terms = Terms {
            settings: self.config.alerts.clone(),
            router: Router::new(&self.config.notifications),
        };
        let evaluator = Evaluator::new(store.clone(), watch::channel(Arc::new(terms)).1);
        let metrics = DeliveryMetrics::register(&registry)?;
        let deliverer = Deliverer::new(
            store.clone(),
            clock,
            &self.config.notifications,
            None,
            metrics,
        )
        .map_err(|errors| format!("{errors:?}"))?;
        Ok(Crew {
            store,
            collector,
            evaluator,
            deliverer,
        })
    }

    /// Runs every part at the present instant until none has anything left to do; gives the next
    /// instant that one of them waits for.
    async fn settle(&mut self) -> Result<Option<Timestamp>, Trouble> {
        /// Far more rounds than any instant needs.
        const ROUNDS: u32 = 1_000;
        if self.crew.is_none() {
            self.crew = Some(self.start().await?);
        }
        let now = self.clock.now();
        let crew = self.crew.as_mut().expect("just started");
        for _ in 0..ROUNDS {
            let read = crew.collector.run_once(now).await?;
            let judged = crew.evaluator.run_once(now).await?;
            let sent = crew.deliverer.run_once(now).await?;
            if read.did.is_empty() && judged.did == 0 && sent.did() == 0 {
                let dues = [read.next_due, judged.next_due, sent.next_due];
                return Ok(dues.into_iter().flatten().filter(|due| *due > now).min());
            }
        }
        panic!("there is no end of work at {now}");
    }

    /// Runs until the clock shows `until`. Whenever the process dies, the next life begins at the
    /// same instant.
    pub(crate) async fn run_until(&mut self, until: Timestamp) {
        /// A death per commit and a commit per step, with room.
        const STEPS: u32 = 200_000;
        for _ in 0..STEPS {
            let next = match self.settle().await {
                Ok(next) => next,
                Err(trouble) => {
                    self.bury(&trouble).await;
                    continue;
                }
            };
            if self.now() >= until {
                return;
            }
            self.clock.set(next.unwrap_or(until).min(until));
        }
        panic!("the story does not end");
    }

    /// Checks that the process died of its probe and of nothing else.
    async fn bury(&mut self, trouble: &Trouble) {
        let mut causes = vec![trouble.to_string()];
        let mut source = trouble.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        assert!(
            causes
                .iter()
                .any(|cause| cause.contains("the store is closed")),
            "{causes:?}"
        );
        if let Some(crew) = self.crew.take() {
            crew.store.close().await;
        }
    }
}

/// Nobody dies.
pub(crate) fn never() -> Deaths {
    Arc::new(|_| false)
}
