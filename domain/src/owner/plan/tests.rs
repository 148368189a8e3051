use super::*;
use crate::owner::{Owner, Ruling};
use crate::report::connectors::{Connector, Partition, Scope};
use crate::scope::cloud::{CloudRule, CloudScope, ObjectMapping};
use crate::scope::filter::Attributes;
use crate::scope::site::Site;

const STAFF: &str = "OU=Staff,DC=hauser,DC=example";
const PILOT: &str = "OU=Pilot,DC=hauser,DC=example";

struct Object(String);

impl Attributes for Object {
    fn values(&self, attribute: &str) -> Option<Vec<&str>> {
        (attribute == "dn").then(|| vec![self.0.as_str()])
    }

    fn is_member(&self, _group: &str) -> Option<bool> {
        None
    }
}

fn configuration() -> Configuration {
    let mapping = |source: &str| ObjectMapping {
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
    };
    Configuration {
        activity: Some(Activity::Active),
        connect: Some(ConnectConfiguration {
            connectors: vec![Connector {
                id: "forest".to_owned(),
                name: "hauser.example".to_owned(),
                kind: None,
                subtype: None,
                version: None,
                object_classes: Vec::new(),
                partitions: vec![Partition {
                    id: None,
                    dn: "DC=hauser,DC=example".to_owned(),
                    name: None,
                    selected: true,
                    is_domain: true,
                    scope: Some(Scope {
                        is_default: false,
                        object_classes: Vec::new(),
                        included: vec!["DC=hauser,DC=example".to_owned()],
                        excluded: Vec::new(),
                    }),
                }],
            }],
            rules: Some(Vec::new()),
            group_filters: Vec::new(),
        }),
        cloud: vec![CloudConfiguration {
            domain: "hauser.example".to_owned(),
            runs: false,
            scope: Some(CloudScope {
                rules: vec![CloudRule {
                    name: String::new(),
                    containers: vec![PILOT.to_owned()],
                    groups: Vec::new(),
                    mappings: ["user", "group", "contact"].map(mapping).to_vec(),
                }],
                ..CloudScope::default()
            }),
        }],
    }
}

fn plan(text: &str) -> Plan {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn owner(configuration: &Configuration, kind: ObjectType, container: &str) -> Ruling {
    let site = Site::new(configuration.clone());
    let object = Object(format!("CN=x,{container}"));
    let place = site
        .place(&object.0)
        .unwrap_or_else(|error| panic!("{error}"));
    site.rule(place, kind, &object)
}

#[test]
fn a_migration_step_by_step() {
    let steps = [
        (
            r#"do = "start_cloud"
            domain = "Hauser.Example""#,
            Owner::BothOpen,
            Owner::Connect,
        ),
        (
            r#"do = "add_rule_pair"
            container = "OU=Pilot,DC=hauser,DC=example""#,
            Owner::BothBlocked,
            Owner::Connect,
        ),
        (
            r#"do = "add_to_cloud"
            container = "OU=Staff,DC=hauser,DC=example""#,
            Owner::BothBlocked,
            Owner::BothOpen,
        ),
        (
            r#"do = "remove_from_connect"
            container = "ou=staff,dc=hauser,dc=example""#,
            Owner::BothBlocked,
            Owner::Cloud,
        ),
        (
            r#"do = "remove_from_cloud"
            container = "OU=Staff, DC=hauser, DC=example""#,
            Owner::BothBlocked,
            Owner::None,
        ),
        (
            r#"do = "add_to_connect"
            container = "OU=Staff,DC=hauser,DC=example""#,
            Owner::BothBlocked,
            Owner::Connect,
        ),
        (r#"do = "stage_connect""#, Owner::Cloud, Owner::Connect),
    ];
    let mut text = String::new();
    for (step, pilot, staff) in steps {
        text = format!("{text}[[step]]\n{step}\n");
        let after = plan(&text)
            .apply(&configuration())
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        for kind in ObjectType::ALL.iter().copied() {
            assert_eq!(owner(&after, kind, PILOT).owner, pilot, "{kind} {text}");
            assert_eq!(owner(&after, kind, STAFF).owner, staff, "{kind} {text}");
        }
    }
}

#[test]
fn a_pair_for_some_types_silences_those_alone() {
    let text = format!(
        "[[step]]\ndo = \"start_cloud\"\ndomain = \"hauser.example\"\n[[step]]\ndo = \"add_rule_pair\"\ncontainer = \"{PILOT}\"\ntypes = [\"user\"]\n"
    );
    let after = plan(&text)
        .apply(&configuration())
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(
        owner(&after, ObjectType::User, PILOT).owner,
        Owner::BothBlocked
    );
    assert_eq!(
        owner(&after, ObjectType::Group, PILOT).owner,
        Owner::BothOpen
    );
}

#[test]
fn every_step_that_cannot_be_done_is_told_with_its_number() {
    let text = r#"
[[step]]
do = "add_to_cloud"
container = "OU=Staff"
[[step]]
do = "add_to_cloud"
container = "OU=Staff,DC=elsewhere"
[[step]]
do = "remove_from_cloud"
container = "OU=Staff,DC=hauser,DC=example"
[[step]]
do = "remove_from_cloud"
container = "OU=Pilot,DC=hauser,DC=example"
[[step]]
do = "remove_from_connect"
container = "Staff"
[[step]]
do = "remove_from_connect"
container = "OU=x,DC=elsewhere"
[[step]]
do = "start_cloud"
domain = "elsewhere"
"#;
    let Err(errors) = plan(text).apply(&configuration()) else {
        panic!("it is carried out");
    };
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let parts = [
        "lies in no domain",
        "no configuration for elsewhere",
        "does not name",
        "last container",
        "no equals sign",
        "no connector",
        "no configuration",
    ];
    assert_eq!(told.len(), parts.len(), "{told:#?}");
    for (number, (told, part)) in told.iter().zip(parts).enumerate() {
        assert!(
            told.starts_with(&format!("step {}: ", number + 1)) && told.contains(part),
            "{told}"
        );
    }
    assert!(toml::from_str::<Plan>("[[step]]\ndo = \"sing\"").is_err());
    assert!(toml::from_str::<Plan>("[[steps]]").is_err());
}
