//! Alertmanager: takes alerts from Prometheus or from us and posts them to a webhook.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::port::Port;
use super::process::{Process, StopSignal};
use super::program::find_program;
use super::prometheus::duration;
use super::usage::Usage;
use crate::http_client;

/// What an Alertmanager shall do; its own defaults hold for what is not said.
#[derive(Clone, Debug)]
pub struct AlertmanagerBuilder {
    receiver: Value,
    route: Value,
}

impl AlertmanagerBuilder {
    /// Posts every notification to this address, resolved ones as well.
    #[must_use]
    pub fn webhook(mut self, url: &str) -> Self {
        self.receiver["webhook_configs"] = json!([{ "url": url, "send_resolved": true }]);
        self
    }

    /// Labels by which alerts are grouped; `["..."]` gives each alert a group of its own.
    #[must_use]
    pub fn group_by(mut self, labels: &[&str]) -> Self {
        self.route["group_by"] = json!(labels);
        self
    }

    /// How long a new group waits for more alerts; 30 s if not said.
    #[must_use]
    pub fn group_wait(mut self, wait: Duration) -> Self {
        self.route["group_wait"] = duration(wait);
        self
    }

    /// Time between notifications of a group that changes; 5 min if not said. Zero is refused.
    #[must_use]
    pub fn group_interval(mut self, interval: Duration) -> Self {
        self.route["group_interval"] = duration(interval);
        self
    }

    /// Time until an unchanged notification is repeated; 4 h if not said.
    #[must_use]
    pub fn repeat_interval(mut self, interval: Duration) -> Self {
        self.route["repeat_interval"] = duration(interval);
        self
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When Alertmanager is not installed, refuses the configuration or does not start.
    pub async fn start(self) -> anyhow::Result<Alertmanager> {
        let folder = tempfile::Builder::new()
            .prefix("syncwatch-alertmanager-")
            .tempdir()
            .context("a folder")?;
        let config = folder.path().join("alertmanager.yml");
        let text = json!({ "route": self.route, "receivers": [self.receiver] }).to_string();
        std::fs::write(&config, text).context("write the configuration")?;
        let port = Port::claim()?;
        // The package of Debian prefixes the name.
        let program = find_program(
            &["prometheus-alertmanager", "alertmanager"],
            "prometheus-alertmanager",
        )?;
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={}", port.addr()))
            .arg("--cluster.listen-address=");
        let log = folder.path().join("log");
        let process = Process::spawn("Alertmanager", &mut command, log, StopSignal::Terminate)?;
        let url = format!("http://{}", port.addr());
        let mut started = Alertmanager {
            process,
            url,
            port,
            _folder: folder,
        };
        let ready = format!("{}/-/ready", started.url);
        started
            .process
            .ready(async || {
                http_client()
                    .get(&ready)
                    .send()
                    .await?
                    .error_for_status()
                    .map(drop)
            })
            .await?;
        Ok(started)
    }
}

/// A running Alertmanager.
#[derive(Debug)]
pub struct Alertmanager {
    // Stopped before its folder goes.
    process: Process,
    url: String,
    port: Port,
    _folder: TempDir,
}

impl Alertmanager {
    /// Says what to run: without a webhook, alerts are kept and told to nobody.
    #[must_use]
    pub fn builder() -> AlertmanagerBuilder {
        AlertmanagerBuilder {
            receiver: json!({ "name": "tests" }),
            route: json!({ "receiver": "tests" }),
        }
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port, as Prometheus wants it.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// When it has died.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.process.usage()
    }

    /// The alerts it knows, as its API gives them.
    ///
    /// # Errors
    /// When it has died.
    pub async fn alerts(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/api/v2/alerts", self.url);
        Ok(http_client()
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }
}
