#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::io;

use serde_json::Value;

use super::*;
use crate::sync_server::{FaultKind, SyncServer};
use crate::times::Span;

const ARGUMENTS: [&str; 7] = [
    "-NoLogo",
    "-NoProfile",
    "-NonInteractive",
    "-ExecutionPolicy",
    "RemoteSigned",
    "-Command",
    "-",
];

/// A text that calls what a few sections need.
const TEXT: &str = "& {\n# a text with a 'quote\n[Console]::OutputEncoding = 'utf8' # }\n[DateTime]::SpecifyKind(1)\nGet-ADSyncScheduler | ConvertTo-Json -Depth 10\nGet-ADSyncDatabaseConfiguration\nexit 0\n}\n";

/// Input that arrives in the pieces in which it was sent.
struct Pieces(VecDeque<Vec<u8>>);

impl Pieces {
    fn of(all: &[&str]) -> Self {
        Self(all.iter().map(|one| one.as_bytes().to_vec()).collect())
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.0.pop_front() else {
            return Ok(0);
        };
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        if length < piece.len() {
            self.0.push_front(piece.split_off(length));
        }
        Ok(length)
    }
}

struct Said {
    code: ExitCode,
    lines: Vec<Value>,
    output: String,
    errors: String,
}

fn server() -> SyncServer {
    let mut server = SyncServer::connect(
        "SYNC01",
        1_795_000_000_000,
        "hauser",
        &["ad.hauser.example"],
    );
    server.now_ms = Some(server.begin_ms + 60_000);
    server
}

fn run_with(server: &SyncServer, arguments: &[&str], pieces: &[&str]) -> Said {
    let folder = std::env::temp_dir().join(format!(
        "fake-shell-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("server.json");
    server.save(&file).unwrap();
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let arguments = arguments.iter().map(OsString::from);
    let code = run_shell(
        arguments,
        Some(file),
        Pieces::of(pieces),
        &mut output,
        &mut errors,
    );
    std::fs::remove_dir_all(&folder).unwrap();
    let output = String::from_utf8(output).unwrap();
    Said {
        code,
        lines: output
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
        output,
        errors: String::from_utf8(errors).unwrap(),
    }
}

fn run(pieces: &[&str]) -> Said {
    run_with(&server(), &ARGUMENTS, pieces)
}

fn is(code: ExitCode, expected: u8) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::from(expected))
}

const ASK: &str = "{\"id\":1,\"section\":\"scheduler\",\"arguments\":{}}\n";

