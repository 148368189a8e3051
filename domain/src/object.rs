//! Objects of Entra ID that may come from a directory: what is kept of them, and what a delta query
//! tells of a change (Microsoft Graph reference: *user: delta*, *group: delta*).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lane::words;
use crate::owner::ObjectType;

words! {
    /// Where an object is in its life.
    Life {
        /// It is there.
        Present = "present",
        /// It is in the bin, from which it can be restored for 30 days.
        Deleted = "deleted",
        /// It is gone for good.
        Gone = "gone",
    }
}

/// An object as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryObject {
    /// Object id in Entra ID, in lower case.
    pub id: String,
    /// Type.
    pub kind: ObjectType,
    /// Where it is in its life.
    pub life: Life,
    /// What is known of it.
    pub facts: ObjectFacts,
}

/// What is known of an object; a delta query may tell any part of it alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFacts {
    /// Distinguished name in the directory. Graph has none for groups and contacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dn: Option<String>,
    /// It is synced: `true` now, `false` formerly, `None` never, or not any more since its source
    /// of authority is Entra ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<bool>,
    /// Its source of authority was moved to Entra ID.
    #[serde(default)]
    pub cloud_managed: bool,
    /// What both engines know it by: 16 bytes of `ms-DS-ConsistencyGuid` or `objectGUID` in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_id: Option<String>,
    /// Security identifier in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// AD domain, as a DNS name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Attributes in the directory that scopes ask for, by their names there in lower case; one
    /// that is asked for and has no value is there with an empty list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// What an answer says of one part of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Told<T> {
    /// Nothing: it stays what it is.
    #[default]
    Nothing,
    /// This.
    Value(T),
}

impl<T> Told<T> {
    fn put(self, into: &mut T) {
        if let Self::Value(value) = self {
            *into = value;
        }
    }
}

/// What a delta query tells of an object. Applying it twice changes nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// Object id in lower case.
    pub id: String,
    /// Type.
    pub kind: ObjectType,
    /// Where it is now.
    pub life: Life,
    /// The parts that are told.
    pub facts: ToldFacts,
}

/// The parts of an object that an answer tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToldFacts {
    /// See [`ObjectFacts::dn`].
    pub dn: Told<Option<String>>,
    /// See [`ObjectFacts::synced`].
    pub synced: Told<Option<bool>>,
    /// See [`ObjectFacts::cloud_managed`].
    pub cloud_managed: Told<bool>,
    /// See [`ObjectFacts::immutable_id`].
    pub immutable_id: Told<Option<String>>,
    /// See [`ObjectFacts::sid`].
    pub sid: Told<Option<String>>,
    /// See [`ObjectFacts::domain`].
    pub domain: Told<Option<String>>,
    /// Those that are told; the others stay.
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl ToldFacts {
    /// Puts what is told in place of what is known.
    pub fn apply(self, facts: &mut ObjectFacts) {
        self.dn.put(&mut facts.dn);
        self.synced.put(&mut facts.synced);
        self.cloud_managed.put(&mut facts.cloud_managed);
        self.immutable_id.put(&mut facts.immutable_id);
        self.sid.put(&mut facts.sid);
        self.domain.put(&mut facts.domain);
        facts.attributes.extend(self.attributes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_stays_and_telling_twice_changes_nothing() {
        let mut facts = ObjectFacts {
            dn: Some("CN=a,DC=x".to_owned()),
            synced: Some(true),
            sid: Some("S-1".to_owned()),
            attributes: BTreeMap::from([("mail".to_owned(), vec!["a@x".to_owned()])]),
            ..ObjectFacts::default()
        };
        let told = ToldFacts {
            synced: Told::Value(None),
            cloud_managed: Told::Value(true),
            attributes: BTreeMap::from([("department".to_owned(), vec![])]),
            ..ToldFacts::default()
        };
        told.clone().apply(&mut facts);
        let once = facts.clone();
        told.apply(&mut facts);
        assert_eq!(facts, once);
        assert_eq!((facts.synced, facts.cloud_managed), (None, true));
        assert_eq!(facts.dn.as_deref(), Some("CN=a,DC=x"));
        assert_eq!(facts.sid.as_deref(), Some("S-1"));
        assert_eq!(facts.attributes.len(), 2);
    }
}
