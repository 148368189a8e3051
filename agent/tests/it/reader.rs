//! Readings on their way into the spool.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use syncwatch_agent::containers::Containers;
use syncwatch_agent::host::{Asked, Reading};
use syncwatch_agent::plan::Schedule;
use syncwatch_agent::reader::Reader;
use syncwatch_agent::shared::Shared;
use syncwatch_agent::spool::Spool;
use syncwatch_domain::report::{
    Answer, MOST_BYTES, Outcome, Record, Role, SCHEMA, Section, SectionFailure, Wishes,
};

use crate::support::disk::Fault;
use crate::support::host::{FakeHost, connect_data};
use crate::support::{
    ALL, Hands, PLENTY, START, bookmark_of, bookmarks, identity, open, records_after,
};

const MINUTE: Duration = Duration::from_secs(60);

struct Bench {
    hands: Hands,
    shared: Arc<Shared>,
    reader: Reader,
}

impl Bench {
    fn new(host: FakeHost, folder: &Path) -> Self {
        Self::on(host, folder, open(folder), Schedule::of)
    }

    /// Reads sections of this list only.
    fn only(host: FakeHost, folder: &Path, sections: &'static [Section]) -> Self {
        Self::on(host, folder, open(folder), |section| Schedule {
            enabled: Some(sections.contains(&section)),
            ..Schedule::of(section)
        })
    }

    fn on(
        host: FakeHost,
        folder: &Path,
        spool: Spool,
        schedule: impl Fn(Section) -> Schedule,
    ) -> Self {
        let hands = Hands::new();
        let shared = Arc::new(Shared::new(hands.times.clone(), identity(), spool));
        let containers = Containers::load(folder);
        let host = Box::new(host);
        let reader = Reader::new(Arc::clone(&shared), host, schedule, false, containers);
        Self {
            hands,
            shared,
            reader,
        }
    }

    /// Reads all that is due.
    async fn catch_up(&mut self) -> Vec<Section> {
        let mut read = Vec::new();
        while let Some(section) = self.reader.run_once().await.read {
            read.push(section);
            assert!(read.len() < 1000, "it never ends");
        }
        read
    }

    fn records(&self) -> Vec<Record> {
        self.shared.with_spool(|spool| records_after(spool, 0, ALL))
    }

    fn bookmark(&self) -> u64 {
        self.shared.with_spool(|spool| bookmark_of(spool))
    }
}

fn event(record_id: u64, text: &str) -> Value {
    json!({
        "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": 656, "RecordId": record_id,
        "TimeCreated": "2026-11-18T08:15:00.0000000Z", "Message": text,
    })
}

#[tokio::test]
async fn a_connect_server_is_found_and_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(FakeHost::connect(), folder.path());
    let read = bench.catch_up().await;
    assert_eq!(read.first(), Some(&Section::Services));
    assert_eq!(
        read.len(),
        Section::ALL.len() - 1,
        "all but what nobody wished for: {read:?}"
    );
    let parcel = bench.shared.parcel(0, MOST_BYTES).unwrap();
    let batch: syncwatch_domain::report::Batch = serde_json::from_slice(&parcel.body).unwrap();
    batch.check().unwrap();
    assert_eq!(batch.agent.roles, [Role::ConnectActive].into());
    let first = &batch.records[0];
    assert_eq!((first.seq, first.section.as_str()), (1, "services"));
    assert_eq!(first.collected_at, START);
    assert_eq!(first.utc_offset_minutes, Some(60));
    assert_eq!(first.data, connect_data(Section::Services));
    assert_eq!(batch.elapsed.run, first.elapsed.run);

    bench.hands.advance(MINUTE);
    let read = bench.catch_up().await;
    assert_eq!(read.len(), 6, "{read:?}");
    let did = bench.reader.run_once().await;
    assert_eq!((did.read, did.next_due), (None, Some(2 * MINUTE)));
}

#[tokio::test]
async fn bookmarks_go_with_their_events_and_come_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::connect();
    let mut bench = Bench::only(host.clone(), folder.path(), &[Section::Events]);
    bench.catch_up().await;
    bench.hands.advance(MINUTE);
    bench.catch_up().await;
    let asked: Vec<_> = host
        .asked()
        .into_iter()
        .map(|(_, asked)| asked.bookmarks)
        .collect();
    assert_eq!(asked, [Default::default(), bookmarks(1)]);
    assert_eq!(bench.bookmark(), 2);
    drop(bench);
    let mut bench = Bench::only(host.clone(), folder.path(), &[Section::Events]);
    bench.catch_up().await;
    assert_eq!(host.asked()[0].1.bookmarks, bookmarks(2));
}

