//! Prometheus: scrapes us, evaluates rules, answers queries.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::port::Port;
use super::process::{Process, StopSignal};
use super::program::find_program;
use super::promtool;
use super::sample::{self, Sample};
use super::usage::Usage;
use crate::{http_client, wait};

/// What a Prometheus shall do; its own defaults hold for what is not said.
#[derive(Clone, Debug, Default)]
pub struct PrometheusBuilder {
    scrapes: Vec<(String, String)>,
    scrape_interval: Option<Duration>,
    evaluation_interval: Option<Duration>,
    rules: Vec<PathBuf>,
    alertmanager: Option<String>,
    flags: Vec<String>,
}

impl PrometheusBuilder {
    /// Scrapes `/metrics` of `target` as `job`.
    #[must_use]
    pub fn scrape(mut self, job: &str, target: SocketAddr) -> Self {
        self.scrapes.push((job.to_owned(), target.to_string()));
        self
    }

    /// Time between scrapes; one minute if not said.
    #[must_use]
    pub fn scrape_interval(mut self, interval: Duration) -> Self {
        self.scrape_interval = Some(interval);
        self
    }

    /// Time between evaluations of rules; one minute if not said.
    #[must_use]
    pub fn evaluation_interval(mut self, interval: Duration) -> Self {
        self.evaluation_interval = Some(interval);
        self
    }

    /// Loads a rule file.
    #[must_use]
    pub fn rules(mut self, file: impl Into<PathBuf>) -> Self {
        self.rules.push(file.into());
        self
    }

    /// Sends alerts to the Alertmanager at `addr`.
    #[must_use]
    pub fn alertmanager(mut self, addr: SocketAddr) -> Self {
        self.alertmanager = Some(addr.to_string());
        self
    }

    /// Adds a command line flag.
    #[must_use]
    pub fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Starts it and waits until it is ready and, if it has one, knows its Alertmanager.
    ///
    /// # Errors
    /// When Prometheus is not installed, refuses the configuration or does not start.
    pub async fn start(self) -> anyhow::Result<Prometheus> {
        let folder = tempfile::Builder::new()
            .prefix("syncwatch-prometheus-")
            .tempdir()
            .context("a folder")?;
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, self.config()?.to_string()).context("write the configuration")?;
        promtool::check_config(&config)?;
        let port = Port::claim()?;
        let mut command = Command::new(find_program(&["prometheus"], "prometheus")?);
        command
            .current_dir(folder.path())
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={}", port.addr()))
            .args([
                "--web.enable-remote-write-receiver",
                "--web.enable-lifecycle",
            ])
            .args(&self.flags);
        let log = folder.path().join("log");
        let process = Process::spawn("Prometheus", &mut command, log, StopSignal::Terminate)?;
        let url = format!("http://{}", port.addr());
        let mut started = Prometheus {
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
        if self.alertmanager.is_some() {
            started.discovered_alertmanager().await?;
        }
        Ok(started)
    }

    /// The configuration as JSON, which is YAML as well and needs no quoting of ours.
    fn config(&self) -> anyhow::Result<Value> {
        let mut global = serde_json::Map::new();
        if let Some(interval) = self.scrape_interval {
            // The time limit of a scrape may not exceed the interval, and by default it is ten seconds.
            let limit = interval.min(Duration::from_secs(10));
            global.insert("scrape_interval".to_owned(), duration(interval));
            global.insert("scrape_timeout".to_owned(), duration(limit));
        }
        if let Some(interval) = self.evaluation_interval {
            global.insert("evaluation_interval".to_owned(), duration(interval));
        }
        let rules = self
            .rules
            .iter()
            .map(|file| {
                std::path::absolute(file).with_context(|| format!("path of {}", file.display()))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let managers = self
            .alertmanager
            .iter()
            .map(|addr| json!({ "static_configs": [{ "targets": [addr] }] }));
        let scrapes = self.scrapes.iter().map(
            |(job, target)| json!({ "job_name": job, "static_configs": [{ "targets": [target] }] }),
        );
        Ok(json!({
            "global": global,
            "rule_files": rules,
            "alerting": { "alertmanagers": managers.collect::<Vec<_>>() },
            "scrape_configs": scrapes.collect::<Vec<_>>(),
        }))
    }
}

/// Prometheus writes durations its own way; milliseconds are exact enough for every test.
pub(super) fn duration(span: Duration) -> Value {
    format!("{}ms", span.as_millis()).into()
}

/// A running Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    // Stopped before its folder goes.
    process: Process,
    url: String,
    port: Port,
    _folder: TempDir,
}

impl Prometheus {
    /// Says what to run.
    #[must_use]
    pub fn builder() -> PrometheusBuilder {
        PrometheusBuilder::default()
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port.
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

    /// The present value of an expression.
    ///
    /// # Errors
    /// When the expression is refused.
    pub async fn query(&self, expr: &str) -> anyhow::Result<Vec<Sample>> {
        sample::query(&self.url, expr, &[]).await
    }

    /// Waits until the answer to an expression is as `wanted`.
    ///
    /// # Errors
    /// When it is not in time; the text holds the last answer.
    pub async fn wait_for(
        &self,
        expr: &str,
        limit: Duration,
        wanted: impl Fn(&[Sample]) -> bool,
    ) -> anyhow::Result<Vec<Sample>> {
        wait::until(expr, limit, async || {
            let samples = self.query(expr).await?;
            ensure!(wanted(&samples), "{samples:?}");
            Ok::<_, anyhow::Error>(samples)
        })
        .await
    }

    /// Waits until every target of a job was scraped with success.
    ///
    /// # Errors
    /// When one is not in time; the text holds the error of the last scrape.
    pub async fn wait_up(&self, job: &str, limit: Duration) -> anyhow::Result<()> {
        wait::until(&format!("job {job} to be up"), limit, async || {
            let targets = self.api("targets").await?;
            let active = targets["activeTargets"]
                .as_array()
                .context("no list of targets")?;
            let mine = active
                .iter()
                .filter(|target| target["labels"]["job"] == job)
                .collect::<Vec<_>>();
            let up = !mine.is_empty() && mine.iter().all(|target| target["health"] == "up");
            ensure!(up, "{mine:?}");
            Ok::<_, anyhow::Error>(())
        })
        .await
    }

    /// The `data` of an answer of its API: `rules`, `alerts`, `targets`.
    ///
    /// # Errors
    /// When there is no such path.
    pub async fn api(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/{path}", self.url);
        let mut answer = http_client()
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .json::<Value>()
            .await?;
        Ok(answer["data"].take())
    }

    /// An alert that fires before the Alertmanager is discovered is dropped until the next resend, a minute later.
    async fn discovered_alertmanager(&self) -> anyhow::Result<()> {
        wait::until(
            "Prometheus to discover the Alertmanager",
            Duration::from_secs(60),
            async || {
                let found = self.api("alertmanagers").await?;
                let active = found["activeAlertmanagers"]
                    .as_array()
                    .is_some_and(|list| !list.is_empty());
                ensure!(active, "{found}");
                Ok::<_, anyhow::Error>(())
            },
        )
        .await
    }
}
