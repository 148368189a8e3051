//! The commands.

mod agents;
mod alerts;
mod check_config;
mod client;
mod lanes;
mod migrate;
mod output;
mod owners;
mod run;
mod status;
mod table;
mod test_notify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use self::client::ClientArgs;
pub use self::output::Output;
use crate::config::{Place, Problem, Report};

/// Watches Microsoft Entra Connect Sync and Cloud Sync side by side.
///
/// Exit codes: 0 good, 1 findings or failure, 2 usage, 3 cannot tell, 78 bad configuration.
#[derive(Debug, Parser)]
#[command(name = "syncwatch", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything syncwatch can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service.
    Run(ConfigArgs),
    /// Play a simulated migration with faults and show every alert as it arrives.
    ///
    /// Starts a simulated tenant, mail, Teams and webhook sinks and the service on a temporary
    /// SQLite file. Nothing outside this machine is touched.
    Demo(crate::demo::DemoArgs),
    /// Report every problem of the configuration at once.
    CheckConfig(check_config::CheckArgs),
    /// Tell how things are, at a glance.
    ///
    /// Exits 0 when all is well, 1 when something is late, missed, blind or firing, 3 when the
    /// service cannot be asked or does not do its work.
    Status(status::StatusArgs),
    /// List lanes with their windows.
    Lanes(lanes::LanesArgs),
    /// List alerts.
    Alerts(alerts::AlertsArgs),
    /// List agents on sync servers.
    Agents(agents::AgentsArgs),
    /// List how many objects each engine owns.
    Owners(owners::OwnersArgs),
    /// Send a test message to one receiver or all.
    TestNotify(test_notify::TestArgs),
    /// Create the database, or bring its schema up to date.
    Migrate(ConfigArgs),
    /// Print version and build.
    Version(VersionArgs),
    /// Make the generated documents anew.
    #[command(hide = true)]
    Generate(crate::generate::GenerateArgs),
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// Configuration file.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "syncwatch.toml",
        env = "SYNCWATCH_CONFIG"
    )]
    pub config: PathBuf,
}

/// What `version` prints.
#[derive(Clone, Debug, Args)]
pub struct VersionArgs {
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// How a command ended, where that is not simply "good".
#[derive(Debug)]
pub enum Failed {
    /// Something was found or went wrong: 1.
    Failure(anyhow::Error),
    /// Findings that were printed already: 1.
    Findings,
    /// There is no telling: 3.
    CannotTell(String),
    /// The configuration is wrong: 78.
    Config(Box<Report>),
    /// Any other code, of a plugin protocol; all was printed already.
    Code(u8),
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Failure(error)
    }
}

impl Failed {
    /// Says on standard error what there is to say, and gives the exit code.
    #[must_use]
    pub fn report(&self) -> u8 {
        match self {
            Self::Failure(error) => {
                eprintln!("syncwatch: {error:#}");
                1
            }
            Self::Findings => 1,
            Self::CannotTell(sentence) => {
                eprintln!("syncwatch: {sentence}");
                3
            }
            Self::Config(report) => {
                eprintln!("{report}");
                78
            }
            Self::Code(code) => *code,
        }
    }
}

/// Does what the command line says.
///
/// # Errors
/// How it ended, where that is not simply "good".
pub async fn run(cli: Cli) -> Result<(), Failed> {
    match cli.command {
        Command::Run(args) => run::run(&args).await,
        Command::Demo(args) => crate::demo::run(args).await,
        Command::CheckConfig(args) => check_config::run(&args).await,
        Command::Status(args) => status::run(&args).await,
        Command::Lanes(args) => lanes::run(&args).await,
        Command::Alerts(args) => alerts::run(&args).await,
        Command::Agents(args) => agents::run(&args).await,
        Command::Owners(args) => owners::run(&args).await,
        Command::TestNotify(args) => test_notify::run(&args).await,
        Command::Migrate(args) => migrate::run(&args).await,
        Command::Version(args) => version(&args),
        Command::Generate(args) => crate::generate::run(&args),
    }
}

/// The exit code of a command.
#[must_use]
pub fn exit_code(result: Result<(), Failed>) -> ExitCode {
    result.map_or_else(
        |failed| ExitCode::from(failed.report()),
        |()| ExitCode::SUCCESS,
    )
}

fn version(args: &VersionArgs) -> Result<(), Failed> {
    let version = env!("CARGO_PKG_VERSION");
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    match args.output {
        Output::Text => println!("syncwatch {version} ({build}, {target})"),
        Output::Json => output::json(
            &serde_json::json!({ "version": version, "build": build, "target": target }),
        )?,
    }
    Ok(())
}

/// Reads and checks the configuration a command works with.
///
/// # Errors
/// With every mistake in it.
pub(crate) fn load(args: &ConfigArgs) -> Result<crate::config::Config, Failed> {
    let name = args.config.display().to_string();
    let text = read(args)?;
    crate::config::load(&name, &text, environment())
        .map_err(|report| Failed::Config(Box::new(report)))
}

/// The text of the configuration file.
fn read(args: &ConfigArgs) -> Result<String, Failed> {
    std::fs::read_to_string(&args.config).map_err(|error| {
        let what = format!("the file cannot be read: {error}");
        let mend = "name another with --config, or start from deploy/config/syncwatch.example.toml";
        let problem = Problem::new(Place::Whole, "", what).mend(mend);
        let name = args.config.display().to_string();
        Failed::Config(Box::new(Report::new(&name, vec![problem])))
    })
}

/// The environment, as far as it is text.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
