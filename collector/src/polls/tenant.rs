//! What the polls of one tenant share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncwatch_domain::clock::Clock;
use syncwatch_domain::cycle::Cycle;
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_domain::time::Timestamp;
use tokio::sync::Semaphore;
use url::Url;

use super::book::JobBook;
use super::logs::Progress;
use super::objects::Round;
use super::organization::CloudSync;
use super::record::Record;
use crate::auth::{Environment, TokenRequest, TokenSource};
use crate::config::values::is_loopback;
use crate::config::{Credential, TenantConfig};
use crate::error::CollectorError;
use crate::graph::{GraphClient, Parts};
use crate::http::{Route, client};
use crate::metrics::{Metrics, TenantMetrics};

/// A watched tenant: its config, its client and what its polls tell one another.
pub(crate) struct Tenant {
    pub(crate) config: TenantConfig,
    pub(crate) graph: GraphClient,
    pub(crate) metrics: TenantMetrics,
    pub(crate) clock: Arc<dyn Clock>,
    /// Start of this process: what was read before says nothing about the time in between.
    pub(crate) born_at: Timestamp,
    /// Places for lists of jobs. Each tenant has its own: a Graph that hangs holds up no other.
    pub(crate) lists: Semaphore,
    shared: Arc<Mutex<Shared>>,
}

/// Lists of jobs read at a time: each may be large, and the store takes one after the other.
const LISTS_AT_ONCE: usize = 4;

/// Facts that one poll learns and another needs.
#[derive(Default)]
pub(crate) struct Shared {
    /// Jobs and lanes of Cloud Sync.
    pub(crate) book: JobBook,
    /// What was committed last.
    pub(crate) record: Record,
    /// Names of configurations by service principal.
    pub(crate) configurations: BTreeMap<String, String>,
    /// Configurations were looked for, or are only those of the config.
    pub(crate) discovered: bool,
    /// Configurations whose jobs were read, or that have none.
    pub(crate) jobs_read: BTreeSet<String>,
    /// Configurations whose scopes are polled.
    pub(crate) schemas: BTreeSet<String>,
    /// Service principals that hold the role of Connect Sync.
    pub(crate) connect_principals: BTreeSet<String>,
    /// Newest write of each engine that the audits show.
    pub(crate) last_writes: BTreeMap<(Engine, LaneKind), Timestamp>,
    /// What the tenant-wide stamps could tell when they were last looked at.
    pub(crate) masking: BTreeMap<LaneKind, CloudSync>,
    /// Connect lanes that exist.
    pub(crate) connect_lanes: BTreeSet<LaneKind>,
    /// Names of facts on record, so that what is gone can be taken back.
    pub(crate) facts: BTreeSet<String>,
    /// The newest complete read of the provisioning log.
    pub(crate) view: Option<LogView>,
    /// What others want to know from the provisioning log.
    pub(crate) wanted: Option<Wanted>,
    /// The provisioning log can prove something: it is polled, and neither right nor licence is missing.
    pub(crate) logs_usable: bool,
    /// Where the rounds of delta queries stand.
    pub(crate) rounds: BTreeMap<Poll, Round>,
    /// Numbers of the newest readings of lists of objects.
    pub(crate) readings: BTreeMap<Poll, i64>,
    /// Positions of the log polls between two runs.
    pub(crate) progress: BTreeMap<Poll, Progress>,
}

impl Shared {
    /// Whether Cloud Sync moves the tenant-wide stamps of a kind.
    pub(crate) fn cloud_sync(&self, kind: LaneKind) -> CloudSync {
        if self.book.is_at_work(kind) {
            CloudSync::AtWork
        } else if self.discovered
            && self
                .configurations
                .keys()
                .all(|id| self.jobs_read.contains(id))
        {
            CloudSync::Idle
        } else {
            CloudSync::Unknown
        }
    }
}

/// The shared facts; never kept over an await.
pub(crate) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A read of the provisioning log that someone waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// It reaches back to here.
    pub(crate) from: Timestamp,
    /// And is begun at this instant or later.
    pub(crate) begun_at: Timestamp,
}

impl Wanted {
    /// The read that serves both.
    pub(crate) fn and(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| Self {
            from: self.from.min(other.from),
            begun_at: self.begun_at.max(other.begun_at),
        })
    }
}

/// What a complete read of the provisioning log showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogView {
    /// Rows since here were read.
    pub(crate) from: Timestamp,
    /// Start of the read.
    pub(crate) started_at: Timestamp,
    /// Cycles by job, oldest first.
    pub(crate) cycles: BTreeMap<String, Vec<Cycle>>,
}

impl LogView {
    /// Whether the read is one that was wanted.
    pub(crate) fn serves(&self, wanted: Wanted) -> bool {
        self.from <= wanted.from && self.started_at >= wanted.begun_at
    }
}

fn route_to(url: &Url) -> Route {
    if is_loopback(url) {
        Route::Direct
    } else {
        Route::Proxied
    }
}

/// How tokens are asked for. The identity endpoint of a machine is never behind a proxy.
pub(crate) fn login_route(config: &TenantConfig) -> Route {
    match config.credential {
        Credential::Managed(_) => Route::Direct,
        _ => route_to(&config.login_url),
    }
}

impl Tenant {
    pub(crate) fn new(
        config: TenantConfig,
        clock: &Arc<dyn Clock>,
        metrics: &Metrics,
        environment: &Environment,
    ) -> Result<Self, CollectorError> {
        let failed = |source| CollectorError::Client {
            tenant: config.name.clone(),
            source,
        };
        let build = |route| client(config.request_timeout, route).map_err(failed);
        let request = TokenRequest::new(
            &config,
            build(login_route(&config))?,
            Arc::clone(environment),
        );
        let metrics = metrics.of(&config.name);
        let graph = GraphClient::new(Parts {
            http: build(route_to(&config.graph_url))?,
            base: config.graph_url.clone(),
            tokens: TokenSource::new(request, Arc::clone(clock)),
            clock: Arc::clone(clock),
            log_requests: config.log_requests,
            metrics: metrics.clone(),
        });
        Ok(Self {
            graph,
            metrics,
            born_at: clock.now(),
            clock: Arc::clone(clock),
            lists: Semaphore::new(LISTS_AT_ONCE),
            shared: Arc::default(),
            config,
        })
    }

    /// The shared facts; never kept over an await.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }

    /// The same facts, for work on another thread.
    pub(crate) fn shared_facts(&self) -> Arc<Mutex<Shared>> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The source of a poll of this tenant.
    pub(crate) fn source(&self, poll: Poll, instance: &str) -> SourceKey {
        SourceKey {
            tenant: self.config.name.clone(),
            poll,
            instance: instance.to_owned(),
        }
    }
}
