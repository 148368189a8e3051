//! What the surface serves from: nothing yet, or an open store.

use std::sync::Arc;

use syncwatch_alerting::evaluator::Terms;
use syncwatch_collector::Intake;
use syncwatch_domain::clock::Clock;
use syncwatch_exporters::Exporter;
use syncwatch_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::agents::EnrolledAgent;
use super::error::ApiError;
use super::reports::Door;
use crate::lifecycle::Tasks;
use crate::notify_test::Tester;

/// What there is once the store is open.
#[derive(Clone, Debug)]
pub struct Serving {
    /// The store.
    pub store: Store,
    /// `/metrics`.
    pub exporter: Exporter,
    /// Takes in the reports of agents.
    pub intake: Intake,
    /// Agents that the configuration names.
    pub agents: Arc<[EnrolledAgent]>,
    /// Sends test messages.
    pub tester: Tester,
    /// What the evaluator follows; kept so that its other end stays open.
    pub terms: watch::Sender<Arc<Terms>>,
    /// `true` once every source was tried since the start and what was missed is read back.
    pub caught_up: watch::Receiver<bool>,
}

/// How far the start has come.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The database is not open yet; with the reason if it was tried.
    Opening(Option<String>),
    /// The service works.
    Serving(Box<Serving>),
}

/// What every handler is given.
#[derive(Clone, Debug)]
pub struct Surface {
    /// How far the start has come.
    pub stage: watch::Receiver<Stage>,
    /// The loops, and whether they live.
    pub tasks: Tasks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Turns away reports that may not come in.
    pub(crate) door: Door,
    /// Ends streams that would otherwise hold up a stop.
    pub stop: CancellationToken,
}

impl Surface {
    /// What there is to serve from.
    pub(super) fn serving(&self) -> Result<Serving, ApiError> {
        match &*self.stage.borrow() {
            Stage::Serving(serving) => Ok(serving.as_ref().clone()),
            Stage::Opening(reason) => Err(ApiError::unavailable(opening(reason.as_deref()))),
        }
    }
}

/// Why there is no store yet.
pub(super) fn opening(reason: Option<&str>) -> String {
    reason.map_or_else(
        || "the database is being opened".to_owned(),
        |reason| format!("the database is not open: {reason}"),
    )
}
