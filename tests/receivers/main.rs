//! Receivers: the notifiers against servers that are not ours, and against the simulator, which judges what it gets.

#![expect(clippy::unwrap_used, reason = "tests")]

mod messages;
mod real_smtp;
mod sinks;
