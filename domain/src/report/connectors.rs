//! Section `connectors`: connectors with their partitions and container filters
//! (`Get-ADSyncConnector`, narrowed).
//!
//! One object per connector with the cmdlet's own properties; the cmdlet prints tens of megabytes
//! and secrets, so the script selects these and nothing else:
//!
//! ```json
//! {
//!   "Name": "ad.hauser.example",
//!   "Identifier": "5d1c6f0e-3a57-4b0e-9c41-7b7d5a0f1a11",
//!   "Type": "AD",
//!   "Subtype": "",
//!   "ConnectorTypeName": "AD",
//!   "Version": 41,
//!   "ObjectInclusionList": ["contact", "group", "user"],
//!   "Partitions": [
//!     {
//!       "Identifier": "c1a1d1e1-0001-4a01-8001-000000000001",
//!       "DN": "DC=ad,DC=hauser,DC=example",
//!       "Name": "ad.hauser.example",
//!       "Selected": true,
//!       "IsDomain": true,
//!       "ConnectorPartitionScope": {
//!         "IsDefault": false,
//!         "ObjectClasses": ["contact", "group", "user"],
//!         "ContainerInclusionList": ["DC=ad,DC=hauser,DC=example"],
//!         "ContainerExclusionList": ["OU=Disabled,OU=Staff,DC=ad,DC=hauser,DC=example"]
//!       }
//!     }
//!   ]
//! }
//! ```
//!
//! `Name`, `Identifier`, `Partitions`, of each partition `DN`, `Selected` and
//! `ConnectorPartitionScope`, and of that both lists of containers must be there. A scope that a
//! depth limit cut off is refused: read as "no filter" it would put the whole domain in scope.

use serde_json::Value;

use super::forms::{Forms, Row, ShapeError, Texts, domain_of, rows};

/// Id of the connector to Entra ID, the same on every server.
pub const CLOUD_CONNECTOR_ID: &str = "b891884f-051e-4a83-95af-2544101c9083";

/// Subtype of the connector to Entra ID.
const CLOUD_SUBTYPE: &str = "Windows Azure Active Directory (Microsoft)";

/// A connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Type, `AD` or `Extensible2`.
    pub kind: Option<String>,
    /// Subtype.
    pub subtype: Option<String>,
    /// Version of its configuration.
    pub version: Option<i64>,
    /// Classes of objects that it reads.
    pub object_classes: Vec<String>,
    /// Partitions.
    pub partitions: Vec<Partition>,
}

/// A partition of a connector: a domain of a forest, or `default` of Entra ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Id, where the report has it.
    pub id: Option<String>,
    /// Distinguished name.
    pub dn: String,
    /// Name.
    pub name: Option<String>,
    /// It is read at all.
    pub selected: bool,
    /// It is a domain.
    pub is_domain: bool,
    /// What of it is read; `None` when the server says that there is no filter.
    pub scope: Option<Scope>,
}

/// What of a partition is read. The longest entry of both lists that is the object or above it
/// decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// It is what the server began with.
    pub is_default: bool,
    /// Classes of objects.
    pub object_classes: Vec<String>,
    /// Distinguished names of containers that are in.
    pub included: Vec<String>,
    /// Distinguished names of containers that are out.
    pub excluded: Vec<String>,
}

impl Connector {
    /// It is the connector to Entra ID: told by id or subtype, never by name.
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.id == CLOUD_CONNECTOR_ID
            || self
                .subtype
                .as_deref()
                .is_some_and(|subtype| subtype.eq_ignore_ascii_case(CLOUD_SUBTYPE))
    }
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section, or a depth limit cut it off.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<Connector>, ShapeError> {
    rows(data, forms)?.iter().map(connector).collect()
}

fn connector(row: &Row<'_>) -> Result<Connector, ShapeError> {
    row.demand("Partitions", "a list of partitions")?;
    Ok(Connector {
        id: row.id("Identifier")?,
        name: row.text("Name")?,
        kind: row.optional_text("Type")?,
        subtype: row.optional_text("Subtype")?,
        version: row.optional_number("Version")?,
        object_classes: row.texts("ObjectInclusionList", Texts::Words)?,
        partitions: row
            .rows("Partitions")?
            .iter()
            .map(partition)
            .collect::<Result<_, _>>()?,
    })
}

fn partition(row: &Row<'_>) -> Result<Partition, ShapeError> {
    row.demand("ConnectorPartitionScope", "the scope of the partition")?;
    let dn = row.text("DN")?;
    Ok(Partition {
        id: row.optional_id("Identifier")?,
        name: row.optional_text("Name")?,
        selected: row.flag("Selected")?,
        is_domain: row
            .optional_flag("IsDomain")?
            .unwrap_or_else(|| domain_of(&dn).is_some()),
        scope: row
            .optional_row("ConnectorPartitionScope")?
            .as_ref()
            .map(scope)
            .transpose()?,
        dn,
    })
}

fn scope(row: &Row<'_>) -> Result<Scope, ShapeError> {
    for name in ["ContainerInclusionList", "ContainerExclusionList"] {
        row.demand(name, "a list of distinguished names")?;
    }
    Ok(Scope {
        is_default: row.optional_flag("IsDefault")?.unwrap_or(false),
        object_classes: row.texts("ObjectClasses", Texts::Words)?,
        included: row.texts("ContainerInclusionList", Texts::Dns)?,
        excluded: row.texts("ContainerExclusionList", Texts::Dns)?,
    })
}
