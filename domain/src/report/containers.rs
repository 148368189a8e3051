//! Section `containers`: containers and groups that Cloud Sync configurations name, looked up in
//! the directory.
//!
//! One object per distinguished name that the service asked for ([`super::Wishes`]). What the
//! agent's scripts print:
//!
//! ```json
//! {
//!   "DistinguishedName": "OU=Staff,DC=ad,DC=hauser,DC=example",
//!   "Exists": true,
//!   "ObjectGuid": "0b6f3c52-74ce-4d0c-9a53-0a4b5f3c1d01",
//!   "MovedTo": null
//! }
//! ```
//!
//! `Exists` is `false` only when the directory answered that there is nothing of this name; a name
//! that could not be looked up is not in the list. `ObjectGuid` is that of what is there, or was
//! there when the agent last saw it; `MovedTo` is where the object with that id is now.

use serde_json::Value;

use super::forms::{Forms, ShapeError, rows};

/// What was found of one container or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Distinguished name as the configuration has it.
    pub dn: String,
    /// Something of this name is there.
    pub exists: bool,
    /// `objectGUID` of what is there, or was there last.
    pub object_guid: Option<String>,
    /// Where the object with that id is now, when it is known.
    pub moved_to: Option<String>,
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<Found>, ShapeError> {
    rows(data, forms)?
        .iter()
        .map(|row| {
            Ok(Found {
                dn: row.text("DistinguishedName")?,
                exists: row.flag("Exists")?,
                object_guid: row.optional_id("ObjectGuid")?,
                moved_to: row.optional_text("MovedTo")?,
            })
        })
        .collect()
}
