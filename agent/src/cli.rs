//! The commands.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use thiserror::Error;
use tracing::level_filters::LevelFilter;

use crate::agent::{Agent, AgentError};
use crate::chain;
use crate::config::{self, Config, Report};
use crate::count::Times;
use crate::identity::{self, IdentityError};
use crate::once::once;
use crate::powershell::PowerShell;
use crate::service::{self, Action, LOG_FILE, LogFile, LogWriter, ServiceError};

/// Exit code of a configuration that is wrong.
const BAD_CONFIG: u8 = 78;
/// Exit code of a command that is not for this system.
const BAD_USAGE: u8 = 2;
/// Threads for what the system offers no other way: looking up names, and on Windows the pipes of
/// the interpreter, which keep two of them for as long as a section is read.
const BLOCKING_THREADS: usize = 4;

/// Reads a sync server where it stands and brings what it learns home.
///
/// Exit codes: 0 good, 1 failure, 2 usage, 78 bad configuration.
#[derive(Debug, Parser)]
#[command(name = "syncwatch-agent", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything the agent can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run in this console until it is told to stop.
    Run(ConfigArgs),
    /// Read everything once and print it as one report; nothing is kept or sent.
    Once(OnceArgs),
    /// Report every problem of the configuration at once.
    CheckConfig(ConfigArgs),
    /// Windows service: register, remove, start, stop.
    #[command(subcommand)]
    Service(Action),
    /// Print version and build.
    Version,
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// Configuration file.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "syncwatch-agent.toml"
    )]
    pub config: PathBuf,
}

/// What `once` needs.
#[derive(Clone, Debug, Args)]
pub struct OnceArgs {
    /// Configuration file; without one everything is as it comes.
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Failed {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] Report),
    /// The agent cannot start.
    #[error("the agent cannot start")]
    Agent(#[from] AgentError),
    /// Something about the service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// It does not know who it is.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The system refused.
    #[error("cannot {action}")]
    System {
        /// What was to be done.
        action: &'static str,
        /// Why it was not.
        #[source]
        source: std::io::Error,
    },
}

impl Failed {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { action, source }
    }

    /// Says on standard error what there is to say, and gives the exit code.
    #[must_use]
    pub fn report(&self) -> u8 {
        match self {
            Self::Config(report) => {
                eprintln!("{report}");
                self.code()
            }
            other => {
                eprintln!("syncwatch-agent: {}", chain(other));
                other.code()
            }
        }
    }

    /// Writes to the log what there is to say, and gives the exit code.
    #[must_use]
    pub fn log(&self) -> u8 {
        let reason = match self {
            Self::Config(report) => report.to_string(),
            other => chain(other),
        };
        tracing::error!(reason, "the agent ends");
        self.code()
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Config(_) => BAD_CONFIG,
            Self::Service(ServiceError::Elsewhere) => BAD_USAGE,
            _ => 1,
        }
    }
}

/// Does what the command line says.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Run(args) => in_console(&args),
        Command::Once(args) => print_once(&args),
        Command::CheckConfig(args) => check_config(&args),
        Command::Service(action) => return of_service(&action),
        Command::Version => version(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => ExitCode::from(failed.report()),
    }
}

/// Runs the agent until `shutdown`; the thread of the caller does all the work.
///
/// # Errors
/// When it cannot start.
pub fn run_agent(config: &Config, shutdown: impl Future<Output = ()>) -> Result<(), Failed> {
    run_telling(config, &|| (), shutdown)
}

/// The same, and says when it is ready.
fn run_telling(
    config: &Config,
    ready: &dyn Fn(),
    shutdown: impl Future<Output = ()>,
) -> Result<(), Failed> {
    runtime()?.block_on(async {
        let times = Times::of_the_machine();
        let host = PowerShell::new(config.interpreter.clone(), times.clone());
        let agent = Agent::start(config, Box::new(host), times).await?;
        ready();
        agent.run(shutdown).await;
        tracing::info!("the agent stopped");
        Ok(())
    })
}

/// Runs the agent as a service: it has no console, so its log is a file in the data folder.
///
/// # Errors
/// When it cannot start.
pub fn run_service(
    file: &Path,
    ready: &dyn Fn(),
    shutdown: impl Future<Output = ()>,
) -> Result<(), Failed> {
    let read = Config::read(file);
    let level = read
        .as_ref()
        .map_or(LevelFilter::INFO, |config| config.log_level);
    let folder = config::data_dir_of(file);
    std::fs::create_dir_all(&folder).map_err(Failed::system("make the data folder"))?;
    let log = LogFile::open(&folder.join(LOG_FILE));
    let log = LogWriter::new(log.map_err(Failed::system("open the log"))?);
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(log)
        .with_ansi(false)
        .finish();
    // Only fails when logging was started before.
    let _already_started = tracing::subscriber::set_global_default(lines);
    run_telling(&read?, ready, shutdown)
}

fn of_service(action: &Action) -> ExitCode {
    let printed = service::act(action).and_then(|(text, good)| {
        if !text.is_empty() {
            print(&text)?;
        }
        Ok(good)
    });
    match printed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failed) => ExitCode::from(failed.report()),
    }
}

fn in_console(args: &ConfigArgs) -> Result<(), Failed> {
    let config = Config::read(&args.config)?;
    start_logging(config.log_level);
    run_agent(&config, told_to_stop())
}

fn print_once(args: &OnceArgs) -> Result<(), Failed> {
    let config = match &args.config {
        Some(file) => Config::read(file)?,
        None => Config::default(),
    };
    start_logging(config.log_level);
    let id = identity::passing_id(&config.data_dir);
    let agent = identity::identity(id, config.host.as_deref())?;
    let batch = runtime()?.block_on(async {
        let times = Times::of_the_machine();
        let mut host = PowerShell::new(config.interpreter.clone(), times.clone());
        once(&config, &mut host, &times, agent).await
    });
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &batch)
        .map_err(std::io::Error::from)
        .and_then(|()| writeln!(out))
        .map_err(Failed::system("print the report"))
}

fn check_config(args: &ConfigArgs) -> Result<(), Failed> {
    let config = Config::read(&args.config)?;
    let name = args.config.display().to_string();
    config.check_files(&name)?;
    print(&format!("{name}: good"))
}

fn version() -> Result<(), Failed> {
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    print(&format!(
        "syncwatch-agent {} ({build}, {}-{})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS
    ))
}

fn print(line: &str) -> Result<(), Failed> {
    writeln!(std::io::stdout(), "{line}").map_err(Failed::system("print"))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(Failed::system("start"))
}

fn start_logging(level: LevelFilter) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .finish();
    // Only fails when logging was started before.
    let _already_started = tracing::subscriber::set_global_default(lines);
}

/// Waits for the signal to stop.
#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// Waits for the signal to stop.
#[cfg(not(unix))]
async fn told_to_stop() {
    // An error means that no signal can come.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
