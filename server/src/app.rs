//! What is wired to what.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prometheus::{IntGauge, Registry};
use syncwatch_alerting::deliverer::{Deliverer, DeliveryMetrics};
use syncwatch_alerting::evaluator::{Evaluator, Terms};
use syncwatch_alerting::notify::NotifierError;
use syncwatch_alerting::router::Router;
use syncwatch_collector::{Collector, CollectorError, Parts};
use syncwatch_domain::clock::Clock;
use syncwatch_exporters::Exporter;
use syncwatch_store::{CommitProbe, Store, StoreOptions};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::http::{Serving, Stage, Surface, router};
use crate::lifecycle::{TaskError, Tasks};
use crate::notify_test::Tester;
use crate::running::Running;
use crate::{opening, retention};

/// Wait before the collector is started again.
const COLLECTOR_RETRY: Duration = Duration::from_secs(1);

/// Why the service cannot start.
#[derive(Debug, Error)]
pub enum AppError {
    /// The address is taken or not ours.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The file with the database url.
    #[error("cannot read the database url from {path}")]
    UrlFile {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The database, where waiting cannot help.
    #[error("the database cannot be used: {reason}")]
    Store {
        /// Why, in words an operator can act on.
        reason: String,
    },
    /// Receivers that cannot be set up.
    #[error("receivers cannot be set up: {reasons}")]
    Receivers {
        /// Why, each.
        reasons: String,
    },
    /// The collector cannot be set up.
    #[error("the collector cannot be set up")]
    Collector(#[from] CollectorError),
    /// Metrics that cannot be registered.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
}

impl AppError {
    fn receivers(errors: &[NotifierError]) -> Self {
        let reasons: Vec<String> = errors.iter().map(|error| crate::chain(error)).collect();
        Self::Receivers {
            reasons: reasons.join("; "),
        }
    }
}

/// A service that is bound to its address and not started yet.
#[derive(Debug)]
pub struct App {
    config: Config,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    addr: SocketAddr,
    options: StoreOptions,
}

impl App {
    /// Takes the address and reads where the database is.
    ///
    /// # Errors
    /// When the address is taken or a file cannot be read.
    pub async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let options = opening::store_options(&config)?;
        let listen = config.server.listen;
        let refused = |source| AppError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        Ok(Self {
            config,
            clock,
            listener,
            addr,
            options,
        })
    }

    /// Lets a test look at every commit.
    #[must_use]
    pub fn with_probe(mut self, probe: CommitProbe) -> Self {
        self.options.probe = Some(probe);
        self
    }

    /// Starts everything. The HTTP surface answers at once; the rest follows when the database
    /// is open.
    #[must_use]
    pub fn start(self) -> Running {
        let Self {
            config,
            clock,
            listener,
            addr,
            options,
        } = self;
        let tasks = Tasks::new(CancellationToken::new());
        let stop = tasks.stop().clone();
        let (stage, watched) = watch::channel(Stage::Opening(None));
        let grace = config.server.shutdown_grace;
        let surface = Surface {
            stage: watched.clone(),
            tasks: tasks.clone(),
            clock: Arc::clone(&clock),
            stop: stop.clone(),
        };
        let serve =
            axum::serve(listener, router(surface)).with_graceful_shutdown(stop.cancelled_owned());
        tasks.spawn("listener", serve.into_future());
        let boot = Boot {
            config,
            clock,
            options,
            tasks: tasks.clone(),
            stage,
        };
        tasks.spawn_finite("start", boot.run());
        Running::new(addr, grace, tasks, watched)
    }
}

/// Everything that is started once the database is open.
struct Boot {
    config: Config,
    clock: Arc<dyn Clock>,
    options: StoreOptions,
    tasks: Tasks,
    stage: watch::Sender<Stage>,
}

impl Boot {
    async fn run(self) -> Result<(), AppError> {
        let stop = self.tasks.stop();
        let tell = |reason| {
            self.stage.send_replace(Stage::Opening(Some(reason)));
        };
        let opened = opening::open(
            &self.options,
            &self.config.lanes,
            self.clock.as_ref(),
            stop,
            tell,
        )
        .await;
        match opened.map_err(|error| AppError::Store {
            reason: opening::reason(&error),
        })? {
            Some(store) => self.wire(store),
            None => Ok(()),
        }
    }

    fn wire(self, store: Store) -> Result<(), AppError> {
        let Self {
            config,
            clock,
            tasks,
            stage,
            ..
        } = self;
        let stop = || tasks.stop().clone();
        let page = config.server.external_url.as_ref();
        let registry = Registry::new();
        let collector = Collector::new(Parts {
            store: store.clone(),
            clock: Arc::clone(&clock),
            tenants: config.tenants,
            policy: config.lanes,
            registry: &registry,
        })?;
        let terms = Terms {
            settings: config.alerts,
            router: Router::new(&config.notifications),
        };
        let (terms, terms_read) = watch::channel(Arc::new(terms));
        let evaluator = Evaluator::new(store.clone(), terms_read);
        let metrics = DeliveryMetrics::register(&registry)?;
        let deliverer = Deliverer::new(
            store.clone(),
            Arc::clone(&clock),
            &config.notifications,
            page,
            metrics,
        )
        .map_err(|errors| AppError::receivers(&errors))?;
        let tester = Tester::new(&config.notifications, page, Arc::clone(&clock))
            .map_err(|error| AppError::receivers(&[error]))?;
        register_config_gauge(&registry)?;

        let caught_up = collector.caught_up();
        let mut readable = caught_up.clone();
        tasks.spawn("collector", collect(collector, stop()));
        let (judge_clock, judge_stop) = (Arc::clone(&clock), stop());
        tasks.spawn("evaluator", async move {
            // What was missed while the service was down is read back before anything is judged.
            tokio::select! {
                () = judge_stop.cancelled() => return Ok(()),
                _ = readable.wait_for(|caught_up| *caught_up) => {}
            }
            evaluator.run(judge_clock, judge_stop).await
        });
        let deliver_stop = stop();
        tasks.spawn("deliverer", async move {
            deliverer.run(deliver_stop).await;
            Ok::<(), TaskError>(())
        });
        tasks.spawn(
            "retention",
            retention::run(store.clone(), clock, config.store.retention, stop()),
        );
        let exporter = Exporter::new(store.clone(), registry);
        stage.send_replace(Stage::Serving(Box::new(Serving {
            store,
            exporter,
            tester,
            terms,
            caught_up,
        })));
        Ok(())
    }
}

/// Collects until `stop`. A database that refuses at the very start is waited for.
async fn collect(mut collector: Collector, stop: CancellationToken) -> Result<(), CollectorError> {
    loop {
        match collector.run(stop.clone()).await {
            Err(CollectorError::Store(error)) if error.trouble().is_some() => {
                tracing::error!(
                    reason = opening::reason(&error),
                    "the collector cannot start, trying again"
                );
            }
            ended => return ended,
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(COLLECTOR_RETRY) => {}
        }
    }
}

/// The service only runs on a configuration that could be read.
fn register_config_gauge(registry: &Registry) -> Result<(), prometheus::Error> {
    let gauge = IntGauge::new(
        "syncwatch_config_last_reload_successful",
        "1 if the newest reading of the config worked, else 0 and the one before it is in force.",
    )?;
    gauge.set(1);
    registry.register(Box::new(gauge))
}
