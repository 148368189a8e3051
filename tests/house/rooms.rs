//! What may stand in which room.

use std::sync::LazyLock;

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
pub(crate) fn non_test_code(file: &str) -> Vec<(usize, String)> {
    if test_modules()
        .iter()
        .any(|module| file == format!("{module}.rs") || file.starts_with(&format!("{module}/")))
    {
        return Vec::new();
    }
    let text = read(file);
    let lines = text.lines().collect::<Vec<_>>();
    // Tests inside a file stand at its end.
    let end = (0..lines.len())
        .find(|at| matches!(test_module_at(&lines, *at), Some(Module::Inside)))
        .unwrap_or(lines.len());
    let code = lines[..end]
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.map(|(at, line)| (at + 1, (*line).to_owned()))
        .collect()
}

enum Module<'a> {
    /// `mod tests { ... }`
    Inside,
    /// `mod testing;`
    File(&'a str),
}

/// The module behind a `#[cfg(test)]` in this line, if there is one.
fn test_module_at<'a>(lines: &[&'a str], at: usize) -> Option<Module<'a>> {
    if lines[at].trim() != "#[cfg(test)]" {
        return None;
    }
    let item = lines[at + 1..]
        .iter()
        .map(|line| line.trim())
        .find(|line| !line.starts_with("#["))?;
    let (_, name) = item.split_once("mod ")?;
    match name.strip_suffix(';') {
        Some(name) => Some(Module::File(name)),
        None => Some(Module::Inside),
    }
}

/// Modules in files of their own that exist for tests alone, as paths without an ending.
fn test_modules() -> &'static [String] {
    static MODULES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut found = Vec::new();
        for file in files().iter().filter(|file| file.ends_with(".rs")) {
            let text = read(file);
            let lines = text.lines().collect::<Vec<_>>();
            let names = (0..lines.len()).filter_map(|at| match test_module_at(&lines, at)? {
                Module::File(name) => Some(name),
                Module::Inside => None,
            });
            found.extend(names.map(|name| format!("{}/{name}", folder_of_modules(file))));
        }
        found
    });
    &MODULES
}

/// Where the modules lie that a file declares: beside `lib.rs`, `main.rs` and `mod.rs`, below any other file's name.
fn folder_of_modules(file: &str) -> &str {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        _ => file.trim_end_matches(".rs"),
    }
}

fn findings(rooms: &[&str], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    sources(rooms)
        .flat_map(|file| {
            non_test_code(file)
                .into_iter()
                .map(move |(number, line)| (file, number, line))
        })
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
    let inside = ["fn a() {}", "#[cfg(test)]", "#[expect(x)]", "mod tests {"];
    assert!(matches!(test_module_at(&inside, 1), Some(Module::Inside)));
    assert!(matches!(
        test_module_at(&["#[cfg(test)]", "pub(crate) mod testing;"], 0),
        Some(Module::File("testing"))
    ));
    assert!(test_module_at(&["#[cfg(test)]", "use std::fs;"], 0).is_none());
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
