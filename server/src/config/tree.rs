//! The configuration as it was written: values with their places.
//!
//! No `Debug` here: a tree holds secrets in the clear.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::report::{Place, Problem};

/// A value and where it was written.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// What was written.
#[derive(Clone)]
pub(super) enum Value {
    /// A text, number or yes-or-no.
    Scalar(Json),
    /// Something no key takes: a date, an infinite or a too large number; with its name.
    Odd(&'static str),
    /// A list.
    Array(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Entry>),
}

/// A key of a table with its value.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: Place,
    pub(super) node: Node,
}

impl Node {
    /// What kind of value it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(Json::String(_)) => "a text",
            Value::Scalar(Json::Bool(_)) => "true or false",
            Value::Scalar(_) => "a number",
            Value::Odd(name) => name,
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The entry of a key, if this is a table that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Table(table) => table.get(key),
            _ => None,
        }
    }

    /// The place of a path such as `tenant[0].polls.jobs`: that of its key if it was written,
    /// else that of the nearest table around it. The flag tells which.
    pub(super) fn place_of(&self, path: &str) -> (Place, bool) {
        let mut node = self;
        let mut place = self.place.clone();
        for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
            match &node.value {
                Value::Table(table) => match table.get(step) {
                    Some(entry) => {
                        place = entry.key.clone();
                        node = &entry.node;
                    }
                    None => return (place, false),
                },
                Value::Array(items) => {
                    match step.parse().ok().and_then(|at: usize| items.get(at)) {
                        Some(item) => {
                            place = item.place.clone();
                            node = item;
                        }
                        None => return (place, false),
                    }
                }
                _ => return (place, false),
            }
        }
        (place, true)
    }
}

/// Reads a TOML text as far as it can be read, and says what it could not read.
pub(super) fn parse(text: &str) -> (Node, Vec<Problem>) {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let problems = errors
        .iter()
        .map(|error| {
            let place = error.span().map_or(Place::Whole, |span| lines.place(&span));
            let message = error.message().trim_end_matches(", expected nothing");
            Problem::new(place, "", format!("this is not TOML: {message}")).mend(
                "texts stand in double quotes, tables are headed [name], lists of tables [[name]]",
            )
        })
        .collect();
    let mut node = table_node(table.get_ref(), Place::Whole, &lines);
    node.place = Place::Whole;
    (node, problems)
}

fn table_node(table: &DeTable<'_>, place: Place, lines: &Lines) -> Node {
    let entries = table.iter().map(|(key, value)| {
        let key_place = lines.place(&key.span());
        let entry = Entry {
            node: node(value, lines),
            key: key_place,
        };
        (key.get_ref().to_string(), entry)
    });
    Node {
        value: Value::Table(entries.collect()),
        place,
    }
}

fn array_node(items: &DeArray<'_>, place: Place, lines: &Lines) -> Node {
    let items = items.iter().map(|item| node(item, lines)).collect();
    Node {
        value: Value::Array(items),
        place,
    }
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let place = lines.place(&value.span());
    let value = match value.get_ref() {
        DeValue::Table(table) => return table_node(table, place, lines),
        DeValue::Array(items) => return array_node(items, place, lines),
        DeValue::String(text) => Value::Scalar(Json::from(text.as_ref())),
        DeValue::Boolean(yes) => Value::Scalar(Json::from(*yes)),
        DeValue::Integer(number) => integer(number)
            .map_or(Value::Odd("a number that is too large"), |n| {
                Value::Scalar(Json::from(n))
            }),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or(Value::Odd("a number without a value"), |n| {
                Value::Scalar(Json::Number(n))
            }),
        DeValue::Datetime(_) => Value::Odd("a date"),
    };
    Node { value, place }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let at = span.start.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts[line - 1];
        let column = self
            .text
            .get(start..at)
            .map_or(at - start, |head| head.chars().count())
            + 1;
        Place::File { line, column }
    }
}
