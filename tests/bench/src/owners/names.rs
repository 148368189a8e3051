//! Names of objects and of the containers that two engines are told, by seed.

use syncwatch_domain::owner::Activity;
use syncwatch_domain::report::connectors::{Connector, Partition, Scope};
use syncwatch_domain::scope::cloud::{CloudRule, CloudScope, ObjectMapping};
use syncwatch_domain::scope::connect::ConnectConfiguration;
use syncwatch_domain::scope::site::{CloudConfiguration, Configuration};

const ROOT: &str = "DC=corp,DC=hauser,DC=example";
/// Departments, of which each has `TEAMS` teams.
const DEPARTMENTS: usize = 40;
const TEAMS: usize = 100;
/// Containers each engine is told.
const INCLUDED: usize = 200;
const EXCLUDED: usize = 50;
/// A configuration of Cloud Sync takes at most 59 containers.
const PER_CONFIGURATION: usize = 50;

/// Distinguished names, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) bytes: String,
    ends: Vec<usize>,
}

impl Names {
    /// Names of objects in 4,000 teams. A quarter is written in upper case, two fifths have an escaped
    /// comma, a tenth of the teams a letter beyond ASCII or an escape. With `distinct`, no two
    /// objects share a parent.
    pub(super) fn new(count: usize, distinct: bool) -> Self {
        let mut names = Self::default();
        for number in 0..count {
            // Neighbours lie in different containers, as rows of a directory do.
            let team = number.wrapping_mul(7919) % (DEPARTMENTS * TEAMS);
            let comma = if number % 5 < 2 { "\\," } else { "" };
            let own = if distinct {
                format!("OU=Desk {number:07},")
            } else {
                String::new()
            };
            let name = format!("CN=Weber{comma} Anna {number:07},{own}{}", container(team));
            if number % 4 == 0 {
                names.bytes.push_str(&name.to_uppercase());
            } else {
                names.bytes.push_str(&name);
            }
            names.ends.push(names.bytes.len());
        }
        names
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, end)| &self.bytes[begin..*end])
    }
}

/// A team as it is written.
fn container(team: usize) -> String {
    let department = team / TEAMS;
    let letter = match team % 20 {
        3 => "ü",
        7 => "\\2C",
        _ => "",
    };
    format!("OU=Team{letter} {team:04},OU=Department {department:02},OU=Staff,{ROOT}")
}

/// What both engines are told: Connect Sync 200 containers with 50 exclusions in them; Cloud Sync,
/// which has no exclusions, as many names in five configurations.
pub(super) fn configuration() -> Configuration {
    let teams = DEPARTMENTS * TEAMS;
    let every = |step: usize, count: usize| (0..count).map(move |at| container(at * step % teams));
    let mut included: Vec<String> = every(17, INCLUDED - 10).collect();
    included.extend((0..10).map(|at| format!("OU=Department {at:02},OU=Staff,{ROOT}")));
    let excluded = every(13, EXCLUDED).collect();
    let cloud: Vec<String> = every(31, INCLUDED + EXCLUDED).collect();
    Configuration {
        activity: Some(Activity::Active),
        connect: Some(ConnectConfiguration {
            connectors: vec![connector(included, excluded)],
            rules: Some(Vec::new()),
            group_filters: Vec::new(),
        }),
        cloud: cloud
            .chunks(PER_CONFIGURATION)
            .map(cloud_configuration)
            .collect(),
    }
}

fn connector(included: Vec<String>, excluded: Vec<String>) -> Connector {
    Connector {
        id: "forest".to_owned(),
        name: "corp.hauser.example".to_owned(),
        kind: None,
        subtype: None,
        version: None,
        object_classes: Vec::new(),
        partitions: vec![Partition {
            id: None,
            dn: ROOT.to_owned(),
            name: None,
            selected: true,
            is_domain: true,
            scope: Some(Scope {
                is_default: false,
                object_classes: Vec::new(),
                included,
                excluded,
            }),
        }],
    }
}

fn cloud_configuration(containers: &[String]) -> CloudConfiguration {
    let mapping = ObjectMapping {
        source: "user".to_owned(),
        target: "User".to_owned(),
        enabled: true,
        adds: true,
        updates: true,
        deletes: true,
        password_hashes: false,
        filters: Vec::new(),
        input_filters: Vec::new(),
        has_category_filters: false,
    };
    CloudConfiguration {
        domain: "corp.hauser.example".to_owned(),
        runs: true,
        scope: Some(CloudScope {
            rules: vec![CloudRule {
                name: String::new(),
                containers: containers.to_vec(),
                groups: Vec::new(),
                mappings: vec![mapping],
            }],
            ..CloudScope::default()
        }),
    }
}
