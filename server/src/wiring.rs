//! What is wired to what.

use std::sync::Arc;

use prometheus::{IntGauge, Registry};
use syncwatch_alerting::deliverer::{Deliverer, DeliveryMetrics};
use syncwatch_alerting::evaluator::{Evaluator, Terms};
use syncwatch_alerting::owners::OwnerKeeper;
use syncwatch_alerting::router::Router;
use syncwatch_collector::{Collector, Parts};
use syncwatch_domain::clock::Clock;
use syncwatch_exporters::Exporter;
use syncwatch_store::{Store, StoreOptions};
use tokio::sync::watch;

use crate::config::Config;
use crate::error::AppError;
use crate::http::{Serving, Stage, enrolled};
use crate::lifecycle::Tasks;
use crate::notify_test::Tester;
use crate::{folding, loops, opening, retention};

/// Everything that is started once the database is open.
pub(crate) struct Boot {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: StoreOptions,
    pub(crate) tasks: Tasks,
    pub(crate) stage: watch::Sender<Stage>,
}

impl Boot {
    pub(crate) async fn run(self) -> Result<(), AppError> {
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
        let agents = enrolled(&config.tenants);
        let tenants = config.tenants.iter().map(|tenant| tenant.name.clone());
        let owners = OwnerKeeper::new(store.clone(), tenants);
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

        let (caught_up, intake) = (collector.caught_up(), collector.intake());
        tasks.spawn("collector", loops::collect(collector, stop()));
        tasks.spawn(
            "evaluator",
            loops::judge(evaluator, Arc::clone(&clock), caught_up.clone(), stop()),
        );
        tasks.spawn("deliverer", loops::deliver(deliverer, stop()));
        tasks.spawn("owners", loops::own(owners, Arc::clone(&clock), stop()));
        tasks.spawn(
            "retention",
            retention::run(store.clone(), clock, config.store.retention, stop()),
        );
        tasks.spawn("folding", folding::run(store.clone(), stop()));
        let exporter = Exporter::new(store.clone(), registry);
        stage.send_replace(Stage::Serving(Box::new(Serving {
            store,
            exporter,
            intake,
            agents,
            tester,
            terms,
            caught_up,
        })));
        Ok(())
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
