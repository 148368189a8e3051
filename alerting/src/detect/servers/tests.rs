//! Every detector of sync servers against tables of what was read, and its words.

mod active;
mod agents;
mod builds;
mod cloud;
mod connect;
mod kit;
mod passwords;
mod runs;
mod scheduler;
mod sight;
mod versions;
