//! Chromium without a screen: what a page looks like, and what it is after its scripts ran.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use super::program::{find_program, user_id};

const LIMIT: Duration = Duration::from_secs(60);

/// Time a page's own timers are given; it passes as fast as the page is idle.
const VIRTUAL_TIME: Duration = Duration::from_secs(5);

/// An installed Chromium.
#[derive(Clone, Debug)]
pub struct Chromium {
    program: PathBuf,
}

impl Chromium {
    /// Finds it.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn find() -> anyhow::Result<Self> {
        Ok(Self {
            program: find_program(
                &["chromium", "chromium-browser", "google-chrome"],
                "chromium",
            )?,
        })
    }

    /// Opens a page and writes a picture of its first `width` x `height` pixels as PNG.
    ///
    /// # Errors
    /// When the page cannot be opened in time.
    pub async fn screenshot(
        &self,
        url: &str,
        (width, height): (u32, u32),
        file: &Path,
    ) -> anyhow::Result<()> {
        let file = std::path::absolute(file).context("path of the picture")?;
        let picture = format!("--screenshot={}", file.display());
        let size = format!("--window-size={width},{height}");
        self.run(&[&picture, &size, "--hide-scrollbars", url])
            .await?;
        ensure!(file.is_file(), "chromium took no picture of {url}");
        Ok(())
    }

    /// Opens a page, lets its scripts run and returns the document as HTML.
    ///
    /// # Errors
    /// When the page cannot be opened in time.
    pub async fn dump_dom(&self, url: &str) -> anyhow::Result<String> {
        let budget = format!("--virtual-time-budget={}", VIRTUAL_TIME.as_millis());
        let output = self.run(&[&budget, "--dump-dom", url]).await?;
        String::from_utf8(output.stdout).context("the document")
    }

    async fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let profile = tempfile::Builder::new()
            .prefix("syncwatch-chromium-")
            .tempdir()
            .context("a folder")?;
        let mut command = Command::new(&self.program);
        command
            .args([
                "--headless=new",
                "--disable-gpu",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()));
        if user_id()? == 0 {
            // Its sandbox refuses to work for root.
            command.arg("--no-sandbox");
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(LIMIT, command.output())
            .await
            .with_context(|| format!("chromium did not end in {LIMIT:?}"))?
            .context("start chromium")?;
        if !output.status.success() {
            bail!(
                "chromium failed ({}): {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(output)
    }
}
