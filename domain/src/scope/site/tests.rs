#![expect(clippy::unwrap_used, reason = "tests")]

mod doubt;
mod table;

use super::*;
use crate::owner::{Owner, Standing};
use crate::report::connectors::{CLOUD_CONNECTOR_ID, Connector, Partition, Scope};
use crate::report::forms::Member;
use crate::report::rules::{
    ComparisonOperator, Condition, Direction, Flow, FlowType, LinkType, Rule,
};
use crate::scope::cloud::{FilterClause, FilterGroup};

const FOREST: &str = "11111111-0000-4000-8000-000000000001";
const ROOT: &str = "DC=hauser,DC=example";
const PILOT: &str = "OU=Pilot,DC=hauser,DC=example";

/// An object of which the name and some groups are known.
struct Object(String, Vec<(&'static str, bool)>);

impl Attributes for Object {
    fn values(&self, attribute: &str) -> Option<Vec<&str>> {
        attribute
            .eq_ignore_ascii_case("dn")
            .then(|| vec![self.0.as_str()])
    }

    fn is_member(&self, group: &str) -> Option<bool> {
        let known = self
            .1
            .iter()
            .find(|(name, _)| dn::is_same(name, group) == Ok(true));
        known.map(|(_, member)| *member)
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn partition(dn: &str, included: &[&str], excluded: &[&str]) -> Partition {
    Partition {
        id: None,
        dn: dn.to_owned(),
        name: None,
        selected: true,
        is_domain: true,
        scope: Some(Scope {
            is_default: false,
            object_classes: Vec::new(),
            included: texts(included),
            excluded: texts(excluded),
        }),
    }
}

fn connector(partitions: Vec<Partition>) -> Connector {
    Connector {
        id: FOREST.to_owned(),
        name: "hauser.example".to_owned(),
        kind: None,
        subtype: None,
        version: None,
        object_classes: texts(&["user", "group", "contact", "organizationalUnit"]),
        partitions,
    }
}

/// Types in the directory, in the metaverse and in Entra ID.
const fn types(kind: ObjectType) -> (&'static str, &'static str, &'static str) {
    match kind {
        ObjectType::User => ("user", "person", "user"),
        ObjectType::Group => ("group", "group", "group"),
        ObjectType::Contact => ("contact", "person", "contact"),
    }
}

fn bare(direction: Direction, source: &str, target: &str) -> Rule {
    Rule {
        id: format!("{direction}-{source}-{target}"),
        name: format!("{direction} {source} {target}"),
        description: None,
        version: None,
        connector_id: FOREST.to_owned(),
        direction: Member::Known(direction),
        disabled: false,
        source_type: source.to_owned(),
        target_type: target.to_owned(),
        precedence: 50,
        link: Member::Known(LinkType::Join),
        password_sync: false,
        scope: Vec::new(),
        joins: Vec::new(),
        flows: Vec::new(),
        standard: false,
        standard_tag: None,
    }
}

fn condition(attribute: &str, operator: ComparisonOperator, value: &str) -> Condition {
    Condition {
        attribute: attribute.to_owned(),
        operator: Member::Known(operator),
        value: value.to_owned(),
    }
}

fn flow(destination: &str, value: &str) -> Flow {
    Flow {
        destination: destination.to_owned(),
        kind: Member::Known(FlowType::Constant),
        sources: texts(&[value]),
        expression: None,
        once: false,
        merge: None,
    }
}

/// The rule that marks a container for silence.
fn inbound(kind: ObjectType, container: &str) -> Rule {
    let (source, between, _) = types(kind);
    Rule {
        scope: vec![vec![condition(
            "dn",
            ComparisonOperator::EndsWith,
            container,
        )]],
        flows: vec![flow("cloudNoFlow", "True")],
        ..bare(Direction::Inbound, source, between)
    }
}

/// The rule that silences what is marked.
fn outbound(kind: ObjectType) -> Rule {
    let (_, between, target) = types(kind);
    Rule {
        connector_id: CLOUD_CONNECTOR_ID.to_owned(),
        link: Member::Known(LinkType::JoinNoFlow),
        precedence: 60,
        scope: vec![vec![condition(
            "cloudNoFlow",
            ComparisonOperator::Equal,
            "True",
        )]],
        ..bare(Direction::Outbound, between, target)
    }
}

/// The rule of the product that exports objects of a type.
fn exporting(kind: ObjectType) -> Rule {
    let (_, between, target) = types(kind);
    Rule {
        connector_id: CLOUD_CONNECTOR_ID.to_owned(),
        link: Member::Known(LinkType::Provision),
        precedence: 115,
        standard: true,
        ..bare(Direction::Outbound, between, target)
    }
}

fn off(rule: Rule) -> Rule {
    Rule {
        disabled: true,
        ..rule
    }
}

fn mapping(source: &str) -> ObjectMapping {
    ObjectMapping {
        source: source.to_owned(),
        target: source.to_owned(),
        enabled: true,
        adds: true,
        updates: true,
        deletes: true,
        password_hashes: false,
        filters: Vec::new(),
        input_filters: Vec::new(),
        has_category_filters: false,
    }
}

fn cloud(runs: bool, containers: &[&str], groups: &[&str]) -> CloudConfiguration {
    let rule = CloudRule {
        name: String::new(),
        containers: texts(containers),
        groups: texts(groups),
        mappings: ["user", "group", "contact"].map(mapping).to_vec(),
    };
    CloudConfiguration {
        domain: "hauser.example".to_owned(),
        runs,
        scope: Some(CloudScope {
            rules: vec![rule],
            ..CloudScope::default()
        }),
    }
}

fn configuration(
    connect: &[&str],
    rules: Vec<Rule>,
    cloud: Vec<CloudConfiguration>,
) -> Configuration {
    Configuration {
        activity: Some(Activity::Active),
        connect: Some(ConnectConfiguration {
            connectors: vec![connector(vec![partition(ROOT, connect, &[])])],
            rules: Some(rules),
            group_filters: Vec::new(),
        }),
        cloud,
    }
}

fn ruling(configuration: &Configuration, kind: ObjectType, object: &Object) -> Ruling {
    let site = Site::new(configuration.clone());
    assert_eq!(site.bad_names(), []);
    let place = site.place(&object.0).unwrap();
    assert_eq!(site.places().find(&object.0), Ok(place));
    site.rule(place, kind, object)
}

fn told(configuration: &Configuration, kind: ObjectType) -> (Owner, Standing) {
    let object = Object(format!("CN=x,{PILOT}"), Vec::new());
    let ruling = ruling(configuration, kind, &object);
    assert_eq!(ruling.doubt, None);
    (ruling.owner, ruling.standing)
}

#[test]
fn classes_group_filters_and_cloud_filtered_take_objects_out() {
    const ONLY: &str = "CN=Only,DC=hauser,DC=example";
    let base = configuration(&[ROOT], vec![], vec![]);
    let owner = |configuration: &Configuration, kind, groups: &[(&'static str, bool)]| {
        let object = Object(format!("CN=x,{PILOT}"), groups.to_vec());
        ruling(configuration, kind, &object).owner
    };
    let mut no_contacts = base.clone();
    no_contacts.connect.as_mut().unwrap().connectors[0].object_classes = texts(&["User", "group"]);
    assert_eq!(owner(&no_contacts, ObjectType::Contact, &[]), Owner::None);
    assert_eq!(owner(&no_contacts, ObjectType::User, &[]), Owner::Connect);
    let mut pilot = base.clone();
    pilot.connect.as_mut().unwrap().group_filters = vec![(FOREST.to_owned(), ONLY.to_owned())];
    assert_eq!(
        owner(&pilot, ObjectType::User, &[(ONLY, true)]),
        Owner::Connect
    );
    assert_eq!(
        owner(&pilot, ObjectType::User, &[(ONLY, false)]),
        Owner::None
    );
    assert_eq!(owner(&pilot, ObjectType::User, &[]), Owner::Unknown);
    let filtered = |standard| Rule {
        flows: vec![flow("cloudFiltered", "True")],
        standard,
        ..inbound(ObjectType::User, PILOT)
    };
    let mut out = base;
    out.connect.as_mut().unwrap().rules = Some(vec![filtered(false)]);
    assert_eq!(owner(&out, ObjectType::User, &[]), Owner::None);
    assert_eq!(owner(&out, ObjectType::Group, &[]), Owner::Connect);
    out.connect.as_mut().unwrap().rules = Some(vec![filtered(true)]);
    assert_eq!(owner(&out, ObjectType::User, &[]), Owner::Connect);
}

#[test]
fn names_that_cannot_be_read_are_told_and_mark_nothing() {
    let site = Site::new(configuration(
        &["OU Staff", ROOT],
        vec![],
        vec![cloud(true, &["\"x\""], &[])],
    ));
    let engines: Vec<_> = site.bad_names().iter().map(|name| name.engine).collect();
    assert_eq!(
        engines,
        [crate::lane::Engine::Connect, crate::lane::Engine::Cloud]
    );
    assert!(site.place("CN=x\\").is_err());
    assert!(site.place(&format!("CN=x,{PILOT}")).is_ok());
}
