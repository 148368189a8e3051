//! Forms of output.

use std::io::Write;

use anyhow::Context;
use clap::ValueEnum;
use serde::Serialize;

/// What a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    text(&format!(
        "{}\n",
        serde_json::to_string_pretty(value).context("cannot write JSON")?
    ))
}

/// Prints a text. A reader that has gone away, as `head` does, is no failure.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print")
        }
        _ => Ok(()),
    }
}