#[tokio::test]
async fn a_long_log_is_read_on_at_once_and_others_have_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let mut left = 5;
    let host = FakeHost::new(move |section, _| {
        let mut reading = Reading::of(connect_data(section));
        if section == Section::Events && left > 0 {
            left -= 1;
            reading.more = left > 0;
            reading.bookmarks = Some(bookmarks(5 - left));
        }
        Some(reading)
    });
    let sections = &[Section::Events, Section::Scheduler, Section::Versions];
    let mut bench = Bench::only(host, folder.path(), sections);
    let read = bench.catch_up().await;
    let events = read.iter().filter(|one| **one == Section::Events).count();
    assert_eq!(events, 5);
    assert!(read[..3].contains(&Section::Versions), "{read:?}");
    assert_eq!(bench.bookmark(), 5);
}

#[tokio::test]
async fn names_of_users_never_reach_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::new(|section, _| {
        Some(match section {
            Section::Events => Reading::of(vec![event(
                1,
                "Password Change Request - Anchor : YQ==, Dn : CN=Mara Lind,OU=Staff,DC=x, Change Date : 1",
            )]),
            _ => Reading::failed(
                SectionFailure::AccessDenied,
                "mara.lind@hauser.example may not",
            ),
        })
    });
    let mut bench = Bench::only(host, folder.path(), &[Section::Events, Section::Rules]);
    bench.catch_up().await;
    let records = bench.records();
    assert_eq!(records.len(), 2);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("mara") && !text.contains("lind"), "{text}");
    }
}

#[tokio::test]
async fn failures_are_recorded_and_kept_apart_by_section() {
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::new(|section, _| {
        Some(match section {
            Section::Rules => Reading::failed(SectionFailure::CommandFailed, "no such cmdlet"),
            Section::Database => Reading::absent(),
            _ => Reading::of(connect_data(section)),
        })
    });
    let sections = &[Section::Rules, Section::Database, Section::Scheduler];
    let mut bench = Bench::only(host, folder.path(), sections);
    bench.catch_up().await;
    let outcomes: Vec<_> = bench
        .records()
        .into_iter()
        .map(|record| (record.section, record.outcome, record.failure))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("scheduler".into(), Outcome::Read, None),
            (
                "rules".into(),
                Outcome::Failed,
                Some(SectionFailure::CommandFailed)
            ),
            ("database".into(), Outcome::Absent, None),
        ]
    );
    let failing = bench.reader.health(Section::Rules).failing.clone().unwrap();
    assert_eq!((failing.since, failing.times), (START, 1));
    assert_eq!(failing.text, "no such cmdlet");
    assert_eq!(bench.reader.health(Section::Scheduler).read_at, Some(START));
    let age = bench.reader.health(Section::Scheduler).age(5 * MINUTE);
    assert_eq!(age, Some(5 * MINUTE));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_is_given_up_and_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::new(|section, _| {
        (section != Section::Scheduler).then(|| Reading::of(connect_data(section)))
    });
    let mut bench = Bench::new(host, folder.path());
    let read = bench.catch_up().await;
    assert!(read.contains(&Section::Versions), "{read:?}");
    let records = bench.records();
    let hung = records
        .iter()
        .find(|one| one.section == "scheduler")
        .unwrap();
    assert_eq!(hung.failure, Some(SectionFailure::Timeout));
}

#[tokio::test]
async fn events_too_long_for_a_record_come_again_in_smaller_parts() {
    const LENGTH: usize = 30_000;
    const ALL_EVENTS: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::new(|_, asked: &Asked| {
        let read = asked.bookmarks.0.get("Application");
        let start = read.map_or(0, |bookmark| bookmark.record_id);
        let end = (start + asked.most_events as u64).min(ALL_EVENTS);
        let mut reading = Reading::of(
            (start + 1..=end)
                .map(|id| json!({ "Id": 904, "RecordId": id, "Message": "x".repeat(LENGTH) }))
                .collect(),
        );
        reading.bookmarks = Some(bookmarks(end));
        reading.more = end < ALL_EVENTS;
        Some(reading)
    });
    let mut bench = Bench::only(host, folder.path(), &[Section::Events]);
    bench.catch_up().await;
    let records = bench.records();
    let ids: Vec<u64> = records
        .iter()
        .flat_map(|record| &record.data)
        .map(|event| event["RecordId"].as_u64().unwrap())
        .collect();
    assert_eq!(
        ids,
        (1..=ALL_EVENTS).collect::<Vec<_>>(),
        "each once, in order"
    );
    assert!(records.iter().all(|record| record.outcome == Outcome::Read));
    assert_eq!(bench.bookmark(), ALL_EVENTS);
}

