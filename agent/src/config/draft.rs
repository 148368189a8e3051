//! A configuration on its way from text to values, with all that is wrong so far.

use std::ops::Range;

use syncwatch_domain::span::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Place, Problem};

/// What is wrong so far.
pub(super) struct Draft<'d> {
    text: &'d str,
    pub(super) problems: Vec<Problem>,
}

/// A table of the file; empty when it was not written.
pub(super) struct Table<'t> {
    path: String,
    entries: Option<&'t DeTable<'t>>,
    place: Place,
    known: Vec<&'static str>,
}

impl Table<'_> {
    pub(super) const fn is_written(&self) -> bool {
        self.entries.is_some()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries
            .is_some_and(|entries| entries.contains_key(key))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

impl<'d> Draft<'d> {
    pub(super) const fn new(text: &'d str) -> Self {
        Self {
            text,
            problems: Vec::new(),
        }
    }

    /// The whole file.
    pub(super) const fn root<'t>(&self, entries: &'t DeTable<'t>) -> Table<'t> {
        Table {
            path: String::new(),
            entries: Some(entries),
            place: Place::Whole,
            known: Vec::new(),
        }
    }

    /// A table within a table.
    pub(super) fn table<'t>(&mut self, within: &mut Table<'t>, key: &'static str) -> Table<'t> {
        within.known.push(key);
        let path = within.path_of(key);
        let (entries, place) = match entry(within, key) {
            None => (None, within.place),
            Some((place, value)) => {
                let place = self.place(&place);
                match value.get_ref() {
                    DeValue::Table(entries) => (Some(entries), place),
                    _ => {
                        self.say(
                            within,
                            key,
                            "a table is expected here",
                            &format!("head a table with [{path}]"),
                        );
                        (None, place)
                    }
                }
            }
        };
        Table {
            path,
            entries,
            place,
            known: Vec::new(),
        }
    }

    pub(super) fn text(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<String> {
        table.known.push(key);
        let (_, value) = entry(table, key)?;
        match value.get_ref() {
            DeValue::String(text) if text.trim().is_empty() => {
                self.say(
                    table,
                    key,
                    "the text is empty",
                    "write a value, or leave the key out",
                );
                None
            }
            DeValue::String(text) => Some(text.trim().to_owned()),
            _ => {
                self.say(
                    table,
                    key,
                    "a text is expected here",
                    "put the value in double quotes",
                );
                None
            }
        }
    }

    pub(super) fn flag(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<bool> {
        table.known.push(key);
        let (_, value) = entry(table, key)?;
        match value.get_ref() {
            DeValue::Boolean(yes) => Some(*yes),
            _ => {
                self.say(
                    table,
                    key,
                    "true or false is expected here",
                    "write true or false, without quotes",
                );
                None
            }
        }
    }

    /// A span between bounds.
    pub(super) fn span(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
        (least, most): (Span, Span),
    ) -> Option<Span> {
        let text = self.text(table, key)?;
        match Span::parse(&text) {
            Ok(span) if span >= least && span <= most => Some(span),
            Ok(span) => {
                let mend = format!("write a duration from {least} to {most}");
                self.say(table, key, &format!("{span} is out of range"), &mend);
                None
            }
            Err(error) => {
                let said = error.to_string();
                let (what, mend) = said.split_once("; ").unwrap_or((&said, "write a duration"));
                self.say(table, key, what, mend);
                None
            }
        }
    }

    /// A number of bytes between bounds: a whole number, or a text such as `256MiB`.
    pub(super) fn bytes(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
        (least, most): (u64, u64),
    ) -> Option<u64> {
        table.known.push(key);
        let (_, value) = entry(table, key)?;
        let read = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::String(text) => size(text),
            _ => None,
        };
        if let Some(bytes) = read.filter(|bytes| (least..=most).contains(bytes)) {
            return Some(bytes);
        }
        let what = match read {
            Some(bytes) => format!("{bytes} bytes is out of range"),
            None => "a number of bytes is expected here".to_owned(),
        };
        let mend = format!("write a number from {least} to {most}, or a text such as \"256MiB\"");
        self.say(table, key, &what, &mend);
        None
    }

    /// Reports keys that nobody asked for.
    pub(super) fn close(&mut self, table: &Table<'_>) {
        let written = table.entries.into_iter().flat_map(DeTable::iter);
        let unknown = written.filter(|(key, _)| !table.known.contains(&key.get_ref().as_ref()));
        for (key, _) in unknown {
            let name = key.get_ref();
            let mend = match nearest(name, &table.known) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("remove it, or use one of: {}", table.known.join(", ")),
            };
            self.problems.push(Problem {
                place: self.place(&key.span()),
                key: table.path_of(name),
                what: format!("{name:?} is no key of this table"),
                mend,
            });
        }
    }

    /// Reports what is wrong with a key, at its place or that of its table.
    pub(super) fn say(&mut self, table: &Table<'_>, key: &str, what: &str, mend: &str) {
        let place = match entry(table, key) {
            Some((span, _)) => self.place(&span),
            None => table.place,
        };
        self.problems.push(Problem {
            place,
            key: table.path_of(key),
            what: what.to_owned(),
            mend: mend.to_owned(),
        });
    }

    /// Where a part of the text begins.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let before = &self.text[..self.text.floor_char_boundary(span.start)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place::At {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

fn entry<'t>(table: &Table<'t>, key: &str) -> Option<(Range<usize>, &'t Spanned<DeValue<'t>>)> {
    let (key, value) = table.entries?.get_key_value(key)?;
    Some((key.span(), value))
}

/// `256MiB`, `64 KiB`, `1GiB`.
fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The name most like a word, if one is like enough.
pub(super) fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let limit = 1 + word.chars().count() / 4;
    let measured = names
        .iter()
        .map(|name| (strsim::osa_distance(&word, name), *name));
    measured
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}
