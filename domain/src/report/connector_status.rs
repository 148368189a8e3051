//! Section `connector_status`: connectors that are busy (`Get-ADSyncConnectorRunStatus`).
//!
//! One object per busy connector; the cmdlet prints nothing while all are idle, which is an empty
//! list here. What the agent's scripts print:
//!
//! ```json
//! { "RunState": "Busy", "ConnectorName": "ad.hauser.example" }
//! ```

use serde_json::Value;

use super::forms::{Forms, Member, ShapeError, numbered, rows};

numbered! {
    /// What a connector does.
    RunState {
        /// It runs a profile.
        Busy = 0 "Busy",
    }
}

/// A connector that is busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyConnector {
    /// Name of the connector.
    pub name: String,
    /// What it does.
    pub state: Member<RunState>,
}

/// Reads the section; no object means that every connector is idle.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<BusyConnector>, ShapeError> {
    rows(data, forms)?
        .iter()
        .map(|row| {
            Ok(BusyConnector {
                name: row.text("ConnectorName")?,
                state: row.member("RunState")?,
            })
        })
        .collect()
}
