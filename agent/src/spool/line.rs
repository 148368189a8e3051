//! One line of a segment: a record with its number, its time, its lengths and a checksum.
//!
//! `crc32 seq collected_at record_bytes side_bytes record side`, the first five in fixed width,
//! so that everything but the record itself is read without JSON. The side field stays here: it
//! holds how far the event logs had been read when the record was written.

use syncwatch_domain::time::Timestamp;

/// Bytes before the record: 8 + 20 + 20 + 8 + 8 digits and a blank behind each.
pub(super) const HEAD: usize = 69;
/// Bytes that the checksum itself takes, with its blank.
const CHECKSUM: usize = 9;

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Number of the record.
    pub(super) seq: u64,
    /// When it was read, by the server's clock.
    pub(super) at: Timestamp,
    /// The record as JSON.
    pub(super) record: &'a [u8],
    /// The side field as JSON; may be empty.
    pub(super) side: &'a [u8],
}

impl<'a> Line<'a> {
    /// Appends the line with its end to `out`. Neither part may contain a line feed, which JSON
    /// in one line does not.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (record, side) = (self.record.len(), self.side.len());
        let numbers = format!(
            "{:020} {:020} {record:08x} {side:08x} ",
            self.seq,
            self.at.as_millis()
        );
        out.extend_from_slice(b"........ ");
        out.extend_from_slice(numbers.as_bytes());
        out.extend_from_slice(self.record);
        out.extend_from_slice(self.side);
        let checksum = crc32fast::hash(&out[start + CHECKSUM..]);
        out[start..start + CHECKSUM - 1].copy_from_slice(format!("{checksum:08x}").as_bytes());
        out.push(b'\n');
    }

    /// Bytes of the line with its end.
    pub(super) fn length(&self) -> u64 {
        (HEAD + self.record.len() + self.side.len() + 1) as u64
    }

    /// Reads a line with its end; `None` when it is cut off or damaged.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let text = text.strip_suffix(b"\n")?;
        let (head, body) = text.split_at_checked(HEAD)?;
        let checksum = hexadecimal(head.get(..8)?)?;
        if head[8] != b' ' || checksum != crc32fast::hash(&text[CHECKSUM..]) {
            return None;
        }
        let seq = std::str::from_utf8(head.get(9..29)?).ok()?.parse().ok()?;
        let at = std::str::from_utf8(head.get(30..50)?).ok()?.parse().ok()?;
        let record = usize::try_from(hexadecimal(head.get(51..59)?)?).ok()?;
        let side = usize::try_from(hexadecimal(head.get(60..68)?)?).ok()?;
        let (record, rest) = body.split_at_checked(record)?;
        (rest.len() == side).then_some(Self {
            seq,
            at: Timestamp::from_millis(at),
            record,
            side: rest,
        })
    }
}

/// How many lines begin in bytes that are none: where a line feed was damaged there are several.
pub(super) fn heads(damaged: &[u8]) -> u64 {
    let begins = |bytes: &[u8]| {
        let blanks = [8, 29, 50, 59, 68].iter().all(|at| bytes[*at] == b' ');
        blanks && bytes[9..29].iter().all(u8::is_ascii_digit)
    };
    damaged.windows(HEAD).filter(|bytes| begins(bytes)).count() as u64
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(seq: u64, at: i64, record: &[u8], side: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Line {
            seq,
            at: Timestamp::from_millis(at),
            record,
            side,
        }
        .write(&mut out);
        out
    }

    #[test]
    fn a_line_is_text_that_a_person_can_read() {
        let line = written(17, 1_790_000_000_123, b"{\"seq\":17}", b"{}");
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "11b113ca 00000000000000000017 00000001790000000123 0000000a 00000002 {\"seq\":17}{}\n"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seq: u64, at: i64, record in "[ -~]{0,80}", side in "[ -~]{0,20}") {
            let line = written(seq, at, record.as_bytes(), side.as_bytes());
            let read = Line::read(&line).unwrap();
            prop_assert_eq!(read.seq, seq);
            prop_assert_eq!(read.at.as_millis(), at);
            prop_assert_eq!(read.record, record.as_bytes());
            prop_assert_eq!(read.side, side.as_bytes());
        }

        #[test]
        fn no_changed_byte_and_no_cut_goes_unnoticed(at in 0_usize..91, bit in 0_u8..8) {
            let line = written(17, 1_790_000_000_123, b"{\"seq\":17}", b"{\"a\":\"b\"}");
            prop_assert_eq!(Line::read(&line[..at.min(line.len() - 1)]), None);
            let mut changed = line.clone();
            let at = at.min(line.len() - 1);
            changed[at] ^= 1 << bit;
            // Upper case in the checksum means the same.
            let same = changed.eq_ignore_ascii_case(&line) && at < 8;
            prop_assert!(same || Line::read(&changed).is_none());
        }
    }
}
