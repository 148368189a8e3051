#![expect(clippy::unwrap_used, reason = "tests")]

mod blind;
mod jobs;
mod lanes;
mod races;
mod restart;
mod servers;
mod service;
mod time;
mod unwatched;
mod waits;
mod world;
