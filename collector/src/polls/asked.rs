//! What scopes of both engines ask about single objects: attributes, and groups.

use std::collections::BTreeSet;

use syncwatch_domain::report::forms::Forms;
use syncwatch_domain::report::rules::{self, ComparisonOperator, Rule};
use syncwatch_domain::report::{Outcome, Section};
use syncwatch_domain::scope::cloud::{self, CloudScope};
use syncwatch_domain::scope::connect::ConnectConfiguration;
use syncwatch_domain::sync_server::{Part, of_fact_name};
use syncwatch_store::{Store, StoreError, StoredFact};

/// Records looked through for one that was read.
const LOOKED_AT: u32 = 5;

/// What is asked about single objects.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Attributes in the directory, as conditions name them.
    pub(super) attributes: BTreeSet<String>,
    /// Distinguished names of groups.
    pub(super) groups: BTreeSet<String>,
}

/// What is asked in a tenant, by schemas of jobs and by rules that agents report.
pub(super) async fn asked(store: &Store, tenant: &str) -> Result<Asked, StoreError> {
    let mut asked = Asked::default();
    let facts = store.facts(Some(tenant)).await?;
    for scope in cloud_scopes(&facts) {
        asked
            .attributes
            .extend(scope.attributes().map(str::to_owned));
        let groups = scope.rules.into_iter().flat_map(|rule| rule.groups);
        asked.groups.extend(groups);
    }
    for agent_id in sync_servers(&facts) {
        let records = store.agent_records(tenant, agent_id, Section::Rules.as_str(), LOOKED_AT);
        let mut records = records.await?.into_iter();
        let newest = records.find(|stored| stored.record.outcome == Outcome::Read);
        // A record that cannot be read is told where it is taken in.
        let rules = newest
            .and_then(|stored| rules::read(&stored.record.data, &Forms::of(&stored.record)).ok());
        asked.add_rules(rules.unwrap_or_default());
    }
    Ok(asked)
}

/// Another version may have written a scope in a form of its own; the next read replaces it.
fn cloud_scopes(facts: &[StoredFact]) -> impl Iterator<Item = CloudScope> {
    facts
        .iter()
        .filter(|fact| cloud::of_fact_name(&fact.name).is_some())
        .filter_map(|fact| serde_json::from_value(fact.value.clone()).ok())
}

/// Agents on servers of Connect Sync.
fn sync_servers(facts: &[StoredFact]) -> impl Iterator<Item = &str> {
    facts
        .iter()
        .filter_map(|fact| match of_fact_name(&fact.name) {
            Some((agent_id, Part::Scheduler)) => Some(agent_id),
            _ => None,
        })
}

impl Asked {
    fn add_rules(&mut self, rules: Vec<Rule>) {
        let configuration = ConnectConfiguration {
            rules: Some(rules),
            ..ConnectConfiguration::default()
        };
        for condition in configuration.conditions() {
            let by_group = condition.operator.is(ComparisonOperator::IsMemberOf)
                || condition.operator.is(ComparisonOperator::IsNotMemberOf);
            if by_group {
                self.groups.insert(condition.value.clone());
            } else {
                self.attributes.insert(condition.attribute.clone());
            }
        }
    }
}
