//! The spool on a disk without space.

use syncwatch_agent::chain;
use syncwatch_agent::spool::Spool;

use crate::support::disk::Fault;
use crate::support::{PLENTY, START, bookmark_of, bookmarks, contents, gaps, record};

#[test]
fn a_full_disk_is_told_and_costs_nothing_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let mut spool = Spool::open_on(fault.disk(), folder.path(), PLENTY, START).unwrap();
    spool
        .append(&mut record(0, 50), Some(&bookmarks(1)))
        .unwrap();
    fault.full(true);
    for mark in 1..4 {
        let error = spool
            .append(&mut record(mark, 50), Some(&bookmarks(9)))
            .unwrap_err();
        let text = chain(&error);
        assert!(text.contains("no space left"), "{text}");
        assert!(text.contains(".records"), "{text}");
        assert_eq!(
            bookmark_of(&spool),
            1,
            "what was not kept must be read again"
        );
    }
    fault.full(false);
    assert_eq!(
        spool
            .append(&mut record(4, 50), Some(&bookmarks(2)))
            .unwrap(),
        2
    );
    assert_eq!(contents(&mut spool), [(1, 0), (2, 4)]);
    drop(spool);
    let mut spool = Spool::open(folder.path(), PLENTY, START).unwrap();
    assert_eq!(contents(&mut spool), [(1, 0), (2, 4)]);
    assert_eq!(bookmark_of(&spool), 2);
}

#[test]
fn a_disk_that_is_full_from_the_first_record_on_is_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let mut spool = Spool::open_on(fault.disk(), folder.path(), PLENTY, START).unwrap();
    fault.full(true);
    spool.append(&mut record(0, 50), None).unwrap_err();
    spool.append(&mut record(1, 50), None).unwrap_err();
    fault.full(false);
    assert_eq!(spool.append(&mut record(2, 50), None).unwrap(), 1);
    assert_eq!(contents(&mut spool), [(1, 2)]);
}

#[test]
fn an_acknowledgement_makes_the_room_that_it_needs_itself() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let mut spool = Spool::open_on(fault.disk(), folder.path(), 1 << 20, START).unwrap();
    for mark in 0..40 {
        spool
            .append(&mut record(mark, 8000), Some(&bookmarks(mark)))
            .unwrap();
    }
    fault.full_until_removed();
    spool.acknowledge(38).unwrap();
    assert_eq!(contents(&mut spool), [(39, 38), (40, 39)]);
    drop(spool);
    let mut spool = Spool::open(folder.path(), 1 << 20, START).unwrap();
    assert_eq!(contents(&mut spool), [(39, 38), (40, 39)]);
    assert_eq!(gaps(&spool), []);
}

#[test]
fn an_acknowledgement_that_cannot_be_saved_is_saved_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let mut spool = Spool::open_on(fault.disk(), folder.path(), PLENTY, START).unwrap();
    for mark in 0..3 {
        spool
            .append(&mut record(mark, 50), Some(&bookmarks(mark + 1)))
            .unwrap();
    }
    fault.full(true);
    spool.acknowledge(2).unwrap_err();
    assert_eq!(contents(&mut spool), [(3, 2)], "it holds in this life");
    let calls = fault.calls();
    fault.full(false);
    spool.acknowledge(2).unwrap();
    assert!(fault.calls() > calls, "and now it is on the disk");
    let calls = fault.calls();
    spool.acknowledge(2).unwrap();
    assert_eq!(fault.calls(), calls, "once");
    drop(spool);
    let mut spool = Spool::open(folder.path(), PLENTY, START).unwrap();
    assert_eq!(contents(&mut spool), [(3, 2)]);
}

#[test]
fn what_cannot_be_remembered_as_dropped_is_not_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let mut spool = Spool::open_on(fault.disk(), folder.path(), 200_000, START).unwrap();
    let mut mark = 0;
    while spool.bytes() < 190_000 {
        spool.append(&mut record(mark, 8000), None).unwrap();
        mark += 1;
    }
    let before = contents(&mut spool);
    fault.full(true);
    spool.append(&mut record(mark, 20_000), None).unwrap_err();
    assert_eq!(contents(&mut spool), before);
    assert_eq!(gaps(&spool), []);
    fault.full(false);
    spool.append(&mut record(mark, 20_000), None).unwrap();
    assert_eq!(gaps(&spool).len(), 1);
}

#[test]
fn what_was_half_written_is_cut_off_before_the_next_record() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let mut spool = Spool::open_on(fault.disk(), folder.path(), PLENTY, START).unwrap();
    spool.append(&mut record(0, 50), None).unwrap();
    fault.full(true);
    spool.append(&mut record(1, 50_000), None).unwrap_err();
    let segment = folder.path().join("00000000000000000001.records");
    let length = || std::fs::metadata(&segment).unwrap().len();
    assert!(length() > spool.bytes(), "a part of it is there");
    fault.full(false);
    spool.append(&mut record(2, 50), None).unwrap();
    assert_eq!(length(), spool.bytes());
}
