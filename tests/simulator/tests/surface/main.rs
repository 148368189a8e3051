//! The nasty parts against the real sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod directory;
mod faults;
mod jobs;
mod login;
mod logs;
mod receivers;
mod setup;
mod story_tests;
