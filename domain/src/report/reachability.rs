//! Section `reachability`: which domains can be reached (`Get-ADSyncDomainReachabilityStatus`).
//!
//! One object per domain with the cmdlet's own properties. What the agent's scripts print:
//!
//! ```json
//! { "FullName": "ad.hauser.example", "IsReachable": true, "ExceptionMessage": "" }
//! ```

use serde_json::Value;

use super::forms::{Forms, ShapeError, rows};

/// Whether one domain can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// DNS name, in lower case.
    pub domain: String,
    /// It can.
    pub reachable: bool,
    /// What the server says about it.
    pub message: Option<String>,
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<Reach>, ShapeError> {
    rows(data, forms)?
        .iter()
        .map(|row| {
            Ok(Reach {
                domain: row.text("FullName")?.trim().to_lowercase(),
                reachable: row.flag("IsReachable")?,
                message: row.optional_text("ExceptionMessage")?,
            })
        })
        .collect()
}
