//! Reads Microsoft Graph and the reports of agents, and turns both into observations.
//!
//! Guarantees: every poll has its own schedule, success, age and error, and one that fails or is
//! slow hides and delays no other; everything is committed to the store with the attempt that
//! learned it; a lane's source is read at the very instant the lane turns late or closes its
//! window, because only a read after that instant proves a miss; after a time without sight the
//! logs are read back before a jobs poll counts. It only reads Graph, never sends a token to a
//! host that was not configured, and never prints a secret. It judges nothing.
//!
//! Start reading at [`Collector`] (when is what polled?), `polls` (what does an answer mean?),
//! `agents` (what does a report mean?) and [`config::TenantSection`] (what can an operator say?).

mod agents;
mod auth;
pub mod config;
mod error;
mod graph;
mod http;
pub mod live;
mod metrics;
pub mod parse;
mod polls;
mod scheduler;
#[cfg(test)]
mod testing;

pub use agents::{AccessError, Intake, IntakeError, Who};
pub use error::CollectorError;
pub use polls::logs::{LogPageError, NotReady, ReadyPage, ready_provisioning};
pub use scheduler::{Collector, CollectorHandle, Did, Parts, Report, RunEnd};
