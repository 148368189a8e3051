//! `syncwatch demo`: a simulated migration with faults, watched by the real service.
//!
//! Everything between the simulated Microsoft Graph and the simulated receivers is the product
//! as it is delivered: configuration, collector, store, evaluator, deliverer, notifiers.

mod arrival;
mod expect;
mod print;
mod servers;
mod setup;

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use syncwatch_domain::alert::Subject;
use syncwatch_domain::clock::{Clock, SystemClock};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Ports, Simulator, Story};
use syncwatch_store::Store;
use tempfile::TempDir;

pub use self::servers::in_guise;

use self::arrival::Seen;
use self::expect::{EXPECTED, Record};
use self::print::Steps;
use self::servers::Servers;
use crate::cli::Failed;
use crate::config::sections::server::LogFormat;
use crate::lifecycle::{Ended, Signals};
use crate::{App, Running, logging};

/// How long after the story what is still on its way may arrive.
const SETTLE: Duration = Duration::from_secs(15);
/// Dead letters looked for at the end.
const DEAD_LETTERS: u32 = 100;
/// Entries of the ledger looked at in the end.
const LEDGER: u32 = 1_000;

/// How to play the story.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// End after the story: 0 only if every expected message arrived, else 1 with a list.
    #[arg(long)]
    exit: bool,
    /// Where the status page and /metrics are served; without it on a free port.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Everything that plays a part.
struct Stage {
    sim: syncwatch_simulator::Running,
    service: Running,
    store: Store,
    clock: Arc<dyn Clock>,
    record: Record,
    seen: Seen,
    /// Ended before their folder goes.
    servers: Servers,
    /// Holds the database and the configuration until the end.
    _folder: TempDir,
}

/// Plays the story.
pub(crate) async fn run(args: DemoArgs) -> Result<(), Failed> {
    logging::start(LogFormat::Human, "error");
    let mut signals = Signals::listen().map_err(anyhow::Error::from)?;
    let mut stage = Stage::set(&args).await?;
    print::steps_ahead(&stage.record.story);
    let stopping = stage.service.stopping();
    let verdict = tokio::select! {
        () = signals.stop() => None,
        () = stopping.cancelled() => None,
        verdict = stage.play(args.exit) => Some(verdict),
    };
    let Stage {
        sim,
        service,
        servers,
        ..
    } = stage;
    servers.end().await;
    service.stop();
    let ended = service.until_ended(&mut signals).await;
    sim.stop().await;
    match (ended, verdict) {
        (Ended::Died(why), _) => Err(anyhow::anyhow!(why).into()),
        (_, Some(false)) => Err(Failed::Findings),
        (_, None) if args.exit => Err(anyhow::anyhow!("stopped before the story was told").into()),
        _ => Ok(()),
    }
}

impl Stage {
    async fn set(args: &DemoArgs) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let folder = tempfile::Builder::new()
            .prefix("syncwatch-demo-")
            .tempdir()
            .context("cannot make a folder")?;
        let listen = args
            .listen
            .map_or_else(free_address, Ok)
            .context("there is no free port")?;
        let story = Story::demo();
        let sim = Simulator::start(
            story.clone(),
            Arc::new(syncwatch_simulator::SystemClock),
            Ports::free(),
        )
        .await
        .context("the simulator does not start")?;
        let config = setup::write(folder.path(), listen, &sim)?;
        let service = App::build(config, Arc::clone(&clock)).await?.start();
        let store = service.store().await.context("the service did not start")?;
        print::addresses(&sim, &service.url(), folder.path());
        let origin = Timestamp::from_millis(sim.origin_ms());
        let servers = Servers::start(&story, origin, folder.path(), &service.url())?;
        let record = Record {
            origin,
            story,
            told: Vec::new(),
            strangers: 0,
            dead_letters: 0,
            ledger: BTreeSet::new(),
        };
        Ok(Self {
            sim,
            service,
            store,
            clock,
            record,
            seen: Seen::default(),
            servers,
            _folder: folder,
        })
    }

    /// Prints what happens and what arrives. Tells at the end whether all that was expected
    /// arrived; goes on for ever unless it is to end with the story.
    async fn play(&mut self, exit: bool) -> bool {
        let (mut mails, mut posts, mut calls) = (
            self.sim.mail().watch(),
            self.sim.teams().watch(),
            self.sim.webhook().watch(),
        );
        let steps = Steps::of(&self.record.story);
        let mut steps_told = 0;
        let length = self
            .record
            .story
            .length
            .map_or(0, syncwatch_simulator::Span::as_ms);
        let end = self.record.origin + Duration::from_millis(length.unsigned_abs());
        let mut ended = false;
        loop {
            self.take_arrivals().await;
            let now = self.clock.now();
            steps_told = steps.tell(steps_told, now.since(self.record.origin));
            if exit && now >= end && (self.all_there().await || now >= end + SETTLE) {
                return print::verdict(&self.record);
            }
            if !exit && now >= end && !ended {
                ended = true;
                self.look_into_the_store().await;
                print::verdict(&self.record);
                print::serving(&self.service.url());
            }
            let next = steps.at(steps_told).map(|at| self.record.origin + at);
            let wait = next
                .unwrap_or(end)
                .since(now)
                .clamp(Duration::from_millis(50), Duration::from_secs(1));
            tokio::select! {
                _ = mails.changed() => {}
                _ = posts.changed() => {}
                _ = calls.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn take_arrivals(&mut self) {
        for arrival in self.seen.fresh(&self.sim) {
            match arrival.clone().explained(&self.store).await {
                Some(told) => {
                    print::told(&told, self.record.origin);
                    self.record.told.push(told);
                }
                None => {
                    print::stranger(&arrival, self.record.origin);
                    self.record.strangers += 1;
                }
            }
        }
    }

    async fn all_there(&mut self) -> bool {
        self.look_into_the_store().await;
        EXPECTED
            .iter()
            .all(|expected| expected.missing(&self.record).is_none())
    }

    /// What no message tells: messages that were given up, and the ledger.
    async fn look_into_the_store(&mut self) {
        if let Ok(dead) = self.store.dead_letters(DEAD_LETTERS).await {
            self.record.dead_letters = dead.len();
        }
        if let Ok(entries) = self.store.ledger(LEDGER).await {
            self.record.ledger = entries
                .iter()
                .map(|(key, _)| Subject::lane(key).path)
                .collect();
        }
    }
}

/// An address that is free at this moment.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}
