//! The commented example configuration.

use std::fmt::Write;

use super::super::json_schema;
use super::super::schema::{Schema, join};
use super::{Row, Shape, rows, sections, shape};

/// A table of the example with the values that are not commented out.
struct Live {
    table: &'static str,
    values: &'static [(&'static str, &'static str)],
}

/// The part of the example that is in force: the least that is of use.
const LIVE: &[Live] = &[
    Live {
        table: "tenant",
        values: &[
            ("name", "\"contoso\""),
            ("id", "\"00000000-0000-4000-8000-000000000001\""),
            ("client_id", "\"00000000-0000-4000-8000-000000000002\""),
            ("client_secret_file", "\"/run/secrets/syncwatch-contoso\""),
        ],
    },
    Live {
        table: "receiver",
        values: &[
            ("name", "\"noc-mail\""),
            ("kind", "\"mail\""),
            ("host", "\"smtp.contoso.example\""),
            ("from", "\"syncwatch <syncwatch@contoso.example>\""),
            ("to", "[\"noc@contoso.example\"]"),
            ("username", "\"syncwatch\""),
            ("password_file", "\"/run/secrets/syncwatch-smtp\""),
            ("fallback", "\"noc-teams\""),
        ],
    },
    Live {
        table: "receiver",
        values: &[
            ("name", "\"noc-teams\""),
            ("kind", "\"teams\""),
            ("url_file", "\"/run/secrets/syncwatch-teams-url\""),
        ],
    },
    Live {
        table: "receiver",
        values: &[
            ("name", "\"tickets\""),
            ("kind", "\"webhook\""),
            ("url", "\"https://tickets.contoso.example/hooks/syncwatch\""),
            ("secret_file", "\"/run/secrets/syncwatch-webhook\""),
        ],
    },
    Live {
        table: "route",
        values: &[
            ("min_severity", "\"critical\""),
            ("receivers", "[\"tickets\"]"),
            ("continue", "true"),
        ],
    },
    Live {
        table: "route",
        values: &[
            ("min_severity", "\"warning\""),
            ("receivers", "[\"noc-mail\", \"noc-teams\"]"),
        ],
    },
];

/// Values of keys that have neither a default nor an example in the types.
const SAMPLES: &[(&str, &str)] = &[
    ("ca_file", "/etc/syncwatch/authorities.pem"),
    ("certificate_file", "/etc/syncwatch/contoso.pem"),
    ("endpoint", "http://127.0.0.1:40342"),
    (
        "federated_token_file",
        "/var/run/secrets/azure/tokens/azure-identity-token",
    ),
    ("graph_url", "https://graph.microsoft.com"),
    ("headers_file", "/run/secrets/syncwatch-headers"),
    ("hello", "monitor.contoso.example"),
    ("login_url", "https://login.microsoftonline.com"),
    ("private_key_file", "/etc/syncwatch/contoso.key"),
    ("schedule", "1m"),
    ("tls", "starttls"),
];

const WIDTH: usize = 100;

/// The commented example, whole.
#[must_use]
pub fn example() -> String {
    let schemas = Schema::new(json_schema());
    let mut sheet = Sheet {
        schemas: &schemas,
        text: String::new(),
        shown: Vec::new(),
        explained: Vec::new(),
    };
    sheet.comment(
        "syncwatch: example configuration. Made by `syncwatch generate` from the config types. \
         Lines behind a single # are settings that are not in force: they show the default, or an example. \
         The reference with all keys is docs/config.md; `syncwatch check-config` tells what is wrong.",
    );
    for row in sections(&schemas) {
        let instances: Vec<&Live> = LIVE.iter().filter(|live| live.table == row.name).collect();
        if instances.is_empty() {
            sheet.table(row.name, &row, &[], true);
        }
        for live in instances {
            sheet.table(row.name, &row, live.values, true);
        }
    }
    sheet.text
}

struct Sheet<'a> {
    schemas: &'a Schema,
    text: String,
    /// Keys that were shown in an earlier table of the same name.
    shown: Vec<String>,
    /// Names and texts of keys that were explained already.
    explained: Vec<(String, String)>,
}

