//! What can go wrong with the spool.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the spool cannot do what is asked.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The disk refused.
    #[error("cannot {action} {}{}", path.display(), hint(source))]
    Disk {
        /// What was to be done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it was not.
        #[source]
        source: io::Error,
    },
    /// A record that no batch can carry.
    #[error("a reading of {bytes} bytes is too long: at most {most} are kept")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// What is allowed.
        most: usize,
    },
    /// A record that cannot be written as JSON.
    #[error("a reading cannot be written down")]
    Write(#[source] serde_json::Error),
    /// Somebody says that they have what was never written.
    #[error("record {number} is acknowledged, but the newest one written is {newest}")]
    Ahead {
        /// The number that was named.
        number: u64,
        /// The newest one there is.
        newest: u64,
    },
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": there is no space left; free some, or give the spool a smaller max_bytes"
        }
        io::ErrorKind::PermissionDenied => {
            ": the account of the agent must be able to read and write there"
        }
        _ => "",
    }
}

impl SpoolError {
    /// Whether there is no space left.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

/// Says what was to be done to which file.
pub(super) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    move |source| SpoolError::Disk {
        action,
        path: path.to_owned(),
        source,
    }
}
