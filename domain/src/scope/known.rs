//! A known object, as scopes ask about it.

use super::filter::Attributes;
use super::site::{PlaceId, Site};
use super::truth::Doubt;
use crate::dn::{self, DnError};
use crate::object::{DirectoryObject, Life};
use crate::owner::{Owner, Ruling, Standing};

/// Whether an object is a direct member of a group: group in its only spelling, object id; `None`
/// when the members are not read.
pub trait Members {
    /// The answer.
    fn is_member(&self, group: &str, object_id: &str) -> Option<bool>;
}

/// Nobody's members are read.
#[derive(Clone, Copy, Debug)]
pub struct NoMembers;

impl Members for NoMembers {
    fn is_member(&self, _group: &str, _object_id: &str) -> Option<bool> {
        None
    }
}

struct Known<'a, M> {
    object: &'a DirectoryObject,
    members: &'a M,
}

impl<M: Members> Attributes for Known<'_, M> {
    fn values(&self, attribute: &str) -> Option<Vec<&str>> {
        let facts = &self.object.facts;
        match attribute.to_ascii_lowercase().as_str() {
            "dn" | "distinguishedname" => facts.dn.as_deref().map(|dn| vec![dn]),
            // Accounts of the system are synced by neither engine, so what is synced is none.
            "iscriticalsystemobject" => Some(Vec::new()),
            name => {
                let values = facts.attributes.get(name)?;
                Some(values.iter().map(String::as_str).collect())
            }
        }
    }

    fn is_member(&self, group: &str) -> Option<bool> {
        let group = dn::canonical(group).ok()?;
        self.members.is_member(&group, &self.object.id)
    }
}

/// Who owns a known object, and where it lies. `None` for an object that neither engine has to do
/// with: one that is not there, or that never came from a directory.
pub fn ruling(
    site: &Site,
    object: &DirectoryObject,
    members: &impl Members,
    place: impl FnOnce(&str) -> Result<PlaceId, DnError>,
) -> Option<(Ruling, Option<PlaceId>)> {
    if object.life != Life::Present {
        return None;
    }
    if object.facts.cloud_managed {
        return Some((Ruling::of(Owner::CloudManaged, Standing::AsIntended), None));
    }
    // Formerly synced objects are left as they are by both engines.
    if object.facts.synced != Some(true) {
        return None;
    }
    let Some(dn) = &object.facts.dn else {
        let doubt = Doubt::Name(format!(
            "Microsoft Graph does not tell where a {} lies in the directory",
            object.kind
        ));
        return Some((Ruling::unknown(doubt), None));
    };
    let known = Known { object, members };
    Some(match place(dn) {
        Ok(place) => (site.rule(place, object.kind, &known), Some(place)),
        Err(error) => (Ruling::unknown(Doubt::Name(error.to_string())), None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectFacts;
    use crate::owner::{Activity, ObjectType};
    use crate::scope::site::Configuration;

    #[test]
    fn only_what_is_there_and_synced_has_an_owner() {
        let site = Site::new(Configuration {
            activity: Some(Activity::Absent),
            connect: None,
            cloud: Vec::new(),
        });
        let owner = |life, synced, cloud_managed, dn: Option<&str>| {
            let object = DirectoryObject {
                id: "a".to_owned(),
                kind: ObjectType::User,
                life,
                facts: ObjectFacts {
                    dn: dn.map(str::to_owned),
                    synced,
                    cloud_managed,
                    ..ObjectFacts::default()
                },
            };
            ruling(&site, &object, &NoMembers, |dn| site.place(dn)).map(|(ruling, _)| ruling.owner)
        };
        let dn = Some("CN=a,DC=x");
        assert_eq!(
            owner(Life::Present, Some(true), false, dn),
            Some(Owner::None)
        );
        assert_eq!(
            owner(Life::Present, None, true, dn),
            Some(Owner::CloudManaged)
        );
        assert_eq!(
            owner(Life::Present, Some(true), false, None),
            Some(Owner::Unknown)
        );
        assert_eq!(owner(Life::Present, Some(false), false, dn), None);
        assert_eq!(owner(Life::Present, None, false, dn), None);
        assert_eq!(owner(Life::Deleted, Some(true), false, dn), None);
        assert_eq!(owner(Life::Gone, Some(true), true, dn), None);
    }
}
