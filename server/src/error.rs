//! Why the service cannot start.

use std::net::SocketAddr;
use std::path::PathBuf;

use syncwatch_alerting::notify::NotifierError;
use syncwatch_collector::CollectorError;
use thiserror::Error;

use crate::tls::TlsError;

/// Why the service cannot start.
#[derive(Debug, Error)]
pub enum AppError {
    /// The address is taken or not ours.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The address for agents cannot speak TLS.
    #[error("agents cannot be listened to")]
    Tls(#[from] TlsError),
    /// The file with the database url.
    #[error("cannot read the database url from {path}")]
    UrlFile {
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The database, where waiting cannot help.
    #[error("the database cannot be used: {reason}")]
    Store {
        /// Why, in words an operator can act on.
        reason: String,
    },
    /// Receivers that cannot be set up.
    #[error("receivers cannot be set up: {reasons}")]
    Receivers {
        /// Why, each.
        reasons: String,
    },
    /// The collector cannot be set up.
    #[error("the collector cannot be set up")]
    Collector(#[from] CollectorError),
    /// Metrics that cannot be registered.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
}

impl AppError {
    pub(crate) fn receivers(errors: &[NotifierError]) -> Self {
        let reasons: Vec<String> = errors.iter().map(|error| crate::chain(error)).collect();
        Self::Receivers {
            reasons: reasons.join("; "),
        }
    }
}
