//! The command line.

use std::ffi::OsString;

/// Switches without a value, in lower case.
const SWITCHES: [&str; 5] = ["-nologo", "-noprofile", "-noninteractive", "-mta", "-sta"];

/// Policies that Windows PowerShell knows.
const POLICIES: [&str; 6] = [
    "restricted",
    "allsigned",
    "remotesigned",
    "unrestricted",
    "bypass",
    "undefined",
];

/// Checks that the command line is one that reads commands from standard input, without a profile
/// and without questions.
pub(super) fn check(arguments: impl Iterator<Item = OsString>) -> Result<(), String> {
    let mut seen = Vec::new();
    let mut all = arguments.map(|one| one.to_string_lossy().to_lowercase());
    while let Some(name) = all.next() {
        match name.as_str() {
            "-executionpolicy" => {
                let policy = all.next().unwrap_or_default();
                if !POLICIES.contains(&policy.as_str()) {
                    return Err(format!("{policy:?} is no execution policy"));
                }
            }
            // Everything behind it belongs to the command.
            "-command" => {
                let command: Vec<_> = all.by_ref().collect();
                if command != ["-"] {
                    return Err("commands are taken from standard input alone here".to_owned());
                }
            }
            other if SWITCHES.contains(&other) => {}
            other => return Err(format!("{other} is no parameter that is known here")),
        }
        seen.push(name);
    }
    for needed in ["-command", "-noprofile", "-noninteractive"] {
        if !seen.iter().any(|one| one == needed) {
            return Err(format!("{needed} is missing"));
        }
    }
    Ok(())
}
