//! The `syncwatch-agent` program.

use std::process::ExitCode;

use clap::Parser;
use syncwatch_agent::cli::Cli;

fn main() -> ExitCode {
    syncwatch_agent::cli::run(Cli::parse())
}
