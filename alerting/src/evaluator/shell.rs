//! The loop around [`Evaluator::run_once`]: waits for a wake, the next due instant or the stop.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::clock::Clock;
use syncwatch_store::Topic;
use tokio_util::sync::CancellationToken;

use super::{Evaluator, EvaluatorError};

/// Runs at least this often: losing a wake may cost latency, never correctness.
const PERIOD: Duration = Duration::from_secs(30);

/// Wait after a failed run, so that a store in trouble is not hammered.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Evaluator {
    /// Runs until `stop`. A run in progress is finished first.
    ///
    /// # Errors
    /// When the store was closed. Any other trouble is logged and tried again.
    pub async fn run(
        mut self,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Result<(), EvaluatorError> {
        // Interest is registered before the first look: what is committed meanwhile wakes.
        let mut observed = self.store.feed().subscribe(Topic::Observed);
        let mut terms = self.terms.clone();
        while !stop.is_cancelled() {
            observed.mark_unchanged();
            terms.mark_unchanged();
            let wait = match self.run_once(clock.now()).await {
                Ok(report) => report
                    .next_due
                    .map_or(PERIOD, |at| at.since(clock.now()).min(PERIOD)),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    tracing::error!(error = %chain(&error), "judging failed, trying again");
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(RETRY_AFTER) => {}
                    }
                    continue;
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                Ok(()) = observed.changed() => {}
                Ok(()) = terms.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        Ok(())
    }
}

/// An error with all that caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
