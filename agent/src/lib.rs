//! The agent on a sync server: reads what only the server knows, and brings it home.
//!
//! It guarantees that what was read is kept on disk until the service has committed it, that no
//! name of a user leaves unless that is switched on, and that nothing from the network becomes a
//! command: the service names data to look up, no more. One thread does everything, and memory
//! does not grow with what waits. Never does it change anything on the server.
//!
//! Start reading at [`agent::Agent`] (what runs), [`spool::Spool`] (what is kept) and
//! [`host::Host`] (what the server can be asked).

pub mod agent;
pub mod cli;
pub mod config;
pub mod containers;
pub mod count;
pub mod home;
pub mod host;
pub mod identity;
pub mod once;
pub mod plan;
pub mod powershell;
pub mod privacy;
pub mod reader;
pub mod roles;
mod seldom;
pub mod service;
pub mod shared;
pub mod spool;

/// The texts of an error and its causes.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
