//! Both engines of a tenant side by side: where an object lies, and who owns it.

use std::collections::BTreeMap;

use super::cloud::{CloudRule, CloudScope, ObjectMapping};
use super::connect::{ConnectConfiguration, Mark, classes_of};
use super::filter::{Attributes, passes};
use super::truth::{Doubt, Truth};
use crate::dn::{self, DnError, Memo, Tree};
use crate::owner::{Activity, Case, Guard, ObjectType, Ruling, rule};

/// A provisioning job of Cloud Sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudConfiguration {
    /// AD domain it serves.
    pub domain: String,
    /// Its job runs: neither disabled nor quarantined.
    pub runs: bool,
    /// What it looks after; `None` when its schema was not read.
    pub scope: Option<CloudScope>,
}

/// What both engines of a tenant are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// What Connect Sync is up to; `None` when nobody says.
    pub activity: Option<Activity>,
    /// What it is told; `None` when nobody says.
    pub connect: Option<ConnectConfiguration>,
    /// What Cloud Sync is told.
    pub cloud: Vec<CloudConfiguration>,
}

/// A name in a configuration that cannot be read, and so marks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    /// Where it stands.
    pub engine: crate::lane::Engine,
    /// What is wrong.
    pub error: DnError,
}

/// The scopes of both engines, ready to be asked.
#[derive(Debug)]
pub struct Site {
    configuration: Configuration,
    tree: Tree<Option<u32>>,
    places: Vec<Place>,
    bad_names: Vec<BadName>,
}

/// What holds where an object lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The nearest name that anyone is told, in its only spelling; empty outside of all.
    name: String,
    connect: Option<Mark>,
    /// Rules of Cloud Sync whose containers the object lies in: configuration and rule.
    cloud: Vec<(usize, usize)>,
}

/// Where an object lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(u32);

/// Where objects lie, for many that share parents.
pub type Places<'s> = Memo<'s, Option<u32>, PlaceId, Nearest>;

/// How a lookup comes to a place.
type Nearest = fn(&mut PlaceId, &Option<u32>);

/// Outside of everything that is named.
const NOWHERE: PlaceId = PlaceId(0);

/// What one name is told by one engine.
enum Told {
    Connect(Mark),
    Cloud(usize, usize),
}

impl Site {
    /// Brings the names of a configuration into order.
    #[must_use]
    pub fn new(configuration: Configuration) -> Self {
        let mut bad_names = Vec::new();
        let mut told: BTreeMap<(usize, String), Vec<Told>> = BTreeMap::new();
        let mut tell = |name: &str, engine, what| match dn::canonical(name) {
            // Short names first: what stands below takes over from what stands above.
            Ok(name) => told
                .entry((dn::rdns(&name).count(), name))
                .or_default()
                .push(what),
            Err(error) => bad_names.push(BadName { engine, error }),
        };
        if let Some(connect) = &configuration.connect {
            for (name, mark) in connect.marks() {
                tell(name, crate::lane::Engine::Connect, Told::Connect(mark));
            }
        }
        for (cloud, at) in configuration.cloud.iter().zip(0..) {
            let rules = cloud.scope.iter().flat_map(|scope| &scope.rules);
            for (rule, number) in rules.zip(0..) {
                for name in containers(rule, &cloud.domain) {
                    tell(&name, crate::lane::Engine::Cloud, Told::Cloud(at, number));
                }
            }
        }
        let (tree, places) = grow(told);
        Self {
            configuration,
            tree,
            places,
            bad_names,
        }
    }

    /// Names that cannot be read.
    #[must_use]
    pub fn bad_names(&self) -> &[BadName] {
        &self.bad_names
    }

    /// Where a name lies.
    ///
    /// # Errors
    /// When a part of it that has to be compared is not a part of a distinguished name.
    pub fn place(&self, dn: &str) -> Result<PlaceId, DnError> {
        self.tree.fold(dn, NOWHERE, nearest)
    }

