//! Answers a scrape.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use syncwatch_store::Store;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::catalogue;
use crate::fleet::Snapshot;
use crate::format::{Format, wants_gzip};
use crate::labels::labels;
use crate::page::Page;
use crate::process::Process;
use crate::registry;

/// How many pages are put together at once. A page of a large fleet takes memory and processor time that alerting
/// needs more; further readers wait their turn.
const PAGES_AT_ONCE: usize = 1;

/// How long a page waits for the store. Prometheus gives up after ten seconds by default, and a page without the fleet
/// tells more than none.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a reader asked for: two headers of its request, empty where absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// `Accept`.
    pub accept: &'a str,
    /// `Accept-Encoding`.
    pub accept_encoding: &'a str,
}

/// A finished page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Content-Encoding`, if the body is compressed.
    pub content_encoding: Option<&'static str>,
    /// The page.
    pub body: Vec<u8>,
}

/// Renders `/metrics` from the store, the shared registry and the process.
#[derive(Clone, Debug)]
pub struct Exporter {
    store: Store,
    registry: Registry,
    process: Process,
    turn: Arc<Semaphore>,
}

impl Exporter {
    /// An exporter of what `store` knows and of what other parts count in `registry`.
    #[must_use]
    pub fn new(store: Store, registry: Registry) -> Self {
        Self {
            store,
            registry,
            process: Process::own(),
            turn: Arc::new(Semaphore::new(PAGES_AT_ONCE)),
        }
    }

    /// The page, in the format the reader wants. A store that cannot be read leaves out the fleet and says so; what
    /// the process counts itself is shown all the same.
    pub async fn render(&self, wanted: &Wanted<'_>) -> Rendered {
        let turn = Arc::clone(&self.turn)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let format = Format::negotiate(wanted.accept);
        let gzip = wants_gzip(wanted.accept_encoding);
        let snapshot = self.snapshot().await;
        let (registry, process) = (self.registry.clone(), self.process.clone());
        let page = move || {
            // Held here too: a reader who goes away does not stop the work.
            let _turn = turn;
            let page = Page::new(format, gzip);
            assemble(page, snapshot.as_ref(), &registry, &process)
        };
        // A page of 100,000 lanes is more work than the loops that share the runtime's threads should wait for.
        let body = tokio::task::spawn_blocking(page)
            .await
            .expect("rendering does not panic and is not cancelled");
        Rendered {
            content_type: format.content_type(),
            content_encoding: gzip.then_some("gzip"),
            body,
        }
    }

    /// What the store knows, if it can be read in time.
    async fn snapshot(&self) -> Option<Snapshot> {
        let problem = match timeout(PATIENCE, Snapshot::read(&self.store)).await {
            Ok(Ok(snapshot)) => return Some(snapshot),
            Ok(Err(error)) => with_causes(&error),
            Err(_) => format!("the store did not answer within {PATIENCE:?}"),
        };
        tracing::warn!("metrics are served without the fleet: {problem}");
        None
    }
}

/// An error with its causes, on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Puts the page together in the order of the catalogue, as far as the parts allow: a family must not be torn apart.
pub(crate) fn assemble(
    mut page: Page,
    snapshot: Option<&Snapshot>,
    registry: &Registry,
    process: &Process,
) -> Vec<u8> {
    let build = labels(&[("version", env!("CARGO_PKG_VERSION"))]);
    page.family(&catalogue::BUILD_INFO).sample(&build, 1);
    page.family(&catalogue::SNAPSHOT)
        .sample("", snapshot.is_some());
    if let Some(snapshot) = snapshot {
        snapshot.render(&mut page);
    }
    registry::render(registry, &mut page);
    process.render(&mut page);
    page.finish()
}
