//! The agent as a Windows service.
//!
//! What is installed ([`Installation`]) and what is reported when ([`Life`]) is decided here, on every
//! system alike; `system` alone talks to Windows, and is as thin as it can be.

mod life;
mod log;
#[cfg(windows)]
mod system;
#[cfg(not(windows))]
#[path = "elsewhere.rs"]
mod system;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use syncwatch_domain::secret::Secret;
use thiserror::Error;

pub use self::life::{Life, Phase, Reporter, Stop};
pub use self::log::{LogFile, LogWriter};
use crate::cli::{ConfigArgs, Failed};
use crate::config::Config;

/// Name of the service.
pub const NAME: &str = "syncwatch-agent";
/// Name of its log file in the data folder.
pub const LOG_FILE: &str = "syncwatch-agent.log";
/// How long a start or a stop may take before it is called failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can be done with the service.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Register the service; it starts with the machine. Needs administrator rights.
    Install(InstallArgs),
    /// Stop the service and remove it. The spool stays in the data folder.
    Uninstall,
    /// Start the service and wait until it runs.
    Start,
    /// Stop the service and wait until it is stopped.
    Stop,
    /// Say what the service is up to: exit code 0 when it runs, 1 when it does not.
    Status,
    /// What the service manager starts.
    #[command(hide = true)]
    Run(ConfigArgs),
}

/// How the service is registered.
#[derive(Clone, Debug, Args)]
pub struct InstallArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Account the service runs as, such as `CONTOSO\svc-syncwatch$` (a group managed service
    /// account); without one LocalSystem.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// File with the password of the account; none for managed and built-in accounts.
    #[arg(long, value_name = "FILE", requires = "account")]
    password_file: Option<PathBuf>,
}

/// How the service is registered with the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// What people read in the list of services.
    pub display_name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// This program.
    pub program: PathBuf,
    /// What it is started with.
    pub arguments: Vec<OsString>,
    /// Account, and its password where it has one.
    pub account: Option<(String, Option<Secret<String>>)>,
    /// Waits before it is started again when it failed; the last one holds for all further times.
    pub restarts: [Duration; 3],
    /// How long it must run until failures are forgotten.
    pub forgets_after: Duration,
}

/// What the service is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not registered.
    Absent,
    /// It is stopped; the code it ended with, 0 when all was well.
    Stopped(u32),
    /// On its way.
    Starting,
    /// It runs.
    Running,
    /// On its way.
    Stopping,
}

/// The service manager of the system.
pub trait Manager {
    /// Registers the service; gives what could not be set beside it.
    ///
    /// # Errors
    /// When it cannot be registered.
    fn install(&self, installation: &Installation) -> Result<Vec<String>, ManagerError>;
    /// Removes it.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self) -> Result<(), ManagerError>;
    /// Asks it to start.
    ///
    /// # Errors
    /// When the system refuses.
    fn start(&self) -> Result<(), ManagerError>;
    /// Asks it to stop.
    ///
    /// # Errors
    /// When the system refuses.
    fn stop(&self) -> Result<(), ManagerError>;
    /// What it is up to.
    ///
    /// # Errors
    /// When the system does not say.
    fn state(&self) -> Result<State, ManagerError>;
    /// Waits a moment before the state is asked for again; gives how long.
    fn wait(&self) -> Duration;
}

/// What the service manager refused.
#[derive(Debug, Error)]
#[error("{action}: {reason}")]
pub struct ManagerError {
    /// What was to be done.
    pub action: &'static str,
    /// Why it was not.
    pub reason: String,
}

/// Why something cannot be done with the service.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// Not on this system.
    #[error(
        "services of this kind are those of Windows; elsewhere run `syncwatch-agent run` under the system's own service manager"
    )]
    Elsewhere,
    /// The system refused.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// It is there already.
    #[error(
        "the service {NAME} is registered already; `syncwatch-agent service uninstall` removes it"
    )]
    Present,
    /// It is not there.
    #[error("there is no service {NAME}; `syncwatch-agent service install` registers it")]
    Absent,
    /// It did not become what it was to be.
    #[error("the service {NAME} did not {what} within {} s; its log is {LOG_FILE} in the data folder", PATIENCE.as_secs())]
    Slow {
        /// What it did not do.
        what: &'static str,
    },
    /// It ended at once.
    #[error(
        "the service {NAME} started and ended with code {code}; its log is {LOG_FILE} in the data folder"
    )]
    Ended {
        /// With which code.
        code: u32,
    },
    /// A path or file cannot be used.
    #[error("{}: {reason}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: std::io::Error,
    },
}

