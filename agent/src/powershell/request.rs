//! Requests: one line of JSON each, which would do nothing if it were read as a command.
//!
//! Every character of a text that is not a letter, a digit or harmless is written as `\uXXXX`.
//! What came over the network can thus neither end the line nor its text, and a request is ASCII,
//! whatever code page the other side reads.

use std::io;

use serde::Serialize as _;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use serde_json::{Value, json};
use syncwatch_domain::report::Section;

use crate::host::{Asked, Bookmarks, Wanted};

/// No request looks up more names than this.
const MOST_CONTAINERS: usize = 1_000;
/// A longer name is none of the directory's.
const LONGEST_NAME: usize = 2_000;
/// How far back a log is read that has no bookmark: enough for the last signs of life, in hours.
const LOOK_BACK_HOURS: u32 = 24;
/// Runs of a first reading: a day of a server with a forest.
pub(super) const MANY_RUNS: u32 = 300;
/// Runs of any further reading: those of several cycles.
pub(super) const FEW_RUNS: u32 = 60;

/// What a section is told; `runs` is how many runs to ask for.
pub(super) fn arguments(section: Section, asked: &Asked, runs: u32) -> Value {
    match section {
        Section::Runs => json!({ "most": runs, "userNames": asked.user_names }),
        Section::Events => json!({
            "most": asked.most_events,
            "hours": LOOK_BACK_HOURS,
            "userNames": asked.user_names,
            "bookmarks": bookmarks(&asked.bookmarks),
        }),
        Section::Containers => json!({ "containers": containers(asked) }),
        _ => json!({}),
    }
}

fn bookmarks(bookmarks: &Bookmarks) -> Vec<Value> {
    let rows = bookmarks.0.iter().map(|(log, bookmark)| {
        json!({
            "LogName": log,
            "RecordId": bookmark.record_id,
            "TimeCreated": bookmark.at.map(|at| at.to_string()),
        })
    });
    rows.collect()
}

fn containers(asked: &Asked) -> Vec<Value> {
    let wanted = asked.containers.iter();
    let wanted = wanted.filter(|wanted| wanted.name.chars().count() <= LONGEST_NAME);
    let rows = wanted.take(MOST_CONTAINERS).map(
        |Wanted { name, known_id }| json!({ "DistinguishedName": name, "ObjectGuid": known_id }),
    );
    rows.collect()
}

/// The line that asks for a section, with its end.
pub(super) fn line(id: u64, section: Section, arguments: &Value) -> Vec<u8> {
    let request = json!({ "id": id, "section": section.as_str(), "arguments": arguments });
    let mut line = Vec::new();
    let written = request.serialize(&mut Serializer::with_formatter(&mut line, Inert));
    debug_assert!(
        written.is_ok(),
        "a value of JSON can always be written to memory"
    );
    line.push(b'\n');
    line
}

/// Writes JSON in which no text has a character that means anything elsewhere.
struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for letter in fragment.chars() {
            if letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '.' | ':' | '_' | '-') {
                writer.write_all(&[letter as u8])?;
            } else {
                for unit in letter.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let code = match escape {
            CharEscape::Quote => b'"',
            CharEscape::ReverseSolidus => b'\\',
            CharEscape::Solidus => b'/',
            CharEscape::Backspace => 0x08,
            CharEscape::FormFeed => 0x0c,
            CharEscape::LineFeed => b'\n',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::Tab => b'\t',
            CharEscape::AsciiControl(code) => code,
        };
        write!(writer, "\\u{code:04x}")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;
    use syncwatch_domain::time::Timestamp;

    use crate::host::Bookmark;

    use super::*;

    fn asked(containers: &[(&str, Option<&str>)]) -> Asked {
        let bookmark = Bookmark {
            record_id: 884_211,
            at: Timestamp::parse("2026-11-17T09:32:24.010Z"),
        };
        Asked {
            timeout: Duration::from_secs(60),
            containers: containers
                .iter()
                .map(|(name, known_id)| Wanted {
                    name: (*name).to_owned(),
                    known_id: known_id.map(str::to_owned),
                })
                .collect(),
            bookmarks: Bookmarks(BTreeMap::from([("Application".to_owned(), bookmark)])),
            most_events: 400,
            user_names: false,
        }
    }

    #[test]
    fn a_section_is_told_what_it_needs_and_no_more() {
        let asked = asked(&[("OU=Staff,DC=ad,DC=hauser,DC=example", None)]);
        for section in Section::ALL {
            let told = arguments(*section, &asked, FEW_RUNS);
            let names: Vec<_> = told
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let expected: &[&str] = match section {
                Section::Runs => &["most", "userNames"],
                Section::Events => &["bookmarks", "hours", "most", "userNames"],
                Section::Containers => &["containers"],
                _ => &[],
            };
            assert_eq!(names, expected, "{section}");
        }
        let events = arguments(Section::Events, &asked, FEW_RUNS);
        assert_eq!(
            events["bookmarks"],
            json!([{ "LogName": "Application", "RecordId": 884_211, "TimeCreated": "2026-11-17T09:32:24.010Z" }])
        );
    }

    #[test]
    fn ids_go_along_with_the_names_they_were_found_under() {
        let long = format!("OU={},DC=example", "x".repeat(LONGEST_NAME));
        let asked = asked(&[
            ("OU=Old,DC=hauser,DC=example", Some("an id")),
            ("OU=New,DC=hauser,DC=example", None),
            (&long, None),
        ]);
        let told = arguments(Section::Containers, &asked, FEW_RUNS);
        assert_eq!(
            told["containers"],
            json!([
                { "DistinguishedName": "OU=Old,DC=hauser,DC=example", "ObjectGuid": "an id" },
                { "DistinguishedName": "OU=New,DC=hauser,DC=example", "ObjectGuid": null },
            ])
        );
    }

    proptest! {
        #[test]
        fn a_name_from_outside_stays_data(name in "\\PC{0,40}", controls in "[\\x00-\\x1f\"'`$;{}()|&\\\\]{0,20}") {
            let name = format!("{name}{controls}");
            let arguments = json!({ "containers": [{ "DistinguishedName": name, "ObjectGuid": null }] });
            let line = line(7, Section::Containers, &arguments);
            let text = String::from_utf8(line).unwrap();
            let body = text.strip_suffix('\n').unwrap();
            // Read back it is the same; on its way it is one line of harmless characters.
            let read: Value = serde_json::from_str(body).unwrap();
            prop_assert_eq!(&read["arguments"], &arguments);
            prop_assert!(body.chars().all(|c| c.is_ascii_alphanumeric() || " .:_-{}[],\"\\".contains(c)), "{}", body);
            prop_assert!(!body.contains("\\\""));
            prop_assert_eq!(body.matches('"').count() % 2, 0);
            prop_assert_eq!(body.matches('{').count(), body.matches('}').count());
        }
    }
}
