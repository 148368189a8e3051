//! Segments: files of lines, named by the number of their first record.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use syncwatch_domain::report::MOST_BYTES;
use syncwatch_domain::time::Timestamp;

use super::line::{HEAD, Line, heads};

const ENDING: &str = ".records";
/// No side field is longer than this: some logs with a number and a time each.
const MOST_SIDE: usize = 64 * 1024;
/// No line is longer than this.
const MOST_LINE: u64 = (HEAD + MOST_BYTES + MOST_SIDE) as u64;

/// A segment that holds at least one record.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    /// Up to the end of the last record.
    pub(super) bytes: u64,
}

impl Segment {
    /// A segment whose first record is about to be counted.
    pub(super) fn begin(path: &Path, first: u64, first_at: Timestamp) -> Self {
        Self {
            path: path.to_owned(),
            first,
            last: first,
            first_at,
            last_at: first_at,
            bytes: 0,
        }
    }

    /// Counts a record that ends at `bytes`.
    pub(super) fn extend(&mut self, seq: u64, at: Timestamp, bytes: u64) {
        self.last = seq;
        self.last_at = at;
        self.bytes = bytes;
    }
}

/// The file of the segment that begins with a number.
pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}{ENDING}"))
}

/// The segment files of a folder, oldest first.
pub(super) fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_suffix(ENDING));
        if let Some(first) = number.and_then(|number| number.parse::<u64>().ok()) {
            files.push((first, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// What comes next in a segment.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// A record.
    Line(Line<'a>),
    /// Bytes that are no record.
    Damaged {
        /// How many records that counted may have stood there.
        records: u64,
    },
}

/// Reads a segment line by line, holding one at a time.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    reader: BufReader<File>,
    line: &'a mut Vec<u8>,
    /// Where the next line begins.
    pub(super) offset: u64,
}

impl<'a> Lines<'a> {
    /// Begins at `offset`; `line` is the room for a line.
    pub(super) fn open(path: &Path, offset: u64, line: &'a mut Vec<u8>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self {
            reader: BufReader::new(file),
            line,
            offset,
        })
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(MOST_LINE);
        let read = limited.read_until(b'\n', self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.offset += read as u64;
        Ok(Some(match Line::read(self.line) {
            Some(line) => Found::Line(line),
            None => {
                let heads = heads(self.line);
                let records = if self.line.ends_with(b"\n") {
                    heads.max(1)
                } else {
                    // The last one was never written to its end.
                    heads.saturating_sub(1)
                };
                Found::Damaged { records }
            }
        }))
    }
}
