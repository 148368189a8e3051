//! Errors about single objects.

use crate::lane::words;
use crate::report::forms::{Kind, Row, ShapeError};
use crate::time::Timestamp;

words! {
    /// Which list of a step an error stands in.
    ErrorSource {
        /// Objects that an import could not read.
        Discovery = "discovery",
        /// Objects that a sync or an export failed for.
        Sync = "sync",
        /// Objects that are tried again.
        Retry = "retry",
    }
}

impl ErrorSource {
    /// Property that holds the list, and the list within it.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Discovery => ("ConnectorDiscoveryErrors", "ConnectorDiscoveryErrorsList"),
            Self::Sync => ("SyncErrors", "SyncErrorsList"),
            Self::Retry => ("MvRetryErrors", "MvRetryErrorsList"),
        }
    }
}

/// An error about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectError {
    /// The list it stands in.
    pub source: ErrorSource,
    /// Type of error, e.g. `AttributeValueMustBeUnique`.
    pub kind: String,
    /// Id of the object in the connector space.
    pub object_id: Option<String>,
    /// Id of the object in the metaverse.
    pub metaverse_id: Option<String>,
    /// Distinguished name, where the agent may tell it.
    pub dn: Option<String>,
    /// How often it was tried again.
    pub retries: Option<i64>,
    /// When it first failed; `None` also where the report can be read in two ways.
    pub first_at: Option<Timestamp>,
    /// When it last failed; `None` also where the report can be read in two ways.
    pub last_at: Option<Timestamp>,
}

/// All errors of a step.
pub(super) fn errors(step: &Row<'_>) -> Result<Vec<ObjectError>, ShapeError> {
    let mut all = Vec::new();
    for source in ErrorSource::ALL {
        let (holder, list) = source.names();
        if let Some(holder) = step.optional_row(holder)? {
            for row in holder.rows(list)? {
                all.push(error(&row, *source)?);
            }
        }
    }
    Ok(all)
}

fn error(row: &Row<'_>, source: ErrorSource) -> Result<ObjectError, ShapeError> {
    Ok(ObjectError {
        source,
        kind: row.text("ErrorType")?,
        object_id: row.optional_id("CsGuid")?,
        metaverse_id: row.optional_id("MvGuid")?,
        dn: row.optional_text("ObjectDn")?,
        retries: row.optional_number("RetryCount")?,
        first_at: row.instant_if_sure("FirstOccurred", Kind::Unsure)?,
        last_at: row.instant_if_sure("DateOccurred", Kind::Unsure)?,
    })
}
