//! The spool when the process is killed within any call to the disk, life after life.

use std::collections::BTreeMap;
use std::path::Path;

use syncwatch_agent::spool::{Spool, SpoolError};

use crate::support::disk::Fault;
use crate::support::{
    ALL, Dice, PLENTY, START, bookmark_of, bookmarks, contents, gaps, mark_of, open_quickly,
    record, records_after,
};

/// What must hold, whatever happens to the spool.
#[derive(Debug, Default)]
struct Ledger {
    /// Every record that was seen under a number, by number: no number means two records.
    seen: BTreeMap<u64, u64>,
    /// Records that were written and not acknowledged.
    written: BTreeMap<u64, u64>,
    acknowledged: u64,
    /// One that may have been written, and one acknowledgement that may have been made.
    doubtful: Option<(u64, u64)>,
    doubtful_acknowledgement: u64,
    bookmark: u64,
    doubtful_bookmark: Option<u64>,
    next_mark: u64,
}

impl Ledger {
    fn see(&mut self, seq: u64, mark: u64, round: &str) {
        let before = self.seen.insert(seq, mark);
        assert!(
            before.is_none_or(|before| before == mark),
            "number {seq} was used twice: {round}"
        );
    }

    /// Compares with a spool that was opened after a crash, and takes over what was in doubt.
    fn compare(&mut self, spool: &mut Spool, round: &str) {
        let found: BTreeMap<u64, u64> = contents(spool).into_iter().collect();
        let dropped = gaps(spool);
        let is_dropped = |seq: u64| {
            dropped
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&seq))
        };
        for (seq, mark) in &self.written {
            let came_home = *seq <= self.doubtful_acknowledgement;
            let is_kept = found.get(seq) == Some(mark);
            assert!(
                is_kept || came_home || is_dropped(*seq),
                "record {seq} is lost: {round}"
            );
        }
        for (seq, mark) in &found {
            assert!(*seq > self.acknowledged, "record {seq} came back: {round}");
            let is_known = self.written.get(seq) == Some(mark);
            let is_doubtful = self.doubtful == Some((*seq, *mark));
            assert!(
                is_known || is_doubtful,
                "record {seq} came from nowhere: {round}"
            );
            self.see(*seq, *mark, round);
        }
        let doubtful = self
            .doubtful
            .take()
            .filter(|(seq, _)| found.contains_key(seq));
        if doubtful.is_some() {
            self.bookmark = self.doubtful_bookmark.unwrap_or(self.bookmark);
        }
        assert_eq!(bookmark_of(spool), self.bookmark, "{round}");
        let newest = self.seen.last_key_value().map_or(0, |(seq, _)| *seq);
        assert!(spool.state().next > newest, "{round}");
        for (seq, _) in spool.state().gaps.iter().map(|gap| (gap.from, gap.to)) {
            assert!(
                seq <= newest,
                "a gap of numbers that were never given: {round}"
            );
        }
        self.acknowledged = spool.state().first - 1;
        self.written = found;
        self.doubtful_bookmark = None;
        self.doubtful_acknowledgement = 0;
    }

    fn append(
        &mut self,
        spool: &mut Spool,
        dice: &mut Dice,
        round: &str,
    ) -> Result<(), SpoolError> {
        let mark = self.next_mark;
        self.next_mark += 1;
        let marks = (dice.roll(3) == 0).then(|| bookmarks(mark + 1));
        let mut record = record(mark, usize::try_from(dice.roll(9000)).unwrap());
        self.doubtful = Some((spool.state().next, mark));
        self.doubtful_bookmark = marks.as_ref().map(|_| mark + 1);
        let seq = spool.append(&mut record, marks.as_ref())?;
        self.see(seq, mark, round);
        self.written.insert(seq, mark);
        self.bookmark = self.doubtful_bookmark.take().unwrap_or(self.bookmark);
        self.doubtful = None;
        let first = spool.state().first;
        self.written.retain(|seq, _| *seq >= first);
        Ok(())
    }

    fn acknowledge(&mut self, spool: &mut Spool, dice: &mut Dice) -> Result<(), SpoolError> {
        let state = spool.state();
        let number = state.first - 1 + dice.roll(state.next - state.first + 1);
        self.doubtful_acknowledgement = number;
        spool.acknowledge(number)?;
        self.written.retain(|seq, _| *seq > number);
        self.acknowledged = self.acknowledged.max(number);
        Ok(())
    }
}

