//! What the tests stand on: records, clocks, scripted disks, servers and peers.

pub(crate) mod certificates;
pub(crate) mod disk;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod service;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use syncwatch_agent::count::{ScriptedCount, Times};
use syncwatch_agent::host::{Bookmark, Bookmarks};
use syncwatch_agent::spool::{Limits, Spool};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::report::{AgentIdentity, Elapsed, Outcome, Record};
use syncwatch_domain::time::Timestamp;

/// When the tests begin.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
/// More than any spool of a test holds.
pub(crate) const PLENTY: u64 = 1 << 30;
/// Everything at once.
pub(crate) const ALL: Limits = Limits {
    records: usize::MAX,
    bytes: usize::MAX,
};

/// The instant so many seconds after the begin.
pub(crate) fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

/// A record of `bytes` bytes of data, which tells which one it is.
pub(crate) fn record(mark: u64, bytes: usize) -> Record {
    Record {
        seq: 0,
        section: "scheduler".into(),
        collected_at: at(mark),
        elapsed: Elapsed {
            run: "a-run".into(),
            ms: mark * 1000,
        },
        took_ms: 12,
        utc_offset_minutes: Some(60),
        outcome: Outcome::Read,
        failure: None,
        failure_text: None,
        data: vec![json!({ "mark": mark, "filling": "x".repeat(bytes) })],
    }
}

/// Which record it is.
pub(crate) fn mark_of(record: &Record) -> u64 {
    record.data[0]["mark"].as_u64().unwrap()
}

/// Bookmarks that stand at a number.
pub(crate) fn bookmarks(record_id: u64) -> Bookmarks {
    let bookmark = Bookmark {
        record_id,
        at: Some(at(record_id)),
    };
    Bookmarks([("Application".to_owned(), bookmark)].into())
}

/// Where the bookmark of [`bookmarks`] stands; 0 without one.
pub(crate) fn bookmark_of(spool: &Spool) -> u64 {
    let bookmark = spool.bookmarks().0.get("Application");
    bookmark.map_or(0, |bookmark| bookmark.record_id)
}

/// A spool on the real disk.
pub(crate) fn open(folder: &Path) -> Spool {
    Spool::open(folder, PLENTY, START).unwrap()
}

/// A spool that never waits for the disk: what a killed process wrote is there all the same.
pub(crate) fn open_quickly(folder: &Path, bound: u64) -> Spool {
    Spool::open_on(disk::Fault::default().disk(), folder, bound, START).unwrap()
}

/// The records behind a number.
pub(crate) fn records_after(spool: &mut Spool, after: u64, limits: Limits) -> Vec<Record> {
    let mut text = b"[".to_vec();
    spool.read(after, limits, &mut text).unwrap();
    text.push(b']');
    serde_json::from_slice(&text).unwrap()
}

/// Number and mark of every record that is there.
pub(crate) fn contents(spool: &mut Spool) -> Vec<(u64, u64)> {
    let records = records_after(spool, 0, ALL);
    records.iter().map(|one| (one.seq, mark_of(one))).collect()
}

/// Numbers that were dropped and not told yet.
pub(crate) fn gaps(spool: &Spool) -> Vec<(u64, u64)> {
    let state = spool.state();
    state.gaps.iter().map(|gap| (gap.from, gap.to)).collect()
}

/// Clocks that a test moves.
#[derive(Clone, Debug)]
pub(crate) struct Hands {
    pub(crate) clock: Arc<ScriptedClock>,
    pub(crate) count: Arc<ScriptedCount>,
    pub(crate) times: Times,
}

impl Hands {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ScriptedClock::new(START));
        let count = Arc::new(ScriptedCount::default());
        let times = Times::new(clock.clone(), count.clone());
        Self {
            clock,
            count,
            times,
        }
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
        self.count.advance(span);
    }
}

/// Who the agent of the tests is.
pub(crate) fn identity() -> AgentIdentity {
    AgentIdentity {
        id: "5f6f9a3e-53c4-4b7c-9a01-1f2b8f1d7a10".into(),
        host: "SYNC01".into(),
        version: "0.1.0".into(),
        system: "windows x86_64".into(),
        roles: BTreeSet::new(),
    }
}

/// A generator of numbers that a seed repeats (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A text of a JSON value, which must be there.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap()
}
