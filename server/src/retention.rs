//! Removes what is older than the configuration wants, an hour at a time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::clock::Clock;
use syncwatch_store::{PruneReport, Retention, Store, StoreError};
use tokio_util::sync::CancellationToken;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(3_600);
/// Pause between two bites, so that alerting is never kept waiting for the writer.
const PAUSE: Duration = Duration::from_millis(200);

/// Removes old rows until it is told to stop. A database that refuses is no reason to die: the
/// next hour comes.
///
/// # Errors
/// None.
pub(crate) async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    retention: Retention,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    loop {
        let wait = match run_once(&store, clock.as_ref(), &retention).await {
            Ok(report) if report.more => PAUSE,
            Ok(_) => PERIOD,
            Err(error) => {
                tracing::warn!(reason = crate::chain(&error), "old rows were not removed");
                PERIOD
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Removes one bite.
async fn run_once(
    store: &Store,
    clock: &dyn Clock,
    retention: &Retention,
) -> Result<PruneReport, StoreError> {
    let report = store.prune(clock.now(), retention).await?;
    let PruneReport {
        observations,
        cycles,
        alerts,
        ..
    } = report;
    if observations + cycles + alerts > 0 {
        tracing::debug!(observations, cycles, alerts, "removed old rows");
    }
    Ok(report)
}
