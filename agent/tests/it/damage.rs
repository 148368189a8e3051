//! The spool after its files were cut off, changed or taken away.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{PLENTY, at, bookmark_of, bookmarks, contents, gaps, open_quickly, record};

const RECORDS: u64 = 5;

/// A spool of [`RECORDS`] small records in one segment, of which none was acknowledged.
fn fill(folder: &Path) -> PathBuf {
    let mut spool = open_quickly(folder, PLENTY);
    for mark in 0..RECORDS {
        let marks = bookmarks(mark + 100);
        spool.append(&mut record(mark, 5), Some(&marks)).unwrap();
    }
    segments(folder).remove(0)
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = names
        .filter(|path| path.extension().is_some_and(|ending| ending == "records"))
        .collect();
    all.sort();
    all
}

/// Where each line of a segment ends.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    breaks.map(|(at, _)| at + 1).collect()
}

fn first(count: u64) -> Vec<(u64, u64)> {
    (0..count).map(|mark| (mark + 1, mark)).collect()
}

#[test]
fn a_segment_cut_off_at_any_byte_keeps_every_complete_record() {
    let folder = tempfile::tempdir().unwrap();
    let segment = fill(folder.path());
    let whole = fs::read(&segment).unwrap();
    let ends = ends(&whole);
    assert_eq!(ends.len() as u64, RECORDS);
    for length in 0..=whole.len() {
        fs::write(&segment, &whole[..length]).unwrap();
        let complete = ends.iter().filter(|end| **end <= length).count() as u64;
        let mut spool = open_quickly(folder.path(), PLENTY);
        assert_eq!(contents(&mut spool), first(complete), "cut at {length}");
        assert_eq!(
            gaps(&spool),
            [],
            "nothing complete is lost: cut at {length}"
        );
        let bookmark = if complete == 0 { 0 } else { complete + 99 };
        assert_eq!(
            bookmark_of(&spool),
            bookmark,
            "with its record: cut at {length}"
        );
        // The number of what was half written is free: nobody ever saw it.
        let number = spool.append(&mut record(77, 5), None).unwrap();
        assert_eq!(number, complete + 1, "cut at {length}");
        drop(spool);
        let mut again = open_quickly(folder.path(), PLENTY);
        assert_eq!(contents(&mut again).last(), Some(&(complete + 1, 77)));
        drop(again);
        for file in segments(folder.path()) {
            fs::remove_file(file).unwrap();
        }
        fs::remove_file(folder.path().join("state.json")).unwrap();
        let id = open_quickly(folder.path(), PLENTY).id().to_owned();
        assert!(!id.is_empty());
    }
}

#[test]
fn a_record_that_was_written_and_is_gone_is_a_gap_and_its_number_is_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let segment = fill(folder.path());
    // The state learns how far the numbers went.
    open_quickly(folder.path(), PLENTY).acknowledge(1).unwrap();
    let whole = fs::read(&segment).unwrap();
    let ends = ends(&whole);
    for length in 0..whole.len() {
        fs::write(&segment, &whole[..length]).unwrap();
        let complete = ends.iter().filter(|end| **end <= length).count() as u64;
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let mut spool = open_quickly(copy.path(), PLENTY);
        let left: Vec<_> = first(complete).into_iter().skip(1).collect();
        assert_eq!(contents(&mut spool), left, "cut at {length}");
        assert_eq!(
            gaps(&spool),
            [(complete.max(1) + 1, RECORDS)],
            "cut at {length}"
        );
        assert_eq!(spool.append(&mut record(77, 5), None).unwrap(), RECORDS + 1);
        drop(spool);
        let mut again = open_quickly(copy.path(), PLENTY);
        assert_eq!(contents(&mut again).last(), Some(&(RECORDS + 1, 77)));
        assert_eq!(
            gaps(&again),
            [(complete.max(1) + 1, RECORDS)],
            "cut at {length}"
        );
    }
}

