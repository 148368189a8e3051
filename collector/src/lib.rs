//! Reads Microsoft Graph and turns answers into observations.
mod auth;
pub mod config;
mod graph;
mod http;
mod metrics;
pub mod parse;
#[cfg(test)]
mod testing;
