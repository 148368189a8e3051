//! Section `database`: Connect's database (`Get-ADSyncDatabaseConfiguration`).
//!
//! One object with the cmdlet's own properties. What the agent's scripts print:
//!
//! ```json
//! {
//!   "IsLocalDBInstalled": true,
//!   "UsedSpaceInMb": 6912.44,
//!   "SqlServerName": "(localdb)",
//!   "SqlServerInstanceName": ".\\ADSync2022",
//!   "SqlServerDBName": "ADSync",
//!   "SqlFullVersion": "16.0.4135.4",
//!   "SqlProductVersion": "16.0.4135.4",
//!   "SqlEdition": "Express Edition (64-bit)"
//! }
//! ```
//!
//! The first two must be there.

use serde_json::Value;

use super::forms::{Forms, ShapeError, only_row};

/// Connect's database.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// It is LocalDB, which ends at 10 GB.
    pub local_db: bool,
    /// Space in use, in megabytes.
    pub used_mb: f64,
    /// Name of the SQL server.
    pub server: Option<String>,
    /// Name of its instance.
    pub instance: Option<String>,
    /// Name of the database.
    pub name: Option<String>,
    /// Version of the SQL server, as it came.
    pub sql_version: Option<String>,
    /// Edition of the SQL server.
    pub edition: Option<String>,
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Database, ShapeError> {
    let row = only_row(data, forms, "the database")?;
    Ok(Database {
        local_db: row.flag("IsLocalDBInstalled")?,
        used_mb: row.decimal("UsedSpaceInMb")?,
        server: row.optional_text("SqlServerName")?,
        instance: row.optional_text("SqlServerInstanceName")?,
        name: row.optional_text("SqlServerDBName")?,
        sql_version: row.optional_text("SqlProductVersion")?,
        edition: row.optional_text("SqlEdition")?,
    })
}
