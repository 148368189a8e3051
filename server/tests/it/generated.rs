//! Generated documents are as they would be generated now.

use crate::support::{said, syncwatch};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn generated_documents_are_up_to_date() {
    let output = syncwatch(&["generate", "--check", "--root", ROOT]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_document_that_differs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    assert!(syncwatch(&["generate", "--root", root]).status.success());
    assert!(
        syncwatch(&["generate", "--check", "--root", root])
            .status
            .success()
    );
    std::fs::write(folder.path().join("docs/cli.md"), "old").unwrap();
    let output = syncwatch(&["generate", "--check", "--root", root]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("docs/cli.md"), "{}", said(&output));
}

#[test]
fn the_example_is_a_good_configuration_and_all_it_shows_is_known() {
    let path = format!("{ROOT}/deploy/config/syncwatch.example.toml");
    let text = std::fs::read_to_string(path).unwrap();
    if let Err(report) = syncwatch::config::load("example", &text, []) {
        panic!("{report}");
    }
    // With everything in force some settings exclude one another, but every key must be known
    // and every value of the right type.
    let in_force: String = text
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with('#'))
                .unwrap_or(line)
        })
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(in_force.lines().filter(|line| line.contains(" = ")).count() > 60);
    let report = syncwatch::config::load("example", &in_force, [])
        .map_or_else(|report| report.to_string(), |_| String::new());
    for complaint in [
        "is no key",
        "is expected here",
        "not one of the words",
        "not known here",
        "not TOML",
        "not a duration",
    ] {
        assert!(!report.contains(complaint), "{report}");
    }
}

#[test]
fn the_quick_start_of_the_readme_is_a_good_configuration() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let text: String = block
        .lines()
        .map(|line| format!("{}\n", line.trim_start()))
        .collect();
    if let Err(report) = syncwatch::config::load("README.md", &text, []) {
        panic!("{report}");
    }
}

#[test]
fn the_readme_names_the_rights_of_every_poll_that_is_not_optional() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let polls = syncwatch_domain::source::Poll::GRAPH.iter();
    for right in polls.filter_map(|poll| poll.right()) {
        assert!(
            right.optional || readme.contains(&format!("| `{}` |", right.permission)),
            "{}",
            right.permission
        );
    }
}
