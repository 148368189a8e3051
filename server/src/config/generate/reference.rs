//! `docs/config.md`.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value as Json;
use syncwatch_domain::cadence::{Levels, Tolerance, documented_interval};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::span::Span;

use super::super::schema::{Schema, join};
use super::super::{ENVIRONMENT_PREFIX, json_schema};
use super::{Row, Shape, row_type, rows, sections, shape};

/// The configuration reference, whole.
#[must_use]
pub fn reference() -> String {
    let schemas = Schema::new(json_schema());
    let mut page = Page {
        schemas: &schemas,
        text: introduction(),
        seen: HashMap::new(),
    };
    for row in sections(&schemas) {
        page.section(row.name, &row);
    }
    page.text.truncate(page.text.trim_end().len());
    page.text + "\n"
}

fn introduction() -> String {
    format!(
        "# Configuration\n\n\
         <!-- Made by `syncwatch generate` from the config types. Do not edit. -->\n\n\
         One TOML file, `syncwatch.toml` unless `--config` says otherwise. `syncwatch check-config` reports every\n\
         mistake at once, with key, line and how to mend it, and exits 78 if there is one. Unknown keys are refused.\n\n\
         * **Durations** are numbers with a unit: `500ms`, `30s`, `15m`, `1h30m`, `2d`.\n\
         * **Schedules** are durations, or cron expressions with seconds first and an optional time zone:\n  \
           `TZ=Europe/Berlin 0 */15 * * * *`.\n\
         * **Secrets** named `x` have a twin `x_file` that names a file; it is read at each use, so it can be replaced\n  \
           at any time. Prefer it. No secret is ever logged or shown.\n\
         * **Environment**: every key can be set by a variable that begins with `{ENVIRONMENT_PREFIX}`; parts of the path are\n  \
           joined by two underscores: `{ENVIRONMENT_PREFIX}SERVER__LISTEN`, `{ENVIRONMENT_PREFIX}TENANT__0__CLIENT_SECRET` (list items are\n  \
           counted from 0). Variables win over the file.\n\n"
    )
}

struct Page<'a> {
    schemas: &'a Schema,
    text: String,
    /// Tables that were described already, by their definition, with their heading.
    seen: HashMap<String, String>,
}

impl Page<'_> {
    fn section(&mut self, path: &str, row: &Row<'_>) {
        let (heading, table) = match shape(self.schemas, row.schema) {
            Shape::Table(table) => (format!("[{path}]"), table),
            Shape::Tables(table) => (format!("[[{path}]]"), table),
            Shape::Map(table) => (format!("[{path}.<name>]"), table),
            Shape::Value => return,
        };
        let inner = rows(self.schemas, table);
        if inner.is_empty() {
            return;
        }
        let _ = write!(
            self.text,
            "## `{heading}`\n\n{}\n\n",
            cell(&row.text(self.schemas))
        );
        let definition = table.to_string();
        if let Some(same) = self.seen.get(&definition) {
            let _ = write!(self.text, "The keys are those of `{same}`.\n\n");
            return;
        }
        self.seen.insert(definition, heading);
        self.values(&inner);
        self.text.push_str(&appendix(path));
        for row in &inner {
            self.section(&join(path, row.name), row);
        }
    }

    fn values(&mut self, rows: &[Row<'_>]) {
        let values: Vec<&Row<'_>> = rows
            .iter()
            .filter(|row| self.is_value(row.schema))
            .collect();
        if values.is_empty() {
            return;
        }
        self.text
            .push_str("| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n");
        for row in values {
            let default = match (row.is_required(), row.default(self.schemas)) {
                (true, _) => "required".to_owned(),
                (false, Some(default)) => format!("`{default}`"),
                (false, None) => "-".to_owned(),
            };
            let kind = cell(&row_type(self.schemas, row));
            let text = cell(&row.text(self.schemas));
            let _ = writeln!(
                self.text,
                "| `{}` | {kind} | {} | {text} |",
                row.name,
                cell(&default)
            );
        }
        self.text.push('\n');
    }

    /// Whether a key stands in the table of its section rather than in one of its own.
    fn is_value(&self, schema: &Json) -> bool {
        match shape(self.schemas, schema) {
            Shape::Value => true,
            Shape::Table(table) | Shape::Tables(table) | Shape::Map(table) => {
                rows(self.schemas, table).is_empty()
            }
        }
    }
}

/// A text that is safe in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What belongs to a section beyond its keys.
fn appendix(path: &str) -> String {
    match path {
        "lanes" => levels(),
        "tenant" => polls(),
        _ => String::new(),
    }
}

fn levels() -> String {
    let mut text = "Without a word here, a lane keeps the interval its source promises (else the documented one below), \
        and these levels, counted from its last success:\n\n\
        | Lane | Documented interval | Late | Missed |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for engine in Engine::ALL {
        for kind in LaneKind::ALL {
            let levels = Levels::documented(*engine, *kind);
            let interval = Span(documented_interval(*engine, *kind));
            let (late, missed) = (tolerance(&levels.late), tolerance(&levels.missed));
            let _ = writeln!(text, "| {engine} {kind} | {interval} | {late} | {missed} |");
        }
    }
    text.push_str(
        "\nSources: Connect Sync scheduler documentation (30 min for objects, 2 min for password hashes) and the lateness rule \
         of its health service; Connect Health alerts on password hashes after 120 min; Cloud Sync job schedules \
         (published job records) and the spread of intervals that its documents and its users report.\n\
         A cadence learned from the last cycles may bring `late` forward, never `missed`.\n\n",
    );
    text
}

fn tolerance(tolerance: &Tolerance) -> String {
    let mut text = format!("{} x interval", tolerance.factor);
    if !tolerance.plus.0.is_zero() {
        let _ = write!(text, " + {}", tolerance.plus);
    }
    if !tolerance.floor.0.is_zero() {
        let _ = write!(text, ", at least {}", tolerance.floor);
    }
    text
}

fn polls() -> String {
    use syncwatch_collector::config::PollSettings;
    use syncwatch_domain::source::Poll;
    let mut text = "The polls, each with its schedule, the Microsoft Graph application permission it needs and what is lost \
        without it (`polls.<name>.schedule`, `polls.<name>.enabled`):\n\n\
        | Poll | Schedule | Permission | Lost without it |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for poll in Poll::GRAPH {
        let Some(right) = poll.right() else { continue };
        let schedule = PollSettings::documented(*poll).schedule;
        let optional = if right.optional { " (optional)" } else { "" };
        let _ = writeln!(
            text,
            "| `{poll}` | {schedule} | `{}`{optional} | {} |",
            right.permission, right.lost
        );
    }
    text.push('\n');
    text
}
