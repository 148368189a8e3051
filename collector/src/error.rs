//! What can fail in the collector itself. Failures of the outside world are no errors here: they
//! are recorded with their source.

use syncwatch_store::StoreError;
use thiserror::Error;

/// A failure of the collector.
#[derive(Debug, Error)]
pub enum CollectorError {
    /// A metric could not be registered.
    #[error("cannot register the metrics of the collector")]
    Metrics(#[from] prometheus::Error),
    /// No HTTP client could be built.
    #[error("cannot set up the connection to Microsoft Graph for tenant {tenant}")]
    Client {
        /// Which tenant.
        tenant: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The system gives no random numbers.
    #[error(
        "cannot make a key for comparing the tokens of agents: the system gives no random numbers"
    )]
    Random,
    /// The store refused.
    #[error("cannot keep what was read")]
    Store(#[from] StoreError),
}
