//! Pages of large collections, read in one pass: each row's needed fields are read in place when
//! the reader comes to it, and what was passed over is the row as it came.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::values::{Text, filled};
use super::{ParseError, text_of};

/// The rows of a page, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Stream<'a> {
    what: &'static str,
    text: &'a str,
    /// Up to here the text was read.
    at: usize,
    rows: usize,
    next_link: Option<Cow<'a, str>>,
    done: bool,
}

impl<'a> Stream<'a> {
    /// Reads a page up to its first row.
    pub(crate) fn open(what: &'static str, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut stream = Self {
            what,
            text: text_of(what, body)?,
            at: 0,
            rows: 0,
            next_link: None,
            done: false,
        };
        if !stream.take(b'{') {
            // The reader of JSON knows best what is wrong with a text that is none.
            super::object::<IgnoredAny>(what, stream.text)?;
            return Err(stream.error("it is no object"));
        }
        if stream.find_rows(true)? {
            Ok(stream)
        } else {
            Err(stream.error("missing field `value`"))
        }
    }

    /// Where the next page is; surely known once the last row was read, because nobody promises
    /// that the link stands in front of the rows.
    pub(crate) fn next_link(&self) -> Option<&str> {
        self.next_link.as_deref()
    }

    /// How many rows were read.
    pub(crate) const fn rows_read(&self) -> usize {
        self.rows
    }

    /// Reads the needed fields of the next row; gives them with the row as it came. Nothing
    /// follows an error.
    pub(crate) fn next_row<T: Deserialize<'a>>(
        &mut self,
    ) -> Option<Result<(T, &'a str), ParseError>> {
        if self.done {
            return None;
        }
        let row = self.row().transpose();
        self.done = !matches!(row, Some(Ok(_)));
        row
    }

    fn row<T: Deserialize<'a>>(&mut self) -> Result<Option<(T, &'a str)>, ParseError> {
        if self.take(b']') {
            return self.finish().map(|()| None);
        }
        if self.rows > 0 {
            self.expect(b',')?;
        }
        let index = self.rows;
        self.rows += 1;
        // A struct would also be read from a list, field by field.
        if self.peek().is_some_and(|byte| byte != b'{') {
            return Err(self.error("it is no object").in_row(index));
        }
        let start = self.at;
        let row = self.value().map_err(|error| error.in_row(index))?;
        Ok(Some((row, &self.text[start..self.at])))
    }

    /// Reads what stands behind the rows.
    fn finish(&mut self) -> Result<(), ParseError> {
        if self.find_rows(false)? {
            return Err(self.error("duplicate field `value`"));
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("trailing characters behind the page")),
        }
    }

    /// Reads the fields of the page until its rows begin; `false` when the page ends.
    fn find_rows(&mut self, mut first: bool) -> Result<bool, ParseError> {
        loop {
            if self.take(b'}') {
                return Ok(false);
            }
            if !std::mem::take(&mut first) {
                self.expect(b',')?;
            }
            let Text(key) = self.value()?;
            self.expect(b':')?;
            match key.as_ref() {
                "value" if self.take(b'[') => return Ok(true),
                "value" => drop(self.value::<Vec<IgnoredAny>>()?),
                "@odata.nextLink" => self.next_link = filled(self.value()?),
                _ => {
                    self.value::<IgnoredAny>()?;
                }
            }
        }
    }

    /// Reads one value.
    fn value<T: Deserialize<'a>>(&mut self) -> Result<T, ParseError> {
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().ok_or_else(|| self.cut_off())?;
        self.at += values.byte_offset();
        value.map_err(|error| ParseError::json(self.what, rest, &error))
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes()[self.at..].iter();
        let blank = rest.take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        self.at += blank.count();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), ParseError> {
        if self.take(byte) {
            return Ok(());
        }
        if self.peek().is_none() {
            return Err(self.cut_off());
        }
        let expected = char::from(byte);
        Err(self.error(&format!("expected `{expected}` at byte {}", self.at)))
    }

    fn cut_off(&self) -> ParseError {
        self.error("it is cut off")
    }

    fn error(&self, why: &str) -> ParseError {
        ParseError::new(self.what, why)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::Value;

    use super::*;

    type Read<'a> = (Vec<(Value, &'a str)>, Option<String>);

    fn read(page: &str) -> Result<Read<'_>, String> {
        let mut stream =
            Stream::open("test", page.as_bytes()).map_err(|error| error.to_string())?;
        let mut rows = Vec::new();
        while let Some(row) = stream.next_row() {
            rows.push(row.map_err(|error| error.to_string())?);
        }
        assert!(stream.next_row::<Value>().is_none(), "it ends for good");
        Ok((rows, stream.next_link().map(str::to_owned)))
    }

    #[test]
    fn rows_are_kept_as_they_came_wherever_the_link_stands() {
        let rows = r#"{"a": "]}, {\"", "b": [1, {"c": null}]} , {"d":  "ü" }"#;
        for page in [
            format!(
                r#" {{ "@odata.nextLink" : "n" , "x": {{"value": [1]}}, "value" : [ {rows} ] }} "#
            ),
            format!("{{\"value\":[{rows}],\"n\":[[]],\n\"@odata.nextLink\":\"n\"}}\n"),
        ] {
            let (read, link) = read(&page).unwrap();
            let raw: Vec<_> = read.iter().map(|(_, raw)| *raw).collect();
            assert_eq!(
                raw,
                [
                    r#"{"a": "]}, {\"", "b": [1, {"c": null}]}"#,
                    r#"{"d":  "ü" }"#
                ]
            );
            assert_eq!(read[1].0["d"], "ü");
            assert_eq!(link.as_deref(), Some("n"));
        }
    }

    #[test]
    fn empty_links_and_pages_are_none() {
        for page in [
            r#"{"value":[]}"#,
            r#"{"@odata.nextLink":null,"value":[]}"#,
            r#"{"value":[],"@odata.nextLink":""}"#,
        ] {
            assert_eq!(read(page).unwrap(), (vec![], None), "{page}");
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for (page, part) in [
            (r#"{"value":[{}{}]}"#, "expected `,`"),
            (r#"{"value":[{},]}"#, "row 2: it is no object"),
            (r#"{"value":[,{}]}"#, "row 1: it is no object"),
            (r#"{"value":[{}],}"#, ""),
            (r#"{"value":[{}] "x":1}"#, "expected `,`"),
            (r#"{"value":[{}],"value":[]}"#, "duplicate"),
            (r#"{"x":1}"#, "missing field `value`"),
            (r#"{value:[]}"#, ""),
            (r#"{"value":[{"a":1}"#, "cut off"),
            (r#"{"value":[{"a":1}]"#, "cut off"),
            (r#"{"value":[{"a":"#, "row 1: it is cut off"),
            (r#"{"value"#, "cut off"),
            (r#"{"value":[{}]}{}"#, "trailing"),
            (r#"[{}]"#, "it is no object"),
        ] {
            let sentence = read(page).unwrap_err();
            assert!(
                sentence.contains(part) && !sentence.is_empty(),
                "{page}: {sentence}"
            );
        }
    }
}