#[test]
fn a_changed_byte_costs_its_record_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let segment = fill(folder.path());
    let whole = fs::read(&segment).unwrap();
    let ends = ends(&whole);
    let state = folder.path().join("state.json");
    let known = fs::read(&state).unwrap();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x80;
        fs::write(&segment, &changed).unwrap();
        let hit = ends.iter().filter(|end| **end <= place).count() as u64 + 1;
        let mut spool = open_quickly(folder.path(), PLENTY);
        let mut left = first(RECORDS);
        left.retain(|(seq, _)| *seq != hit);
        // A changed line end takes the line behind it along.
        let ate_line_end = ends.contains(&(place + 1));
        if ate_line_end {
            left.retain(|(seq, _)| *seq != hit + 1);
        }
        assert_eq!(contents(&mut spool), left, "byte {place}");
        let lost_last = hit == RECORDS && ate_line_end;
        if !lost_last {
            let until = if ate_line_end { hit + 1 } else { hit };
            assert_eq!(gaps(&spool), [(hit, until)], "byte {place}");
            assert_eq!(spool.append(&mut record(77, 5), None).unwrap(), RECORDS + 1);
        }
        drop(spool);
        for file in segments(folder.path()) {
            fs::remove_file(file).unwrap();
        }
        fs::write(&state, &known).unwrap();
    }
}

#[test]
fn damage_that_comes_while_the_agent_runs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let segment = fill(folder.path());
    let mut spool = open_quickly(folder.path(), PLENTY);
    let mut bytes = fs::read(&segment).unwrap();
    let ends = ends(&bytes);
    bytes[ends[1] - 5] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert_eq!(contents(&mut spool), [(1, 0), (3, 2), (4, 3), (5, 4)]);
    let state = spool.state();
    let gap = &state.gaps[0];
    assert_eq!((gap.from, gap.to), (2, 2));
    assert_eq!((gap.oldest_at, gap.newest_at), (at(0), at(2)));
    spool.acknowledge(5).unwrap();
    assert_eq!(gaps(&spool), []);
}

#[test]
fn a_segment_that_somebody_removed_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open_quickly(folder.path(), 1 << 20);
    for mark in 0..60 {
        spool.append(&mut record(mark, 8000), None).unwrap();
    }
    let all = segments(folder.path());
    assert!(all.len() > 3, "{all:?}");
    fs::remove_file(&all[1]).unwrap();
    let before: Vec<u64> = contents(&mut spool).iter().map(|(seq, _)| *seq).collect();
    let told = gaps(&spool);
    assert_eq!(told.len(), 1);
    let (from, to) = told[0];
    let expected: Vec<u64> = (1..=60).filter(|seq| !(from..=to).contains(seq)).collect();
    assert_eq!(before, expected);
    drop(spool);
    let mut spool = open_quickly(folder.path(), PLENTY);
    assert_eq!(gaps(&spool), told);
    assert_eq!(contents(&mut spool).len(), expected.len());
}

#[test]
fn a_state_that_cannot_be_read_makes_a_new_spool_of_the_old_records() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let mut spool = open_quickly(folder.path(), PLENTY);
    spool.acknowledge(2).unwrap();
    let id = spool.id().to_owned();
    drop(spool);
    let state = folder.path().join("state.json");
    fs::write(&state, "{\"id\":").unwrap();
    let mut spool = open_quickly(folder.path(), PLENTY);
    assert_ne!(spool.id(), id, "its numbers are not comparable any more");
    assert_eq!(
        contents(&mut spool),
        first(RECORDS),
        "better twice than never"
    );
    assert_eq!(spool.append(&mut record(9, 5), None).unwrap(), RECORDS + 1);
    assert!(folder.path().join("state.json.damaged").exists());
}

#[test]
fn a_folder_with_other_files_is_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    for (name, text) in [
        ("readme.txt", "hello"),
        ("x.records", "no number"),
        ("state.json.new", "half"),
        ("00000000000000000099.records", ""),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut spool = open_quickly(folder.path(), PLENTY);
    assert_eq!(contents(&mut spool), first(RECORDS));
    assert_eq!(gaps(&spool), []);
    assert_eq!(spool.append(&mut record(9, 5), None).unwrap(), RECORDS + 1);
}
