//! Reads Microsoft Graph and turns answers into observations.
mod auth;
pub mod config;
mod http;
#[cfg(test)]
mod testing;
