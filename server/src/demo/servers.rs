//! Sync servers of the story: a real agent stands on each, and asks a scripted PowerShell.
//!
//! Both are this program under another name, so that the demo needs nothing beside it.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use clap::Parser;
use syncwatch_domain::report::Section;
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::sync_server::{STATE_FILE_BESIDE, run_shell};
use syncwatch_simulator::{Story, SyncServerPart, Tenant};
use tokio::process::{Child, Command};

/// Names under which this program is something else.
const AGENT: &str = "syncwatch-demo-agent";
const POWERSHELL: &str = "syncwatch-demo-powershell";

/// Does the work of another program where this one was started under its name; else `None`.
#[must_use]
pub fn in_guise() -> Option<ExitCode> {
    let program = PathBuf::from(std::env::args_os().next()?);
    match program.file_stem()?.to_str()? {
        AGENT => {
            end_with_the_demo();
            Some(syncwatch_agent::cli::run(syncwatch_agent::cli::Cli::parse()))
        }
        POWERSHELL => Some(run_shell(
            std::env::args_os().skip(1),
            Some(program.with_file_name(STATE_FILE_BESIDE)),
            io::stdin().lock(),
            io::stdout().lock(),
            io::stderr().lock(),
        )),
        _ => None,
    }
}

/// Ends this process when whoever started it is gone, even where it was killed and could end
/// nobody: then nothing holds the other end of standard input any more. The agent needs no farewell,
/// and its PowerShell ends in the same way.
fn end_with_the_demo() {
    std::thread::spawn(|| {
        // An input that cannot be read has nobody at its other end either.
        let _gone = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(0);
    });
}

/// The agents; they end with this.
#[derive(Debug, Default)]
pub(super) struct Servers {
    agents: Vec<Child>,
}

impl Servers {
    /// Puts an agent on every sync server of the story; they push to `service`.
    pub(super) fn start(
        story: &Story,
        origin: Timestamp,
        folder: &Path,
        service: &str,
    ) -> anyhow::Result<Self> {
        let mut agents = Vec::new();
        for (tenant, part) in parts(story) {
            let home = folder.join(&part.host);
            let started = settle(&tenant.name, part, origin, &home, service);
            agents.push(started.with_context(|| format!("no agent starts on {}", part.host))?);
        }
        Ok(Self { agents })
    }

    /// Ends the agents and waits until they are gone: a program that runs keeps its folder where
    /// the system does not let go of it.
    pub(super) async fn end(self) {
        for mut agent in self.agents {
            // It only fails when there is nothing left to end.
            let _ended_before = agent.kill().await;
        }
    }
}

/// The sync servers with their tenants.
pub(super) fn parts(story: &Story) -> impl Iterator<Item = (&Tenant, &SyncServerPart)> {
    let tenants = story.tenants.iter();
    tenants.flat_map(|tenant| tenant.sync_servers.iter().map(move |part| (tenant, part)))
}

/// What the configuration of the service says of the agents of a tenant.
pub(super) fn enrolled(tenant: &Tenant) -> String {
    let mut text = String::new();
    for part in &tenant.sync_servers {
        let _ = write!(
            text,
            "[[tenant.agent]]\nhost = \"{0}\"\ntoken = \"{1}\"\n",
            part.host,
            token(&part.host)
        );
    }
    text
}

/// Every server has its own; nobody else can reach the service of a demo.
fn token(host: &str) -> String {
    format!("demo-token-of-{host}")
}

/// Writes the folder of a server and starts its agent.
fn settle(
    tenant: &str,
    part: &SyncServerPart,
    origin: Timestamp,
    home: &Path,
    service: &str,
) -> anyhow::Result<Child> {
    std::fs::create_dir_all(home)?;
    part.server(tenant, origin.as_millis())
        .save(&home.join(STATE_FILE_BESIDE))?;
    std::fs::write(home.join("token"), token(&part.host))?;
    let interpreter = guise(home, POWERSHELL)?;
    let file = home.join("syncwatch-agent.toml");
    std::fs::write(&file, configuration(&part.host, &interpreter, service))?;
    let log = std::fs::File::create(home.join("agent.log"))?;
    let child = Command::new(guise(home, AGENT)?)
        .args(["run", "--config"])
        .arg(&file)
        // Nothing is written there: that it is open says that the demo is.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

fn configuration(host: &str, interpreter: &Path, service: &str) -> String {
    let quoted = |text: String| toml::Value::from(text).to_string();
    let mut text = format!(
        "[agent]\ndata_dir = \"data\"\nhost = \"{host}\"\ninterpreter = {}\n[service]\nurl = \"{service}\"\ntoken_file = \"token\"\n",
        quoted(interpreter.display().to_string())
    );
    // As often as an agent may.
    for section in Section::ALL {
        let _ = write!(text, "[sections.{section}]\ninterval = \"5s\"\n");
    }
    text
}

/// This program under another name.
fn guise(home: &Path, name: &str) -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let path = home
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    link(&program, &path)?;
    Ok(path)
}

#[cfg(unix)]
fn link(program: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, path)
}

#[cfg(not(unix))]
fn link(program: &Path, path: &Path) -> io::Result<()> {
    std::fs::hard_link(program, path).or_else(|_| std::fs::copy(program, path).map(drop))
}
