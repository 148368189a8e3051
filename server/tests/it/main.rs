//! The service from the outside: configuration reports, HTTP surface, commands, start and stop.

#![expect(clippy::unwrap_used, reason = "tests")]

mod agents;
mod commands;
mod config_reports;
mod flood;
mod generated;
mod guises;
mod owners;
mod program;
mod reports;
mod start_and_stop;
mod support;
mod surface;