#[tokio::test]
async fn any_other_section_too_long_for_a_record_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let host =
        FakeHost::new(|_, _| Some(Reading::of(vec![json!({ "Name": "x".repeat(MOST_BYTES) })])));
    let mut bench = Bench::only(host, folder.path(), &[Section::Rules]);
    bench.catch_up().await;
    let record = bench.records().remove(0);
    assert_eq!(record.failure, Some(SectionFailure::Unreadable));
    assert!(record.failure_text.unwrap().contains("too long"));
    assert_eq!(record.data, Vec::<Value>::new());
}

#[tokio::test]
async fn a_full_disk_stops_nothing_and_events_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Fault::default();
    let spool = Spool::open_on(fault.disk(), folder.path(), PLENTY, START).unwrap();
    let host = FakeHost::connect();
    let mut bench = Bench::on(host.clone(), folder.path(), spool, Schedule::of);
    fault.full(true);
    assert_eq!(bench.catch_up().await.len(), Section::ALL.len() - 1);
    assert_eq!(bench.records(), []);
    let failing = bench
        .reader
        .health(Section::Events)
        .failing
        .clone()
        .unwrap();
    assert_eq!(failing.failure, None);
    assert!(failing.text.contains("no space left"), "{}", failing.text);
    fault.full(false);
    host.asked();
    bench.hands.advance(MINUTE);
    bench.catch_up().await;
    let asked = host.asked();
    let events = asked
        .iter()
        .find(|(section, _)| *section == Section::Events);
    assert_eq!(events.unwrap().1.bookmarks, Default::default());
    assert_eq!(bench.records().len(), 6);
    assert_eq!(bench.reader.health(Section::Events).failing, None);
}

#[tokio::test]
async fn a_wish_is_looked_up_at_once_and_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::connect();
    let mut bench = Bench::new(host.clone(), folder.path());
    bench.catch_up().await;
    let spool = bench.shared.with_spool(|spool| spool.id().to_owned());
    let wish = |names: &[&str]| Answer {
        schema: SCHEMA,
        spool: Some(spool.clone()),
        acknowledged: 0,
        now: START,
        wishes: Wishes {
            containers: names.iter().map(|name| (*name).to_owned()).collect(),
        },
    };
    host.asked();
    for names in [&["OU=A,DC=x"][..], &["OU=A,DC=x", "OU=B,DC=x"], &[]] {
        bench.shared.hear(&wish(names)).unwrap();
        bench.hands.advance(Duration::from_secs(1));
        let read = bench.catch_up().await;
        let expected: &[Section] = if names.is_empty() {
            &[]
        } else {
            &[Section::Containers]
        };
        assert_eq!(read, expected);
        if let Some((_, asked)) = host.asked().first() {
            let asked: Vec<&str> = asked.containers.iter().map(|one| &*one.name).collect();
            assert_eq!(asked, names);
        }
        bench.shared.hear(&wish(names)).unwrap();
        assert_eq!(bench.catch_up().await, [], "the same wish again");
    }
    let long = "OU=".to_owned() + &"x".repeat(10_000);
    bench.shared.hear(&wish(&[&long, "OU=C,DC=x"])).unwrap();
    assert_eq!(*bench.shared.wishes(), ["OU=C,DC=x".to_owned()]);
    let many: Vec<String> = (0..5000).map(|number| format!("OU={number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    bench.shared.hear(&wish(&many)).unwrap();
    assert_eq!(bench.shared.wishes().len(), 1000);
}

#[tokio::test]
async fn a_clock_that_is_set_neither_stops_nor_hurries_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::only(FakeHost::connect(), folder.path(), &[Section::Scheduler]);
    bench.catch_up().await;
    bench.hands.clock.set(START + 1000 * MINUTE);
    assert_eq!(bench.catch_up().await, []);
    bench.hands.clock.set(START - 1000 * MINUTE);
    bench.hands.count.advance(MINUTE);
    assert_eq!(bench.catch_up().await, [Section::Scheduler]);
    let records = bench.records();
    assert_eq!(records[1].collected_at, START - 1000 * MINUTE);
    assert_eq!(records[1].elapsed.ms - records[0].elapsed.ms, 60_000);
}
