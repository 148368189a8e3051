//! The service: configuration, wiring, HTTP surface, lifecycle and commands.
//!
//! Guarantees: every mistake of a configuration is told at once, and none is acted on; a page
//! shows what the store knows and never waits for Microsoft Graph; a task that dies stops the
//! process; a stop finishes what is in flight. It must never judge a lane, speak SQL or Graph, or
//! show a secret.
//!
//! Start reading at [`App::build`] (what is wired to what), [`config::load`] (what an operator
//! may say) and [`http::router`] (what is answered).

mod app;
pub mod cli;
pub mod config;
pub mod demo;
mod error;
mod folding;
mod generate;
pub mod http;
pub mod lifecycle;
mod logging;
mod loops;
pub mod notify_test;
mod opening;
mod retention;
mod running;
pub mod tls;
mod wiring;
mod words;

pub use app::App;
pub use error::AppError;
pub use running::Running;

/// Makes ring the one provider of cryptography. Every program and every test that speaks TLS
/// calls it before anything else; later calls change nothing.
pub fn install_crypto() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}

/// An error with all its causes, on one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
