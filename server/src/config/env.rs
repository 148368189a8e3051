//! Overrides from the environment: `SYNCWATCH__SERVER__LISTEN` sets `server.listen`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::report::{Place, Problem};
use super::schema::{Schema, join, types};
use super::tree::{Entry, Node, Value, parse};

/// What every override begins with.
pub const PREFIX: &str = "SYNCWATCH__";

/// Writes the overrides among `variables` into the tree.
pub(super) fn apply(
    root: &mut Node,
    schemas: &Schema,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<Problem> {
    let ordered: BTreeMap<String, String> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let mut problems = Vec::new();
    for (name, text) in ordered {
        let steps: Vec<String> = name[PREFIX.len()..]
            .split("__")
            .map(str::to_lowercase)
            .collect();
        let place = Place::Environment {
            variable: name.clone(),
        };
        if steps.iter().any(String::is_empty) {
            let what = "the name is not a path of keys";
            problems.push(
                Problem::new(place, "", what)
                    .mend(format!("write for example {PREFIX}SERVER__LISTEN")),
            );
            continue;
        }
        let value = read(&text, &leaf_types(schemas, &steps));
        if let Err(what) = set(
            root,
            &steps,
            Node {
                value,
                place: place.clone(),
            },
        ) {
            problems.push(Problem::new(place, path_of(&steps), what));
        }
    }
    problems
}

/// The path as reports write it.
fn path_of(steps: &[String]) -> String {
    steps
        .iter()
        .fold(String::new(), |path, step| match step.parse::<usize>() {
            Ok(number) => format!("{path}[{number}]"),
            Err(_) => join(&path, step),
        })
}

/// The types the schema allows where the path ends.
fn leaf_types<'a>(schemas: &'a Schema, steps: &[String]) -> Vec<&'a str> {
    let mut schema = schemas.root();
    for step in steps {
        let resolved = schemas.resolve(schema);
        let inner = if types(resolved) == ["array"] {
            resolved.get("items")
        } else {
            schemas.property(resolved, step)
        };
        match inner {
            Some(inner) => schema = inner,
            None => return Vec::new(),
        }
    }
    types(schemas.resolve(schema))
}

/// Reads the text of a variable as the type that is expected; a text needs no quotes.
fn read(text: &str, expected: &[&str]) -> Value {
    let as_text = Value::Scalar(Json::from(text));
    if expected.is_empty() || expected.contains(&"string") {
        return as_text;
    }
    let (tree, problems) = parse(&format!("value = {text}"));
    match tree.entry("value") {
        Some(entry) if problems.is_empty() => entry.node.value.clone(),
        _ => as_text,
    }
}

/// Puts `node` at the end of the path; tables on the way are made, list items must exist or be
/// the next one.
fn set(into: &mut Node, steps: &[String], node: Node) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *into = relabel(node);
        return Ok(());
    };
    let place = node.place.clone();
    let made = |value| Node {
        value,
        place: place.clone(),
    };
    match &mut into.value {
        Value::Table(table) => {
            let list_ahead = rest
                .first()
                .is_some_and(|next| next.parse::<usize>().is_ok());
            let empty = if list_ahead {
                Value::Array(Vec::new())
            } else {
                Value::Table(BTreeMap::new())
            };
            let entry = table.entry(step.clone()).or_insert_with(|| Entry {
                key: place.clone(),
                node: made(empty),
            });
            if rest.is_empty() {
                entry.key = place;
            }
            set(&mut entry.node, rest, node)
        }
        Value::Array(items) => {
            let at: usize = step.parse().map_err(|_| {
                format!("{step:?} is not the number of a list item, counted from 0")
            })?;
            if at == items.len() {
                items.push(made(Value::Table(BTreeMap::new())));
            }
            let count = items.len();
            let item = items
                .get_mut(at)
                .ok_or_else(|| format!("there is no list item {at}, the list has {count}"))?;
            set(item, rest, node)
        }
        _ => Err("there is a single value on the way of this path".to_owned()),
    }
}

/// Gives everything inside a value that was read from a variable the place of the variable.
fn relabel(mut node: Node) -> Node {
    let place = node.place.clone();
    let within = |mut inner: Node| {
        inner.place = place.clone();
        relabel(inner)
    };
    node.value = match node.value {
        Value::Array(items) => Value::Array(items.into_iter().map(within).collect()),
        Value::Table(table) => Value::Table(
            table
                .into_iter()
                .map(|(key, entry)| {
                    (
                        key,
                        Entry {
                            key: place.clone(),
                            node: within(entry.node),
                        },
                    )
                })
                .collect(),
        ),
        other => other,
    };
    node
}
