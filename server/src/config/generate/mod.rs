//! Documents made from the config types: the reference and the commented example.

mod example;
mod reference;

use serde_json::Value as Json;
use syncwatch_domain::span::Span;

pub use self::example::example;
pub use self::reference::reference;
use super::schema::{Schema, alternatives, types};

/// A key of a table, as documents show it.
struct Row<'a> {
    name: &'a str,
    schema: &'a Json,
}

impl Row<'_> {
    /// A text without a default of its own must be given.
    fn is_required(&self) -> bool {
        self.schema
            .get("default")
            .is_some_and(|default| default == "")
    }

    /// The documentation of the key, on one line.
    fn text(&self, schemas: &Schema) -> String {
        let own = self.schema.get("description");
        let text = own
            .or_else(|| schemas.resolve(self.schema).get("description"))
            .and_then(Json::as_str);
        text.unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The default as it would be written in TOML; `None` where the key is simply absent. A text
    /// that ends in "Default `10s`" tells the default of a key that is optional in the types.
    fn default(&self, schemas: &Schema) -> Option<String> {
        if let Some(default) = self.schema.get("default").filter(|value| is_single(value)) {
            return Some(default.to_string());
        }
        let text = self.text(schemas);
        let (_, rest) = text.split_once("Default `")?;
        let word = rest.split('`').next()?;
        let plain = matches!(word, "true" | "false") || word.parse::<i64>().is_ok();
        Some(if plain {
            word.to_owned()
        } else {
            format!("{word:?}")
        })
    }

    /// The first example as it would be written in TOML.
    fn example(&self) -> Option<String> {
        super::schema::example(self.schema)
    }
}

/// The type of a key in words; a text whose default is a duration is one.
fn row_type(schemas: &Schema, row: &Row<'_>) -> String {
    let default = row.schema.get("default").and_then(Json::as_str);
    match type_text(schemas, row.schema) {
        kind if kind == "text" && default.is_some_and(|text| Span::parse(text).is_ok()) => {
            "duration".to_owned()
        }
        kind => kind,
    }
}

/// A value that fits on one line of TOML as it fits in JSON.
fn is_single(value: &Json) -> bool {
    match value {
        Json::Null | Json::Object(_) => false,
        Json::Array(items) => !items.is_empty() && items.iter().all(is_single),
        Json::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// The sections in the order in which they are read best.
const ORDER: &[&str] = &[
    "server", "store", "tenant", "lanes", "alerts", "receiver", "route",
];

/// The sections of the file.
fn sections(schemas: &Schema) -> Vec<Row<'_>> {
    let mut all = rows(schemas, schemas.root());
    all.sort_by_key(|row| {
        ORDER
            .iter()
            .position(|name| *name == row.name)
            .unwrap_or(ORDER.len())
    });
    all
}

/// The keys of a table by name: those that must be given first.
fn rows<'a>(schemas: &'a Schema, schema: &'a Json) -> Vec<Row<'a>> {
    let table = schemas.resolve(schema);
    let properties = table
        .get("properties")
        .and_then(Json::as_object)
        .into_iter()
        .flatten();
    let mut rows: Vec<Row<'a>> = properties
        .map(|(name, schema)| Row { name, schema })
        .collect();
    rows.sort_by_key(|row| (!row.is_required(), row.name));
    rows
}

/// What a key holds.
enum Shape<'a> {
    /// A value that stands behind `=`.
    Value,
    /// A table of its own.
    Table(&'a Json),
    /// Any number of tables, headed `[[name]]`.
    Tables(&'a Json),
    /// A table whose keys are free.
    Map(&'a Json),
}

fn shape<'a>(schemas: &'a Schema, schema: &'a Json) -> Shape<'a> {
    let schema = schemas.resolve(schema);
    match types(schema).as_slice() {
        ["object"] => match schema
            .get("additionalProperties")
            .filter(|more| more.is_object())
        {
            Some(more) => Shape::Map(schemas.resolve(more)),
            None => Shape::Table(schema),
        },
        ["array"] => match schema.get("items").map(|items| schemas.resolve(items)) {
            Some(items) if types(items) == ["object"] => Shape::Tables(items),
            _ => Shape::Value,
        },
        _ => Shape::Value,
    }
}

/// The type of a key in words.
fn type_text(schemas: &Schema, schema: &Json) -> String {
    if let Some(words) = schemas.words(schema) {
        return words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let format = schema.get("format").and_then(Json::as_str);
    let schema = schemas.resolve(schema);
    let many = alternatives(schema);
    if !many.is_empty() {
        return many
            .iter()
            .map(|one| type_text(schemas, one))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let names: Vec<String> = types(schema)
        .iter()
        .map(|kind| match *kind {
            "string" if format == Some("duration") => "duration".to_owned(),
            "string" => "text".to_owned(),
            "boolean" => "true or false".to_owned(),
            "integer" => "whole number".to_owned(),
            "array" => {
                let items = schema.get("items").map(|items| type_text(schemas, items));
                format!("list of {}", items.unwrap_or_default())
            }
            "object" => "table".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    names.join(" or ")
}
