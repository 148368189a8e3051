//! Rows: objects whose properties are asked for by name.

use std::time::Duration;

use serde_json::{Map, Value};

use super::data::rows_at;
use super::instant::Kind;
use super::list::{Texts, elements, object, texts};
use super::member::member;
use super::{Fault, Forms, Member, Numbered, ShapeError, Version, scalar, span, version};
use crate::time::Timestamp;

/// An object, where it stands, and what must be known to read it.
#[derive(Clone, Debug)]
pub(in crate::report) struct Row<'a> {
    at: String,
    fields: &'a Map<String, Value>,
    forms: Forms,
}

impl<'a> Row<'a> {
    pub(super) fn new(at: String, value: &'a Value, forms: Forms) -> Result<Self, ShapeError> {
        match object(value) {
            Ok(fields) => Ok(Self { at, fields, forms }),
            Err(fault) => Err(fault.at(at, value)),
        }
    }

    fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    /// Whether the property is there, even if it is `null`.
    pub(in crate::report) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether the property is `null` or not there.
    pub(in crate::report) fn is_null(&self, name: &str) -> bool {
        self.fields.get(name).is_none_or(Value::is_null)
    }

    /// Demands that the property is there, even if it is `null`.
    pub(in crate::report) fn demand(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<(), ShapeError> {
        if self.has(name) {
            Ok(())
        } else {
            Err(self.missing(name, expected))
        }
    }

    fn missing(&self, name: &str, expected: &'static str) -> ShapeError {
        ShapeError::Missing {
            at: self.place(name),
            expected,
        }
    }

    /// Reads a property; `None` when it is not there or `null`.
    fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, Fault>,
    ) -> Result<Option<T>, ShapeError> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .map_err(|fault| fault.at(self.place(name), value)),
        }
    }

    fn required<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, Fault>,
    ) -> Result<T, ShapeError> {
        self.optional(name, read)?
            .ok_or_else(|| self.missing(name, expected))
    }

    /// A text that is not blank.
    pub(in crate::report) fn text(&self, name: &str) -> Result<String, ShapeError> {
        self.required(name, "a text", |value| {
            scalar::text(value).and_then(|text| {
                if text.trim().is_empty() {
                    Err(Fault::Unexpected("a text that is not empty"))
                } else {
                    Ok(text)
                }
            })
        })
    }

    /// A text; `None` when it is blank or not there.
    pub(in crate::report) fn optional_text(
        &self,
        name: &str,
    ) -> Result<Option<String>, ShapeError> {
        Ok(self
            .optional(name, scalar::text)?
            .filter(|text| !text.trim().is_empty()))
    }

    /// An identifier, in lower case and without braces.
    pub(in crate::report) fn id(&self, name: &str) -> Result<String, ShapeError> {
        self.text(name).map(|text| plain_id(&text))
    }

    /// An identifier, if there is one.
    pub(in crate::report) fn optional_id(&self, name: &str) -> Result<Option<String>, ShapeError> {
        Ok(self.optional_text(name)?.map(|text| plain_id(&text)))
    }

    /// A whole number.
    pub(in crate::report) fn number(&self, name: &str) -> Result<i64, ShapeError> {
        self.required(name, "a whole number", scalar::number)
    }

    /// A whole number, if there is one.
    pub(in crate::report) fn optional_number(&self, name: &str) -> Result<Option<i64>, ShapeError> {
        self.optional(name, scalar::number)
    }

    /// A decimal number.
    pub(in crate::report) fn decimal(&self, name: &str) -> Result<f64, ShapeError> {
        self.required(name, "a number", scalar::decimal)
    }

    /// A truth value.
    pub(in crate::report) fn flag(&self, name: &str) -> Result<bool, ShapeError> {
        self.required(name, "true or false", scalar::flag)
    }

    /// A truth value, if there is one.
    pub(in crate::report) fn optional_flag(&self, name: &str) -> Result<Option<bool>, ShapeError> {
        self.optional(name, scalar::flag)
    }

    /// An instant.
    pub(in crate::report) fn instant(
        &self,
        name: &str,
        kind: Kind,
    ) -> Result<Timestamp, ShapeError> {
        self.optional_instant(name, kind)?
            .ok_or_else(|| self.missing(name, "an instant"))
    }

    /// An instant, if there is one.
    pub(in crate::report) fn optional_instant(
        &self,
        name: &str,
        kind: Kind,
    ) -> Result<Option<Timestamp>, ShapeError> {
        Ok(self
            .optional(name, |value| self.forms.instant(value, kind))?
            .flatten())
    }

    /// An instant that is good to know; `None` also where it can be read in two ways.
    pub(in crate::report) fn instant_if_sure(
        &self,
        name: &str,
        kind: Kind,
    ) -> Result<Option<Timestamp>, ShapeError> {
        match self.optional_instant(name, kind) {
            Err(ShapeError::Ambiguous { .. }) => Ok(None),
            other => other,
        }
    }

    /// A span.
    pub(in crate::report) fn span(&self, name: &str) -> Result<Duration, ShapeError> {
        self.required(name, "a span", span::span)
    }

    /// A span, if there is one.
    pub(in crate::report) fn optional_span(
        &self,
        name: &str,
    ) -> Result<Option<Duration>, ShapeError> {
        self.optional(name, span::span)
    }

    /// A member of an enumeration.
    pub(in crate::report) fn member<T: Numbered>(
        &self,
        name: &str,
    ) -> Result<Member<T>, ShapeError> {
        self.required(name, "a number or a name", member)
    }

    /// A member of an enumeration, if there is one.
    pub(in crate::report) fn optional_member<T: Numbered>(
        &self,
        name: &str,
    ) -> Result<Option<Member<T>>, ShapeError> {
        self.optional(name, member)
    }

    /// A version.
    pub(in crate::report) fn version(&self, name: &str) -> Result<Version, ShapeError> {
        self.required(name, "a version", version::version)
    }

    /// A list of texts; nothing is an empty one.
    pub(in crate::report) fn texts(
        &self,
        name: &str,
        what: Texts,
    ) -> Result<Vec<String>, ShapeError> {
        Ok(self
            .optional(name, |value| texts(value, what))?
            .unwrap_or_default())
    }

    /// An object, if there is one.
    pub(in crate::report) fn optional_row(&self, name: &str) -> Result<Option<Self>, ShapeError> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Row::new(self.place(name), value, self.forms).map(Some),
        }
    }

    /// An object.
    pub(in crate::report) fn row(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Self, ShapeError> {
        self.optional_row(name)?
            .ok_or_else(|| self.missing(name, expected))
    }

    /// A list of objects; nothing is an empty one.
    pub(in crate::report) fn rows(&self, name: &str) -> Result<Vec<Self>, ShapeError> {
        match self.fields.get(name) {
            None => Ok(Vec::new()),
            Some(value) => rows_at(&self.place(name), value, self.forms),
        }
    }

    /// A list of lists of objects; nothing is an empty one.
    pub(in crate::report) fn row_groups(&self, name: &str) -> Result<Vec<Vec<Self>>, ShapeError> {
        let Some(value) = self.fields.get(name) else {
            return Ok(Vec::new());
        };
        let at = self.place(name);
        elements(value)
            .map_err(|fault| fault.at(at.clone(), value))?
            .into_iter()
            .enumerate()
            .map(|(index, group)| rows_at(&format!("{at}[{index}]"), group, self.forms))
            .collect()
    }
}

/// An identifier as it is compared.
fn plain_id(text: &str) -> String {
    text.trim()
        .trim_start_matches('{')
        .trim_end_matches('}')
        .to_ascii_lowercase()
}
