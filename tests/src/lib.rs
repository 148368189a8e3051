//! What the tests of syncwatch share: real servers to talk to, bounded waits and certificates.
//!
//! Guarantees: every peer listens on loopback on a port of its own, keeps its files in a temporary folder and is
//! stopped by its process id when its value is dropped. Every wait is bounded and fails with the last status it saw.
//! A program that is not installed is an error that names the package, never a test that passes without having run.
//!
//! Must never: use a fixed port, reach outside the machine, or end a process it did not start.
//!
//! Entry points: [`peers`], [`wait::until`], [`http_client`].

pub mod peers;
pub mod programs;
pub mod tls;
pub mod wait;

use std::sync::Once;
use std::time::Duration;

/// An HTTP client for tests: ring as crypto provider, no proxy, ten seconds per request.
#[must_use]
pub fn http_client() -> reqwest::Client {
    install_crypto();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .expect("fixed settings and an installed crypto provider build a client")
}

/// Makes ring the crypto provider of this process, once; the HTTP client panics without one.
pub fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another part of the process may have been first; then there is a provider, which is all that is asked.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
