//! Writing a record, and making room for it.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use syncwatch_domain::report::{Gap, MOST_BYTES, Record};
use syncwatch_domain::time::Timestamp;

use super::error::SpoolError;
use super::line::Line;
use super::segment::{self, Found, Lines, Segment};
use super::{LINE_KEPT, SEGMENT, SEGMENTS, Spool};
use crate::host::Bookmarks;

impl Spool {
    /// Writes a record down and gives it its number. With events come the bookmarks behind them:
    /// both are kept, or neither.
    ///
    /// # Errors
    /// When the record is too long or the disk refuses; then it was not written.
    pub fn append(
        &mut self,
        record: &mut Record,
        bookmarks: Option<&Bookmarks>,
    ) -> Result<u64, SpoolError> {
        record.seq = self.state.next;
        let json = serde_json::to_vec(record).map_err(SpoolError::Write)?;
        if json.len() > MOST_BYTES {
            return Err(SpoolError::TooLong {
                bytes: json.len(),
                most: MOST_BYTES,
            });
        }
        let marks = bookmarks.unwrap_or(&self.state.bookmarks);
        let side = if marks.0.is_empty() {
            Vec::new()
        } else {
            serde_json::to_vec(marks).map_err(SpoolError::Write)?
        };
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        Line {
            seq: record.seq,
            at: record.collected_at,
            record: &json,
            side: &side,
        }
        .write(&mut line);
        let written = self.write(record.seq, record.collected_at, &line);
        line.shrink_to(LINE_KEPT);
        self.line = line;
        written?;
        self.state.next += 1;
        if let Some(bookmarks) = bookmarks {
            self.state.bookmarks.clone_from(bookmarks);
        }
        Ok(record.seq)
    }

    fn write(&mut self, seq: u64, at: Timestamp, line: &[u8]) -> Result<(), SpoolError> {
        let length = line.len() as u64;
        self.make_room(length)?;
        let (most, least) = (self.most_bytes / SEGMENTS, SEGMENT);
        let most = most.clamp(least.0, least.1);
        match self.segments.back() {
            Some(last) if last.bytes + length <= most => self.extend(seq, at, line),
            _ => self.begin(seq, at, line),
        }
    }

    /// Writes behind the last record of the last segment.
    fn extend(&mut self, seq: u64, at: Timestamp, line: &[u8]) -> Result<(), SpoolError> {
        let Some(last) = self.segments.back_mut() else {
            return Ok(());
        };
        // Whatever fails below leaves the tail closed: it is cut to what counts when it is opened.
        let mut file = match self.tail.take() {
            Some(file) => file,
            None => open(self.disk.as_mut(), last)?,
        };
        self.disk
            .write(&mut file, line)
            .map_err(error_at("write", last))?;
        self.disk.sync(&file).map_err(error_at("write", last))?;
        last.extend(seq, at, last.bytes + line.len() as u64);
        self.tail = Some(file);
        Ok(())
    }

    /// Begins a segment with a record.
    fn begin(&mut self, seq: u64, at: Timestamp, line: &[u8]) -> Result<(), SpoolError> {
        self.tail = None;
        let path = segment::path(&self.folder, seq);
        let mut segment = Segment::begin(&path, seq, at);
        let mut file = self
            .disk
            .create(&path)
            .map_err(error_at("create", &segment))?;
        self.disk
            .write(&mut file, line)
            .map_err(error_at("write", &segment))?;
        self.disk.sync(&file).map_err(error_at("write", &segment))?;
        self.disk
            .sync_folder(&self.folder)
            .map_err(error_at("write", &segment))?;
        segment.extend(seq, at, line.len() as u64);
        self.segments.push_back(segment);
        self.tail = Some(file);
        Ok(())
    }

    /// Drops the oldest records until `length` bytes more are within the bound.
    fn make_room(&mut self, length: u64) -> Result<(), SpoolError> {
        while self.bytes() + length > self.most_bytes && !self.segments.is_empty() {
            self.drop_oldest()?;
        }
        Ok(())
    }

    /// Drops the oldest segment. What is lost is remembered before it is.
    fn drop_oldest(&mut self) -> Result<(), SpoolError> {
        let Some(oldest) = self.segments.front().cloned() else {
            return Ok(());
        };
        let from = oldest.first.max(self.state.floor + 1);
        if from <= oldest.last {
            let before = self.state.clone();
            let oldest_at = self.time_of(&oldest, from);
            self.state.add_gap(Gap {
                from,
                to: oldest.last,
                oldest_at,
                newest_at: oldest.last_at,
            });
            self.state.floor = oldest.last;
            if let Err(error) = self.save() {
                self.state = before;
                return Err(error);
            }
            tracing::warn!(
                from,
                to = oldest.last,
                "the spool is full: its oldest records were dropped"
            );
        }
        self.remove_read(0);
        Ok(())
    }

    /// When a record of a segment was read; near enough where it cannot be told.
    fn time_of(&mut self, segment: &Segment, seq: u64) -> Timestamp {
        if seq == segment.first {
            return segment.first_at;
        }
        let Ok(mut lines) = Lines::open(&segment.path, 0, &mut self.line) else {
            return segment.first_at;
        };
        while let Ok(Some(found)) = lines.next() {
            if let Found::Line(line) = found
                && line.seq >= seq
            {
                return line.at;
            }
        }
        segment.first_at
    }
}

/// Opens a segment for writing, without what was begun behind its last record.
fn open(disk: &mut dyn super::Disk, segment: &Segment) -> Result<File, SpoolError> {
    let mut file = File::options()
        .write(true)
        .open(&segment.path)
        .map_err(error_at("open", segment))?;
    let length = file.metadata().map_err(error_at("read", segment))?.len();
    if length > segment.bytes {
        disk.cut(&file, segment.bytes)
            .map_err(error_at("cut", segment))?;
    }
    file.seek(SeekFrom::Start(segment.bytes))
        .map_err(error_at("read", segment))?;
    Ok(file)
}

fn error_at(
    action: &'static str,
    segment: &Segment,
) -> impl FnOnce(std::io::Error) -> SpoolError + use<> {
    let path = segment.path.clone();
    move |source| SpoolError::Disk {
        action,
        path,
        source,
    }
}
