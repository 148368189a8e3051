//! The spool: records on disk until the service has committed them.
//!
//! A record counts as written when [`Spool::append`] returns: it has a number and has reached the
//! disk, together with how far the event logs had been read. After a crash at any point nothing
//! written is missing, what was half written is cut off, and no number is used twice. When the
//! spool is full the oldest records go, and a
//! [`Gap`](syncwatch_domain::report::Gap) says so until it was acknowledged. However
//! much it holds, one record at a time is in memory.
//!
//! Start reading at [`Spool`]; what lies on the disk is described in `line.rs` and `state.rs`.

mod disk;
mod error;
mod line;
mod read;
mod recover;
mod segment;
mod state;
mod write;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use syncwatch_domain::report::SpoolState;
use syncwatch_domain::time::Timestamp;

pub use self::disk::{Disk, SystemDisk};
pub use self::error::SpoolError;
pub use self::read::{Chunk, Limits};

use self::error::at;
use self::read::Cursor;
use self::segment::Segment;
use self::state::State;
use crate::host::Bookmarks;

/// Room for a line is given back when it has grown beyond this.
const LINE_KEPT: usize = 64 * 1024;
/// Bounds of the size of a segment: what is dropped at a time.
const SEGMENT: (u64, u64) = (64 * 1024, 4 * 1024 * 1024);
/// The spool is divided into about so many segments.
const SEGMENTS: u64 = 64;

/// Records on disk, in the order of their numbers.
#[derive(Debug)]
pub struct Spool {
    disk: Box<dyn Disk>,
    folder: PathBuf,
    most_bytes: u64,
    state: State,
    /// The state has an acknowledgement that its file lacks.
    is_unsaved: bool,
    segments: VecDeque<Segment>,
    /// The last segment, standing at its end; `None` when it has to be opened first.
    tail: Option<File>,
    /// Files that are done with and could not be removed yet.
    leftovers: Vec<PathBuf>,
    cursor: Option<Cursor>,
    line: Vec<u8>,
}

impl Spool {
    /// Opens the spool in a folder, which is made when it is missing. `now` dates what was lost
    /// when nothing else does.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, most_bytes: u64, now: Timestamp) -> Result<Self, SpoolError> {
        Self::open_on(Box::new(SystemDisk), folder, most_bytes, now)
    }

    /// The same on a disk of the caller's.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open_on(
        mut disk: Box<dyn Disk>,
        folder: &Path,
        most_bytes: u64,
        now: Timestamp,
    ) -> Result<Self, SpoolError> {
        std::fs::create_dir_all(folder).map_err(at("create", folder))?;
        let found = recover::recover(disk.as_mut(), folder, now)?;
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            most_bytes,
            state: found.state,
            is_unsaved: false,
            segments: found.segments,
            tail: None,
            leftovers: Vec::new(),
            cursor: None,
            line: Vec::new(),
        })
    }

    /// What the spool holds, as it is told to the service.
    #[must_use]
    pub fn state(&self) -> SpoolState {
        SpoolState {
            id: self.state.id.clone(),
            first: self.state.floor + 1,
            next: self.state.next,
            gaps: self.state.gaps.clone(),
        }
    }

    /// Name of the spool.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state.id
    }

    /// How far the event logs were read, as of the newest record.
    #[must_use]
    pub const fn bookmarks(&self) -> &Bookmarks {
        &self.state.bookmarks
    }

    /// Whether a record with a number above this one is there.
    #[must_use]
    pub const fn has_after(&self, number: u64) -> bool {
        let gone = if self.state.floor > number {
            self.state.floor
        } else {
            number
        };
        self.state.next > gone + 1
    }

    /// Bytes of all records on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Forgets every record up to a number, which the service has committed.
    ///
    /// # Errors
    /// When a number is named that was never given; then nothing is forgotten. When the disk
    /// refuses; then it is forgotten until a crash, after which the records are there again. The
    /// next acknowledgement saves both.
    pub fn acknowledge(&mut self, number: u64) -> Result<(), SpoolError> {
        if number >= self.state.next {
            return Err(SpoolError::Ahead {
                number,
                newest: self.state.next - 1,
            });
        }
        let closed = self.state.close_gaps(number);
        if number > self.state.floor || closed {
            self.state.floor = self.state.floor.max(number);
            self.is_unsaved = true;
        }
        if !self.is_unsaved {
            return Ok(());
        }
        let mut saved = self.save();
        if saved.as_ref().is_err_and(SpoolError::is_full) && self.remove_read(1) > 0 {
            // Room is made by what is not needed any more; the last segment keeps the numbers.
            saved = self.save();
        }
        saved?;
        self.remove_read(0);
        Ok(())
    }

    /// Gives the spool a new name, so that the service takes its numbers for new ones: for a
    /// folder that was restored from an older copy.
    ///
    /// # Errors
    /// When the disk refuses; then the name stays.
    pub fn rename(&mut self) -> Result<(), SpoolError> {
        let before = std::mem::replace(&mut self.state.id, state::new_id());
        self.save().inspect_err(|_| self.state.id = before)
    }

    fn save(&mut self) -> Result<(), SpoolError> {
        self.state.save(self.disk.as_mut(), &self.folder)?;
        self.is_unsaved = false;
        Ok(())
    }

    /// Removes segments of which every record is gone, but for the last `kept` ones; gives their
    /// number.
    fn remove_read(&mut self, kept: usize) -> usize {
        let mut removed = 0;
        while self.segments.len() > kept
            && let Some(oldest) = self
                .segments
                .pop_front_if(|oldest| oldest.last <= self.state.floor)
        {
            self.leftovers.push(oldest.path);
            removed += 1;
        }
        if self.segments.is_empty() {
            self.tail = None;
        }
        self.sweep();
        removed
    }

    /// Removes files that are done with. One that cannot be removed now is tried again; after a
    /// start it is seen that nothing of it is needed.
    fn sweep(&mut self) {
        let disk = self.disk.as_mut();
        self.leftovers.retain(|path| match disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(file = %path.display(), reason = %error, "a segment cannot be removed yet");
                true
            }
            _ => false,
        });
    }
}
