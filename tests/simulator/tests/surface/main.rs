//! The nasty parts against the real sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod jobs;
mod setup;
