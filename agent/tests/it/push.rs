//! Pushing against a scripted service over TLS.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_agent::home::push::{Pushed, Pusher};
use syncwatch_agent::shared::Shared;
use syncwatch_domain::report::Record;

use crate::support::service::{FakeService, Turn};
use crate::support::{Hands, gaps, identity, open, record, text};

const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    service: FakeService,
    hands: Hands,
    shared: Arc<Shared>,
    pusher: Pusher,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(records: u64) -> Self {
        let service = FakeService::start(false).await;
        let folder = tempfile::tempdir().unwrap();
        let hands = Hands::new();
        let shared = shared(&hands, folder.path());
        let pusher = Pusher::new(Arc::clone(&shared), service.settings(PATIENCE));
        let bench = Self {
            service,
            hands,
            shared,
            pusher,
            folder,
        };
        for mark in 0..records {
            bench.write(&mut record(mark, 100));
        }
        bench
    }

    fn write(&self, record: &mut Record) {
        self.shared
            .with_spool(|spool| spool.append(record, None))
            .unwrap();
    }

    fn left(&self) -> u64 {
        let state = self.shared.with_spool(|spool| spool.state());
        state.next - state.first
    }

    /// Pushes until nothing is left; waits are passed over by the hands of the clock.
    async fn drain(&mut self) {
        for _ in 0..200 {
            match self.pusher.run_once().await {
                Pushed::Nothing => return,
                Pushed::Failed(wait) => self.hands.advance(wait),
                Pushed::Sent(_) | Pushed::Split => {}
            }
        }
        panic!("{} records are left", self.left());
    }

    async fn wait(&mut self) -> Duration {
        match self.pusher.run_once().await {
            Pushed::Failed(wait) => wait,
            other => panic!("{other:?}"),
        }
    }
}

fn shared(hands: &Hands, folder: &Path) -> Arc<Shared> {
    Arc::new(Shared::new(hands.times.clone(), identity(), open(folder)))
}

#[tokio::test]
async fn records_are_forgotten_when_they_are_committed() {
    let mut bench = Bench::new(3).await;
    assert_eq!(bench.pusher.run_once().await, Pushed::Sent(3));
    assert_eq!(bench.pusher.run_once().await, Pushed::Nothing);
    assert_eq!(bench.left(), 0);
    assert_eq!(bench.service.numbers(), [1, 2, 3]);
    assert!(bench.service.were_authorized());
    bench.write(&mut record(9, 10));
    bench.drain().await;
    assert_eq!(bench.service.numbers(), [1, 2, 3, 4]);
    let connections = bench.service.with(|state| state.connections);
    assert_eq!(connections, 1, "one connection is used again");
}

