//! The real service as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use syncwatch_tests::peers::{Port, Usage};
use syncwatch_tests::wait::until;
use tokio::process::{Child, Command};

use super::fleet::{CADENCE_MS, WINDOW_MS};
use super::graph::TENANT_ID;

/// `syncwatch run` on a SQLite file of its own, at its default settings but for what the fleet needs.
#[derive(Debug)]
pub struct Ours {
    process: Child,
    _port: Port,
    folder: tempfile::TempDir,
}

fn judged(database: &Path) -> rusqlite::Result<i64> {
    let link = rusqlite::Connection::open_with_flags(
        database,
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    link.query_row(
        "select count(*) from lane where status = 'on_time'",
        [],
        |row| row.get(0),
    )
}

/// The binary beside this one; built by the same command that builds this one.
fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?
        .parent()
        .context("a folder")?
        .join("syncwatch");
    if !path.exists() {
        bail!(
            "{} is missing: run `cargo build --release -p syncwatch` first",
            path.display()
        );
    }
    Ok(path)
}

fn config(folder: &Path, listen: &str, graph: SocketAddr, sink: SocketAddr) -> String {
    let seconds = |ms: i64| format!("{}s", ms / 1_000);
    format!(
        "[server]\nlisten = \"{listen}\"\n\n[store]\nurl = \"sqlite:{}\"\n\n\
         [[tenant]]\nname = \"bench\"\nid = \"{TENANT_ID}\"\nclient_id = \"11111111-2222-4333-8444-555555555555\"\n\
         client_secret = \"bench\"\ngraph_url = \"http://{graph}\"\nlogin_url = \"http://{graph}\"\n\n\
         [lanes.cloud.objects]\ninterval = \"{}\"\nlate_after = \"{}\"\ngrace = \"{}\"\n\n[alerts]\ngroup_from = 0\n\n\
         [[receiver]]\nname = \"sink\"\nkind = \"webhook\"\nurl = \"http://{sink}/syncwatch\"\n\n\
         [[route]]\nrules = [\"WindowMissed\"]\nreceivers = [\"sink\"]\n",
        folder.join("bench.db").display(),
        seconds(CADENCE_MS),
        seconds(WINDOW_MS),
        seconds(WINDOW_MS - CADENCE_MS),
    )
}

impl Ours {
    /// Starts it and waits until it knows every lane.
    ///
    /// # Errors
    /// When it does not start or does not find the lanes in time.
    pub async fn start(
        lanes: usize,
        graph: SocketAddr,
        sink: SocketAddr,
        limit: Duration,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = Port::claim()?;
        let file = folder.path().join("syncwatch.toml");
        std::fs::write(
            &file,
            config(folder.path(), &port.addr().to_string(), graph, sink),
        )?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let process = Command::new(binary()?)
            .arg("run")
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .context("start syncwatch")?;
        let ours = Self {
            process,
            _port: port,
            folder,
        };
        ours.wait_for_lanes(lanes, limit).await?;
        Ok(ours)
    }

    /// Looks into the database: asking the service for a page of every lane would cost it memory.
    async fn wait_for_lanes(&self, lanes: usize, limit: Duration) -> anyhow::Result<()> {
        let database = self.folder.path().join("bench.db");
        until("syncwatch to judge every lane on time", limit, async || {
            let judged = judged(&database).map_err(|error| error.to_string())?;
            if usize::try_from(judged) == Ok(lanes) {
                Ok(())
            } else {
                Err(format!("{judged} of {lanes}"))
            }
        })
        .await
    }

    /// What it has cost so far.
    ///
    /// # Errors
    /// When it is gone.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.process.id().context("syncwatch ended")?)
    }
}
