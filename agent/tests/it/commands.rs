//! The program from the outside.

use std::process::{Command, Output};

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_syncwatch-agent"))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_configuration_is_checked_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("syncwatch-agent.toml");
    let name = file.to_str().unwrap();
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        said(&agent(&["check-config", "--config", name]))
    };
    let (code, text) = check("[service]\nurl = \"nowhere\"\n[spool]\nmax_bytes = 1\n");
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("3 problems"), "{text}");

    let good = "[service]\nurl = \"https://syncwatch.hauser.example\"\ntoken_file = \"token\"\n";
    let (code, text) = check(good);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("token cannot be read"), "{text}");

    std::fs::write(folder.path().join("token"), "x").unwrap();
    let (code, text) = check(good);
    assert_eq!((code, text), (Some(0), format!("{name}: good\n")));
}

#[test]
fn the_example_is_a_good_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("syncwatch-agent.toml");
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/config/syncwatch-agent.example.toml"
    );
    std::fs::copy(example, &file).unwrap();
    // The one file it names.
    std::fs::write(folder.path().join("token"), "a token").unwrap();
    let name = file.to_str().unwrap();
    let (code, text) = said(&agent(&["check-config", "--config", name]));
    assert_eq!((code, text), (Some(0), format!("{name}: good\n")));
}

#[test]
fn exit_codes_tell_usage_from_configuration_and_failure() {
    assert_eq!(said(&agent(&[])).0, Some(2));
    let (code, text) = said(&agent(&["run", "--config", "/nowhere/agent.toml"]));
    assert_eq!(code, Some(78));
    assert!(text.contains("the file cannot be read"), "{text}");
    let (code, text) = said(&agent(&["version"]));
    assert_eq!(code, Some(0));
    assert!(text.starts_with("syncwatch-agent 0."), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    let text = "[agent]\ndata_dir = \"/dev/null/data\"\n[listen]\naddr = \"127.0.0.1:0\"\ntoken_file = \"t\"\n";
    std::fs::write(&file, text).unwrap();
    let (code, text) = said(&agent(&["run", "--config", file.to_str().unwrap()]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot use /dev/null/data"), "{text}");
}
