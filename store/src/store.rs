//! The handle: opening, migrating, committing, closing.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::StoreError;
use crate::feed::{Feed, Topic};
use crate::log::LogState;
use crate::pools::{Pools, Tx, fetch};

/// Looks at every commit by its running number; answering `false` closes the store on the spot,
/// as if the process had died there. For tests of what survives.
#[derive(Clone)]
pub struct CommitProbe(Arc<dyn Fn(u64) -> bool + Send + Sync>);

impl CommitProbe {
    /// A probe from a function of the running number, which starts at 1.
    pub fn new(survives: impl Fn(u64) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(survives))
    }
}

impl fmt::Debug for CommitProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommitProbe")
    }
}

/// Where the data lives and under which name this process works on it.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite:<path>` or `postgres://...`; may hold a password and is never shown as it is.
    pub url: String,
    /// Owner of leases; must be the same after a restart, and differ between processes that
    /// share a PostgreSQL database.
    pub instance: String,
    /// For tests.
    pub probe: Option<CommitProbe>,
}

impl StoreOptions {
    /// Options without a probe.
    #[must_use]
    pub fn new(url: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            instance: instance.into(),
            probe: None,
        }
    }
}

/// The store. Cheap to clone; every clone is the same store.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Pools,
    instance: String,
    feed: Feed,
    log: LogState,
    commits: AtomicU64,
    closed: AtomicBool,
    probe: Option<CommitProbe>,
}

impl Store {
    /// Connects, and refuses a schema that this version does not know.
    ///
    /// # Errors
    /// When the address is unusable, the database cannot be opened, or its schema is another one.
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let store = Self::connect(options).await?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Connects and brings the schema up to date.
    ///
    /// # Errors
    /// As [`Store::open`], and when a migration fails.
    pub async fn open_and_migrate(options: &StoreOptions) -> Result<Self, StoreError> {
        let store = Self::connect(options).await?;
        store.inner.pools.migrate().await?;
        store.check_schema().await?;
        Ok(store)
    }

    async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let pools = Pools::connect(&options.url).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                pools,
                instance: options.instance.clone(),
                feed: Feed::default(),
                log: LogState::default(),
                commits: AtomicU64::new(0),
                closed: AtomicBool::new(false),
                probe: options.probe.clone(),
            }),
        })
    }

    /// Newest migration this version knows and newest one applied (0 for none).
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn schema(&self) -> Result<(i64, i64), StoreError> {
        let needed = self
            .inner
            .pools
            .migrations()
            .iter()
            .map(|step| step.version)
            .max()
            .unwrap_or(0);
        let applied: Result<Vec<(Option<i64>,)>, StoreError> = fetch!(
            self,
            "read the schema version",
            sqlx::query_as("select max(version) from _sqlx_migrations where success")
        );
        // A new database has no such table yet.
        let found = applied
            .ok()
            .and_then(|rows| rows.first().and_then(|row| row.0))
            .unwrap_or(0);
        Ok((needed, found))
    }

    async fn check_schema(&self) -> Result<(), StoreError> {
        let (needed, found) = self.schema().await?;
        let mend = match found.cmp(&needed) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => "run `syncwatch migrate`",
            std::cmp::Ordering::Greater => "it was written by a newer version; use that one",
        };
        Err(StoreError::Schema {
            found,
            needed,
            mend,
        })
    }

    /// What is announced after commits.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    /// Closes all connections once running statements have ended.
    pub async fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
        self.inner.pools.close().await;
    }

    /// How many transactions were committed through this handle.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.commits.load(Ordering::SeqCst)
    }

    pub(crate) fn pools(&self) -> Result<&Pools, StoreError> {
        if self.inner.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Closed);
        }
        Ok(&self.inner.pools)
    }

    pub(crate) fn instance(&self) -> &str {
        &self.inner.instance
    }

    pub(crate) fn log_state(&self) -> &LogState {
        &self.inner.log
    }

    pub(crate) async fn begin(&self, operation: &'static str) -> Result<Tx, StoreError> {
        self.pools()?.begin(operation).await
    }

    /// Commits, lets the probe look, then announces: announcing is part of committing.
    pub(crate) async fn commit(
        &self,
        tx: Tx,
        operation: &'static str,
        topics: &[Topic],
    ) -> Result<(), StoreError> {
        tx.commit(operation).await?;
        let number = self.inner.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(CommitProbe(survives)) = &self.inner.probe
            && !survives(number)
        {
            self.inner.closed.store(true, Ordering::SeqCst);
            return Err(StoreError::Closed);
        }
        for topic in topics {
            self.inner.feed.announce(*topic);
        }
        Ok(())
    }
}
