//! The product's way in: page bytes, parsed and packed one page ahead, committed through the store.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use syncwatch_collector::{ReadyPage, ready_provisioning};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{PollCommit, PollOutcome, PollReceipt, SourceId, Store, StoreOptions};

use super::input::MOST_ROWS;

/// Name of the tenant whose log is stored.
pub(super) const TENANT: &str = "nordwall";
/// How long a request took, as far as the store is told.
const TOOK: Duration = Duration::from_millis(400);

/// An open store and the source the pages come from.
#[derive(Debug)]
pub(super) struct Ours {
    store: Store,
    source: SourceId,
    policy: LanePolicy,
    now: Timestamp,
}

impl Ours {
    /// Opens a store with the product's own settings on an empty database.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub(super) async fn open(url: &str) -> anyhow::Result<Self> {
        let options = StoreOptions::new(url, "bench");
        let store = Store::open_and_migrate(&options)
            .await
            .context("open the store")?;
        let key = SourceKey {
            tenant: TENANT.into(),
            poll: Poll::ProvisioningLogs,
            instance: String::new(),
        };
        let now = Timestamp::parse("2026-09-14T06:00:00Z").context("an instant")?;
        let source = store
            .ensure_source(&key, now)
            .await
            .context("add the source")?
            .id;
        Ok(Self {
            store,
            source,
            policy: LanePolicy::default(),
            now,
        })
    }

    /// Makes a page ready, as a poll does it.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub(super) async fn ready(&self, body: Vec<u8>) -> anyhow::Result<ReadyPage> {
        let page = ready_provisioning(&self.store, body, MOST_ROWS, |_| true).await;
        page.context("read a page")
    }

    /// Commits a page while the next one is made ready, as a poll does it; the watermark goes with the last one.
    ///
    /// # Errors
    /// When the next page cannot be read or the database refuses.
    pub(super) async fn take(
        &mut self,
        page: &ReadyPage,
        next: Option<Vec<u8>>,
    ) -> anyhow::Result<(PollReceipt, Option<ReadyPage>)> {
        let started_at = self.now;
        self.now = started_at + TOOK;
        let mut commit = PollCommit::bare(self.source, started_at, self.now, PollOutcome::Partial);
        commit.log = Some(&page.log);
        if next.is_none() {
            commit.outcome = PollOutcome::Read;
            commit.resume = Some(r#"{"watermark":"2026-09-14T06:00:00Z"}"#.into());
        }
        let committing = async {
            let receipt = self.store.commit_poll(&commit, &self.policy).await;
            receipt.context("commit a page")
        };
        let ahead = async {
            match next {
                Some(body) => self.ready(body).await.map(Some),
                None => Ok(None),
            }
        };
        tokio::try_join!(committing, ahead)
    }

    /// Takes all pages; only the way from bytes to rows is timed.
    ///
    /// # Errors
    /// As [`Self::take`], and when a row was not new.
    pub(super) async fn take_all(&mut self, pages: &[String]) -> anyhow::Result<Duration> {
        let bodies: Vec<Vec<u8>> = pages.iter().map(|page| page.clone().into_bytes()).collect();
        let mut odd = 0;
        let started = Instant::now();
        let mut bodies = bodies.into_iter();
        let mut ready = match bodies.next() {
            Some(body) => Some(self.ready(body).await?),
            None => None,
        };
        while let Some(page) = ready.take() {
            let (receipt, ahead) = self.take(&page, bodies.next()).await?;
            odd += receipt.repeated + receipt.conflicting;
            ready = ahead;
        }
        let took = started.elapsed();
        ensure!(odd == 0, "{odd} rows were not new");
        Ok(took)
    }

    /// How many rows are stored.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) async fn count(&self) -> anyhow::Result<i64> {
        self.store.log_row_count().await.context("count rows")
    }

    /// Ends all connections, so that somebody else can look at the database.
    pub(super) async fn close(self) {
        self.store.close().await;
    }
}
