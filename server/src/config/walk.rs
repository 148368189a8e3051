//! Holds a written configuration against the schema.
//!
//! Serde stops at the first mistake; this walk does not. It reports unknown keys, wrong types and
//! unknown words, and hands on what is left as JSON, so that one wrong value hides no other. What
//! it cannot know (is this text a duration?) is left to the conversion.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::hint;
use super::report::Problem;
use super::schema::{Schema, alternatives, join, known_keys, types};
use super::tree::{Entry, Node, Value};

/// What the walk found out about a part of the configuration.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) problems: Vec<Problem>,
    /// Keys whose value was left out, also those a misspelt key may have meant.
    pub(super) doubted: Vec<String>,
}

impl Walk {
    /// Checks `node` and returns what can be used of it; `None` when nothing can.
    pub(super) fn check(
        &mut self,
        schemas: &Schema,
        schema: &Json,
        node: &Node,
        path: &str,
    ) -> Option<Json> {
        let schema = schemas.resolve(schema);
        if let Some(words) = schemas.words(schema) {
            return self.check_word(&words, node, path);
        }
        let shapes = alternatives(schema);
        if !shapes.is_empty() {
            return self.check_any(schemas, &shapes, node, path);
        }
        match (&node.value, types(schema).as_slice()) {
            (Value::Table(table), ["object"]) => {
                Some(self.check_table(schemas, schema, table, path))
            }
            (Value::Array(items), ["array"]) => self.check_array(schemas, schema, items, path),
            (Value::Scalar(json), types) if types.iter().any(|one| fits(json, one)) => {
                self.check_bounds(schema, node, json, path)
            }
            (_, types) => {
                self.wrong_type(node, types, path);
                None
            }
        }
    }

    fn check_table(
        &mut self,
        schemas: &Schema,
        schema: &Json,
        table: &BTreeMap<String, Entry>,
        path: &str,
    ) -> Json {
        let mut usable = Map::new();
        for (key, entry) in table {
            let whole = join(path, key);
            let Some(property) = schemas.property(schema, key) else {
                let known = known_keys(schema);
                let meant = hint::nearest(key, known.iter().copied());
                let meant = meant.filter(|meant| !table.contains_key(*meant));
                self.doubted.extend(meant.map(|meant| join(path, meant)));
                self.problems
                    .push(hint::unknown_key(key, &whole, &entry.key, &known));
                continue;
            };
            match self.check(schemas, property, &entry.node, &whole) {
                Some(json) => {
                    usable.insert(key.clone(), json);
                }
                None => self.doubted.push(whole),
            }
        }
        Json::Object(usable)
    }

    fn check_array(
        &mut self,
        schemas: &Schema,
        schema: &Json,
        items: &[Node],
        path: &str,
    ) -> Option<Json> {
        let item_schema = schema.get("items")?;
        let checked: Vec<Option<Json>> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.check(schemas, item_schema, item, &format!("{path}[{at}]")))
            .collect();
        // Tables of a list keep their numbers; a list of single values is dropped as a whole.
        if types(schemas.resolve(item_schema)) == ["object"] {
            return Some(checked.into_iter().map(Option::unwrap_or_default).collect());
        }
        checked
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(Json::Array)
    }

    /// A value that may have one of several types.
    fn check_any(
        &mut self,
        schemas: &Schema,
        shapes: &[&Json],
        node: &Node,
        path: &str,
    ) -> Option<Json> {
        let shapes: Vec<&Json> = shapes.iter().map(|one| schemas.resolve(one)).collect();
        let fitting = shapes
            .iter()
            .find(|shape| types(shape).iter().any(|one| fits_node(node, one)));
        if let Some(shape) = fitting {
            return self.check(schemas, shape, node, path);
        }
        let expected: Vec<&str> = shapes.iter().flat_map(|shape| types(shape)).collect();
        self.wrong_type(node, &expected, path);
        None
    }

    fn check_word(&mut self, words: &[String], node: &Node, path: &str) -> Option<Json> {
        let Value::Scalar(Json::String(text)) = &node.value else {
            self.wrong_type(node, &["string"], path);
            return None;
        };
        if words.contains(text) {
            return Some(Json::from(text.as_str()));
        }
        let what = format!("{text:?} is not one of the words known here");
        let mend = match hint::nearest(text, words.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near:?}? Known: {}", words.join(", ")),
            None => format!("use one of: {}", words.join(", ")),
        };
        self.problems
            .push(Problem::new(node.place.clone(), path, what).mend(mend));
        None
    }

    fn check_bounds(
        &mut self,
        schema: &Json,
        node: &Node,
        json: &Json,
        path: &str,
    ) -> Option<Json> {
        let number = json.as_f64();
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let below = number
            .zip(least)
            .is_some_and(|(number, least)| number < least);
        let above = number.zip(most).is_some_and(|(number, most)| number > most);
        if !(below || above) {
            return Some(json.clone());
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("write a number from {least} to {most}"),
            (Some(least), None) => format!("write a number of {least} or more"),
            (_, most) => format!("write a number of {} or less", most.unwrap_or_default()),
        };
        let what = format!("{json} is out of range");
        self.problems
            .push(Problem::new(node.place.clone(), path, what).mend(range));
        None
    }

    fn wrong_type(&mut self, node: &Node, types: &[&str], path: &str) {
        let expected: Vec<&str> = types.iter().map(|one| type_name(one)).collect();
        let what = format!(
            "{} is expected here, this is {}",
            expected.join(" or "),
            node.kind()
        );
        let mut problem = Problem::new(node.place.clone(), path, what);
        problem.mend = match (types, &node.value) {
            (["string"], Value::Scalar(_)) => Some("put the value in double quotes".to_owned()),
            (["array"], Value::Scalar(_)) => Some("put the value in square brackets".to_owned()),
            (["integer" | "number" | "boolean"], Value::Scalar(Json::String(_))) => {
                Some("write it without quotes".to_owned())
            }
            (["object"], _) => Some(format!("head a table with [{path}]")),
            _ => None,
        };
        self.problems.push(problem);
    }
}

fn fits(json: &Json, kind: &str) -> bool {
    match kind {
        "string" => json.is_string(),
        "boolean" => json.is_boolean(),
        "integer" => json.is_i64() || json.is_u64(),
        "number" => json.is_number(),
        _ => false,
    }
}

fn fits_node(node: &Node, kind: &str) -> bool {
    match &node.value {
        Value::Scalar(json) => fits(json, kind),
        Value::Array(_) => kind == "array",
        Value::Table(_) => kind == "object",
        Value::Odd(_) => false,
    }
}

fn type_name(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}
