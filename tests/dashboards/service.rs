//! Something to scrape: the service watching a simulated tenant, or the demo as a user starts it.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::json;
use syncwatch::config::load;
use syncwatch::lifecycle::Signals;
use syncwatch::{App, Running};
use syncwatch_domain::clock::{Clock, SystemClock};
use syncwatch_simulator::{Ports, Simulator, Story};
use syncwatch_tests::peers::Port;
use syncwatch_tests::{http_client, wait};
use tempfile::TempDir;

use crate::PATIENCE;

const STORY: &str = include_str!("story.toml");
const TENANT: &str = "moorbach";

const AGENT_TOKEN: &str = "board-agent-of-mb-sync01";

/// The service and the tenant it watches, both in this process.
pub(crate) struct Service {
    simulator: syncwatch_simulator::Running,
    running: Running,
    // Removed after the database in it is closed.
    _folder: TempDir,
}

impl Service {
    /// Starts both; the tenant has one of everything.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        syncwatch_tests::install_crypto();
        let folder = tempfile::tempdir().context("a folder")?;
        let story = Story::parse(STORY).context("the story of the board")?;
        let clock = Arc::new(syncwatch_simulator::SystemClock);
        let simulator = Simulator::start(story, clock, Ports::free())
            .await
            .context("the simulator")?;
        let config = load("board.toml", &config(&folder, &simulator)?, [])
            .context("the configuration of the board")?;
        let running = App::build(config, Arc::new(SystemClock))
            .await
            .context("the service")?
            .start();
        report(&running.url()).await?;
        Ok(Self {
            simulator,
            running,
            _folder: folder,
        })
    }

    /// Where `/metrics` is.
    pub(crate) fn addr(&self) -> anyhow::Result<SocketAddr> {
        let url = self.running.url();
        url.trim_start_matches("http://")
            .parse()
            .with_context(|| format!("no address in {url}"))
    }

    /// Stops both.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.running.stop();
        self.running.until_ended(&mut Signals::listen()?).await;
        self.simulator.stop().await;
        Ok(())
    }
}

/// What the agent on the tenant's sync server sends home: it was cut off for a while.
async fn report(url: &str) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let record = json!({
        "seq": 11, "section": "database", "collected_at": now, "elapsed": {"run": "r", "ms": 1000},
        "outcome": "read", "data": [{"IsLocalDBInstalled": true, "UsedSpaceInMb": 812.5}],
    });
    let batch = json!({
        "schema": 1,
        "agent": {"id": "agent-1", "host": "MB-SYNC01", "version": "0.1.0", "roles": ["connect_active"]},
        "sent_at": now, "elapsed": {"run": "r", "ms": 1000},
        "spool": {"id": "spool-1", "first": 11, "next": 13,
                  "gaps": [{"from": 1, "to": 10, "oldest_at": now, "newest_at": now}]},
        "records": [record],
    })
    .to_string();
    wait::until("a report to be taken in", PATIENCE, async || {
        let answer = http_client()
            .post(format!("{url}/agent/v1/reports"))
            .header("content-type", "application/json")
            .bearer_auth(AGENT_TOKEN)
            .body(batch.clone())
            .send()
            .await?;
        ensure!(answer.status().is_success(), "{answer:?}");
        Ok::<_, anyhow::Error>(())
    })
    .await
}

fn config(folder: &TempDir, simulator: &syncwatch_simulator::Running) -> anyhow::Result<String> {
    let credentials = simulator
        .credentials()
        .into_iter()
        .next()
        .context("a client of the tenant")?;
    let secret = credentials.client_secret.context("its secret")?;
    let quoted = |text: &str| toml::Value::from(text).to_string();
    Ok(format!(
        r#"
[server]
listen = "127.0.0.1:0"
instance = "board"

[store]
url = {store}

[[tenant]]
name = "{TENANT}"
id = {id}
client_id = {client}
client_secret = {secret}
graph_url = {graph}
login_url = {login}
log_requests = 100
polls.service_principals.schedule = "2s"
polls.jobs.schedule = "1s"
polls.provisioning_logs.schedule = "1s"
polls.directory_audits.schedule = "1s"
polls.organization.schedule = "1s"
polls.organization_beta.schedule = "1s"
polls.agents.schedule = "1s"
polls.credentials.schedule = "2s"
polls.users.schedule = "1s"
polls.groups.schedule = "1s"

[[tenant.agent]]
host = "MB-SYNC01"
token = "{AGENT_TOKEN}"

[[receiver]]
name = "hook"
kind = "webhook"
url = {hook}
"#,
        store = quoted(&format!(
            "sqlite:{}",
            folder.path().join("board.db").display()
        )),
        id = quoted(&credentials.tenant_id),
        client = quoted(&credentials.client_id),
        secret = quoted(&secret),
        graph = quoted(&credentials.graph_url),
        login = quoted(&credentials.login_url),
        hook = quoted(&simulator.webhook_url()),
    ))
}

/// `syncwatch demo`, as its own process.
pub(crate) struct Demo {
    child: Child,
    port: Port,
}

impl Demo {
    /// Starts it on a free port.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let port = Port::claim()?;
        let program = syncwatch_tests::programs::built("syncwatch")?;
        let child = Command::new(&program)
            .args(["demo", "--listen", &port.addr().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        Ok(Self { child, port })
    }

    /// Where `/metrics` is.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.port.addr()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Its databases and simulated servers are its own: there is nothing to finish.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
