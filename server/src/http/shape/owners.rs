//! Owners of objects as JSON.

use serde::{Deserialize, Serialize};
use syncwatch_domain::owner::{ObjectType, Owner};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{OwnerChange, OwnerCount};

/// How many objects each owner has, and what changed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owners {
    /// When this was read.
    pub now: Timestamp,
    /// By tenant, domain, type and owner.
    pub counts: Vec<Count>,
    /// The newest changes of single objects, newest first; only of one tenant.
    pub changes: Vec<Change>,
}

/// Objects of one owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Tenant.
    pub tenant: String,
    /// AD domain; empty when it is not known.
    pub domain: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ObjectType,
    /// Owner.
    pub owner: Owner,
    /// How many.
    pub objects: i64,
}

/// A change of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Object id in Entra ID.
    pub object_id: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ObjectType,
    /// Before; `null` when it had none.
    pub from: Option<Owner>,
    /// After; `null` when it has none any more.
    pub to: Option<Owner>,
    /// When it was judged.
    pub at: Timestamp,
    /// What caused it.
    pub cause: String,
}

impl From<OwnerCount> for Count {
    fn from(count: OwnerCount) -> Self {
        Self {
            tenant: count.tenant,
            domain: count.domain,
            kind: count.kind,
            owner: count.owner,
            objects: count.objects,
        }
    }
}

impl From<OwnerChange> for Change {
    fn from(change: OwnerChange) -> Self {
        Self {
            object_id: change.object_id,
            kind: change.kind,
            from: change.from,
            to: change.to,
            at: change.at,
            cause: change.cause,
        }
    }
}
