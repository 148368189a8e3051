//! Notifiers: how a receiver is told, and what its answer means.
//!
//! A notifier makes one attempt and says what came of it. It never waits for a better time (that
//! is a due time of the delivery), never takes longer than its limit, and never repeats a secret.

mod http;
mod mail;
mod reason;
mod secret;
mod teams;
mod tls;
mod webhook;
mod wording;

use std::path::PathBuf;
use std::time::Duration;

use syncwatch_domain::delivery::{AttemptResult, Delivery};
use syncwatch_domain::time::Timestamp;
use thiserror::Error;
use url::Url;

use crate::config::{Channel, ReceiverConfig};

pub use self::mail::MailNotifier;
pub use self::teams::TeamsNotifier;
pub use self::webhook::{AlertBody, WebhookBody, WebhookNotifier};

/// A receiver that cannot be set up.
#[derive(Debug, Error)]
pub enum NotifierError {
    /// The file of trusted authorities is not readable.
    #[error("cannot read the certificate authorities of receiver {receiver} from {path}")]
    CaFile {
        /// Name of the receiver.
        receiver: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// The file of trusted authorities holds none.
    #[error("there is no certificate in {path}, the `ca_file` of receiver {receiver}")]
    CaEmpty {
        /// Name of the receiver.
        receiver: String,
        /// The file.
        path: PathBuf,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS for receiver {receiver}")]
    Tls {
        /// Name of the receiver.
        receiver: String,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The HTTP client cannot be set up.
    #[error("cannot set up HTTP for receiver {receiver}")]
    Http {
        /// Name of the receiver.
        receiver: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// Tells one receiver.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notifier {
    /// By mail.
    Mail(Box<MailNotifier>),
    /// In a Teams channel.
    Teams(Box<TeamsNotifier>),
    /// By a signed HTTP POST.
    Webhook(Box<WebhookNotifier>),
}

impl Notifier {
    /// A notifier for `receiver`. Messages link to `page`, the status page as people reach it.
    ///
    /// # Errors
    /// When the trusted authorities cannot be read or TLS cannot be set up.
    pub fn new(receiver: &ReceiverConfig, page: Option<&Url>) -> Result<Self, NotifierError> {
        let page = page.cloned();
        Ok(match &receiver.channel {
            Channel::Mail(settings) => {
                Self::Mail(Box::new(MailNotifier::new(receiver, settings, page)?))
            }
            Channel::Teams(settings) => {
                Self::Teams(Box::new(TeamsNotifier::new(receiver, settings, page)?))
            }
            Channel::Webhook(settings) => {
                Self::Webhook(Box::new(WebhookNotifier::new(receiver, settings, page)?))
            }
        })
    }

    /// Makes one attempt, within the receiver's limit.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        match self {
            Self::Mail(notifier) => notifier.send(delivery).await,
            Self::Teams(notifier) => notifier.send(delivery, now).await,
            Self::Webhook(notifier) => notifier.send(delivery, now).await,
        }
    }

    /// Closes connections that nobody used for a while.
    pub async fn tend(&self) {
        if let Self::Mail(notifier) = self {
            notifier.close_idle().await;
        }
    }

    /// How many attempts may run at once.
    #[must_use]
    pub const fn concurrency(&self) -> usize {
        match self {
            Self::Mail(_) => mail::CONCURRENCY,
            Self::Teams(_) => teams::CONCURRENCY,
            Self::Webhook(_) => webhook::CONCURRENCY,
        }
    }

    /// Least time between the starts of two attempts.
    #[must_use]
    pub const fn pace(&self) -> Duration {
        match self {
            Self::Teams(notifier) => notifier.pace(),
            Self::Mail(_) | Self::Webhook(_) => Duration::ZERO,
        }
    }
}
