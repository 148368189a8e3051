//! Every metric family once: name, type, unit, labels with their sets of values, and what it says.
//!
//! The page takes its headers from here, the generated reference its text, and checks compare the page, the boards and
//! the alert rules with it. Labels come from closed sets: words of this product, or names out of the config and the
//! fleet. No user or object is ever a label.

mod families;

pub use families::*;

/// What a family counts or shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only grows while the thing it counts is known.
    Counter,
    /// Counts per bucket, with sum and count.
    Histogram,
    /// Sum and count.
    Summary,
    /// Facts as labels; the value is always 1.
    Info,
    /// Registered by another part without a type.
    Untyped,
}

/// Unit of a family; its name ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things, or none.
    None,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The unit as `OpenMetrics` spells it; `None` where there is none.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Seconds => Some("seconds"),
            Self::Bytes => Some("bytes"),
        }
    }
}

/// The values a label can have.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// These words and no others.
    Words(&'static [&'static str]),
    /// Names out of the config or the fleet, described for people.
    Names(&'static str),
    /// The status code of an answer, or one of these words where there was none.
    CodeOr(&'static [&'static str]),
}

impl Values {
    /// Whether a value belongs to the set.
    #[must_use]
    pub fn admits(&self, value: &str) -> bool {
        let is_code = || value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Words(words) => words.contains(&value),
            Self::Names(_) => !value.is_empty(),
            Self::CodeOr(words) => is_code() || words.contains(&value),
        }
    }
}

/// A label of a family.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub values: Values,
}

/// What the header of a family says.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Name as in the text format; a counter's ends with `_total`, an info's with `_info`.
    pub name: &'a str,
    /// Type.
    pub kind: Kind,
    /// Unit.
    pub unit: Unit,
    /// One sentence: what the value means, and when it is left out.
    pub help: &'a str,
}

/// Which part of the reference a family belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Lanes and their cycles.
    Lanes,
    /// What is polled.
    Sources,
    /// Cloud Sync jobs and their events.
    Jobs,
    /// Agents of both kinds, and sync servers.
    Agents,
    /// Objects and their owners.
    Owners,
    /// Alerts and messages.
    Alerts,
    /// The service itself.
    Service,
    /// The process.
    Process,
}

impl Section {
    /// Every section, in the order of the reference.
    pub const ALL: [Self; 8] = [
        Self::Lanes,
        Self::Sources,
        Self::Jobs,
        Self::Agents,
        Self::Owners,
        Self::Alerts,
        Self::Service,
        Self::Process,
    ];

    /// Heading in the reference.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Lanes => "Lanes",
            Self::Sources => "Sources",
            Self::Jobs => "Cloud Sync jobs",
            Self::Agents => "Agents and sync servers",
            Self::Owners => "Objects and their owners",
            Self::Alerts => "Alerts and messages",
            Self::Service => "The service",
            Self::Process => "The process",
        }
    }
}

/// A metric family.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Name, type, unit and meaning.
    pub head: Head<'static>,
    /// Its labels, in the order they are written. A label without a value is left out.
    pub labels: &'static [Label],
    /// Part of the reference.
    pub section: Section,
}

impl Family {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.head.name
    }

    /// The names its samples have on the page.
    #[must_use]
    pub fn sample_names(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.head.kind {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            Kind::Summary => &["_sum", "_count"],
            _ => &[""],
        };
        suffixes
            .iter()
            .map(|suffix| format!("{}{suffix}", self.head.name))
            .collect()
    }
}

/// The family with this name, if there is one.
#[must_use]
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES
        .iter()
        .copied()
        .find(|family| family.head.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_say_type_and_unit() {
        let mut seen = BTreeSet::new();
        for family in FAMILIES {
            let Head {
                name, kind, unit, ..
            } = family.head;
            assert!(seen.insert(name), "{name} is there twice");
            assert!(
                name.starts_with("syncwatch_") || name.starts_with("process_"),
                "{name}"
            );
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_info"), kind == Kind::Info, "{name}");
            if let Some(unit) = unit.as_str() {
                let stem = name.strip_suffix("_total").unwrap_or(name);
                assert!(
                    stem.ends_with(&format!("_{unit}")),
                    "{name} does not end with its unit"
                );
            }
        }
    }

    #[test]
    fn every_family_is_explained_in_one_line_and_none_speaks_of_people() {
        for family in FAMILIES {
            let Head { name, help, .. } = family.head;
            assert!(
                help.ends_with('.') && !help.contains('\n'),
                "{name}: {help:?}"
            );
            for label in family.labels {
                assert!(
                    !["user", "object", "instance", "le", "quantile"].contains(&label.name),
                    "{name}: {}",
                    label.name
                );
            }
        }
    }

    #[test]
    fn a_closed_set_admits_its_words_alone() {
        let words = Values::Words(&["late", "missed"]);
        assert!(words.admits("late") && !words.admits("Late") && !words.admits(""));
        let code = Values::CodeOr(&["timeout"]);
        assert!(
            code.admits("429")
                && code.admits("timeout")
                && !code.admits("4290")
                && !code.admits("4x9")
        );
        assert!(Values::Names("tenants").admits("hauser") && !Values::Names("tenants").admits(""));
    }
}
