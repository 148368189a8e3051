//! A service that runs, and its end.

use std::net::SocketAddr;
use std::time::Duration;

use syncwatch_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::http::Stage;
use crate::lifecycle::{Ended, Signals, Tasks};

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    grace: Duration,
    tasks: Tasks,
    stage: watch::Receiver<Stage>,
}

impl Running {
    pub(crate) const fn new(
        addr: SocketAddr,
        grace: Duration,
        tasks: Tasks,
        stage: watch::Receiver<Stage>,
    ) -> Self {
        Self {
            addr,
            grace,
            tasks,
            stage,
        }
    }

    /// Where it listens; a port of 0 in the configuration is a free one here.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The store, once it is open; `None` when the service stops before.
    pub async fn store(&self) -> Option<Store> {
        let mut stage = self.stage.clone();
        let open = stage.wait_for(|stage| matches!(stage, Stage::Serving(_)));
        let open = tokio::select! {
            open = open => open,
            () = self.tasks.stop().cancelled() => return None,
        };
        match &*open.ok()? {
            Stage::Serving(serving) => Some(serving.store.clone()),
            Stage::Opening(_) => None,
        }
    }

    /// Waits until every source was tried once and what was missed is read back: from then on
    /// lanes are judged. `None` when the service stops before.
    pub async fn caught_up(&self) -> Option<()> {
        self.store().await?;
        let Stage::Serving(serving) = self.stage.borrow().clone() else {
            return None;
        };
        let mut caught_up = serving.caught_up;
        tokio::select! {
            caught_up = caught_up.wait_for(|caught_up| *caught_up) => caught_up.ok().map(|_| ()),
            () = self.tasks.stop().cancelled() => None,
        }
    }

    /// Asks it to stop softly.
    pub fn stop(&self) {
        self.tasks.stop().cancel();
    }

    /// Is cancelled when it stops, be it on request or because a task died.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.tasks.stop().clone()
    }

    /// Waits for a signal or for the death of a task, and then for the end. The database is
    /// closed when everything has ended.
    pub async fn until_ended(self, signals: &mut Signals) -> Ended {
        tokio::select! {
            () = signals.stop() => {
                tracing::info!(grace = crate::words::span(self.grace), "stopping; a second signal stops at once");
                self.stop();
            }
            () = self.tasks.stop().cancelled() => {}
        }
        let ended = self.tasks.ended(self.grace, signals).await;
        let stage = self.stage.borrow().clone();
        if let (Ended::Soft, Stage::Serving(serving)) = (&ended, stage) {
            serving.store.close().await;
        }
        ended
    }
}
