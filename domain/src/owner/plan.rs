//! What-if: steps of a migration, applied to the configurations of both engines as they would be
//! carried out by hand. Nothing is changed anywhere.

use serde::Deserialize;
use thiserror::Error;

use super::{Activity, ObjectType};
use crate::dn;
use crate::report::connectors::CLOUD_CONNECTOR_ID;
use crate::report::forms::Member;
use crate::report::rules::{
    ComparisonOperator, Condition, Direction, Flow, FlowType, LinkType, Rule,
};
use crate::scope::connect::ConnectConfiguration;
use crate::scope::site::{CloudConfiguration, Configuration};

/// Most containers or groups that one configuration of Cloud Sync may name (Microsoft Learn,
/// *Attribute mapping and scoping in Microsoft Entra Cloud Sync*).
pub const MOST_SCOPES: usize = 59;
/// Precedence of the rules that a plan adds; rules of one's own stand below 100.
const PRECEDENCE: i64 = 90;

/// Steps in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The steps.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// A step of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Adds a container to the scope of Cloud Sync.
    AddToCloud {
        /// Distinguished name.
        container: String,
    },
    /// Takes a container out of the scope of Cloud Sync.
    RemoveFromCloud {
        /// Distinguished name, as the scope names it.
        container: String,
    },
    /// Switches the job of a domain on.
    StartCloud {
        /// AD domain, as a DNS name.
        domain: String,
    },
    /// Adds a container to the scope of Connect Sync.
    AddToConnect {
        /// Distinguished name.
        container: String,
    },
    /// Takes a container out of the scope of Connect Sync.
    RemoveFromConnect {
        /// Distinguished name.
        container: String,
    },
    /// Adds the pair of rules that silences a container in Connect Sync.
    AddRulePair {
        /// Distinguished name.
        container: String,
        /// Types; all of them when the plan names none.
        #[serde(default)]
        types: Vec<ObjectType>,
    },
    /// Puts Connect Sync into staging mode.
    StageConnect,
}

/// A step that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("step {number}: {why}")]
pub struct PlanError {
    /// Number of the step, from 1.
    pub number: usize,
    /// What is wrong, and how to mend it.
    pub why: String,
}

impl Plan {
    /// The configurations as they are after the steps.
    ///
    /// # Errors
    /// Every step that cannot be carried out.
    pub fn apply(&self, before: &Configuration) -> Result<Configuration, Vec<PlanError>> {
        let mut after = before.clone();
        let mut errors = Vec::new();
        for (step, number) in self.steps.iter().zip(1..) {
            if let Err(why) = carry_out(step, &mut after) {
                errors.push(PlanError { number, why });
            }
        }
        if errors.is_empty() {
            Ok(after)
        } else {
            Err(errors)
        }
    }
}

fn carry_out(step: &Step, on: &mut Configuration) -> Result<(), String> {
    match step {
        Step::AddToCloud { container } => add_to_cloud(on, container),
        Step::RemoveFromCloud { container } => remove_from_cloud(on, container),
        Step::StartCloud { domain } => {
            let of = |cloud: &&mut CloudConfiguration| cloud.domain.eq_ignore_ascii_case(domain);
            let cloud = on.cloud.iter_mut().find(of);
            cloud.ok_or_else(|| no_configuration(domain))?.runs = true;
            Ok(())
        }
        Step::AddToConnect { container } => in_connect(on, container, true),
        Step::RemoveFromConnect { container } => in_connect(on, container, false),
        Step::AddRulePair { container, types } => {
            let all = || ObjectType::ALL.to_vec();
            let types = if types.is_empty() {
                all()
            } else {
                types.clone()
            };
            add_pair(connect(on)?, container, &types)
        }
        Step::StageConnect => {
            on.activity = Some(Activity::Dormant);
            Ok(())
        }
    }
}

fn no_configuration(domain: &str) -> String {
    format!("Cloud Sync has no configuration for {domain}; make one first, then ask again")
}

/// The domain a container lies in.
fn domain_of(container: &str) -> Result<String, String> {
    dn::canonical(container).map_err(|error| error.to_string())?;
    dn::domain(container)
        .ok_or_else(|| format!("{container:?} lies in no domain: its DC parts are missing"))
}

/// The rule of the configuration whose domain a container lies in.
fn cloud_rule<'a>(
    on: &'a mut Configuration,
    container: &str,
) -> Result<&'a mut crate::scope::cloud::CloudRule, String> {
    let domain = domain_of(container)?;
    let of = |cloud: &&mut CloudConfiguration| cloud.domain.eq_ignore_ascii_case(&domain);
    let cloud = on
        .cloud
        .iter_mut()
        .find(of)
        .ok_or_else(|| no_configuration(&domain))?;
    let scope = cloud.scope.as_mut();
    let rule = scope.and_then(|scope| scope.rules.first_mut());
    rule.ok_or_else(|| {
        format!("the scope of Cloud Sync in {domain} was not read, so it cannot be changed here")
    })
}

