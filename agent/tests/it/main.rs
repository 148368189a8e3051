//! The agent, part by part and whole: its spool under crashes, its ways home against scripted
//! peers.
#![expect(clippy::unwrap_used, reason = "tests")]

mod commands;
mod crash;
mod damage;
mod day;
mod full;
mod listen;
mod push;
mod reader;
mod spool;
mod support;
