//! Cycles: observed runs of a lane.

use serde::{Deserialize, Serialize};

use crate::lane::words;
use crate::time::Timestamp;

words! {
    /// How a cycle ended.
    CycleOutcome {
        /// Everything in it worked.
        Succeeded = "succeeded",
        /// It finished, some objects failed; the lane's cadence is kept.
        ObjectErrors = "object_errors",
        /// It failed as a whole; the lane's cadence is not kept.
        Failed = "failed",
    }
}

impl CycleOutcome {
    /// Whether the cycle counts as a success of its lane.
    #[must_use]
    pub const fn keeps_cadence(self) -> bool {
        !matches!(self, Self::Failed)
    }
}

words! {
    /// Which kind of answer a cycle was learned from.
    CycleEvidence {
        /// The job's status named it.
        Status = "status",
        /// Log rows of it were read.
        Log = "log",
    }
}

/// One observed run of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cycle {
    /// Start, when the source tells it.
    pub began_at: Option<Timestamp>,
    /// End; orders the cycles of a lane and, with it, names the cycle.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: CycleOutcome,
    /// Where it was learned from.
    pub evidence: CycleEvidence,
    /// Objects written, when the source tells it.
    pub exported: Option<i64>,
    /// Objects in retry with an error, when the source tells it.
    pub escrowed: Option<i64>,
}