/// One life: opens the folder, works, and is killed after some calls.
fn live(folder: &Path, bound: u64, ledger: &mut Ledger, dice: &mut Dice, round: &str) {
    let fault = Fault::default();
    fault.kill_after(dice.roll(60), dice.roll(u64::MAX));
    let Ok(mut spool) = Spool::open_on(fault.disk(), folder, bound, START) else {
        assert!(fault.is_killed(), "{round}");
        return;
    };
    ledger.compare(&mut spool, round);
    loop {
        let done = match dice.roll(8) {
            0 => ledger.acknowledge(&mut spool, dice),
            1 => {
                let read = records_after(&mut spool, 0, ALL);
                let read: BTreeMap<u64, u64> =
                    read.iter().map(|one| (one.seq, mark_of(one))).collect();
                assert_eq!(read, ledger.written, "{round}");
                Ok(())
            }
            _ => ledger.append(&mut spool, dice, round),
        };
        if let Err(error) = done {
            assert!(fault.is_killed(), "{error}: {round}");
            return;
        }
    }
}

fn lives(bound: u64, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, mut dice) = (Ledger::default(), Dice(seed));
        for life in 0..12 {
            let round = format!("seed {seed}, life {life}");
            live(folder.path(), bound, &mut ledger, &mut dice, &round);
        }
        let round = format!("seed {seed}, at the end");
        let mut spool = open_quickly(folder.path(), bound);
        ledger.compare(&mut spool, &round);
    }
}

#[test]
fn nothing_written_is_lost_and_no_number_used_twice_whenever_it_is_killed() {
    lives(PLENTY, 0..60);
}

#[test]
fn the_same_holds_while_it_is_full_and_drops_the_oldest() {
    lives(200_000, 1000..1060);
}

#[test]
fn an_acknowledgement_is_made_or_not_whenever_it_is_killed() {
    for calls in 0..40 {
        for seed in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = open_quickly(folder.path(), 1 << 20);
            for mark in 0..40 {
                let marks = bookmarks(mark + 1);
                spool.append(&mut record(mark, 8000), Some(&marks)).unwrap();
            }
            drop(spool);
            let fault = Fault::default();
            let mut spool = Spool::open_on(fault.disk(), folder.path(), 1 << 20, START).unwrap();
            fault.kill_after(calls, seed);
            let acknowledged = spool.acknowledge(40);
            assert!(acknowledged.is_ok() || fault.is_killed());
            drop(spool);
            let mut spool = open_quickly(folder.path(), 1 << 20);
            let (state, left) = (spool.state(), contents(&mut spool));
            let point = format!("killed after {calls} calls, seed {seed}");
            assert!(left.is_empty() || left.len() == 40, "{point}: {left:?}");
            assert!(left.is_empty() || acknowledged.is_err(), "{point}");
            assert_eq!(state.next, 41, "{point}");
            assert_eq!(state.gaps, [], "{point}");
            assert_eq!(bookmark_of(&spool), 40, "{point}");
            assert_eq!(
                spool.append(&mut record(99, 5), None).unwrap(),
                41,
                "{point}"
            );
        }
    }
}

#[test]
fn a_start_that_is_killed_harms_nothing() {
    for calls in 0..12 {
        for seed in 0..4 {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = open_quickly(folder.path(), PLENTY);
            for mark in 0..3 {
                spool.append(&mut record(mark, 50), None).unwrap();
            }
            drop(spool);
            let segment = folder.path().join("00000000000000000001.records");
            let mut bytes = std::fs::read(&segment).unwrap();
            // The second record is damaged, the third is half written.
            let second = bytes.len() / 2;
            bytes[second] ^= 1;
            bytes.truncate(bytes.len() - 40);
            std::fs::write(&segment, bytes).unwrap();
            let fault = Fault::default();
            fault.kill_after(calls, seed);
            drop(Spool::open_on(fault.disk(), folder.path(), PLENTY, START));
            let mut spool = open_quickly(folder.path(), PLENTY);
            let left = contents(&mut spool);
            assert_eq!(left, [(1, 0)], "killed after {calls} calls, seed {seed}");
            assert_eq!(gaps(&spool), [(2, 2)]);
            assert_eq!(spool.append(&mut record(9, 5), None).unwrap(), 3);
        }
    }
}
