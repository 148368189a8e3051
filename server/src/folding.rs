//! Keeps the write-ahead log of SQLite short, out of the way of those who write.

use std::convert::Infallible;
use std::time::Duration;

use syncwatch_store::Store;
use tokio_util::sync::CancellationToken;

/// How often it looks at the size of the log.
const PERIOD: Duration = Duration::from_secs(1);
/// Wait after a refusal, so that the same one is not told every second.
const AFTER_REFUSAL: Duration = Duration::from_secs(60);

/// Folds the log back whenever it has grown, until it is told to stop. A database that refuses is
/// no reason to die: the writer folds it back in the end.
///
/// # Errors
/// None.
pub(crate) async fn run(store: Store, stop: CancellationToken) -> Result<(), Infallible> {
    loop {
        let wait = match store.fold_log().await {
            Ok(None) => PERIOD,
            Ok(Some(pages)) => {
                tracing::debug!(pages, "folded the log of the database back");
                PERIOD
            }
            Err(error) => {
                let reason = crate::chain(&error);
                tracing::warn!(reason, "the log of the database was not folded back");
                AFTER_REFUSAL
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}
