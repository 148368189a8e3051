//! The JSON schema of the config types, as far as they use it.

use serde_json::{Map, Value as Json};

/// A JSON schema with its definitions.
pub(super) struct Schema {
    root: Json,
}

impl Schema {
    pub(super) const fn new(root: Json) -> Self {
        Self { root }
    }

    pub(super) const fn root(&self) -> &Json {
        &self.root
    }

    /// Follows `$ref` and looks through the "or nothing" of optional values.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Json) -> &'a Json {
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            let found = self.root.pointer(target.trim_start_matches('#'));
            return found.map_or(schema, |found| self.resolve(found));
        }
        match alternatives(schema).as_slice() {
            [only] => self.resolve(only),
            _ => schema,
        }
    }

    /// The words a schema allows, if it is a closed set of words.
    pub(super) fn words(&self, schema: &Json) -> Option<Vec<String>> {
        let schema = self.resolve(schema);
        if let Some(word) = schema.get("const").and_then(Json::as_str) {
            return Some(vec![word.to_owned()]);
        }
        if let Some(words) = schema.get("enum").and_then(Json::as_array) {
            return words
                .iter()
                .map(|word| word.as_str().map(str::to_owned))
                .collect();
        }
        let many = alternatives(schema);
        if many.is_empty() {
            return None;
        }
        let sets: Option<Vec<_>> = many.into_iter().map(|one| self.words(one)).collect();
        sets.map(|sets| sets.concat())
    }

    /// The schema of a key of a table.
    pub(super) fn property<'a>(&'a self, schema: &'a Json, key: &str) -> Option<&'a Json> {
        let schema = self.resolve(schema);
        let named = schema
            .get("properties")
            .and_then(|properties| properties.get(key));
        named.or_else(|| {
            schema
                .get("additionalProperties")
                .filter(|more| more.is_object())
        })
    }
}

/// The members of `anyOf` and `oneOf`, without "or nothing".
pub(super) fn alternatives(schema: &Json) -> Vec<&Json> {
    let is_nothing = |one: &&Json| one.get("type").and_then(Json::as_str) == Some("null");
    let lists = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema.get(key)?.as_array());
    lists.flatten().filter(|one| !is_nothing(one)).collect()
}

/// The type words of a schema, without "or nothing".
pub(super) fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(many)) => many
            .iter()
            .filter_map(Json::as_str)
            .filter(|one| *one != "null")
            .collect(),
        _ => Vec::new(),
    }
}

/// The keys a table may have.
pub(super) fn known_keys(schema: &Json) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect()
}

/// An example as it would be written in TOML.
pub(super) fn example(schema: &Json) -> Option<String> {
    schema
        .get("examples")?
        .as_array()?
        .first()
        .map(ToString::to_string)
}

/// `parent.key`, or `key` at the top.
pub(super) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the walk and the documents understand; a config type that needs more must be taught.
    const UNDERSTOOD: &[&str] = &[
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "default",
        "description",
        "enum",
        "examples",
        "format",
        "items",
        "maximum",
        "minimum",
        "oneOf",
        "properties",
        "title",
        "type",
    ];

    fn look(schema: &Json, path: &str) {
        let Some(table) = schema.as_object() else {
            return;
        };
        for (key, inner) in table {
            assert!(UNDERSTOOD.contains(&key.as_str()), "{path} uses {key}");
            let path = format!("{path}/{key}");
            match key.as_str() {
                "properties" | "$defs" => {
                    for (name, inner) in inner.as_object().into_iter().flatten() {
                        look(inner, &format!("{path}/{name}"));
                    }
                }
                "anyOf" | "oneOf" => inner
                    .as_array()
                    .into_iter()
                    .flatten()
                    .for_each(|one| look(one, &path)),
                "items" | "additionalProperties" => look(inner, &path),
                _ => {}
            }
        }
    }

    #[test]
    fn the_config_types_use_only_what_is_understood() {
        look(&crate::config::json_schema(), "");
    }

    #[test]
    fn every_table_refuses_unknown_keys() {
        let root = crate::config::json_schema();
        let tables = root["$defs"].as_object().into_iter().flatten();
        for (name, schema) in tables.filter(|(_, schema)| schema["type"] == "object") {
            assert_eq!(schema["additionalProperties"], false, "{name}");
        }
        assert_eq!(root["additionalProperties"], false);
    }
}
