//! Starts PostgreSQL, runs a command that finds it in the environment, and stops it: `with-postgres COMMAND...`.
//!
//! The tests of a whole run share one server this way; each makes its own database on it.

use std::process::ExitCode;

use anyhow::Context;
use syncwatch_tests::peers::{Durability, POSTGRES_URL, Postgres};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments
        .next()
        .context("usage: with-postgres COMMAND...")?;
    // From here on a signal is ours to handle: the server must not outlive us.
    let mut terminate = signal(SignalKind::terminate()).context("listen for a signal")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for a signal")?;
    let server = Postgres::start(Durability::Fast).await?;
    let mut command = Command::new(&program);
    command
        .args(arguments)
        .env(POSTGRES_URL, server.url("postgres"))
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let code = tokio::select! {
        status = child.wait() => status.context("wait for the command")?.code(),
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
    };
    Ok(code
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