fn add_to_cloud(on: &mut Configuration, container: &str) -> Result<(), String> {
    let rule = cloud_rule(on, container)?;
    if !rule.groups.is_empty() {
        return Err("the configuration is scoped by groups, which excludes containers; change that scope first".to_owned());
    }
    if rule.containers.is_empty() {
        return Err("the configuration has the whole domain in scope already".to_owned());
    }
    rule.containers.push(container.to_owned());
    Ok(())
}

fn remove_from_cloud(on: &mut Configuration, container: &str) -> Result<(), String> {
    let rule = cloud_rule(on, container)?;
    let before = rule.containers.len();
    rule.containers
        .retain(|known| dn::is_same(known, container) != Ok(true));
    match (before, rule.containers.len()) {
        (before, after) if before == after => Err(format!("the scope of Cloud Sync does not name {container:?}")),
        // Without any, everything would be in scope.
        (_, 0) => Err("it is the last container of the scope: without one the whole domain is in scope; disable the job instead".to_owned()),
        _ => Ok(()),
    }
}

fn connect(on: &mut Configuration) -> Result<&mut ConnectConfiguration, String> {
    let known = on.connect.as_mut();
    known.ok_or_else(|| "the configuration of Connect Sync is not known".to_owned())
}

/// Writes a container into the lists of the partition it lies in.
fn in_connect(on: &mut Configuration, container: &str, included: bool) -> Result<(), String> {
    domain_of(container)?;
    let connect = connect(on)?;
    let partitions = connect
        .connectors
        .iter_mut()
        .filter(|connector| !connector.is_cloud());
    let partition = partitions
        .flat_map(|connector| &mut connector.partitions)
        .filter(|partition| dn::is_within(container, &partition.dn) == Ok(true))
        .max_by_key(|partition| dn::rdns(&partition.dn).count());
    let partition = partition.ok_or_else(|| {
        format!("no connector of Connect Sync has a partition with {container:?}")
    })?;
    let scope = partition
        .scope
        .get_or_insert_with(|| crate::report::connectors::Scope {
            is_default: false,
            object_classes: Vec::new(),
            included: vec![partition.dn.clone()],
            excluded: Vec::new(),
        });
    for list in [&mut scope.included, &mut scope.excluded] {
        list.retain(|known| dn::is_same(known, container) != Ok(true));
    }
    let list = if included {
        &mut scope.included
    } else {
        &mut scope.excluded
    };
    list.push(container.to_owned());
    Ok(())
}

/// Adds an inbound rule per type and forest, and an outbound rule per type.
fn add_pair(
    connect: &mut ConnectConfiguration,
    container: &str,
    types: &[ObjectType],
) -> Result<(), String> {
    domain_of(container)?;
    let forests: Vec<String> = connect
        .connectors
        .iter()
        .filter(|connector| !connector.is_cloud())
        .map(|connector| connector.id.clone())
        .collect();
    let Some(rules) = &mut connect.rules else {
        return Err("the rules of Connect Sync are not known".to_owned());
    };
    for kind in types {
        let (source, between) = match kind {
            ObjectType::User => ("user", "person"),
            ObjectType::Group => ("group", "group"),
            ObjectType::Contact => ("contact", "person"),
        };
        for forest in &forests {
            rules.push(rule(forest, (source, between), Side::Marks(container)));
        }
        rules.push(rule(
            CLOUD_CONNECTOR_ID,
            (between, kind.as_str()),
            Side::Silences,
        ));
    }
    Ok(())
}

/// The two rules of a pair.
#[derive(Clone, Copy)]
enum Side<'a> {
    Marks(&'a str),
    Silences,
}

fn rule(connector: &str, (source, target): (&str, &str), side: Side<'_>) -> Rule {
    let condition = |attribute: &str, operator, value: &str| Condition {
        attribute: attribute.to_owned(),
        operator: Member::Known(operator),
        value: value.to_owned(),
    };
    let (direction, link, scope, flows) = match side {
        Side::Marks(container) => (
            Direction::Inbound,
            LinkType::Join,
            condition("dn", ComparisonOperator::EndsWith, container),
            vec![Flow {
                destination: "cloudNoFlow".to_owned(),
                kind: Member::Known(FlowType::Constant),
                sources: vec!["True".to_owned()],
                expression: None,
                once: false,
                merge: None,
            }],
        ),
        Side::Silences => (
            Direction::Outbound,
            LinkType::JoinNoFlow,
            condition("cloudNoFlow", ComparisonOperator::Equal, "True"),
            Vec::new(),
        ),
    };
    Rule {
        id: format!("planned-{connector}-{source}-{target}"),
        name: format!("planned {direction} {source} to {target}"),
        description: None,
        version: None,
        connector_id: connector.to_owned(),
        direction: Member::Known(direction),
        disabled: false,
        source_type: source.to_owned(),
        target_type: target.to_owned(),
        precedence: PRECEDENCE,
        link: Member::Known(link),
        password_sync: false,
        scope: vec![vec![scope]],
        joins: Vec::new(),
        flows,
        standard: false,
        standard_tag: None,
    }
}

#[cfg(test)]
mod tests;