    /// The same for many names that share parents.
    #[must_use]
    pub fn places(&self) -> Places<'_> {
        Memo::new(&self.tree, NOWHERE, nearest)
    }

    /// The nearest container that either engine is told of, in its only spelling; `None` outside of
    /// all.
    #[must_use]
    pub fn container(&self, place: PlaceId) -> Option<&str> {
        let place = self.places.get(place.0 as usize)?;
        Some(place.name.as_str()).filter(|name| !name.is_empty())
    }

    /// What both engines are told.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Whether a place lies in a container of either engine, whatever their rules and filters say.
    #[must_use]
    pub fn is_named(&self, place: PlaceId) -> bool {
        let place = self.places.get(place.0 as usize);
        place.is_some_and(|place| {
            place.connect.is_some_and(|mark| mark.included) || !place.cloud.is_empty()
        })
    }

    /// Who owns an object that lies in a place.
    pub fn rule(&self, place: PlaceId, kind: ObjectType, object: &impl Attributes) -> Ruling {
        let Some(activity) = self.configuration.activity else {
            return Ruling::unknown(Doubt::NoConfiguration("Connect Sync"));
        };
        let place = self.places.get(place.0 as usize).unwrap_or(&self.places[0]);
        let (in_connect, guard) = self.in_connect(activity, place, kind, object);
        let (in_cloud, cloud_runs) = self.in_cloud(place, kind, object);
        rule(&Case {
            activity,
            in_connect,
            guard,
            in_cloud,
            cloud_runs,
        })
    }

    fn in_connect(
        &self,
        activity: Activity,
        place: &Place,
        kind: ObjectType,
        object: &impl Attributes,
    ) -> (Truth, Guard) {
        let open = Guard {
            inbound: Truth::No,
            outbound: Truth::No,
        };
        if activity == Activity::Absent {
            return (Truth::No, open);
        }
        let Some(connect) = &self.configuration.connect else {
            return (Truth::Unknown(Doubt::NoConfiguration("Connect Sync")), open);
        };
        match place.connect.filter(|mark| mark.included) {
            None => (Truth::No, open),
            Some(mark) => (
                connect.takes(mark.connector, kind, object),
                connect.guard(mark.connector, kind, object),
            ),
        }
    }

    /// Whether any rule has the object, and whether a job that runs does. Jobs that run are asked
    /// first: another one with the same scope changes nothing then.
    fn in_cloud(&self, place: &Place, kind: ObjectType, object: &impl Attributes) -> (Truth, bool) {
        let having = |runs: bool| {
            let of = self
                .configuration
                .cloud
                .iter()
                .zip(0..)
                .filter(move |(one, _)| one.runs == runs);
            Truth::any(of.map(|(cloud, at)| has(cloud, at, place, kind, object)))
        };
        match having(true) {
            Truth::No => (having(false), false),
            answer => (answer, true),
        }
    }
}

/// Where a job looks: its containers, or the whole domain. Groups are asked about single objects.
fn containers(rule: &CloudRule, domain: &str) -> Vec<String> {
    if !rule.containers.is_empty() {
        return rule.containers.clone();
    }
    if !rule.groups.is_empty() {
        return Vec::new();
    }
    let labels: Vec<String> = domain
        .split('.')
        .map(|label| format!("DC={label}"))
        .collect();
    vec![labels.join(",")]
}

/// Whether a configuration has an object.
fn has(
    cloud: &CloudConfiguration,
    at: usize,
    place: &Place,
    kind: ObjectType,
    object: &impl Attributes,
) -> Truth {
    let Some(scope) = &cloud.scope else {
        return Truth::Unknown(Doubt::NoConfiguration("a job of Cloud Sync"));
    };
    Truth::any(scope.rules.iter().zip(0..).map(|(rule, number)| {
        let mapped = Truth::any(
            rule.mappings
                .iter()
                .map(|mapping| maps(mapping, kind, object)),
        );
        Truth::all([
            mapped,
            lies_in(rule, place.cloud.contains(&(at, number)), object),
        ])
    }))
}

fn lies_in(rule: &CloudRule, in_container: bool, object: &impl Attributes) -> Truth {
    if in_container || rule.groups.is_empty() {
        return in_container.into();
    }
    Truth::any(rule.groups.iter().map(|group| {
        object.is_member(group).map_or_else(
            || Truth::Unknown(Doubt::NoMembers(group.clone())),
            Truth::from,
        )
    }))
}

/// Whether a mapping takes an object of this type.
fn maps(mapping: &ObjectMapping, kind: ObjectType, object: &impl Attributes) -> Truth {
    let class = classes_of(kind)
        .first()
        .is_some_and(|class| class.eq_ignore_ascii_case(&mapping.source));
    if !class || !mapping.enabled || !(mapping.adds || mapping.updates) {
        return Truth::No;
    }
    let unread = if mapping.has_category_filters {
        Truth::Unknown(Doubt::Unclear(
            "a filter of an unpublished kind is set".to_owned(),
        ))
    } else {
        Truth::Yes
    };
    Truth::all([
        passes(&mapping.filters, object),
        passes(&mapping.input_filters, object),
        unread,
    ])
}

/// The nearest name decides.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the tree hands out what it holds"
)]
#[expect(clippy::ref_option, reason = "the tree hands out what it holds")]
fn nearest(sum: &mut PlaceId, value: &Option<u32>) {
    if let Some(place) = value {
        *sum = PlaceId(*place);
    }
}

/// Places from the root down: each takes over what holds above it.
fn grow(told: BTreeMap<(usize, String), Vec<Told>>) -> (Tree<Option<u32>>, Vec<Place>) {
    let mut tree = Tree::new();
    let mut places = vec![Place::default()];
    for ((_, name), told) in told {
        let above = tree.fold(&name, NOWHERE, nearest).unwrap_or(NOWHERE);
        let mut place = Place {
            name: name.clone(),
            ..places[above.0 as usize].clone()
        };
        for what in told {
            match what {
                // What a container is told comes behind its partition, and an exclusion last.
                Told::Connect(mark) => place.connect = Some(mark),
                Told::Cloud(at, rule) => place.cloud.push((at, rule)),
            }
        }
        if let (Ok(entry), Ok(number)) = (tree.entry(&name), u32::try_from(places.len())) {
            *entry = Some(number);
            places.push(place);
        }
    }
    (tree, places)
}

#[cfg(test)]
mod tests;
