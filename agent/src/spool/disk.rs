//! What the spool does to the disk, call by call: the place where tests pull the plug.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Every call that changes something on the disk.
pub trait Disk: Debug + Send {
    /// Creates an empty file, or empties the one that is there.
    ///
    /// # Errors
    /// Those of the system.
    fn create(&mut self, path: &Path) -> io::Result<File>;
    /// Writes at the place where the file stands.
    ///
    /// # Errors
    /// Those of the system; some of the bytes may have been written.
    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was written has reached the disk.
    ///
    /// # Errors
    /// Those of the system.
    fn sync(&mut self, file: &File) -> io::Result<()>;
    /// Returns when names made or removed in the folder have reached the disk.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
    /// Cuts a file off.
    ///
    /// # Errors
    /// Those of the system.
    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()>;
    /// Gives a file another name, in place of the one that has it.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// Those of the system.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// The machine's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&mut self, path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
    }

    fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    #[cfg(unix)]
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Windows writes names through the journal of the file system; folders cannot be flushed.
    #[cfg(not(unix))]
    fn sync_folder(&mut self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}