#[test]
fn a_text_is_run_and_requests_are_answered() {
    let said = run(&[
        TEXT,
        "\n",
        ASK,
        "{\"id\":2,\"section\":\"database\",\"arguments\":{}}\n",
    ]);
    assert!(is(said.code, 0), "{}", said.errors);
    let ids: Vec<_> = said
        .lines
        .iter()
        .map(|line| line["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, [0, 1, 2]);
    assert_eq!(
        said.lines[0]["moduleVersion"],
        Value::Null,
        "not loaded yet"
    );
    assert_eq!(said.lines[1]["moduleVersion"], "2.6.92.0");
    assert_eq!(said.lines[1]["data"][0]["SyncCycleEnabled"], true);
    assert_eq!(said.lines[1]["psVersion"], "5.1.20348.2849");
}

#[test]
fn only_the_command_line_that_reads_commands_is_taken() {
    for arguments in [
        &ARGUMENTS[1..],
        &["-noprofile", "-NONINTERACTIVE", "-command", "-"],
    ] {
        assert!(
            is(run_with(&server(), arguments, &[TEXT, "\n"]).code, 0),
            "{arguments:?}"
        );
    }
    for arguments in [
        &["-NoProfile", "-NonInteractive"][..],
        &["-NoProfile", "-Command", "-"],
        &["-NoProfile", "-NonInteractive", "-Command", "Get-Date"],
        &["-NoProfile", "-NonInteractive", "-Command", "-", "-NoLogo"],
        &[
            "-NoProfile",
            "-NonInteractive",
            "-ExecutionPolicy",
            "Trusting",
            "-Command",
            "-",
        ],
        &["-NoProfile", "-NonInteractive", "-EncodedCommand", "AAAA"],
    ] {
        let said = run_with(&server(), arguments, &[TEXT, "\n"]);
        assert!(
            is(said.code, BAD_USAGE) && said.output.is_empty(),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_empty_line_ends_a_statement_before_it_is_complete() {
    let torn = TEXT.replacen('\n', "\n\n", 1);
    let said = run(&[&torn, "\n", ASK]);
    assert!(said.output.is_empty(), "{}", said.output);
    assert!(
        said.errors.contains("Missing closing '}'"),
        "{}",
        said.errors
    );
}

#[test]
fn what_was_sent_before_the_text_ran_is_lost() {
    let said = run(&[&format!("{TEXT}\n{ASK}")]);
    assert_eq!(said.lines.len(), 1, "only the text has answered");
    let said = run(&[&format!("{TEXT}\n"), ASK]);
    assert_eq!(said.lines.len(), 2);
}

#[test]
fn a_text_that_the_real_one_would_trip_over_is_refused() {
    for (find, replace, problem) in [
        ("exit 0", "Get-Date", "waiting for commands"),
        ("'utf8'", "'ütf8'", "code page"),
        ("& {", "$x = {", "runs nothing"),
        ("-Depth 10", "", "-Depth 10"),
        ("SpecifyKind", "Parse", "SpecifyKind"),
    ] {
        let said = run(&[&TEXT.replacen(find, replace, 1), "\n", ASK]);
        assert!(is(said.code, FAILED) && said.output.is_empty(), "{replace}");
        assert!(said.errors.contains(problem), "{}", said.errors);
    }
    // Cut off in the middle it never runs, and a request is not a command.
    let half = &TEXT[..TEXT.len() / 2];
    let said = run(&[half, "\n\n", ASK]);
    assert!(
        said.output.is_empty() && said.errors.contains("taken for a command"),
        "{}",
        said.errors
    );
}

#[test]
fn a_section_whose_commands_are_not_called_does_not_work() {
    let said = run(&[
        TEXT,
        "\n",
        "{\"id\":1,\"section\":\"rules\",\"arguments\":{}}\n",
        "no json\n",
    ]);
    let error = &said.lines[1]["errors"][0];
    assert!(
        error["Message"]
            .as_str()
            .unwrap()
            .contains("Get-ADSyncRule"),
        "{error}"
    );
    assert_eq!(said.lines[2]["id"], -1);
}

#[test]
fn statements_are_complete_when_everything_is_closed() {
    for text in [
        "",
        "exit",
        "{ 'it''s }' }",
        "\"a `\" } b\" # }",
        "$x[1] # (",
        "a-b#c",
    ] {
        assert_eq!(completeness(text), Completeness::Complete, "{text}");
    }
    for text in ["& {", "f(", "'open", "\"open `\"", "{ # }", "(')'"] {
        assert!(
            matches!(completeness(text), Completeness::Incomplete(_)),
            "{text}"
        );
    }
    for text in ["}", "( }", "@'\nx\n'@"] {
        assert!(
            matches!(completeness(text), Completeness::Wrong(_)),
            "{text}"
        );
    }
}

#[test]
fn faults_come_on_demand_and_for_one_section() {
    let ask = |fault: FaultKind| {
        let server = server().failing(Some("scheduler"), fault);
        run_with(
            &server,
            &ARGUMENTS,
            &[
                TEXT,
                "\n",
                ASK,
                "{\"id\":2,\"section\":\"database\",\"arguments\":{}}\n",
            ],
        )
    };
    assert_eq!(ask(FaultKind::Hang).lines.len(), 1);
    assert!(is(ask(FaultKind::Crash).code, FAILED));
    assert!(ask(FaultKind::Garbage).output.contains("WARNING"));
    assert_eq!(ask(FaultKind::WrongRequest).lines[1]["id"], 0);
    let denied = ask(FaultKind::AccessDenied);
    assert_eq!(denied.lines[1]["data"], serde_json::json!([]));
    assert!(denied.output.contains("Zugriff"));
    assert_eq!(
        denied.lines[2]["errors"],
        serde_json::json!([]),
        "only one section fails"
    );
    assert!(ask(FaultKind::EndlessLine).output.len() >= 64 * 1024 * 1024);
    assert_eq!(ask(FaultKind::Noise(9_000)).errors.len(), 9_000);
    assert!(ask(FaultKind::RawForms).output.contains("/Date("));
    assert!(
        ask(FaultKind::CommandFailed)
            .output
            .contains("erreur interne")
    );
    assert_eq!(ask(FaultKind::SlowModule(Span::ms(1))).lines.len(), 3);
    let dead = run_with(
        &server().failing(None, FaultKind::NeverReady),
        &ARGUMENTS,
        &[TEXT, "\n", ASK],
    );
    assert!(is(dead.code, FAILED) && dead.output.is_empty());
}

#[test]
fn texts_are_escaped_as_windows_powershell_does() {
    let server = server().failing(Some("scheduler"), FaultKind::CommandFailed);
    let said = run_with(&server, &ARGUMENTS, &[TEXT, "\n", ASK]);
    assert!(said.output.contains("s\\u0027est"), "{}", said.output);
    assert!(
        said.lines[1]["errors"][0]["Message"]
            .as_str()
            .unwrap()
            .contains("s'est")
    );
}
