//! Answers of Microsoft Graph, read leniently: unknown members of enumerations, `null`, missing
//! fields, empty texts, zero dates and extra fields are normal; wrong types are not.
//!
//! Only the few needed fields of a row are read, in place. Pages of the provisioning log, which are
//! many and large, are read in one pass; other pages are split into rows first. The names Graph
//! gives its fields stay in here.

pub(crate) mod agents;
pub(crate) mod audits;
pub(crate) mod credentials;
pub(crate) mod jobs;
pub(crate) mod objects;
pub(crate) mod organization;
pub(crate) mod page;
pub(crate) mod principals;
pub mod provisioning;
pub(crate) mod schemas;
pub(crate) mod stream;
pub(crate) mod values;

use serde::Deserialize;
use thiserror::Error;

use crate::http::cut;

/// An answer that is not what it should be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{place}{why}")]
pub struct ParseError {
    what: &'static str,
    place: String,
    why: String,
}

impl ParseError {
    fn new(what: &'static str, why: impl Into<String>) -> Self {
        Self {
            what,
            place: String::new(),
            why: why.into(),
        }
    }

    fn json(what: &'static str, text: &str, error: &serde_json::Error) -> Self {
        let why = if text.trim_start().starts_with('<') {
            "it is an HTML page and not JSON; a proxy may have answered".to_owned()
        } else if text.trim().is_empty() {
            "it is empty".to_owned()
        } else if error.is_eof() {
            "it is cut off".to_owned()
        } else {
            cut(&error.to_string(), 200)
        };
        Self::new(what, why)
    }

    /// Names the row, counted from 1.
    fn in_row(mut self, index: usize) -> Self {
        self.place = format!("row {}: ", index + 1);
        self
    }

    /// What the answer was about.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }
}

/// The text of an answer: UTF-8, with or without a byte order mark.
fn text_of<'a>(what: &'static str, body: &'a [u8]) -> Result<&'a str, ParseError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Other encodings of Unicode pass as UTF-8 with zero bytes between the letters.
    if body.iter().take(4).any(|byte| *byte == 0) {
        return Err(ParseError::new(what, "it is not UTF-8 text (byte 0)"));
    }
    std::str::from_utf8(body).map_err(|error| {
        ParseError::new(
            what,
            format!("it is not UTF-8 text (byte {})", error.valid_up_to()),
        )
    })
}

/// Reads one object.
fn object<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, ParseError> {
    serde_json::from_str(text).map_err(|error| ParseError::json(what, text, &error))
}

#[cfg(test)]
mod tests;
