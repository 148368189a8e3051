//! What is wrong with a configuration, all of it at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use syncwatch_domain::secret::Secret;
use syncwatch_domain::span::Span;

use super::SecretSource;

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a key path, e.g. `receiver[0].host`.
    pub path: String,
    /// What is wrong, as a sentence without a final stop.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

/// Looks at one table of the configuration and notes every mistake in it.
pub(super) struct Inspection<'a> {
    table: String,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Inspection<'a> {
    /// Looks at the table with the key path `table`.
    pub(super) fn of(table: String, problems: &'a mut Vec<Problem>) -> Self {
        Self { table, problems }
    }

    /// Notes a mistake at `key`.
    pub(super) fn refuse(
        &mut self,
        key: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.problems.push(Problem {
            path: format!("{}.{key}", self.table),
            message: message.into(),
            hint: hint.into(),
        });
    }

    /// The value, or the note that it is missing.
    pub(super) fn required<T>(&mut self, key: &str, value: Option<T>, hint: &str) -> Option<T> {
        if value.is_none() {
            self.refuse(key, format!("`{key}` is missing"), hint);
        }
        value
    }

    /// A text that is there and not blank.
    pub(super) fn text(&mut self, key: &str, value: Option<String>, hint: &str) -> Option<String> {
        let text = self.required(key, value, hint)?;
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.refuse(
                key,
                format!("`{key}` is empty or has control characters in it"),
                hint,
            );
            return None;
        }
        Some(text)
    }

    /// One word out of a closed set.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &str,
        text: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(
                key,
                format!("{text:?} is not known here"),
                format!("use one of: {}", known.join(", ")),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A duration within bounds; `default` where the key is absent or wrong.
    pub(super) fn span(
        &mut self,
        key: &str,
        value: Option<&str>,
        default: Span,
        (least, most): (Span, Span),
    ) -> Duration {
        let Some(text) = value else {
            return default.0;
        };
        match Span::parse(text) {
            Err(error) => self.refuse(
                key,
                error.to_string(),
                format!("leave it out for the default, {default}"),
            ),
            Ok(span) if span < least || span > most => self.refuse(
                key,
                format!("{span} is out of range"),
                format!("use a duration from {least} to {most}"),
            ),
            Ok(span) => return span.0,
        }
        default.0
    }

    /// A secret that stands in the configuration or in a file; `None` where neither is given.
    pub(super) fn secret(
        &mut self,
        key: &str,
        value: Option<Secret<String>>,
        file: Option<PathBuf>,
    ) -> Option<SecretSource> {
        match (value, file) {
            (Some(_), Some(_)) => {
                self.refuse(
                    key,
                    format!("both `{key}` and `{key}_file` are given"),
                    format!("keep one of them; `{key}_file` keeps the secret out of this file"),
                );
                None
            }
            (Some(value), None) if value.expose().trim().is_empty() => {
                self.refuse(
                    key,
                    format!("`{key}` is empty"),
                    "write the secret or leave the key out",
                );
                None
            }
            (Some(value), None) => Some(SecretSource::Inline(value)),
            (None, Some(path)) => Some(SecretSource::File(path)),
            (None, None) => None,
        }
    }
}

/// Notes every name that is used more than once; `key` is the key the name stands in.
pub(super) fn refuse_repetition<'n>(
    names: impl Iterator<Item = (usize, &'n str)>,
    table: &str,
    problems: &mut Vec<Problem>,
) {
    let mut first_at = BTreeMap::new();
    for (index, name) in names {
        if let Some(first) = first_at.get(name) {
            problems.push(Problem {
                path: format!("{table}[{index}].name"),
                message: format!("the name {name:?} is taken by {table}[{first}]"),
                hint: "give every receiver a name of its own; routes speak of receivers by name"
                    .into(),
            });
        } else {
            first_at.insert(name, index);
        }
    }
}
