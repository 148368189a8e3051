//! The scope of a Cloud Sync job, as its schema tells it (Microsoft Graph reference:
//! synchronizationSchema, synchronizationRule, objectMapping, filter).
//!
//! The collector keeps it as a fact of the tenant, named `cloud_scope/<service principal>/<job>`.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// First part of the names of facts about scopes of Cloud Sync jobs.
pub const PREFIX: &str = "cloud_scope/";

/// Name of the fact that keeps the scope of a job.
#[must_use]
pub fn fact_name(service_principal_id: &str, job_id: &str) -> String {
    format!("{PREFIX}{service_principal_id}/{job_id}")
}

/// The service principal and the job that a fact is about; `None` for other facts.
#[must_use]
pub fn of_fact_name(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PREFIX)?.split_once('/')
}

/// What a job looks after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudScope {
    /// Changes with every saved edit; verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was saved, where the version tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<Timestamp>,
    /// Nothing was saved for the job: this is what its template says.
    #[serde(default)]
    pub from_template: bool,
    /// Rules, each with a scope of its own; Cloud Sync has one.
    pub rules: Vec<CloudRule>,
}

impl CloudScope {
    /// Distinguished names of everything the scope names in the directory: containers and groups.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules
            .iter()
            .flat_map(|rule| rule.containers.iter().chain(&rule.groups))
            .map(String::as_str)
    }

    /// Attributes that its filters ask for, as they name them.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.rules
            .iter()
            .flat_map(|rule| &rule.mappings)
            .flat_map(|mapping| mapping.filters.iter().chain(&mapping.input_filters))
            .flat_map(|group| &group.clauses)
            .map(|clause| clause.attribute.as_str())
    }
}

/// One rule: where it looks, and which types of objects it maps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudRule {
    /// Name of the rule.
    #[serde(default)]
    pub name: String,
    /// Distinguished names of containers; what lies below is in as well. With neither containers
    /// nor groups the whole domain is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// Distinguished names of groups, of which direct members are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What becomes of each type of object.
    #[serde(default)]
    pub mappings: Vec<ObjectMapping>,
}

/// What becomes of one type of object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectMapping {
    /// Class in the directory, such as `user`; verbatim.
    pub source: String,
    /// Type in Entra ID, such as `User`; verbatim.
    pub target: String,
    /// The mapping is used.
    pub enabled: bool,
    /// Objects are created.
    pub adds: bool,
    /// Objects are changed.
    pub updates: bool,
    /// Objects are deleted.
    pub deletes: bool,
    /// Password hashes are carried (`CredentialData` is mapped).
    #[serde(default)]
    pub password_hashes: bool,
    /// Attribute filters: an object is in when every clause of any group holds, or when there is
    /// no group. One that ceases to be in is removed from Entra ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterGroup>,
    /// The same, but one that ceases to be in is left as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input_filters: Vec<FilterGroup>,
    /// There are filters of a kind whose meaning is not published (`categoryFilterGroups`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_category_filters: bool,
}

/// Clauses that must all hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterGroup {
    /// Name of the group.
    #[serde(default)]
    pub name: String,
    /// Its clauses.
    pub clauses: Vec<FilterClause>,
}

/// A condition on one attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterClause {
    /// Attribute in the directory.
    pub attribute: String,
    /// Operator, verbatim: its spelling varies.
    pub operator: String,
    /// Values to compare with; none for operators that need none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_fact_tells_the_job() {
        let name = fact_name("3f1d0a52", "AD2AADProvisioning.7f3c.9e50");
        assert_eq!(
            of_fact_name(&name),
            Some(("3f1d0a52", "AD2AADProvisioning.7f3c.9e50"))
        );
        assert_eq!(of_fact_name("server/x/agent"), None);
    }

    #[test]
    fn containers_and_groups_are_named() {
        let scope = CloudScope {
            rules: vec![CloudRule {
                containers: vec!["OU=Staff,DC=x".to_owned()],
                groups: vec!["CN=Pilot,DC=x".to_owned()],
                ..CloudRule::default()
            }],
            ..CloudScope::default()
        };
        let names: Vec<&str> = scope.names().collect();
        assert_eq!(names, ["OU=Staff,DC=x", "CN=Pilot,DC=x"]);
    }
}
