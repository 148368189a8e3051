//! Every measurement once with tiny sizes: it must work and come to the right rows; how fast says nothing.

use std::process::Command;

fn smoke(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .arg("--smoke")
        .args(arguments)
        .output()
        .expect("it starts");
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{program}: {}\n{text}\n{errors}",
        output.status
    );
    assert!(
        !text.contains("MISSED"),
        "a smoke run judges speed:\n{text}"
    );
    text.into_owned()
}

#[test]
fn ingest_stores_the_same_rows_as_a_bare_loop_and_as_copy() {
    let text = smoke(env!("CARGO_BIN_EXE_ingest"), &[]);
    for held in [
        "held: exactly 600 rows",
        "all three databases are the same",
        "both databases are the same",
    ] {
        assert!(text.contains(held), "{held:?} is missing in:\n{text}");
    }
}

#[test]
fn places_are_those_that_suffix_checks_find() {
    let text = smoke(env!("CARGO_BIN_EXE_owners"), &[]);
    assert!(
        text.contains("suffix checks") && text.contains("one changed scope"),
        "{text}"
    );
}

#[test]
fn parsers_find_the_same_failures() {
    let text = smoke(env!("CARGO_BIN_EXE_parse"), &[]);
    assert!(
        text.contains("owned structs") && text.contains("heap, share of owned"),
        "{text}"
    );
}
