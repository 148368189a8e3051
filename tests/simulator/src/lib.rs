//! A stand-in for everything the product talks to: Microsoft Graph, the token endpoint, managed identities, a mail
//! server, the Teams Workflows endpoint, a webhook, and the PowerShell of a sync server. It is as nasty as the real
//! ones, and it depends on no other crate of the workspace, so that it cannot share a misunderstanding with them.
//!
//! Guarantees: what a client sees is a function of seed, story, time and the requests so far; time comes from a
//! [`SimClock`]; nothing listens outside loopback; a stop ends every task. It must never be part of the product except
//! for its `demo` command.
//!
//! Start reading at [`Simulator::start`], [`Action`], [`Story`] and [`sync_server::SyncServer`].

mod action;
pub mod bulk;
mod chance;
mod clock;
mod core;
mod graph;
mod http;
mod login;
mod people;
mod places;
mod simulator;
pub mod sinks;
pub mod story;
pub mod sync_server;
mod times;
mod world;

pub use action::{Action, BadJobRef, DownMode, JobRef, Receiver};
pub use chance::Seed;
pub use clock::{ScriptedClock, SimClock, SystemClock};
pub use core::{RequestRecord, Surface};
pub use simulator::{Credentials, Ports, Running, SimError, Simulator};
pub use sinks::{
    Mail, NothingArrived, SignatureCheck, Sink, TeamsPost, WebhookCall, validate_card,
};
pub use story::{Settings, Step, Story, StoryError, SyncServerPart, Tenant};
pub use times::{BadSpan, Span};
pub use world::ActionError;
