//! The interpreter: takes its command line and standard input as `powershell.exe` does when it is
//! started with `-Command -`, and answers for the server that the state file tells.
//!
//! It does not run the text it is given. It checks what the real one would stumble over, that the
//! text is whole, plain ASCII and one statement, and that each section calls what it must call; then
//! it answers the requests that follow.

mod answer;
mod arguments;
mod input;
mod statement;

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::model::SyncServer;
use answer::{Answered, Interpreter};
use input::Input;
use statement::{Completeness, completeness};

/// What every text must call: it writes UTF-8, whole objects, and instants in UTC.
const CALLED_BY_ALL: [&str; 4] = [
    "ConvertTo-Json",
    "-Depth 10",
    "OutputEncoding",
    "SpecifyKind",
];

/// Exit code of the real one for a command line that it does not understand.
const BAD_USAGE: u8 = 64;
/// The text failed, or ended without ending the process.
const FAILED: u8 = 3;

/// Runs the interpreter until its input ends.
pub fn run_shell(
    arguments: impl Iterator<Item = OsString>,
    state_file: Option<PathBuf>,
    input: impl Read,
    mut output: impl Write,
    mut errors: impl Write,
) -> ExitCode {
    let mut complain = |text: &str| {
        // Nobody may be listening any more.
        let _ = writeln!(errors, "{text}");
    };
    if let Err(problem) = arguments::check(arguments) {
        complain(&problem);
        return ExitCode::from(BAD_USAGE);
    }
    let Some(state_file) = state_file else {
        complain("there is no server: the environment does not name its file");
        return ExitCode::from(FAILED);
    };
    let mut input = Input::new(input);
    let copy = SyncServer::load(&state_file).ok();
    let copy = copy.and_then(|server| File::create(server.record_input?).ok());
    if let Some(copy) = copy {
        input.copy_to(copy);
    }
    let text = match read_text(&mut input, &mut complain) {
        Ok(Some(text)) => text,
        Ok(None) => return ExitCode::SUCCESS,
        Err(code) => return ExitCode::from(code),
    };
    if let Err(problem) = check_text(&text) {
        complain(&problem);
        return ExitCode::from(FAILED);
    }
    // The text has a reader of its own: what the interpreter's had taken beyond it is lost.
    input.lose_what_was_taken();
    let mut interpreter = Interpreter::new(&text, state_file);
    let mut line = None;
    loop {
        match interpreter.answer(line.as_deref(), &mut output, &mut errors) {
            Answered::GoOn => {}
            Answered::End(code) => return ExitCode::from(code),
            Answered::Hang => {
                while input.line().is_some() {}
                return ExitCode::from(FAILED);
            }
        }
        match input.line() {
            Some(next) => line = Some(next),
            None => return ExitCode::SUCCESS,
        }
    }
}

/// Takes lines as if somebody typed them: a statement that is not complete goes on until an empty
/// line. Gives the first statement of several lines, `None` when the input ends before.
fn read_text(
    input: &mut Input<impl Read>,
    complain: &mut impl FnMut(&str),
) -> Result<Option<String>, u8> {
    let mut block: Option<String> = None;
    while let Some(line) = input.line() {
        if let Some(text) = &mut block {
            if !line.trim().is_empty() {
                text.push('\n');
                text.push_str(&line);
                continue;
            }
            match completeness(text) {
                Completeness::Complete => return Ok(block),
                Completeness::Incomplete(problem) | Completeness::Wrong(problem) => {
                    complain(&problem);
                    block = None;
                }
            }
            continue;
        }
        match completeness(&line) {
            Completeness::Incomplete(_) => block = Some(line),
            Completeness::Complete if line.trim().is_empty() => {}
            Completeness::Complete if line.trim() == "exit" => return Ok(None),
            Completeness::Complete if line.trim_start().starts_with('{') => {
                complain("a request was taken for a command");
                return Err(FAILED);
            }
            Completeness::Complete => complain(&format!("this command is not known here: {line}")),
            Completeness::Wrong(problem) => complain(&problem),
        }
    }
    Ok(None)
}

/// Checks the text for what the real one would trip over.
fn check_text(text: &str) -> Result<(), String> {
    if !text.is_ascii() {
        return Err("the text has letters that another code page reads differently".to_owned());
    }
    if !text.starts_with("& {") {
        return Err("the text defines something and runs nothing".to_owned());
    }
    let last = text.lines().rev().map(str::trim).find(|line| *line != "}");
    if !last.is_some_and(|line| line.starts_with("exit")) {
        return Err("the text leaves the interpreter waiting for commands".to_owned());
    }
    match CALLED_BY_ALL.iter().find(|word| !text.contains(*word)) {
        Some(word) => Err(format!("the text does without {word}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
