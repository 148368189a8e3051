//! Pages of collections: split into rows, nothing of a row looked at yet.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::values::{Text, filled};
use super::{ParseError, text_of};

/// One page of a collection.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    what: &'static str,
    next_link: Option<Cow<'a, str>>,
    rows: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(rename = "@odata.nextLink", borrow, default)]
    next_link: Option<Text<'a>>,
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Splits a page.
    pub(crate) fn split(what: &'static str, body: &'a [u8]) -> Result<Self, ParseError> {
        let text = text_of(what, body)?;
        let page: RawPage<'a> = super::object(what, text)?;
        Ok(Self {
            what,
            next_link: filled(page.next_link),
            rows: page.value,
        })
    }

    /// Where the next page is; `None` on the last one. A page may be empty and still have one.
    pub(crate) fn next_link(&self) -> Option<&str> {
        self.next_link.as_deref()
    }

    /// The raw rows.
    pub(crate) fn raw(&self) -> &[&'a RawValue] {
        &self.rows
    }

    /// Reads the needed fields of a row.
    pub(crate) fn row<T: Deserialize<'a>>(&self, index: usize) -> Result<T, ParseError> {
        let text: &'a str = self.rows[index].get();
        // A struct would also be read from a list, field by field.
        if !text.starts_with('{') {
            return Err(ParseError::new(self.what, "it is no object").in_row(index));
        }
        super::object(self.what, text).map_err(|error| error.in_row(index))
    }

    /// Reads every row.
    pub(crate) fn all<T: Deserialize<'a>>(&self) -> Result<Vec<T>, ParseError> {
        (0..self.rows.len()).map(|index| self.row(index)).collect()
    }
}
