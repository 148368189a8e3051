//! What can go wrong while judging.

use syncwatch_store::StoreError;
use thiserror::Error;

/// An error of the evaluator. Nothing of the judgement was written.
#[derive(Debug, Error)]
pub enum EvaluatorError {
    /// The store refused.
    #[error("cannot judge lanes and alerts")]
    Store(#[from] StoreError),
    /// Something else kept changing what was judged.
    #[error(
        "cannot judge lanes and alerts: what was judged changed {races} times in between; is a second evaluator at work on this database?"
    )]
    Contended {
        /// How often.
        races: u32,
    },
}

impl EvaluatorError {
    /// Whether trying again is pointless because the store was closed.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Store(StoreError::Closed))
    }
}
