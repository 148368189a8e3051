//! Section `pending_exports`: what waits to be exported, and what was imported and not synchronised
//! (`Get-ADSyncConnectorStatistics`, once per connector).
//!
//! One object per connector with the cmdlet's own properties; the script adds name and id, which
//! the cmdlet does not tell. What the agent's scripts print:
//!
//! ```json
//! {
//!   "ConnectorName": "ad.hauser.example",
//!   "ConnectorId": "5d1c6f0e-3a57-4b0e-9c41-7b7d5a0f1a11",
//!   "ExportAdds": 0,
//!   "ExportUpdates": 14,
//!   "ExportDeletes": 2,
//!   "ImportAdds": 0,
//!   "ImportUpdates": 0,
//!   "ImportDeletes": 0,
//!   "ImportNoChange": 0,
//!   "TotalConnectors": 18342
//! }
//! ```
//!
//! `ConnectorName` and the three numbers of exports must be there.

use serde_json::Value;

use super::forms::{Forms, ShapeError, rows};

/// What waits at one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorExports {
    /// Name of the connector.
    pub connector: String,
    /// Id of the connector, where the report has it.
    pub connector_id: Option<String>,
    /// New objects to export.
    pub adds: i64,
    /// Changed objects to export.
    pub updates: i64,
    /// Deleted objects to export.
    pub deletes: i64,
    /// New objects that were imported.
    pub import_adds: Option<i64>,
    /// Changed objects that were imported.
    pub import_updates: Option<i64>,
    /// Deleted objects that were imported.
    pub import_deletes: Option<i64>,
    /// Objects of the connector.
    pub objects: Option<i64>,
}

impl ConnectorExports {
    /// Objects that would be exported if the server exported now.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.adds
            .saturating_add(self.updates)
            .saturating_add(self.deletes)
    }
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<ConnectorExports>, ShapeError> {
    rows(data, forms)?
        .iter()
        .map(|row| {
            Ok(ConnectorExports {
                connector: row.text("ConnectorName")?,
                connector_id: row.optional_id("ConnectorId")?,
                adds: row.number("ExportAdds")?,
                updates: row.number("ExportUpdates")?,
                deletes: row.number("ExportDeletes")?,
                import_adds: row.optional_number("ImportAdds")?,
                import_updates: row.optional_number("ImportUpdates")?,
                import_deletes: row.optional_number("ImportDeletes")?,
                objects: row.optional_number("TotalConnectors")?,
            })
        })
        .collect()
}
