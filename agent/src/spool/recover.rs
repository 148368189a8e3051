//! Finding out what a folder holds, after whatever happened to the agent or the disk.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use syncwatch_domain::report::Gap;
use syncwatch_domain::time::Timestamp;

use super::disk::Disk;
use super::error::{SpoolError, at};
use super::line::Line;
use super::segment::{self, Found, Lines, Segment};
use super::state::State;

/// What was found.
pub(super) struct Recovered {
    pub(super) state: State,
    pub(super) segments: VecDeque<Segment>,
}

/// Reads a folder and mends it: a torn tail is cut off, what is gone for good is removed, and
/// holes in the numbers become gaps. `now` dates a gap that has no neighbour.
pub(super) fn recover(
    disk: &mut dyn Disk,
    folder: &Path,
    now: Timestamp,
) -> Result<Recovered, SpoolError> {
    let kept = State::load(disk, folder)?;
    let mut state = kept.clone().unwrap_or_else(State::fresh);
    // Those above the floor were damage, which is found again.
    state.gaps.retain(|gap| gap.to <= state.floor);
    let mut walk = Walk::new(state, kept.is_some());
    let files = segment::list(folder).map_err(at("list", folder))?;
    for file in files {
        walk.look(file)?;
    }
    let Walk {
        state,
        segments,
        useless,
        ..
    } = walk.end(now);
    let learned = kept.is_none_or(|kept| kept.gaps != state.gaps);
    if learned {
        // Before anything is removed: numbers that are skipped must stay skipped.
        state.save(disk, folder)?;
    }
    if let Some(last) = segments.back() {
        cut_off_tail(disk, last)?;
    }
    for file in useless {
        disk.remove(&file).map_err(at("remove", &file))?;
    }
    Ok(Recovered { state, segments })
}

fn cut_off_tail(disk: &mut dyn Disk, last: &Segment) -> Result<(), SpoolError> {
    let length = std::fs::metadata(&last.path).map_err(at("read", &last.path))?;
    if length.len() <= last.bytes {
        return Ok(());
    }
    let file = std::fs::File::options()
        .write(true)
        .open(&last.path)
        .map_err(at("open", &last.path))?;
    disk.cut(&file, last.bytes).map_err(at("cut", &last.path))
}

/// The way through all segments.
struct Walk {
    state: State,
    segments: VecDeque<Segment>,
    /// Files without a record that is still to be sent.
    useless: Vec<PathBuf>,
    /// The number that must come next; `None` before the first record of a spool without a state.
    expected: Option<u64>,
    last_at: Option<Timestamp>,
    /// Records that cannot be read, behind the last one that can.
    lost: u64,
    /// Bookmarks of the newest record above the floor: the state has newer ones than those below.
    side: Vec<u8>,
    line: Vec<u8>,
}

impl Walk {
    fn new(state: State, is_known: bool) -> Self {
        Self {
            expected: is_known.then_some(state.floor + 1),
            state,
            segments: VecDeque::new(),
            useless: Vec::new(),
            last_at: None,
            lost: 0,
            side: Vec::new(),
            line: Vec::new(),
        }
    }

    fn look(&mut self, path: PathBuf) -> Result<(), SpoolError> {
        let mut line = std::mem::take(&mut self.line);
        let segment = self.read(&path, &mut line).map_err(at("read", &path))?;
        self.line = line;
        match segment {
            Some(segment) if segment.last > self.state.floor => self.segments.push_back(segment),
            _ => self.useless.push(path),
        }
        Ok(())
    }

    fn read(&mut self, path: &Path, line: &mut Vec<u8>) -> io::Result<Option<Segment>> {
        let mut segment: Option<Segment> = None;
        let mut lines = Lines::open(path, 0, line)?;
        loop {
            let start = lines.offset;
            let line = match lines.next()? {
                None => return Ok(segment),
                Some(Found::Damaged { records }) => {
                    self.lost += records;
                    continue;
                }
                Some(Found::Line(line)) => line,
            };
            if segment.as_ref().is_some_and(|seen| line.seq <= seen.last) {
                continue;
            }
            self.saw(&line);
            segment
                .get_or_insert_with(|| Segment::begin(path, line.seq, line.at))
                .extend(line.seq, line.at, start + line.length());
        }
    }

    /// Notes a record; numbers before it that did not come are a gap.
    fn saw(&mut self, line: &Line<'_>) {
        let (seq, at) = (line.seq, line.at);
        let expected = *self.expected.get_or_insert_with(|| {
            self.state.floor = seq.saturating_sub(1);
            seq
        });
        if seq > expected {
            self.miss(expected, seq - 1, at);
        }
        self.expected = Some(expected.max(seq + 1));
        self.last_at = Some(at);
        self.lost = 0;
        if seq > self.state.floor {
            self.side.clear();
            self.side.extend_from_slice(line.side);
        }
    }

    fn miss(&mut self, from: u64, to: u64, until: Timestamp) {
        self.state.add_gap(Gap {
            from,
            to,
            oldest_at: self.last_at.unwrap_or(until),
            newest_at: until,
        });
    }

    fn end(mut self, now: Timestamp) -> Self {
        let expected = self.expected.unwrap_or(1);
        self.state.next = self.state.next.max(expected + self.lost);
        if self.state.next > expected {
            self.miss(expected, self.state.next - 1, now);
        }
        if let Ok(bookmarks) = serde_json::from_slice(&self.side) {
            self.state.bookmarks = bookmarks;
        }
        self
    }
}
