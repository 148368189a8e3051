//! Prometheus with Alertmanager.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use syncwatch_tests::peers::{Alertmanager, Prometheus, Usage};

use super::fleet::WINDOW_MS;

/// How often the pair looks, and how long it waits before it tells.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Its name in the table.
    pub name: &'static str,
    /// Scrape and evaluation interval.
    pub look: Duration,
    /// `group_wait`.
    pub wait: Duration,
}

/// As tight as both go without giving up on whole seconds.
pub const TIGHTEST: Pace = Pace {
    name: "1 s / 1 s / 0 s",
    look: Duration::from_secs(1),
    wait: Duration::ZERO,
};
/// What both come with.
pub const DEFAULT: Pace = Pace {
    name: "15 s / 15 s / 30 s",
    look: Duration::from_secs(15),
    wait: Duration::from_secs(30),
};

/// A running pair.
#[derive(Debug)]
pub struct Pair {
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    _folder: tempfile::TempDir,
}

impl Pair {
    /// Starts it on the fleet at `fleet`; each lane is a group of its own, so that none waits for another.
    ///
    /// # Errors
    /// When a program is missing or does not start.
    pub async fn start(pace: Pace, fleet: SocketAddr, sink: SocketAddr) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let rules = folder.path().join("rules.yml");
        let seconds = WINDOW_MS / 1_000;
        std::fs::write(
            &rules,
            format!(
                "groups:\n- name: windows\n  rules:\n  - alert: WindowMissed\n    \
                 expr: time() - last_success_timestamp_seconds > {seconds}\n"
            ),
        )?;
        let alertmanager = Alertmanager::builder()
            .webhook(&format!("http://{sink}/pair"))
            .group_by(&["lane"])
            .group_wait(pace.wait)
            .group_interval(pace.look.max(Duration::from_secs(1)))
            .repeat_interval(Duration::from_secs(3_600))
            .start()
            .await?;
        let prometheus = Prometheus::builder()
            .scrape("fleet", fleet)
            .scrape_interval(pace.look)
            .evaluation_interval(pace.look)
            .rules(&rules)
            .alertmanager(alertmanager.addr())
            .start()
            .await?;
        prometheus
            .wait_up("fleet", Duration::from_secs(60))
            .await
            .context("the first scrape")?;
        Ok(Self {
            prometheus,
            alertmanager,
            _folder: folder,
        })
    }

    /// What both have cost so far.
    ///
    /// # Errors
    /// When one is gone.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        let (a, b) = (self.prometheus.usage()?, self.alertmanager.usage()?);
        Ok(Usage {
            cpu: a.cpu + b.cpu,
            peak_memory: a.peak_memory + b.peak_memory,
        })
    }
}
