//! The reference `docs/agent-config.md` and the commented example, made from this list of keys.
//!
//! It stands among the tests: the program does not carry it along. The tests hold the list to what
//! is read, and the documents to the list; with `SYNCWATCH_GENERATE=1` they write them.

mod keys;

use std::fmt::Write as _;

use super::*;

const REFERENCE: &str = "docs/agent-config.md";
const EXAMPLE: &str = "deploy/config/syncwatch-agent.example.toml";
/// Longest line of the example, in characters.
const WIDTH: usize = 100;

/// A table of the file.
struct Shown {
    path: String,
    meaning: String,
    /// The example has it in force.
    is_written: bool,
    keys: Vec<Key>,
}

/// A key of a table.
struct Key {
    name: &'static str,
    kind: &'static str,
    /// In words or as it would be written; `None` where nothing holds unless it is given.
    default: Option<String>,
    meaning: String,
    /// What the example shows, as it is written.
    value: String,
    /// The example has it in force.
    is_written: bool,
}

fn reference() -> String {
    let mut text = String::from(keys::HEAD_OF_REFERENCE);
    for table in keys::tables() {
        if table.path.starts_with("sections.") {
            continue;
        }
        heading(&mut text, &table.path, &table.meaning);
        rows(&mut text, &table.keys);
    }
    heading(&mut text, "sections.<section>", keys::SECTIONS);
    rows(&mut text, &keys::of_section(None));
    text.push_str(
        "\n| Section | Read | Longest reading | On | Meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for section in Section::ALL {
        let schedule = Schedule::of(*section);
        let _ = writeln!(
            text,
            "| `{section}` | every {} | {} | {} | {} |",
            Span(schedule.interval),
            Span(schedule.timeout),
            keys::servers(*section),
            keys::meaning(*section)
        );
    }
    text
}

fn heading(text: &mut String, path: &str, meaning: &str) {
    let _ = write!(text, "\n## `[{path}]`\n\n{meaning}\n\n");
}

fn rows(text: &mut String, keys: &[Key]) {
    text.push_str("| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for key in keys {
        let default = key.default.as_deref().map_or_else(
            || "-".to_owned(),
            |default| match default.strip_prefix(' ') {
                // In words.
                Some(words) => words.to_owned(),
                None => format!("`{default}`"),
            },
        );
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {} |",
            key.name, key.kind, key.meaning
        );
    }
}

fn example() -> String {
    let mut text = String::new();
    comment(&mut text, keys::HEAD_OF_EXAMPLE);
    for table in keys::tables() {
        text.push('\n');
        comment(&mut text, &table.meaning);
        let off = if table.is_written { "" } else { "#" };
        let _ = writeln!(text, "{off}[{}]", table.path);
        for key in &table.keys {
            // Keys of sections are the same in all of them.
            if !table.path.starts_with("sections.") {
                comment(&mut text, &key.meaning);
            }
            let off = if key.is_written { "" } else { "#" };
            let _ = writeln!(text, "{off}{} = {}", key.name, key.value);
        }
    }
    text
}

/// Lines of a comment, each no longer than the width.
fn comment(text: &mut String, words: &str) {
    let mut line = String::from("##");
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line.truncate(2);
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}

/// The example with every line in force that `wanted` picks by its key and value.
fn in_force(wanted: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for line in example().lines() {
        let off = line.strip_prefix('#').filter(|line| !line.starts_with('#'));
        let line = off.filter(|off| wanted(off)).unwrap_or(line);
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn loaded(text: &str) -> Config {
    let loaded = load("example", text, Path::new("/etc/syncwatch-agent"));
    loaded.unwrap_or_else(|report| panic!("{report}\n{text}"))
}

#[test]
fn documents_are_as_they_would_be_made_now() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    for (path, text) in [(REFERENCE, reference()), (EXAMPLE, example())] {
        let file = root.join(path);
        if std::env::var_os("SYNCWATCH_GENERATE").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found.replace("\r\n", "\n") == text,
            "{path} is not as generated: SYNCWATCH_GENERATE=1 cargo test -p syncwatch-agent documents"
        );
    }
}

/// Keys that a table may hold, as the report about an unknown one names them.
fn accepted(path: &str) -> Vec<String> {
    const UNKNOWN: &str = "no_such_key_anywhere_at_all";
    let head = if path.is_empty() {
        String::new()
    } else {
        format!("[{path}]\n")
    };
    let text = format!("{head}{UNKNOWN} = 1\n");
    let report = load("f", &text, Path::new("/")).unwrap_err();
    let problems = report.problems.iter();
    let about = problems.filter(|problem| problem.key.ends_with(UNKNOWN));
    let mend = about.map(|problem| &problem.mend).next().unwrap();
    let (_, names) = mend.split_once("use one of: ").unwrap();
    let mut names: Vec<String> = names.split(", ").map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn every_key_that_is_read_is_shown_and_no_other() {
    let tables = keys::tables();
    for table in &tables {
        let mut shown: Vec<String> = table.keys.iter().map(|key| key.name.to_owned()).collect();
        shown.sort();
        assert_eq!(shown, accepted(&table.path), "{}", table.path);
    }
    let below = |path: &str| -> Vec<String> {
        let paths = tables.iter().map(|table| table.path.as_str());
        let mut names: Vec<String> = paths
            .filter_map(|shown| match path {
                "" => shown.split('.').next().map(str::to_owned),
                _ => shown
                    .strip_prefix(path)?
                    .strip_prefix('.')
                    .map(str::to_owned),
            })
            .collect();
        names.sort();
        names.dedup();
        names
    };
    for path in ["", "sections"] {
        assert_eq!(below(path), accepted(path), "{path:?}");
    }
}

#[test]
fn the_example_holds_as_it_is_and_with_everything_in_force() {
    let config = loaded(&example());
    let service = config.service.unwrap();
    assert!(service.token.is_some() && service.files.authorities.is_none());
    assert_eq!(config.listen, None);
    let whole = loaded(&in_force(|_| true));
    assert!(whole.listen.unwrap().clients.is_some());
    assert!(whole.service.unwrap().files.pair.is_some());
    assert_eq!(whole.sections.len(), Section::ALL.len());
}

#[test]
fn defaults_that_are_shown_are_those_that_hold() {
    let tables = keys::tables();
    let shown = |line: &str| {
        let mut keys = tables.iter().flat_map(|table| &table.keys);
        let is_default = |key: &Key| key.default.as_ref() == Some(&key.value);
        keys.any(|key| is_default(key) && line == format!("{} = {}", key.name, key.value))
    };
    let text = in_force(shown);
    assert_ne!(text, example(), "some defaults are shown");
    let (mut written, mut plain) = (loaded(&text), loaded(&example()));
    assert_eq!(written.spool_bytes, plain.spool_bytes);
    assert_eq!(written.user_names, plain.user_names);
    assert_eq!(written.log_level, plain.log_level);
    assert_eq!(
        written.service.take().unwrap().timeout,
        plain.service.take().unwrap().timeout
    );
    for section in Section::ALL {
        assert_eq!(written.schedule(*section), Schedule::of(*section));
    }
}