impl Sheet<'_> {
    /// A table with its keys. One that is not in force has its heading commented out.
    fn table(&mut self, path: &str, row: &Row<'_>, live: &[(&str, &str)], in_force: bool) {
        let (heading, table, in_force) = match shape(self.schemas, row.schema) {
            Shape::Table(table) => (format!("[{path}]"), table, in_force),
            Shape::Tables(table) => (format!("[[{path}]]"), table, in_force && !live.is_empty()),
            Shape::Map(_) | Shape::Value => return,
        };
        let mark = if in_force { "" } else { "#" };
        self.text.push('\n');
        self.comment(&row.text(self.schemas));
        let _ = writeln!(self.text, "{mark}{heading}");
        let inner = rows(self.schemas, table);
        for (key, value) in live {
            if let Some(row) = inner.iter().find(|row| row.name == *key) {
                self.describe(path, row);
                let _ = writeln!(self.text, "{key} = {value}");
            }
        }
        for row in &inner {
            let shown = self.shown.contains(&join(path, row.name));
            if live.iter().any(|(key, _)| *key == row.name)
                || shown
                || !belongs(&row.text(self.schemas), live)
            {
                continue;
            }
            self.idle(path, row);
        }
        for row in &inner {
            let whole = join(path, row.name);
            if !self.shown.contains(&whole) {
                self.table(&whole, row, &[], in_force && live.is_empty());
            }
        }
    }

    /// A key that is not in force.
    fn idle(&mut self, path: &str, row: &Row<'_>) {
        let sample = SAMPLES
            .iter()
            .find(|(key, _)| *key == row.name)
            .map(|(_, value)| format!("{value:?}"));
        let fallback = match shape(self.schemas, row.schema) {
            Shape::Table(table) if rows(self.schemas, table).is_empty() => "{}",
            Shape::Map(_) => "{}",
            Shape::Table(_) | Shape::Tables(_) => return,
            Shape::Value => match super::type_text(self.schemas, row.schema).as_str() {
                "true or false" => "false",
                "whole number" => "1",
                kind if kind.starts_with("list") => "[]",
                kind if kind.starts_with('`') => &format!(
                    "\"{}\"",
                    kind.trim_start_matches('`')
                        .split('`')
                        .next()
                        .unwrap_or_default()
                ),
                _ => "\"...\"",
            },
        };
        let known = row
            .default(self.schemas)
            .or_else(|| row.example())
            .or(sample);
        let value = known.unwrap_or_else(|| fallback.to_owned());
        self.describe(path, row);
        let _ = writeln!(self.text, "#{} = {value}", row.name);
    }

    /// The text of a key, unless it was shown before.
    fn describe(&mut self, path: &str, row: &Row<'_>) {
        let whole = join(path, row.name);
        if !self.shown.contains(&whole) {
            self.shown.push(whole);
            let explanation = (row.name.to_owned(), row.text(self.schemas));
            if !self.explained.contains(&explanation) {
                self.comment(&explanation.1);
                self.explained.push(explanation);
            }
        }
    }

    fn comment(&mut self, text: &str) {
        let mut line = String::from("##");
        for word in text.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH {
                let _ = writeln!(self.text, "{line}");
                line = String::from("##");
            }
            line.push(' ');
            line.push_str(word);
        }
        if line.len() > 2 {
            let _ = writeln!(self.text, "{line}");
        }
    }
}

/// Whether a key that is documented for some kinds of receiver belongs to the kind shown.
fn belongs(text: &str, live: &[(&str, &str)]) -> bool {
    let Some((_, kind)) = live.iter().find(|(key, _)| *key == "kind") else {
        return true;
    };
    let kind = kind.trim_matches('"');
    match text.split_once(": ") {
        Some((kinds, _)) if is_kinds(kinds) => kinds.to_lowercase().contains(kind),
        _ => true,
    }
}

fn is_kinds(text: &str) -> bool {
    text.to_lowercase()
        .split(" and ")
        .all(|word| ["mail", "teams", "webhook"].contains(&word))
}
