//! Secrets, read at use.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use syncwatch_domain::secret::Secret;
use syncwatch_domain::span::Span;
use thiserror::Error;
use tokio::time::timeout;

use crate::config::SecretSource;

/// How long reading a file may take.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// A secret that cannot be had.
#[derive(Debug, Error)]
pub(super) enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret file {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file gives nothing in time: a hung network drive, a pipe.
    #[error("the secret file {path} cannot be read within {}", Span(READ_LIMIT))]
    Slow { path: PathBuf },
    /// The file holds nothing.
    #[error("the secret file {path} is empty")]
    Empty { path: PathBuf },
}

impl SecretSource {
    /// The secret, from its file if it has one; line ends around it do not belong to it.
    pub(super) async fn read(&self) -> Result<Secret<String>, SecretError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => {
                let text = timeout(READ_LIMIT, tokio::fs::read_to_string(path)).await;
                let text = text.map_err(|_| SecretError::Slow { path: path.clone() })?;
                let text = text.map_err(|source| SecretError::Read {
                    path: path.clone(),
                    source,
                })?;
                let secret = text.trim();
                if secret.is_empty() {
                    return Err(SecretError::Empty { path: path.clone() });
                }
                Ok(Secret::new(secret.to_owned()))
            }
        }
    }
}
