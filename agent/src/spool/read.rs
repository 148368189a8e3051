//! Reading records on their way home.

use std::io;

use syncwatch_domain::report::Gap;
use syncwatch_domain::time::Timestamp;

use super::error::{SpoolError, at};
use super::segment::{Found, Lines, Segment};
use super::{LINE_KEPT, Spool};

/// How much is read at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records.
    pub records: usize,
    /// Bytes; a single record that is longer comes alone.
    pub bytes: usize,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Number of the first record.
    pub first: u64,
    /// Number of the last one.
    pub last: u64,
    /// How many they are.
    pub records: usize,
}

/// Where the record with a number begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    segment: u64,
    seq: u64,
    offset: u64,
}

/// A chunk that is being read.
struct Filling<'a> {
    limits: Limits,
    out: &'a mut Vec<u8>,
    start: usize,
    expected: u64,
    chunk: Option<Chunk>,
    last_at: Option<Timestamp>,
    holes: Vec<Gap>,
}

impl Spool {
    /// Appends the records behind a number to `out`, as JSON with commas between them. `None`
    /// when there is none.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn read(
        &mut self,
        after: u64,
        limits: Limits,
        out: &mut Vec<u8>,
    ) -> Result<Option<Chunk>, SpoolError> {
        let mut filling = Filling {
            limits,
            start: out.len(),
            out,
            expected: after.max(self.state.floor) + 1,
            chunk: None,
            last_at: None,
            holes: Vec::new(),
        };
        let mut line = std::mem::take(&mut self.line);
        let mut result = Ok(());
        for segment in &self.segments {
            if segment.last < filling.expected {
                continue;
            }
            match filling.take(segment, self.cursor, &mut line) {
                Ok(None) => {}
                Ok(Some(cursor)) => {
                    self.cursor = Some(cursor);
                    break;
                }
                // Removed by somebody: its numbers are a hole.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    result = Err(at("read", &segment.path)(error));
                    break;
                }
            }
        }
        line.shrink_to(LINE_KEPT);
        self.line = line;
        let (chunk, holes) = (filling.chunk, filling.holes);
        for hole in holes {
            self.state.add_gap(hole);
        }
        result.map(|()| chunk)
    }
}

impl Filling<'_> {
    /// Takes what there is in a segment; gives where to go on when the chunk is full.
    fn take(
        &mut self,
        segment: &Segment,
        cursor: Option<Cursor>,
        line: &mut Vec<u8>,
    ) -> io::Result<Option<Cursor>> {
        let offset = cursor
            .filter(|cursor| cursor.segment == segment.first && cursor.seq <= self.expected)
            .map_or(0, |cursor| cursor.offset);
        let mut lines = Lines::open(&segment.path, offset, line)?;
        loop {
            let offset = lines.offset;
            let line = match lines.next()? {
                None => return Ok(None),
                Some(Found::Damaged { .. }) => continue,
                Some(Found::Line(line)) => line,
            };
            // Behind the last record that counts there may be one of which nobody was told.
            if line.seq > segment.last {
                return Ok(None);
            }
            if line.seq < self.expected {
                continue;
            }
            if self.is_full(line.record.len()) {
                return Ok(Some(Cursor {
                    segment: segment.first,
                    seq: line.seq,
                    offset,
                }));
            }
            self.add(line.seq, line.at, line.record);
        }
    }

    fn is_full(&self, more: usize) -> bool {
        self.chunk.is_some_and(|chunk| {
            chunk.records >= self.limits.records
                || self.out.len() - self.start + 1 + more > self.limits.bytes
        })
    }

    fn add(&mut self, seq: u64, at: Timestamp, record: &[u8]) {
        if seq > self.expected {
            self.holes.push(Gap {
                from: self.expected,
                to: seq - 1,
                oldest_at: self.last_at.unwrap_or(at),
                newest_at: at,
            });
        }
        match &mut self.chunk {
            Some(chunk) => {
                chunk.last = seq;
                chunk.records += 1;
                self.out.push(b',');
            }
            None => {
                self.chunk = Some(Chunk {
                    first: seq,
                    last: seq,
                    records: 1,
                });
            }
        }
        self.out.extend_from_slice(record);
        self.expected = seq + 1;
        self.last_at = Some(at);
    }
}
