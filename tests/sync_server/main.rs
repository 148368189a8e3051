//! The agent's PowerShell against the simulated one, over real pipes: what is sent, every section
//! up to what the service reads out of it, and every way in which an interpreter can fail.

#![expect(clippy::unwrap_used, reason = "tests")]

mod faults;
mod healthy;
mod sections;
mod server;
mod stories;
