//! What an engine is told to look after: the scopes.

pub mod cloud;
pub mod connect;
pub mod filter;
pub mod known;
mod pattern;
pub mod site;
pub mod truth;
