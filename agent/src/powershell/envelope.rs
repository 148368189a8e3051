//! Answers of the scripts: one line of JSON each, and what the agent makes of them.

use serde::Deserialize;
use serde_json::Value;
use syncwatch_domain::report::{Outcome, Section, SectionFailure};
use syncwatch_domain::time::Timestamp;

use super::failure::{ScriptError, text_of};
use crate::host::{Asked, Bookmark, Reading};

/// Format of answers that this build reads; text and reader come from the same build.
const SCHEMA: u32 = 1;

/// Beginnings of texts that Windows PowerShell writes instead of an object below its depth limit.
const TYPE_NAMES: &[&str] = &["Microsoft.IdentityManagement.", "System."];

/// One answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    schema: u32,
    id: i64,
    #[serde(default)]
    utc_offset_minutes: Option<i32>,
    #[serde(default)]
    ps_version: Option<String>,
    #[serde(default)]
    module_version: Option<String>,
    #[serde(default)]
    data: Vec<Value>,
    #[serde(default)]
    errors: Vec<ScriptError>,
}

/// Why a line is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Garbage {
    /// It is no JSON, or not of the shape of an answer.
    #[error("PowerShell printed a line that is no answer: {0}")]
    Shape(#[from] serde_json::Error),
    /// The answer to something else.
    #[error(
        "PowerShell answered request {found} in format {schema}, expected request {expected} in format {SCHEMA}"
    )]
    Other {
        /// The request it answers.
        found: i64,
        /// The one that was sent.
        expected: u64,
        /// Its format.
        schema: u32,
    },
}

impl Envelope {
    /// Reads the answer to a request.
    pub(super) fn read(line: &[u8], expected: u64) -> Result<Self, Garbage> {
        let envelope: Self = serde_json::from_slice(line)?;
        if envelope.schema == SCHEMA && u64::try_from(envelope.id) == Ok(expected) {
            return Ok(envelope);
        }
        Err(Garbage::Other {
            found: envelope.id,
            expected,
            schema: envelope.schema,
        })
    }

    /// What the answer says about a section.
    pub(super) fn reading(self, section: Section, asked: &Asked) -> Reading {
        let mut reading = Reading {
            utc_offset_minutes: self.utc_offset_minutes,
            interpreter_version: self.ps_version,
            module_version: self.module_version,
            ..judge(section, self.data, &self.errors)
        };
        if section == Section::Events && reading.outcome == Outcome::Read {
            take_bookmarks(&mut reading, asked);
        }
        reading
    }
}

/// A part that could not be read does not hide the others: it is only told.
fn judge(section: Section, data: Vec<Value>, errors: &[ScriptError]) -> Reading {
    if let Some(cut) = data.iter().find_map(|row| cut_off(section, row)) {
        return Reading::failed(
            SectionFailure::Unreadable,
            format!("a depth limit cut the section off: {cut} stands where an object belongs"),
        );
    }
    let failure_text = (!errors.is_empty()).then(|| text_of(errors));
    match errors.first() {
        Some(_) if !data.is_empty() => Reading {
            failure_text,
            ..Reading::of(data)
        },
        Some(_) if errors.iter().any(ScriptError::is_absent) => Reading::absent(),
        Some(error) => Reading::failed(error.failure(), failure_text.unwrap_or_default()),
        None => Reading::of(data),
    }
}

/// The name of a type that stands in a row. Texts of events and errors may begin with one.
fn cut_off(section: Section, row: &Value) -> Option<&str> {
    if section == Section::Events {
        return None;
    }
    match row {
        Value::String(text) => is_type_name(text).then_some(text.as_str()),
        Value::Array(items) => items.iter().find_map(|item| cut_off(section, item)),
        Value::Object(fields) => fields.values().find_map(|field| cut_off(section, field)),
        _ => None,
    }
}

fn is_type_name(text: &str) -> bool {
    TYPE_NAMES.iter().any(|start| text.starts_with(start))
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._+`[],".contains(c))
}

/// Takes the rows that say how far logs were read out of the data. A log that was not read keeps
/// its bookmark.
fn take_bookmarks(reading: &mut Reading, asked: &Asked) {
    let mut bookmarks = asked.bookmarks.clone();
    let mut more = false;
    reading.data.retain(|row| {
        if row["Kind"] != "Bookmark" {
            return true;
        }
        if let (Some(log), Some(record_id)) = (row["LogName"].as_str(), row["RecordId"].as_u64()) {
            let at = row["TimeCreated"].as_str().and_then(Timestamp::parse);
            bookmarks
                .0
                .insert(log.to_owned(), Bookmark { record_id, at });
        }
        more |= row["More"] == true;
        false
    });
    reading.bookmarks = Some(bookmarks);
    reading.more = more;
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