/// Does what the command line says; gives what there is to print, and whether the service runs where
/// that was the question.
pub(crate) fn act(action: &Action) -> Result<(String, bool), Failed> {
    if let Action::Run(args) = action {
        system::serve(&args.config)?;
        return Ok((String::new(), true));
    }
    let manager = system::manager()?;
    Ok(match action {
        Action::Install(args) => (install(manager.as_ref(), args)?, true),
        Action::Uninstall => (uninstall(manager.as_ref())?, true),
        Action::Start => (start(manager.as_ref())?, true),
        Action::Stop => (stop(manager.as_ref())?, true),
        Action::Status => status(manager.as_ref())?,
        Action::Run(_) => (String::new(), true),
    })
}

fn install(manager: &dyn Manager, args: &InstallArgs) -> Result<String, Failed> {
    let program = std::env::current_exe().map_err(Failed::system("find this program"))?;
    let installation = installation(args, program)?;
    if manager.state().map_err(ServiceError::from)? != State::Absent {
        return Err(ServiceError::Present.into());
    }
    let missed = manager.install(&installation).map_err(ServiceError::from)?;
    let mut text = format!(
        "the service {NAME} is registered and starts with the machine; `syncwatch-agent service start` starts it now"
    );
    for what in missed {
        text.push_str("\nnot set: ");
        text.push_str(&what);
    }
    Ok(text)
}

/// What is registered: only for a configuration that is good, since a service cannot be asked.
fn installation(args: &InstallArgs, program: PathBuf) -> Result<Installation, Failed> {
    let path = |path: &Path| {
        let failed = |reason| ServiceError::Path {
            path: path.to_owned(),
            reason,
        };
        // The service starts in a folder of the system.
        std::path::absolute(path).map_err(failed)
    };
    let file = path(&args.config.config)?;
    let config = Config::read(&file)?;
    config.check_files(&file.display().to_string())?;
    let password = match &args.password_file {
        Some(file) => {
            let failed = |reason| ServiceError::Path {
                path: file.clone(),
                reason,
            };
            let text = std::fs::read_to_string(file).map_err(failed)?;
            Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        None => None,
    };
    Ok(Installation {
        display_name: "syncwatch agent",
        description: "Reads this sync server for syncwatch and brings what it learns home. It changes nothing.",
        program,
        arguments: ["service", "run", "--config"]
            .map(OsString::from)
            .into_iter()
            .chain([file.into_os_string()])
            .collect(),
        account: args.account.clone().map(|account| (account, password)),
        restarts: [5, 30, 60].map(Duration::from_secs),
        forgets_after: Duration::from_secs(24 * 60 * 60),
    })
}

fn uninstall(manager: &dyn Manager) -> Result<String, ServiceError> {
    if present(manager)? != State::Stopped(0) {
        // What stands still already says so, and is removed all the same.
        let _ = stop(manager);
    }
    manager.remove()?;
    Ok(format!(
        "the service {NAME} is removed; its data folder stays"
    ))
}

fn start(manager: &dyn Manager) -> Result<String, ServiceError> {
    if present(manager)? == State::Running {
        return Ok(format!("the service {NAME} runs already"));
    }
    manager.start()?;
    let state = until(manager, |state| {
        matches!(state, State::Running | State::Stopped(1..))
    })?;
    match state {
        Some(State::Running) => Ok(format!("the service {NAME} runs")),
        Some(State::Stopped(code)) => Err(ServiceError::Ended { code }),
        _ => Err(ServiceError::Slow { what: "start" }),
    }
}

fn stop(manager: &dyn Manager) -> Result<String, ServiceError> {
    if let State::Stopped(_) = present(manager)? {
        return Ok(format!("the service {NAME} is stopped already"));
    }
    manager.stop()?;
    match until(manager, |state| matches!(state, State::Stopped(_)))? {
        Some(_) => Ok(format!("the service {NAME} is stopped")),
        None => Err(ServiceError::Slow { what: "stop" }),
    }
}

fn status(manager: &dyn Manager) -> Result<(String, bool), ServiceError> {
    let state = manager.state()?;
    let text = match state {
        State::Absent => return Err(ServiceError::Absent),
        State::Stopped(0) => "stopped".to_owned(),
        State::Stopped(code) => format!("stopped; it ended with code {code}"),
        State::Starting => "starting".to_owned(),
        State::Running => "running".to_owned(),
        State::Stopping => "stopping".to_owned(),
    };
    Ok((format!("{NAME}: {text}"), state == State::Running))
}

fn present(manager: &dyn Manager) -> Result<State, ServiceError> {
    match manager.state()? {
        State::Absent => Err(ServiceError::Absent),
        state => Ok(state),
    }
}

/// The state once it is as wanted; `None` when it does not become so.
fn until(manager: &dyn Manager, is: impl Fn(State) -> bool) -> Result<Option<State>, ManagerError> {
    let mut waited = Duration::ZERO;
    loop {
        let state = manager.state()?;
        if is(state) {
            return Ok(Some(state));
        }
        if waited >= PATIENCE {
            return Ok(None);
        }
        waited += manager.wait();
    }
}

#[cfg(test)]
mod tests;
