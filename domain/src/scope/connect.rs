//! The scope of Connect Sync: containers of its connectors, and what its rules do to single objects
//! (Microsoft Learn, *Microsoft Entra Connect Sync: Configure filtering* and *Understanding
//! declarative provisioning*; *Migrate to Microsoft Entra Cloud Sync for an existing synced AD
//! forest* for the pair of rules).

use super::filter::{Attributes, meets_rule};
use super::truth::{Doubt, Truth};
use crate::owner::{Guard, ObjectType};
use crate::report::connectors::{Connector, Partition};
use crate::report::rules::{Condition, Direction, LinkType, Rule};

/// Attribute of the metaverse that marks an object for silence.
const NO_FLOW: &str = "cloudNoFlow";
/// Attribute of the metaverse that takes an object out of Entra ID.
const FILTERED: &str = "cloudFiltered";

/// What Connect Sync is told, as one server reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectConfiguration {
    /// Connectors with their containers.
    pub connectors: Vec<Connector>,
    /// Rules of all connectors; `None` when they are not known.
    pub rules: Option<Vec<Rule>>,
    /// Groups that a pilot was restricted to at installation: connector and distinguished name.
    pub group_filters: Vec<(String, String)>,
}

/// What a container is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// It is in.
    pub(super) included: bool,
    /// Place of its connector.
    pub(super) connector: usize,
}

impl ConnectConfiguration {
    /// Distinguished names with what they are told. The longest that is an object or above it
    /// decides; without any the object is out.
    pub(super) fn marks(&self) -> Vec<(&str, Mark)> {
        let mut marks = Vec::new();
        for (connector, at) in self.connectors.iter().zip(0..) {
            if connector.is_cloud() {
                continue;
            }
            for partition in &connector.partitions {
                let mark = |included| Mark {
                    included,
                    connector: at,
                };
                // A partition ends what its parent domain is told; its own lists come after.
                marks.push((partition.dn.as_str(), mark(is_whole(partition))));
                let Some(scope) = partition.scope.as_ref().filter(|_| partition.selected) else {
                    continue;
                };
                marks.extend(scope.included.iter().map(|dn| (dn.as_str(), mark(true))));
                marks.extend(scope.excluded.iter().map(|dn| (dn.as_str(), mark(false))));
            }
        }
        marks
    }

    /// Whether an object in a container that is in is exported, silenced or not.
    pub(super) fn takes(
        &self,
        connector: usize,
        kind: ObjectType,
        object: &impl Attributes,
    ) -> Truth {
        let Some(connector) = self.connectors.get(connector) else {
            return Truth::No;
        };
        let classes = &connector.object_classes;
        let reads = classes.is_empty()
            || classes.iter().any(|class| {
                classes_of(kind)
                    .iter()
                    .any(|one| one.eq_ignore_ascii_case(class))
            });
        if !reads {
            return Truth::No;
        }
        let groups = self
            .group_filters
            .iter()
            .filter(|(id, _)| *id == connector.id);
        let members = groups.map(|(_, group)| {
            object.is_member(group).map_or_else(
                || Truth::Unknown(Doubt::NoMembers(group.clone())),
                Truth::from,
            )
        });
        let filtered = self.value(&connector.id, kind, FILTERED, object);
        Truth::all([Truth::all(members), !filtered])
    }

    /// What the rules do to an object of a connector.
    pub(super) fn guard(
        &self,
        connector: usize,
        kind: ObjectType,
        object: &impl Attributes,
    ) -> Guard {
        if self.rules.is_none() {
            let unknown = || Truth::Unknown(Doubt::NoConfiguration("the rules of Connect Sync"));
            return Guard {
                inbound: unknown(),
                outbound: unknown(),
            };
        }
        let id = self
            .connectors
            .get(connector)
            .map_or("", |connector| connector.id.as_str());
        Guard {
            inbound: self.value(id, kind, NO_FLOW, object),
            outbound: self.silences(kind),
        }
    }

