//! Each real server that the tests rely on is started and used once for itself: when one of these fails, the machine
//! is at fault, not the product.

#![expect(clippy::unwrap_used, reason = "tests")]

mod browser;
mod databases;
mod mail;
mod metrics;
