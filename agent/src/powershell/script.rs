//! The text that the interpreter runs: embedded here, the same for every agent of a build.
//!
//! # How it gets there
//!
//! A command line of Windows ends at 32,767 characters, and `-EncodedCommand` needs almost three
//! of them for each of ours: the text is too long for both. A file would have to be protected from
//! others, and a policy that demands signatures would refuse it. So the interpreter is started with
//! `-Command -`, which reads commands from its standard input; that is documented for Windows
//! PowerShell, needs no weaker execution policy, and leaves nothing on the disk. What is peculiar
//! about it, and what is done about each:
//!
//! 1. It takes input as if somebody typed it: a statement that is not complete goes on until an
//!    *empty* line. The text is therefore one statement, `& { ... }`, without an empty line inside
//!    and with one behind.
//! 2. It decodes the input with the code page of the console. The text and all requests are ASCII.
//! 3. Its reader may have taken more from the pipe than it has used. The agent sends the first
//!    request only after the text has answered, when nothing is left that could be lost.
//! 4. If the text ended, the next line would be taken for a command. So it ends the process
//!    whatever happens, and a request is a line that even as a command would do nothing
//!    (`request`).
//!
//! With `-Command TEXT` instead, the interpreter would itself read standard input meanwhile, to
//! offer it to the command, and take requests away.

/// How the interpreter is started. `RemoteSigned` is the default of Windows servers: it lets the
/// module of Connect load and asks for no exception. A policy set for the machine goes before.
pub const ARGUMENTS: &[&str] = &[
    "-NoLogo",
    "-NoProfile",
    "-NonInteractive",
    "-ExecutionPolicy",
    "RemoteSigned",
    "-Command",
    "-",
];

/// The scripts in the order in which they are sent, with the names of their files.
pub const FILES: &[(&str, &str)] = &[
    ("prelude.ps1", include_str!("../../scripts/prelude.ps1")),
    ("scheduler.ps1", include_str!("../../scripts/scheduler.ps1")),
    (
        "connector_status.ps1",
        include_str!("../../scripts/connector_status.ps1"),
    ),
    ("runs.ps1", include_str!("../../scripts/runs.ps1")),
    (
        "password_sync.ps1",
        include_str!("../../scripts/password_sync.ps1"),
    ),
    ("services.ps1", include_str!("../../scripts/services.ps1")),
    (
        "event_sets.ps1",
        include_str!("../../scripts/event_sets.ps1"),
    ),
    ("events.ps1", include_str!("../../scripts/events.ps1")),
    (
        "connectors.ps1",
        include_str!("../../scripts/connectors.ps1"),
    ),
    ("rules.ps1", include_str!("../../scripts/rules.ps1")),
    ("settings.ps1", include_str!("../../scripts/settings.ps1")),
    (
        "company_features.ps1",
        include_str!("../../scripts/company_features.ps1"),
    ),
    ("database.ps1", include_str!("../../scripts/database.ps1")),
    (
        "reachability.ps1",
        include_str!("../../scripts/reachability.ps1"),
    ),
    ("versions.ps1", include_str!("../../scripts/versions.ps1")),
    (
        "pending_exports.ps1",
        include_str!("../../scripts/pending_exports.ps1"),
    ),
    (
        "containers.ps1",
        include_str!("../../scripts/containers.ps1"),
    ),
    ("loop.ps1", include_str!("../../scripts/loop.ps1")),
];

const HEAD: &str = "& {\ntry {\n";
/// Whatever went wrong, the process ends here: its next input must not be taken for commands.
const TAIL: &str = "} catch {\n[Console]::Error.WriteLine([string]$_)\nexit 3\n}\nexit 0\n}\n\n";

/// Everything that is sent before the first request.
#[must_use]
pub fn text() -> String {
    let mut text = String::from(HEAD);
    for (_, script) in FILES {
        for line in script.lines().filter(|line| !line.trim().is_empty()) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.push_str(TAIL);
    text
}

#[cfg(test)]
mod tests {
    use syncwatch_domain::report::Section;

    use super::*;

    #[test]
    fn the_text_is_one_statement_that_only_its_end_completes() {
        let text = text();
        let body = text.strip_suffix("\n\n").unwrap_or_default();
        assert!(body.starts_with("& {\n") && body.ends_with("\n}"));
        assert!(body.lines().all(|line| !line.trim().is_empty()));
        assert!(!body.contains('\r'));
        assert!(
            body.ends_with("exit 0\n}"),
            "the process ends with the text"
        );
    }

    #[test]
    fn the_text_is_ascii_and_longer_than_a_command_line_takes() {
        let text = text();
        assert!(text.is_ascii());
        assert!(text.len() * 8 / 3 > 32_767, "{} characters", text.len());
        // No text may span lines: empty ones are left out on the way.
        for (name, script) in FILES {
            assert!(
                !script.contains("@'\n") && !script.contains("@\"\n"),
                "{name}"
            );
        }
    }

    #[test]
    fn nothing_in_the_text_runs_what_comes_from_outside() {
        let text = text().to_lowercase();
        for word in [
            "invoke-expression",
            "iex ",
            "scriptblock]::create",
            "invoke-command",
            "add-type",
            "start-process",
            "invoke-webrequest",
            "invoke-restmethod",
            "downloadstring",
            "newscriptblock",
            "expandstring",
        ] {
            assert!(!text.contains(word), "{word}");
        }
        assert_eq!(
            text.matches("& $").count(),
            1,
            "one call by name, from the table of the loop"
        );
        // Dot-sourcing: a dot, a blank, and what to run.
        let sources = text
            .lines()
            .filter(|line| line.trim_start().starts_with(". "));
        assert_eq!(sources.count(), 0);
    }

    #[test]
    fn only_cmdlets_that_read_are_called() {
        let text = text();
        for verb in [
            "Set-",
            "Start-",
            "Restart-",
            "Clear-",
            "New-ADSync",
            "Add-ADSync",
            "Enable-",
            "Disable-",
            "Register-",
            "Invoke-",
            "Out-File",
        ] {
            let called = text.lines().find(|line| {
                let code = line.trim_start();
                !code.starts_with('#') && code.contains(verb)
            });
            assert_eq!(called, None, "{verb}");
        }
        // Of the cmdlets that remove, only a definition within the process itself.
        assert_eq!(
            text.matches("Remove-").count(),
            text.matches("Remove-TypeData").count()
        );
    }

    #[test]
    fn every_section_has_a_function_and_a_place_in_the_loop() {
        let text = text();
        for section in Section::ALL {
            let function = text.lines().find_map(|line| {
                let (word, name) = line.trim().split_once(" = ")?;
                (word == section.as_str()).then(|| name.trim_matches('\''))
            });
            let function = function.unwrap_or_else(|| panic!("{section} is not in the loop"));
            assert!(
                text.contains(&format!("function {function}($Arguments)")),
                "{section}"
            );
        }
    }

    #[test]
    fn secrets_of_connectors_are_never_asked_for() {
        let text = text();
        for name in [
            "ConnectivityParameters",
            "GlobalParameters",
            "AllParameterDefinitions",
        ] {
            assert!(!text.contains(name), "{name}");
        }
    }
}
