//! The log of a service, which has no console: a file that does not grow for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Bytes after which a new file is begun; the one before is kept.
const LONGEST: u64 = 4 * 1024 * 1024;

/// A log file and the one before it.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    longest: u64,
}

impl LogFile {
    /// Goes on with a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::bounded(path, LONGEST)
    }

    pub(super) fn bounded(path: &Path, longest: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            bytes: file.metadata()?.len(),
            file,
            longest,
        })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        std::fs::rename(&self.path, self.path.with_extension("old.log"))?;
        *self = Self::bounded(&self.path, self.longest)?;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Another program that holds the file open must not cost a line.
        if self.bytes >= self.longest && self.begin_anew().is_err() {
            self.bytes = 0;
        }
        let written = self.file.write(line)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The log file for a subscriber.
#[derive(Clone, Debug)]
pub struct LogWriter(Arc<Mutex<LogFile>>);

impl LogWriter {
    /// Lines go to this file.
    #[must_use]
    pub fn new(file: LogFile) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
