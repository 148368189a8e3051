//! What is made from files, and made anew when one of them was changed: a certificate that is
//! renewed every few weeks must not need a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::tls::TlsError;
use crate::chain;

/// What tells that a file was changed: when, and how long it is.
type Stamp = Option<(SystemTime, u64)>;

/// A value and the files it was made from. Files are looked at with each use: that costs nothing
/// beside the handshake that follows.
pub(super) struct Fresh<T> {
    files: Vec<PathBuf>,
    made: Option<(Vec<Stamp>, Arc<T>)>,
}

impl<T> std::fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh").field("files", &self.files).finish()
    }
}

impl<T> Fresh<T> {
    pub(super) const fn new(files: Vec<PathBuf>) -> Self {
        Self { files, made: None }
    }

    /// The value as the files are now. Changed files that are no good leave the former value in
    /// force until they change again.
    ///
    /// # Errors
    /// When the files are no good and there is no former value.
    pub(super) fn current(
        &mut self,
        make: impl FnOnce() -> Result<T, TlsError>,
    ) -> Result<Arc<T>, TlsError> {
        // Looked at before they are read: what is written meanwhile is seen the next time.
        let stamps = self.stamps();
        let former = self.made.take();
        if let Some((looked_at, value)) = former.as_ref()
            && *looked_at == stamps
        {
            let value = Arc::clone(value);
            self.made = former;
            return Ok(value);
        }
        let value = match (make(), former) {
            (Ok(value), former) => {
                if former.is_some() {
                    tracing::info!("changed certificates were read and are in force");
                }
                Arc::new(value)
            }
            (Err(error), Some((_, former))) => {
                tracing::warn!(
                    reason = chain(&error),
                    "changed certificates cannot be used; those before stay in force"
                );
                former
            }
            (Err(error), None) => return Err(error),
        };
        self.made = Some((stamps, Arc::clone(&value)));
        Ok(value)
    }

    fn stamps(&self) -> Vec<Stamp> {
        let files = self.files.iter();
        files
            .map(|file| {
                let found = std::fs::metadata(file).ok()?;
                Some((found.modified().ok()?, found.len()))
            })
            .collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn bad() -> TlsError {
        TlsError::File {
            file: PathBuf::from("f"),
            why: "it holds no certificate".to_owned(),
        }
    }

    #[test]
    fn what_was_made_stays_until_a_good_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        let mut fresh = Fresh::new(vec![file.clone()]);
        assert!(fresh.current(|| Err::<u8, _>(bad())).is_err());
        std::fs::write(&file, "1").unwrap();
        assert_eq!(*fresh.current(|| Ok(1)).unwrap(), 1);
        let again = fresh.current(|| panic!("nothing was changed"));
        assert_eq!(*again.unwrap(), 1);
        // It is cut off while it is written, and is looked at once in that state.
        std::fs::write(&file, "").unwrap();
        assert_eq!(*fresh.current(|| Err(bad())).unwrap(), 1);
        let again = fresh.current(|| panic!("it is as bad as it was"));
        assert_eq!(*again.unwrap(), 1);
        std::fs::write(&file, "22").unwrap();
        assert_eq!(*fresh.current(|| Ok(2)).unwrap(), 2);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(*fresh.current(|| Err(bad())).unwrap(), 2);
    }
}