    /// Conditions on single objects: of inbound rules of one's own that silence objects or take them out.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let sets_flag = |rule: &&Rule| {
            rule.flows.iter().any(|flow| {
                [NO_FLOW, FILTERED]
                    .iter()
                    .any(|flag| flow.destination.eq_ignore_ascii_case(flag))
            })
        };
        self.rules()
            .filter(|rule| rule.direction.is(Direction::Inbound) && !rule.standard)
            .filter(sets_flag)
            .flat_map(|rule| rule.scope.iter().flatten())
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().flatten().filter(|rule| !rule.disabled)
    }

    /// Whether inbound rules set a flag of the metaverse for an object. The strongest rule in whose
    /// scope the object is decides; one whose scope cannot be told matters only where the next
    /// one says otherwise.
    ///
    /// Standard rules compute `cloudFiltered` for accounts of the system, which neither engine
    /// syncs; only rules of one's own are looked at.
    fn value(
        &self,
        connector_id: &str,
        kind: ObjectType,
        flag: &str,
        object: &impl Attributes,
    ) -> Truth {
        let mut rules: Vec<&Rule> = self
            .rules()
            .filter(|rule| rule.direction.is(Direction::Inbound) && !rule.standard)
            .filter(|rule| rule.connector_id == connector_id)
            .filter(|rule| {
                classes_of(kind)
                    .iter()
                    .any(|class| class.eq_ignore_ascii_case(&rule.source_type))
            })
            .filter(|rule| {
                rule.flows
                    .iter()
                    .any(|flow| flow.destination.eq_ignore_ascii_case(flag))
            })
            .collect();
        rules.sort_by_key(|rule| rule.precedence);
        let from_weakest = rules.into_iter().rev();
        from_weakest.fold(Truth::No, |weaker, rule| {
            match meets_rule(&rule.scope, object) {
                Truth::Yes => flag_of(rule, flag),
                Truth::No => weaker,
                Truth::Unknown(doubt) => {
                    let own = flag_of(rule, flag);
                    if own == weaker {
                        own
                    } else {
                        Truth::Unknown(doubt)
                    }
                }
            }
        })
    }

    /// Whether an outbound rule silences what is marked, before any other rule for such objects.
    fn silences(&self, kind: ObjectType) -> Truth {
        let outbound = || {
            self.rules().filter(|rule| {
                rule.direction.is(Direction::Outbound)
                    && rule.target_type.eq_ignore_ascii_case(kind.as_str())
                    && self.is_cloud(&rule.connector_id)
            })
        };
        let strongest = outbound()
            .filter(|rule| !rule.link.is(LinkType::JoinNoFlow))
            .map(|rule| rule.precedence)
            .min();
        Truth::any(
            outbound()
                .filter(|rule| rule.link.is(LinkType::JoinNoFlow))
                .map(|rule| {
                    let holds = meets_rule(&rule.scope, &Marked);
                    if holds != Truth::No && strongest.is_some_and(|other| other <= rule.precedence)
                    {
                        return Truth::Unknown(Doubt::Unclear(format!(
                            "the rule {:?} stands behind another rule that exports",
                            rule.name
                        )));
                    }
                    holds
                }),
        )
    }

    fn is_cloud(&self, connector_id: &str) -> bool {
        self.connectors
            .iter()
            .find(|connector| connector.id == connector_id)
            .is_some_and(Connector::is_cloud)
            || connector_id == crate::report::connectors::CLOUD_CONNECTOR_ID
    }
}

/// Nothing of the partition is filtered.
fn is_whole(partition: &Partition) -> bool {
    partition.selected && partition.scope.is_none()
}

/// What a rule sets a flag to.
fn flag_of(rule: &Rule, flag: &str) -> Truth {
    let flow = rule
        .flows
        .iter()
        .find(|flow| flow.destination.eq_ignore_ascii_case(flag));
    match flow.map(|flow| flow.constant()) {
        Some(Some(value)) => value.trim().eq_ignore_ascii_case("true").into(),
        Some(None) => Truth::Unknown(Doubt::Expression(rule.name.clone())),
        None => Truth::No,
    }
}

/// Classes in the directory that become objects of a type.
pub(super) const fn classes_of(kind: ObjectType) -> &'static [&'static str] {
    match kind {
        ObjectType::User => &["user", "inetOrgPerson"],
        ObjectType::Group => &["group"],
        ObjectType::Contact => &["contact"],
    }
}

/// An object of the metaverse that is marked for silence, of which no more is known.
struct Marked;

impl Attributes for Marked {
    fn values(&self, attribute: &str) -> Option<Vec<&str>> {
        attribute
            .eq_ignore_ascii_case(NO_FLOW)
            .then(|| vec!["True"])
    }

    fn is_member(&self, _group: &str) -> Option<bool> {
        None
    }
}
