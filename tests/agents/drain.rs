//! A day without the service, then the way home, with the agent killed on it at moments that a
//! seed chooses: every record arrives, and none twice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use syncwatch_agent::spool::{Disk, Spool, SystemDisk};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::report::{Elapsed, Outcome, Record, Section};
use syncwatch_domain::time::Timestamp;
use syncwatch_tests::wait::until;

use crate::post::Post;
use crate::site::Site;

/// Rounds unless `SYNCWATCH_DRAIN_ROUNDS` says otherwise; each has a seed of its own.
const ROUNDS: u64 = 3;
/// The agent is killed at most so often in a round.
const KILLS_MOST: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(120);
const HOST: &str = "SYNC01";

/// A disk that is not waited for: nobody pulls the plug while the spool is filled.
#[derive(Debug)]
struct Hasty(SystemDisk);

impl Disk for Hasty {
    fn create(&mut self, path: &Path) -> std::io::Result<std::fs::File> {
        self.0.create(path)
    }

    fn write(&mut self, file: &mut std::fs::File, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write(file, bytes)
    }

    fn sync(&mut self, _file: &std::fs::File) -> std::io::Result<()> {
        Ok(())
    }

    fn sync_folder(&mut self, _folder: &Path) -> std::io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, file: &std::fs::File, bytes: u64) -> std::io::Result<()> {
        self.0.cut(file, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> std::io::Result<()> {
        self.0.remove(path)
    }
}

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

pub(crate) fn start() -> Timestamp {
    Timestamp::parse("2026-11-16T09:00:00Z").expect("an instant")
}

/// A day of readings: once a minute what is read often, once an hour the rest.
pub(crate) fn fill(folder: &Path) -> u64 {
    const OFTEN: [Section; 6] = [
        Section::Scheduler,
        Section::ConnectorStatus,
        Section::Runs,
        Section::PasswordSync,
        Section::Events,
        Section::Services,
    ];
    const SELDOM: [Section; 4] = [
        Section::Database,
        Section::Versions,
        Section::Settings,
        Section::Rules,
    ];
    let mut spool =
        Spool::open_on(Box::new(Hasty(SystemDisk)), folder, 1 << 30, start()).expect("a spool");
    for minute in 0..24 * 60 {
        let seldom: &[Section] = if minute % 60 == 0 { &SELDOM } else { &[] };
        for section in OFTEN.iter().chain(seldom) {
            let mut record = record(*section, minute);
            spool.append(&mut record, None).expect("written");
        }
    }
    spool.state().next - 1
}

pub(crate) fn record(section: Section, minute: u64) -> Record {
    Record {
        seq: 0,
        section: section.as_str().to_owned(),
        collected_at: start() + Duration::from_secs(minute * 60),
        elapsed: Elapsed {
            run: "a day".to_owned(),
            ms: minute * 60_000,
        },
        took_ms: 800,
        utc_offset_minutes: Some(60),
        // Absent sections have no more meaning; what is looked at here is the way home.
        outcome: Outcome::Absent,
        failure: None,
        failure_text: None,
        data: vec![json!({"Minute": minute, "Padding": "x".repeat(300)})],
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the spool") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// Nothing is read: only the way home is looked at.
pub(crate) fn no_sections() -> String {
    let sections = Section::ALL.iter();
    sections
        .map(|section| format!("[sections.{section}]\nenabled = false\n"))
        .collect()
}

/// Waits until the service has so many records.
async fn reach(site: &Site, post: &Post, records: u64) {
    let reached = until("records to come home", PATIENCE, async || {
        let stored = site.stored().await;
        if stored >= records {
            return Ok(());
        }
        Err(format!("{stored} of {records}; the agent: {}", post.log()))
    });
    reached.await.expect("the records");
}

async fn round(site: &Site, spool: &Path, written: u64, seed: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut post = Post::new(folder.path(), HOST, &site.url, &no_sections());
    copy(spool, &post.spool());
    let before = site.stored().await;
    let mut dice = Dice(seed);
    let mut killed_at: Vec<u64> = (0..dice.below(KILLS_MOST) + 1)
        .map(|_| dice.below(written))
        .collect();
    killed_at.sort_unstable();
    for records in killed_at {
        post.start();
        reach(site, &post, before + records).await;
        post.kill();
    }
    post.start();
    reach(site, &post, before + written).await;
    post.kill();
    let after = site.stored().await;
    assert_eq!(after - before, written, "seed {seed}");
}

#[tokio::test]
async fn a_day_comes_home_whole_and_once_although_the_agent_is_killed_on_the_way() {
    syncwatch_tests::install_crypto();
    let rounds = std::env::var("SYNCWATCH_DRAIN_ROUNDS")
        .map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join("spool");
    let written = fill(&spool);
    assert!(written > 8_000, "{written} records are no day");
    let clock = Arc::new(ScriptedClock::new(start() + Duration::from_secs(24 * 3600)));
    let site = Site::start(clock, &[HOST], "").await;
    for seed in 0..rounds {
        round(&site, &spool, written, seed).await;
    }
    assert_eq!(site.stored().await, rounds * written);
    site.running.stop();
    println!("{rounds} rounds of {written} records, each stored once");
}
