//! What may stand in which room.

use crate::workspace::{assert_none, files, read, sources};

/// Rooms that open no socket of their own.
const NO_SOCKETS: &[&str] = &["domain", "store", "collector", "alerting", "exporters"];
const LISTENING: &[&str] = &[
    "TcpListener",
    "UdpSocket",
    "UnixListener",
    "TcpSocket",
    "axum::serve",
];

/// Rooms without SQL: all but the store.
const NO_SQL: &[&str] = &["domain", "collector", "alerting", "exporters", "server"];
const STATEMENTS: &[&str] = &[
    "select ",
    "insert into ",
    "update ",
    "delete from ",
    "create table ",
    "alter table ",
    "drop table ",
    "pragma ",
];

/// The lines of a file that are neither comment nor part of its tests, with their numbers.
///
/// Tests stand at the end of a file behind `#[cfg(test)]`, or in a file or folder named so.
pub(crate) fn non_test_code(file: &str) -> impl Iterator<Item = (usize, String)> + use<> {
    let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
    let text = if is_test { String::new() } else { read(file) };
    let code = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(str::to_owned)
        .collect::<Vec<_>>();
    code.into_iter()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(at, line)| (at + 1, line))
}

fn findings(rooms: &[&str], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    sources(rooms)
        .flat_map(|file| non_test_code(file).map(move |(number, line)| (file, number, line)))
        .filter(|(_, _, line)| is_wrong(line))
        .map(|(file, number, line)| format!("{file}:{number}: {}", line.trim()))
        .collect()
}

/// Whether a string in this line starts like an SQL statement.
fn starts_a_statement(line: &str) -> bool {
    line.split('"').skip(1).step_by(2).any(|literal| {
        let literal = literal.trim_start().to_lowercase();
        STATEMENTS
            .iter()
            .any(|statement| literal.starts_with(statement) && is_statement(statement, &literal))
    })
}

/// `update` and `select` also start plain sentences; as statements they go on with `set` or `from`.
fn is_statement(start: &str, literal: &str) -> bool {
    match start {
        "select " => literal.contains(" from ") || literal.contains("select 1"),
        "update " => literal.contains(" set "),
        _ => true,
    }
}

#[test]
fn only_the_server_opens_sockets() {
    let found = findings(NO_SOCKETS, |line| {
        LISTENING.iter().any(|word| line.contains(word))
    });
    assert_none("sockets outside the server", &found);
}

#[test]
fn sql_stands_in_the_store_alone() {
    assert_none(
        "SQL outside the store",
        &findings(NO_SQL, starts_a_statement),
    );
}

#[test]
fn rules_about_rooms_find_what_they_look_for() {
    assert!(starts_a_statement(r#"query("select id from lane")"#));
    assert!(starts_a_statement(r#"    "UPDATE lane set x = 1""#));
    assert!(!starts_a_statement(
        r#"let text = "update the receiver's address";"#
    ));
    assert!(!starts_a_statement("let selected = select from lane;"));
    let in_the_store = findings(&["store"], starts_a_statement);
    assert!(
        !in_the_store.is_empty(),
        "the search for SQL finds none in the store"
    );
    let sockets = findings(&["server"], |line| {
        LISTENING.iter().any(|word| line.contains(word))
    });
    assert!(
        !sockets.is_empty(),
        "the search for sockets finds none in the server"
    );
}

#[test]
fn no_test_is_set_aside() {
    let marked = files()
        .iter()
        .filter(|file| file.ends_with(".rs"))
        .flat_map(|file| {
            let text = read(file);
            let lines = text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.trim_start().starts_with("#[ignore"));
            lines
                .map(|(at, _)| format!("{file}:{}", at + 1))
                .collect::<Vec<_>>()
        });
    assert_none("ignored tests", &marked.collect::<Vec<_>>());
}
