//! VictoriaMetrics: takes what we write to it and answers queries.

use std::process::Command;

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

use super::port::Port;
use super::process::{Process, StopSignal};
use super::program::find_program;
use super::sample::{self, Sample};
use crate::http_client;

/// A running VictoriaMetrics.
#[derive(Debug)]
pub struct VictoriaMetrics {
    // Stopped before its folder goes.
    _process: Process,
    url: String,
    _port: Port,
    _folder: TempDir,
}

impl VictoriaMetrics {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("syncwatch-victoria-")
            .tempdir()
            .context("a folder")?;
        let port = Port::claim()?;
        let program = find_program(
            &["victoria-metrics", "victoria-metrics-prod"],
            "victoria-metrics",
        )?;
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .arg(format!(
                "-storageDataPath={}",
                folder.path().join("data").display()
            ))
            .arg(format!("-httpListenAddr={}", port.addr()));
        let log = folder.path().join("log");
        let mut process =
            Process::spawn("VictoriaMetrics", &mut command, log, StopSignal::Terminate)?;
        let url = format!("http://{}", port.addr());
        let health = format!("{url}/health");
        process
            .ready(async || {
                http_client()
                    .get(&health)
                    .send()
                    .await?
                    .error_for_status()
                    .map(drop)
            })
            .await?;
        Ok(Self {
            _process: process,
            url,
            _port: port,
            _folder: folder,
        })
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where remote write goes.
    #[must_use]
    pub fn remote_write_url(&self) -> String {
        format!("{}/api/v1/write", self.url)
    }

    /// Stores a page in the text format of Prometheus.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn import(&self, page: &str) -> anyhow::Result<()> {
        let url = format!("{}/api/v1/import/prometheus", self.url);
        http_client()
            .post(url)
            .body(page.to_owned())
            .send()
            .await?
            .error_for_status()
            .context("import")?;
        Ok(())
    }

    /// The present value of an expression, the newest samples among them.
    ///
    /// # Errors
    /// When the expression is refused.
    pub async fn query(&self, expr: &str) -> anyhow::Result<Vec<Sample>> {
        // What was written is not searched before its next flush, ten seconds away; and without the two arguments
        // the newest half minute is hidden.
        let flush = format!("{}/internal/force_flush", self.url);
        http_client().get(flush).send().await?.error_for_status()?;
        sample::query(
            &self.url,
            expr,
            &[("nocache", "1"), ("latency_offset", "1ms")],
        )
        .await
    }

    /// Everything stored for a selector, one object per series with its `metric`, `values` and `timestamps`.
    ///
    /// # Errors
    /// When the selector is refused.
    pub async fn export(&self, selector: &str) -> anyhow::Result<Vec<Value>> {
        let mut url = reqwest::Url::parse(&self.url)?.join("/api/v1/export")?;
        url.query_pairs_mut().append_pair("match[]", selector);
        let text = http_client()
            .get(url)
            .send()
            .await?
            .error_for_status()?
            .text()
            .await?;
        text.lines()
            .map(|line| {
                serde_json::from_str(line).with_context(|| format!("exported line {line:?}"))
            })
            .collect()
    }
}
