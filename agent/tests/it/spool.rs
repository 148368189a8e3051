//! The spool in good times.

use syncwatch_agent::spool::{Chunk, Limits, Spool, SpoolError};
use syncwatch_domain::report::MOST_BYTES;

use crate::support::{
    ALL, PLENTY, START, at, bookmark_of, bookmarks, contents, gaps, open, record, records_after,
};

#[test]
fn records_come_back_in_order_with_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    for mark in 0..5 {
        let mut record = record(mark, 10);
        assert_eq!(spool.append(&mut record, None).unwrap(), mark + 1);
        assert_eq!(record.seq, mark + 1);
    }
    let expected: Vec<(u64, u64)> = (0..5).map(|mark| (mark + 1, mark)).collect();
    assert_eq!(contents(&mut spool), expected);
    let id = spool.id().to_owned();
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!(contents(&mut spool), expected);
    assert_eq!(spool.id(), id);
    let whole = records_after(&mut spool, 4, ALL).remove(0);
    let mut same = record(4, 10);
    same.seq = 5;
    assert_eq!(whole, same);
}

#[test]
fn numbers_go_on_when_everything_was_acknowledged_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..4_u64 {
        let mut spool = open(folder.path());
        assert_eq!(spool.state().next, round * 3 + 1);
        for mark in 0..3 {
            spool.append(&mut record(mark, 10), None).unwrap();
        }
        let newest = round * 3 + 3;
        spool.acknowledge(newest).unwrap();
        let state = spool.state();
        assert_eq!((state.first, state.next), (newest + 1, newest + 1));
        assert!(!spool.has_after(0));
        assert_eq!(spool.bytes(), 0);
    }
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["state.json"]);
}

#[test]
fn bookmarks_outlive_the_records_they_came_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool
        .append(&mut record(0, 10), Some(&bookmarks(70)))
        .unwrap();
    spool.append(&mut record(1, 10), None).unwrap();
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!(bookmark_of(&spool), 70);
    spool.acknowledge(2).unwrap();
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!(bookmark_of(&spool), 70, "all records are gone");
    spool
        .append(&mut record(2, 10), Some(&bookmarks(80)))
        .unwrap();
    drop(spool);
    assert_eq!(bookmark_of(&open(folder.path())), 80);
}

#[test]
fn a_batch_is_bounded_by_records_and_by_bytes_and_never_empty() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    for mark in 0..10 {
        let bytes = if mark == 4 { 5000 } else { 100 };
        spool.append(&mut record(mark, bytes), None).unwrap();
    }
    let read = |spool: &mut Spool, after, records, bytes| {
        let mut out = Vec::new();
        let chunk = spool
            .read(after, Limits { records, bytes }, &mut out)
            .unwrap();
        assert!(chunk.is_none_or(|chunk| chunk.records == 1 || out.len() <= bytes));
        chunk.map(
            |Chunk {
                 first,
                 last,
                 records,
             }| (first, last, records),
        )
    };
    assert_eq!(read(&mut spool, 0, 3, usize::MAX), Some((1, 3, 3)));
    assert_eq!(read(&mut spool, 3, 3, 1000), Some((4, 4, 1)));
    assert_eq!(
        read(&mut spool, 4, 3, 1000),
        Some((5, 5, 1)),
        "it travels alone"
    );
    assert_eq!(read(&mut spool, 5, 500, usize::MAX), Some((6, 10, 5)));
    assert_eq!(
        read(&mut spool, 0, 2, usize::MAX),
        Some((1, 2, 2)),
        "from the front again"
    );
    assert_eq!(read(&mut spool, 10, 500, usize::MAX), None);
    assert_eq!(read(&mut spool, 99, 500, usize::MAX), None);
}

#[test]
fn what_is_acknowledged_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    for mark in 0..6 {
        spool.append(&mut record(mark, 10), None).unwrap();
    }
    spool.acknowledge(4).unwrap();
    spool.acknowledge(2).unwrap();
    assert_eq!(contents(&mut spool), [(5, 4), (6, 5)]);
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!(contents(&mut spool), [(5, 4), (6, 5)]);
    assert_eq!(gaps(&spool), []);
}

#[test]
fn a_number_that_was_never_given_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    spool.append(&mut record(0, 10), None).unwrap();
    let error = spool.acknowledge(2).unwrap_err();
    assert!(matches!(
        error,
        SpoolError::Ahead {
            number: 2,
            newest: 1
        }
    ));
    assert_eq!(contents(&mut spool), [(1, 0)]);
    let id = spool.id().to_owned();
    spool.rename().unwrap();
    assert_ne!(spool.id(), id);
    let renamed = spool.id().to_owned();
    drop(spool);
    let mut spool = open(folder.path());
    assert_eq!(spool.id(), renamed);
    assert_eq!(contents(&mut spool), [(1, 0)]);
}

#[test]
fn the_oldest_records_go_when_it_is_full_and_are_told_until_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let bound = 1 << 20;
    let mut spool = Spool::open(folder.path(), bound, START).unwrap();
    for mark in 0..400 {
        spool.append(&mut record(mark, 8000), None).unwrap();
        assert!(spool.bytes() <= bound);
    }
    let state = spool.state();
    assert_eq!(state.gaps.len(), 1, "one gap that grew");
    let gap = &state.gaps[0];
    assert_eq!((gap.from, gap.to), (1, state.first - 1));
    assert_eq!((gap.oldest_at, gap.newest_at), (at(0), at(gap.to - 1)));
    let kept = contents(&mut spool);
    assert_eq!(kept.first(), Some(&(gap.to + 1, gap.to)));
    assert_eq!(kept.last(), Some(&(400, 399)));
    assert!(
        spool.bytes() > bound * 8 / 10,
        "no more is dropped than must be"
    );
    drop(spool);

    let mut spool = Spool::open(folder.path(), bound, START).unwrap();
    assert_eq!(spool.state(), state, "a restart forgets nothing of it");
    spool.acknowledge(gap.to - 10).unwrap();
    assert_eq!(gaps(&spool), [(gap.to - 9, gap.to)]);
    spool.acknowledge(gap.to + 1).unwrap();
    assert_eq!(gaps(&spool), []);
}

#[test]
fn what_came_home_before_it_was_dropped_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 1 << 20, START).unwrap();
    for mark in 0..100 {
        spool.append(&mut record(mark, 8000), None).unwrap();
    }
    spool.acknowledge(3).unwrap();
    for mark in 100..150 {
        spool.append(&mut record(mark, 8000), None).unwrap();
    }
    let state = spool.state();
    let gap = state.gaps.first().unwrap();
    assert_eq!((gap.from, gap.oldest_at), (4, at(3)));
}

#[test]
fn a_record_that_no_batch_can_carry_is_refused_and_costs_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path());
    let error = spool.append(&mut record(0, MOST_BYTES), None).unwrap_err();
    assert!(matches!(error, SpoolError::TooLong { .. }), "{error}");
    assert_eq!(spool.append(&mut record(1, 10), None).unwrap(), 1);
    assert_eq!(contents(&mut spool), [(1, 1)]);
}

#[test]
fn a_bound_below_a_segment_still_keeps_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path(), 20_000, START).unwrap();
    for mark in 0..10 {
        spool.append(&mut record(mark, 8000), None).unwrap();
    }
    assert_eq!(contents(&mut spool).last(), Some(&(10, 9)));
    assert!(Spool::open(folder.path(), PLENTY, START).is_ok());
}
