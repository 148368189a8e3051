//! The file that tells a server to its interpreter.

use std::path::{Path, PathBuf};

use super::model::SyncServer;

/// Environment variable that names the file.
pub const STATE_FILE: &str = "SYNCWATCH_FAKE_SERVER";

/// Name of the file that is looked for beside the program, as it was started, when the environment
/// names none.
pub const STATE_FILE_BESIDE: &str = "server.json";

/// Why the file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error("cannot read the server from {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no server.
    #[error("{path} describes no server")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It cannot be written.
    #[error("cannot write the server to {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl SyncServer {
    /// Reads a server from a file.
    ///
    /// # Errors
    /// When the file cannot be read or is no server.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let text = std::fs::read(path).map_err(|source| StateError::Read {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_slice(&text).map_err(|source| StateError::Parse {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes the server to a file in one step: who reads it sees the old one or the new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let failed = |source| StateError::Write {
            path: path.to_owned(),
            source,
        };
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| failed(std::io::Error::other(error)))?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, text).map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)
    }
}
