//! Steps of a run.

use super::counters::{Counters, counters};
use super::errors::{ObjectError, errors};
use crate::report::forms::{Kind, Row, ShapeError};
use crate::report::markup::{attribute, element, last_element};
use crate::time::Timestamp;

/// A step of a run: one per partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Id of the step.
    pub id: Option<String>,
    /// Its number within the run, from 1.
    pub number: i64,
    /// What it does, e.g. `delta-import`.
    pub kind: Option<String>,
    /// Distinguished name of the partition, `default` for Entra ID.
    pub partition: Option<String>,
    /// Result as it came; `None` while it runs.
    pub result: Option<String>,
    /// Start; `None` before it.
    pub began_at: Option<Timestamp>,
    /// End; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// What it counted.
    pub counters: Counters,
    /// Errors about single objects.
    pub errors: Vec<ObjectError>,
    /// How the server it talked to was reached.
    pub connection: Option<Connection>,
}

/// How the server that a step talked to was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Result as it came, e.g. `success` or `failed-connection`.
    pub result: String,
    /// Host and port of the last server that was tried.
    pub server: Option<String>,
    /// Code of the last error, e.g. `0x51`.
    pub error_code: Option<String>,
    /// The same in words, e.g. `Server Down`.
    pub error: Option<String>,
}

pub(super) fn step(row: &Row<'_>) -> Result<Step, ShapeError> {
    for name in ["StepResult", "StartDate", "EndDate"] {
        row.demand(name, "a value or null")?;
    }
    let xml = row.optional_text("StepXml")?.unwrap_or_default();
    Ok(Step {
        id: row.optional_id("StepHistoryId")?,
        number: row.number("StepNumber")?,
        kind: attribute(&xml, "step-type", "type"),
        partition: element(&xml, "partition"),
        result: row.optional_text("StepResult")?,
        began_at: row.optional_instant("StartDate", Kind::UtcReading)?,
        ended_at: row.optional_instant("EndDate", Kind::UtcReading)?,
        counters: counters(row)?,
        errors: errors(row)?,
        connection: row
            .optional_text("ConnectorConnectionInformationXml")?
            .and_then(|xml| connection(&xml)),
    })
}

fn connection(xml: &str) -> Option<Connection> {
    Some(Connection {
        result: element(xml, "connection-result")?,
        server: last_element(xml, "server"),
        error_code: last_element(xml, "error-code"),
        error: last_element(xml, "error-literal"),
    })
}
