//! How large a file may grow.

use crate::workspace::{assert_none, files, read};

const MOST_LINES: usize = 500;

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let sources = files()
        .iter()
        .filter(|file| file.ends_with(".rs") && file.contains("src/"));
    let long = sources
        .map(|file| (file, read(file).lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES);
    let findings = long.map(|(file, lines)| format!("{file}: {lines} lines"));
    assert_none(
        &format!("files over {MOST_LINES} lines"),
        &findings.collect::<Vec<_>>(),
    );
}
