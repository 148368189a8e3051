//! The embedded scripts, held against a grammar of PowerShell: no interpreter is at hand where
//! they are built, and one that does not parse would only be found on a server.
#![expect(clippy::unwrap_used, reason = "tests")]

use syncwatch_agent::powershell::script::{FILES, text};
use tree_sitter::{Node, Parser};

/// Places where a text does not parse, as lines.
fn faults(text: &str) -> Vec<usize> {
    let mut parser = Parser::new();
    let language = tree_sitter_powershell::LANGUAGE.into();
    parser.set_language(&language).unwrap();
    let tree = parser.parse(text, None).unwrap();
    let mut faults = Vec::new();
    let mut open = vec![tree.root_node()];
    while let Some(node) = open.pop() {
        if node.is_error() || node.is_missing() {
            faults.push(node.start_position().row + 1);
        }
        open.extend(children(node));
    }
    faults
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// The text without the letter at a place.
fn without(text: &str, at: usize) -> String {
    format!("{}{}", &text[..at], &text[at + 1..])
}

/// Places of a letter outside comments and texts, where taking it away must be noticed.
fn places(text: &str, letter: char) -> Vec<usize> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let is_code = |at: &usize| {
            letter == '\'' || line[..*at].matches(['\'', '"']).count().is_multiple_of(2)
        };
        if !line.trim_start().starts_with('#') {
            let places = line.match_indices(letter).map(|(at, _)| at);
            found.extend(places.filter(is_code).map(|at| start + at));
        }
        start += line.len();
    }
    found
}

#[test]
fn every_script_parses_and_so_does_what_is_sent() {
    assert!(FILES.len() > 15);
    for (name, script) in FILES {
        assert_eq!(faults(script), Vec::<usize>::new(), "{name}");
    }
    assert_eq!(faults(&text()), Vec::<usize>::new(), "the whole text");
}

#[test]
fn a_script_that_lost_a_brace_or_a_quote_does_not_parse() {
    for (name, script) in FILES {
        let mut damaged = 0;
        for letter in ['{', '}', '(', ')', '\''] {
            let places = places(script, letter);
            // The first, the last and one in between: the whole lot takes minutes. A lone quotation
            // mark may be part of a word, so of those only the one that ends the last text.
            let picked = match letter {
                '\'' => [None, None, places.last()],
                _ => [places.first(), places.get(places.len() / 2), places.last()],
            };
            for at in picked.into_iter().flatten() {
                let line = script[..*at].lines().count();
                let found = faults(&without(script, *at));
                assert!(!found.is_empty(), "{name} without {letter} in line {line}");
                damaged += 1;
            }
        }
        assert!(damaged >= 12, "{name} was damaged in {damaged} places only");
    }
}

#[test]
fn no_script_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    let mut on_disk: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut sent: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    on_disk.sort();
    sent.sort();
    assert_eq!(on_disk, sent);
}
