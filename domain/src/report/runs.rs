//! Section `runs`: run history (`Get-ADSyncRunProfileResult -RunStepDetails`).
//!
//! One object per run, in any order, with the cmdlet's own properties. What the agent's scripts
//! print:
//!
//! ```json
//! {
//!   "RunHistoryId": "2f3a1b77-6f0d-4a69-8f5c-9c2e0a77b102",
//!   "ConnectorId": "b891884f-051e-4a83-95af-2544101c9083",
//!   "ConnectorName": "hauser.onmicrosoft.com - AAD",
//!   "RunProfileId": "1c0b5a1e-0002-4e10-9a5b-aa0000000002",
//!   "RunProfileName": "Export",
//!   "RunNumber": 4188,
//!   "Username": "NT SERVICE\\ADSync",
//!   "IsRunComplete": true,
//!   "Result": "completed-export-errors",
//!   "CurrentStepNumber": 1,
//!   "TotalSteps": 1,
//!   "StartDate": "2026-11-17T09:13:31.1630000Z",
//!   "EndDate": "2026-11-17T09:13:36.9800000Z",
//!   "RunStepResults": [
//!     {
//!       "StepHistoryId": "31f8a9b0-0c52-4c0f-8e5e-6f1b3a90c201",
//!       "StepNumber": 1,
//!       "StepResult": "completed-export-errors",
//!       "StartDate": "2026-11-17T09:13:31.1770000Z",
//!       "EndDate": "2026-11-17T09:13:36.9670000Z",
//!       "ExportUpdate": 3,
//!       "ExportFailure": 1,
//!       "ConnectorConnectionInformationXml": "<connection-result>success</connection-result>",
//!       "ConnectorDiscoveryErrors": { "ConnectorDiscoveryErrorsList": [] },
//!       "SyncErrors": {
//!         "SyncErrorsList": [
//!           {
//!             "CsGuid": "6d4f2c58-2b51-ef11-a2c0-000d3a112233",
//!             "FirstOccurred": "2026-11-16T14:43:32.4100000Z",
//!             "RetryCount": 37,
//!             "DateOccurred": "2026-11-17T09:13:34.5530000Z",
//!             "ErrorType": "AttributeValueMustBeUnique"
//!           }
//!         ]
//!       },
//!       "MvRetryErrors": { "MvRetryErrorsList": [] },
//!       "StepXml": "<step-type type=\"export\"></step-type><partition>default</partition>"
//!     }
//!   ]
//! }
//! ```
//!
//! A step has every counter of [`Counters`] under the cmdlet's name; the six of exports must be
//! there, the others may be left out where they are 0. `RunStepResults` is `null` when nobody
//! asked for steps. `EndDate` of a run or step that is not complete is `null` or year 1. Names of
//! objects (`ObjectDn`, `ObjectDisplayName`) are personal data: the scripts leave them out unless
//! they are switched on, and the display name is never read.

mod counters;
mod errors;
pub mod grade;
mod steps;

pub use counters::Counters;
pub use errors::{ErrorSource, ObjectError};
pub use steps::{Connection, Step};

use serde_json::Value;

use super::connectors::CLOUD_CONNECTOR_ID;
use super::forms::{Forms, Kind, Row, ShapeError, rows};
use crate::time::Timestamp;
use grade::Grade;

/// Account that the scheduler runs under; another name marks a run that a person started.
pub const SCHEDULER_ACCOUNT: &str = "NT SERVICE\\ADSync";

/// A run of a run profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunResult {
    /// Id of the run; a run is counted once by it.
    pub id: String,
    /// Id of the connector.
    pub connector_id: String,
    /// Name of the connector.
    pub connector: String,
    /// Run profile, e.g. `Delta Import`.
    pub profile: String,
    /// Number of the run, grows per connector.
    pub number: i64,
    /// Account that started it.
    pub account: Option<String>,
    /// It ended.
    pub complete: bool,
    /// Result as it came; how bad it is says [`Self::grade`].
    pub result: String,
    /// Step under way, or the last one.
    pub step: Option<i64>,
    /// Number of steps.
    pub step_count: Option<i64>,
    /// Start.
    pub began_at: Timestamp,
    /// End; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Steps; `None` when nobody asked for them.
    pub steps: Option<Vec<Step>>,
}

impl RunResult {
    /// It is a run of the connector to Entra ID.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.connector_id == CLOUD_CONNECTOR_ID
    }

    /// How bad the result is by itself.
    #[must_use]
    pub fn grade(&self) -> Grade {
        grade::of(&self.result)
    }

    /// Objects that were exported, over all steps; `None` when the steps are not known.
    #[must_use]
    pub fn exported(&self) -> Option<i64> {
        self.over_steps(Counters::exported)
    }

    /// Objects that failed to export, over all steps; `None` when the steps are not known.
    #[must_use]
    pub fn export_failures(&self) -> Option<i64> {
        self.over_steps(|counters| counters.export_failure)
    }

    fn over_steps(&self, count: impl Fn(&Counters) -> i64) -> Option<i64> {
        let steps = self.steps.as_ref()?;
        Some(
            steps
                .iter()
                .fold(0_i64, |sum, step| sum.saturating_add(count(&step.counters))),
        )
    }
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section, or its instants can be read in two ways.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<RunResult>, ShapeError> {
    rows(data, forms)?.iter().map(run).collect()
}

fn run(row: &Row<'_>) -> Result<RunResult, ShapeError> {
    row.demand("EndDate", "an instant or null")?;
    row.demand("RunStepResults", "a list of steps or null")?;
    let steps = if row.is_null("RunStepResults") {
        None
    } else {
        let steps = row.rows("RunStepResults")?;
        Some(steps.iter().map(steps::step).collect::<Result<_, _>>()?)
    };
    Ok(RunResult {
        id: row.id("RunHistoryId")?,
        connector_id: row.id("ConnectorId")?,
        connector: row.text("ConnectorName")?,
        profile: row.text("RunProfileName")?,
        number: row.number("RunNumber")?,
        account: row.optional_text("Username")?,
        complete: row.flag("IsRunComplete")?,
        result: row.text("Result")?,
        step: row.optional_number("CurrentStepNumber")?,
        step_count: row.optional_number("TotalSteps")?,
        began_at: row.instant("StartDate", Kind::UtcReading)?,
        ended_at: row.optional_instant("EndDate", Kind::UtcReading)?,
        steps,
    })
}
