//! A service from its configuration to its start.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;

use syncwatch_domain::clock::Clock;
use syncwatch_store::{CommitProbe, StoreOptions};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::error::AppError;
use crate::http::{Door, Stage, Surface, intake_router, router};
use crate::lifecycle::Tasks;
use crate::opening;
use crate::running::Running;
use crate::tls::{Certificates, Shown, TlsListener};
use crate::wiring::Boot;

/// Where agents on other machines come in.
#[derive(Debug)]
struct IntakeListener {
    listener: TcpListener,
    addr: SocketAddr,
    certificates: Certificates,
}

/// A service that is bound to its address and not started yet.
#[derive(Debug)]
pub struct App {
    config: Config,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    addr: SocketAddr,
    intake: Option<IntakeListener>,
    options: StoreOptions,
}

impl App {
    /// Takes the address and reads where the database is.
    ///
    /// # Errors
    /// When the address is taken or a file cannot be read.
    pub async fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let options = opening::store_options(&config)?;
        let (listener, addr) = bind(config.server.listen).await?;
        let intake = match &config.intake {
            Some(intake) => {
                let certificates = Certificates::read(intake)?;
                let (listener, addr) = bind(intake.listen).await?;
                Some(IntakeListener {
                    listener,
                    addr,
                    certificates,
                })
            }
            None => None,
        };
        Ok(Self {
            config,
            clock,
            listener,
            addr,
            intake,
            options,
        })
    }

    /// Where agents on other machines are listened to.
    #[must_use]
    pub fn intake_addr(&self) -> Option<SocketAddr> {
        self.intake.as_ref().map(|intake| intake.addr)
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
            intake,
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
            door: Door::default(),
            stop: stop.clone(),
        };
        if let Some(IntakeListener {
            listener,
            addr,
            certificates,
        }) = intake
        {
            let listener = TlsListener::new(listener, addr, certificates, stop.clone());
            let routes = intake_router(surface.clone());
            let serve = axum::serve(
                listener,
                routes.into_make_service_with_connect_info::<Shown>(),
            )
            .with_graceful_shutdown(stop.clone().cancelled_owned());
            tasks.spawn("intake", serve.into_future());
        }
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

async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let refused = |source| AppError::Listen { listen, source };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    Ok((listener, addr))
}
