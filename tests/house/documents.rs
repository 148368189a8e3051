//! Every path that a document names exists.

use crate::workspace::{assert_none, files, read};

/// Endings of names that are files of ours wherever they are named; what a user writes (`syncwatch.toml`) is not.
const OUR_ENDINGS: &[&str] = &[".rs", ".md"];

fn documents() -> impl Iterator<Item = &'static String> {
    files().iter().filter(|file| file.ends_with(".md"))
}

fn exists(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let folder = format!("{path}/");
    files()
        .iter()
        .any(|file| file == path || file.starts_with(&folder))
}

/// Whether some file's path ends with this one, at a name's border.
fn exists_somewhere(path: &str) -> bool {
    let below = format!("/{path}");
    exists(path) || files().iter().any(|file| file.ends_with(&below))
}

fn is_top_level(name: &str) -> bool {
    files()
        .iter()
        .any(|file| file.split('/').next() == Some(name) && file.contains('/'))
}

/// Words of a document that stand in code: in backticks, or in a fenced block.
fn words_in_code(text: &str) -> Vec<String> {
    let (mut words, mut fenced) = (Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            words.extend(line.split_whitespace().map(str::to_owned));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            words.extend(spans.flat_map(str::split_whitespace).map(str::to_owned));
        }
    }
    words
}

/// `a/{b,c}` is `a/b` and `a/c`.
fn expand(word: &str) -> Vec<String> {
    let parts = word
        .split_once('{')
        .and_then(|(head, rest)| Some((head, rest.split_once('}')?)));
    let Some((head, (choices, tail))) = parts else {
        return vec![word.to_owned()];
    };
    choices
        .split(',')
        .map(|choice| format!("{head}{choice}{tail}"))
        .collect()
}

/// The path in a word, without quotes, a sentence's end or a line number.
fn bare(word: &str) -> &str {
    let word = word
        .trim_matches(|c: char| "\"'(),;".contains(c))
        .trim_end_matches('.');
    word.split_once(':').map_or(word, |(path, _)| path)
}

fn is_plain_path(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
        && !word.starts_with('/')
}

/// Whether a word speaks of a file or folder here that is not here.
fn is_missing(word: &str) -> bool {
    let word = bare(word);
    if !is_plain_path(word) || word.starts_with("target/") {
        return false;
    }
    let word = word.trim_start_matches("./");
    match word.split_once('/') {
        Some((top, _)) if is_top_level(top) => !exists(word),
        _ => {
            OUR_ENDINGS
                .iter()
                .any(|ending| word.ends_with(ending) && word != *ending)
                && !exists_somewhere(word)
        }
    }
}

/// Targets of `[text](target)` that are paths, seen from the root.
fn links(document: &str, text: &str) -> Vec<String> {
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '/']));
    let local = local.filter(|target| !target.starts_with("mailto:"));
    local
        .map(|target| target.split_once('#').map_or(target, |(path, _)| path))
        .map(|path| normal(folder, path))
        .collect()
}

fn normal(folder: &str, path: &str) -> String {
    let mut parts = folder
        .split('/')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[test]
fn every_path_named_in_a_document_exists() {
    let mut findings = Vec::new();
    for document in documents() {
        let text = read(document);
        let words = words_in_code(&text);
        let named = words
            .iter()
            .flat_map(|word| expand(word))
            .filter(|word| is_missing(word));
        findings.extend(named.map(|word| format!("{document} names {word}")));
        let dead = links(document, &text)
            .into_iter()
            .filter(|path| !path.is_empty() && !exists(path));
        findings.extend(dead.map(|path| format!("{document} links to {path}")));
    }
    assert_none("paths that do not exist", &findings);
}

#[test]
fn readers_find_the_documents_that_every_project_has() {
    let wanted = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "docs/dependencies.md",
    ];
    let missing = wanted
        .iter()
        .filter(|file| !exists(file))
        .map(ToString::to_string);
    assert_none("missing documents", &missing.collect::<Vec<_>>());
}

#[test]
fn search_for_paths_finds_missing_ones_and_spares_the_rest() {
    let text = "`tests/run` and `tests/no-such/{run,walk}.sh:7`, `text/plain`, `no_such.rs`, `/metrics`\n```\n$ cat domain/none.rs.\n```";
    let missing = words_in_code(text)
        .iter()
        .flat_map(|word| expand(word))
        .filter(|word| is_missing(word))
        .collect::<Vec<_>>();
    assert_eq!(
        missing,
        [
            "tests/no-such/run.sh:7",
            "tests/no-such/walk.sh:7",
            "no_such.rs",
            "domain/none.rs."
        ]
    );
    let linked = links(
        "docs/a.md",
        "[a](../tests/run#top) [b](https://example.test/x) [c](b.md)",
    );
    assert_eq!(linked, ["tests/run", "docs/b.md"]);
}