#[tokio::test]
async fn no_fault_of_the_service_loses_or_doubles_a_record() {
    let mut bench = Bench::new(5).await;
    let faults = [
        Turn::Cut,
        Turn::TakeAndCut,
        Turn::Refuse("500 Oops"),
        Turn::Refuse("503 Busy\r\nretry-after: 7"),
        Turn::Refuse("401 Who"),
        Turn::Refuse("302 Elsewhere\r\nlocation: https://evil.example/"),
        Turn::Garbage,
        Turn::OtherSpool,
        Turn::Nothing,
        Turn::Newer,
        Turn::Cut,
        Turn::Cut,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        bench.write(&mut record(100 + number as u64, 50));
        let left = bench.left();
        // A fresh connection each time: one that breaks in use is tried twice.
        bench.service.turns([fault.clone(), fault.clone()]);
        let pushed = bench.pusher.run_once().await;
        assert!(matches!(pushed, Pushed::Failed(_)), "{fault:?}: {pushed:?}");
        assert_eq!(bench.left(), left, "{fault:?}");
        bench.service.turns([]);
    }
    bench.drain().await;
    assert_eq!(bench.service.numbers(), (1..=17).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_no_failure() {
    let mut bench = Bench::new(1).await;
    assert_eq!(bench.pusher.run_once().await, Pushed::Sent(1));
    bench.write(&mut record(1, 10));
    bench.service.turns([Turn::Cut]);
    assert_eq!(bench.pusher.run_once().await, Pushed::Sent(1));
    let connections = bench.service.with(|state| state.connections);
    assert_eq!(connections, 2);
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_asked_again() {
    let mut bench = Bench::new(1).await;
    bench.service.turns([Turn::Hang]);
    let settings = bench.service.settings(Duration::from_millis(200));
    bench.pusher = Pusher::new(Arc::clone(&bench.shared), settings);
    bench.wait().await;
    let settings = bench.service.settings(PATIENCE);
    bench.pusher = Pusher::new(Arc::clone(&bench.shared), settings);
    bench.drain().await;
    assert_eq!(bench.service.numbers(), [1]);
}

#[tokio::test]
async fn waits_grow_to_a_cap_and_a_pause_that_is_asked_for_is_kept() {
    let mut bench = Bench::new(1).await;
    let busy = Turn::Refuse("503 Busy");
    bench.service.turns(vec![busy; 12]);
    let mut waits = Vec::new();
    for _ in 0..12 {
        waits.push(bench.wait().await);
    }
    assert!(waits[0] <= Duration::from_secs(1), "{waits:?}");
    assert!(waits[3] > waits[0] * 4, "{waits:?}");
    let cap = Duration::from_secs(120);
    assert!(waits[11] <= cap && waits[11] >= cap * 3 / 4, "{waits:?}");
    bench
        .service
        .turns([Turn::Refuse("429 Slowly\r\nretry-after: 1800")]);
    assert_eq!(bench.wait().await, Duration::from_secs(1800));
    bench.service.turns([Turn::Take, busy_once()]);
    assert_eq!(bench.pusher.run_once().await, Pushed::Sent(1));
    bench.write(&mut record(1, 10));
    let wait = bench.wait().await;
    assert!(
        wait <= Duration::from_secs(1),
        "a success ends the row: {wait:?}"
    );
}

fn busy_once() -> Turn {
    Turn::Refuse("503 Busy")
}

#[tokio::test]
async fn a_batch_that_is_too_large_for_the_way_is_halved_until_it_passes() {
    let mut bench = Bench::new(0).await;
    for mark in 0..64 {
        bench.write(&mut record(mark, 2000));
    }
    bench.service.turns([Turn::Narrow(20_000)]);
    bench.drain().await;
    assert_eq!(bench.service.numbers(), (1..=64).collect::<Vec<_>>());
    let came = bench.service.with(|state| std::mem::take(&mut state.came));
    let refused = came.iter().filter(|(bytes, _)| *bytes > 20_000).count();
    assert!((2..=5).contains(&refused), "{came:?}");
    let passed = came.len() - refused;
    assert!(
        passed <= 16,
        "the parts are no smaller than they must be: {came:?}"
    );

    // Later a whole batch is tried again.
    bench.hands.advance(Duration::from_secs(3600));
    for mark in 64..128 {
        bench.write(&mut record(mark, 2000));
    }
    assert_eq!(bench.pusher.run_once().await, Pushed::Split);
    bench.drain().await;
    assert_eq!(bench.service.numbers().len(), 128);
}

#[tokio::test]
async fn a_single_record_that_nobody_takes_is_given_up_in_the_end_and_that_is_told() {
    let mut bench = Bench::new(1).await;
    bench.write(&mut record(1, 50_000));
    bench.write(&mut record(2, 10));
    bench.service.turns([Turn::Narrow(20_000)]);
    let mut failed = 0;
    let mut waited = Duration::ZERO;
    while bench.left() == 3 || bench.service.numbers() == [1] {
        match bench.pusher.run_once().await {
            Pushed::Failed(wait) => {
                failed += 1;
                waited += wait;
                bench.hands.advance(wait);
            }
            Pushed::Sent(_) | Pushed::Split => {}
            Pushed::Nothing => panic!("{} records are left", bench.left()),
        }
        assert!(failed < 20, "it is never given up");
    }
    assert_eq!(failed, 8);
    assert!(
        waited > Duration::from_secs(120),
        "a way that is mended soon loses nothing: {waited:?}"
    );
    bench.drain().await;
    assert_eq!(bench.service.numbers(), [1, 2, 3]);
    let committed = bench.service.with(|state| state.committed.clone());
    let stub = committed.iter().find(|((_, seq), _)| *seq == 2).unwrap().1;
    let whole = record(1, 50_000);
    assert_eq!(text(stub, "/section"), whole.section);
    assert_eq!(text(stub, "/collected_at"), whole.collected_at.to_string());
    assert_eq!(text(stub, "/outcome"), "failed");
    assert_eq!(text(stub, "/failure"), "too_large");
    let said = text(stub, "/failure_text");
    assert!(said.starts_with("too large to bring home (50"), "{said}");
    assert_eq!(stub["data"], serde_json::json!([]));
    assert_eq!(mark_of_value(&committed, 3), 2, "the next one comes whole");
}

fn mark_of_value(
    committed: &std::collections::BTreeMap<(String, u64), serde_json::Value>,
    seq: u64,
) -> u64 {
    let mut all = committed.iter();
    let (_, value) = all.find(|((_, number), _)| *number == seq).unwrap();
    value["data"][0]["mark"].as_u64().unwrap()
}

#[tokio::test]
async fn a_way_that_is_mended_in_time_loses_no_large_record() {
    let mut bench = Bench::new(0).await;
    bench.write(&mut record(0, 50_000));
    bench.write(&mut record(1, 10));
    bench.service.turns([Turn::Narrow(20_000)]);
    for _ in 0..5 {
        if let Pushed::Failed(wait) = bench.pusher.run_once().await {
            bench.hands.advance(wait);
        }
    }
    assert_eq!(bench.left(), 2);
    bench.service.turns([Turn::Narrow(1_000_000)]);
    bench.drain().await;
    let committed = bench.service.with(|state| state.committed.clone());
    assert_eq!(mark_of_value(&committed, 1), 0);
    assert_eq!(mark_of_value(&committed, 2), 1);
}

#[tokio::test]
async fn a_spool_restored_from_an_older_copy_gets_a_new_name() {
    let mut bench = Bench::new(2).await;
    let before = bench.shared.with_spool(|spool| spool.id().to_owned());
    bench.service.turns([Turn::Ahead]);
    bench.drain().await;
    let committed = bench.service.with(|state| state.committed.clone());
    let names: Vec<&String> = committed.keys().map(|(spool, _)| spool).collect();
    assert_eq!(names.len(), 2, "both records arrived");
    assert!(names.iter().all(|name| **name != before));
}

#[tokio::test]
async fn gaps_are_told_until_they_are_acknowledged() {
    let mut bench = Bench::new(0).await;
    drop(std::mem::replace(
        &mut bench.shared,
        shared(&bench.hands, tempfile::tempdir().unwrap().path()),
    ));
    let spool =
        syncwatch_agent::spool::Spool::open(bench.folder.path(), 300_000, bench.hands.times.now());
    let shared = Shared::new(bench.hands.times.clone(), identity(), spool.unwrap());
    bench.shared = Arc::new(shared);
    let settings = bench.service.settings(PATIENCE);
    bench.pusher = Pusher::new(Arc::clone(&bench.shared), settings);
    for mark in 0..60 {
        bench.write(&mut record(mark, 8000));
    }
    let told = bench.shared.with_spool(|spool| gaps(spool));
    assert_eq!(told.len(), 1);
    bench.service.turns([Turn::Refuse("503 Busy")]);
    bench.wait().await;
    assert_eq!(bench.shared.with_spool(|spool| gaps(spool)), told);
    bench.drain().await;
    let heard = bench.service.with(|state| state.gaps.clone());
    let heard: Vec<_> = heard.iter().map(|gap| (gap.from, gap.to)).collect();
    assert_eq!(heard, told);
    assert_eq!(bench.shared.with_spool(|spool| gaps(spool)), []);
    assert_eq!(bench.service.numbers().first(), Some(&(told[0].1 + 1)));
}

#[tokio::test]
async fn wishes_of_the_service_are_heard() {
    let mut bench = Bench::new(1).await;
    let names = vec!["OU=Staff,DC=ad,DC=hauser,DC=example".to_owned()];
    bench.service.with(|state| state.wishes.clone_from(&names));
    bench.drain().await;
    assert_eq!(*bench.shared.wishes(), *names);
    bench.service.with(|state| state.wishes.clear());
    bench.write(&mut record(1, 10));
    bench.drain().await;
    assert!(bench.shared.wishes().is_empty());
}

#[tokio::test]
async fn certificates_of_strangers_are_refused_on_both_sides() {
    let service = FakeService::start(true).await;
    let stranger = FakeService::start(false).await;
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::new();
    let shared = shared(&hands, folder.path());
    let append = |spool: &mut syncwatch_agent::spool::Spool| spool.append(&mut record(0, 10), None);
    shared.with_spool(append).unwrap();
    let good = service.settings(PATIENCE);
    let mut settings = good.clone();
    settings.files.pair = Some(stranger.authority.sign("agent"));
    let mut other_authority = good.clone();
    other_authority.files.authorities = Some(stranger.authority.file());
    let mut ended = good.clone();
    ended.files.pair = Some(service.authority.sign_ended("ended"));
    for settings in [settings, other_authority, ended, good.clone()] {
        let mut pusher = Pusher::new(Arc::clone(&shared), settings);
        let pushed = pusher.run_once().await;
        assert!(matches!(pushed, Pushed::Failed(_)), "{pushed:?}");
    }
    assert_eq!(service.with(|state| state.came.len()), 0);

    let mut settings = good;
    settings.files.pair = Some(service.authority.sign("agent"));
    settings.token = None;
    let mut pusher = Pusher::new(Arc::clone(&shared), settings);
    assert_eq!(pusher.run_once().await, Pushed::Sent(1));
}

#[tokio::test]
async fn a_token_is_read_at_each_use() {
    let mut bench = Bench::new(1).await;
    let file = bench.service.authority.folder().join("token");
    let token = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    bench.wait().await;
    assert_eq!(bench.service.with(|state| state.came.len()), 0);
    std::fs::write(&file, format!("{token}\n")).unwrap();
    bench.drain().await;
    assert!(bench.service.were_authorized());
}

#[tokio::test]
async fn a_certificate_that_is_being_renewed_stops_no_report() {
    let service = FakeService::start(true).await;
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(&Hands::new(), folder.path());
    let mut settings = service.settings(PATIENCE);
    let own = service.authority.sign("agent");
    settings.files.pair = Some(own.clone());
    let mut pusher = Pusher::new(Arc::clone(&shared), settings);
    let mut push = async |mark| {
        shared
            .with_spool(|spool| spool.append(&mut record(mark, 10), None))
            .unwrap();
        // A fresh connection each time: the one before is closed.
        service.turns([Turn::Cut, Turn::Take]);
        let pushed = pusher.run_once().await;
        if matches!(pushed, Pushed::Failed(_)) {
            return pusher.run_once().await;
        }
        pushed
    };
    assert_eq!(push(0).await, Pushed::Sent(1));
    std::fs::write(&own.certificate, "").unwrap();
    assert_eq!(push(1).await, Pushed::Sent(1), "the former one is shown");
    let renewed = service.authority.sign("renewed");
    std::fs::copy(&renewed.certificate, &own.certificate).unwrap();
    assert_eq!(push(2).await, Pushed::Sent(1), "its key is not there yet");
    std::fs::copy(&renewed.key, &own.key).unwrap();
    assert_eq!(push(3).await, Pushed::Sent(1));
    assert_eq!(service.numbers(), [1, 2, 3, 4]);
}
