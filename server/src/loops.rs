//! The loops of other crates, as supervised tasks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_alerting::deliverer::Deliverer;
use syncwatch_alerting::evaluator::{Evaluator, EvaluatorError};
use syncwatch_alerting::owners::OwnerKeeper;
use syncwatch_collector::{Collector, CollectorError};
use syncwatch_domain::clock::Clock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::opening;

/// Wait before the collector is started again.
const COLLECTOR_RETRY: Duration = Duration::from_secs(1);

/// Collects until `stop`. A database that refuses at the very start is waited for.
pub(crate) async fn collect(
    mut collector: Collector,
    stop: CancellationToken,
) -> Result<(), CollectorError> {
    loop {
        match collector.run(stop.clone()).await {
            Err(CollectorError::Store(error)) if error.trouble().is_some() => {
                tracing::error!(
                    reason = opening::reason(&error),
                    "the collector cannot start, trying again"
                );
            }
            ended => return ended,
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(COLLECTOR_RETRY) => {}
        }
    }
}

/// Judges until `stop`. What was missed while the service was down is read back first: a lane
/// whose window closed meanwhile must not be called blind.
pub(crate) async fn judge(
    evaluator: Evaluator,
    clock: Arc<dyn Clock>,
    mut caught_up: watch::Receiver<bool>,
    stop: CancellationToken,
) -> Result<(), EvaluatorError> {
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        _ = caught_up.wait_for(|caught_up| *caught_up) => {}
    }
    evaluator.run(clock, stop).await
}

/// Keeps the owners of objects until `stop`.
pub(crate) async fn own(
    keeper: OwnerKeeper,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    keeper.run(clock, stop).await;
    Ok(())
}

/// Delivers until `stop`, then finishes what is under way.
pub(crate) async fn deliver(
    deliverer: Deliverer,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    deliverer.run(stop).await;
    Ok(())
}
