//! A day without the service, and the way back, with the agent killed on it again and again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_agent::containers::Containers;
use syncwatch_agent::home::push::{Pushed, Pusher};
use syncwatch_agent::plan::Schedule;
use syncwatch_agent::reader::Reader;
use syncwatch_agent::shared::Shared;
use syncwatch_agent::spool::Spool;
use syncwatch_domain::report::Section;

use crate::support::disk::Fault;
use crate::support::host::FakeHost;
use crate::support::service::{FakeService, Turn};
use crate::support::{Dice, Hands, PLENTY, START, identity};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn shared(folder: &Path, hands: &Hands, fault: &Fault) -> Option<Arc<Shared>> {
    let spool = Spool::open_on(fault.disk(), folder, PLENTY, START).ok()?;
    let shared = Shared::new(hands.times.clone(), identity(), spool);
    Some(Arc::new(shared))
}

/// Reads a day long; gives how many records were written.
async fn fill(folder: &Path, hands: &Hands) -> u64 {
    let shared = shared(folder, hands, &Fault::default()).unwrap();
    let host = Box::new(FakeHost::connect());
    let containers = Containers::load(folder);
    let mut reader = Reader::new(Arc::clone(&shared), host, Schedule::of, false, containers);
    while hands.times.elapsed() < DAY {
        let did = reader.run_once().await;
        let wait = did.next_due.unwrap().saturating_sub(hands.times.elapsed());
        hands.advance(wait);
    }
    shared.with_spool(|spool| spool.state().next - 1)
}

/// One life of the agent while it drains: it is killed after some calls to the disk, and the
/// service has its moods. Whether everything arrived.
async fn drain(folder: &Path, hands: &Hands, service: &FakeService, dice: &mut Dice) -> bool {
    let fault = Fault::default();
    fault.kill_after(2 + dice.roll(40), dice.roll(u64::MAX));
    let Some(shared) = shared(folder, hands, &fault) else {
        return false;
    };
    let patience = Duration::from_secs(20);
    let mut pusher = Pusher::new(shared, service.settings(patience));
    let moods = [
        Turn::Take,
        Turn::TakeAndCut,
        Turn::Refuse("503 Busy"),
        Turn::Take,
    ];
    let turns: Vec<Turn> = (0..8)
        .map(|_| moods[usize::try_from(dice.roll(4)).unwrap()].clone())
        .collect();
    service.turns(turns);
    loop {
        match pusher.run_once().await {
            Pushed::Nothing => return true,
            Pushed::Failed(_) if fault.is_killed() => return false,
            Pushed::Failed(wait) => hands.advance(wait),
            Pushed::Sent(_) | Pushed::Split => {}
        }
    }
}

#[tokio::test]
async fn a_day_of_silence_comes_home_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let hands = Hands::new();
    let written = fill(folder.path(), &hands).await;
    assert!(written > 8000, "{written}");
    let service = FakeService::start(false).await;
    let mut dice = Dice(7);
    let mut lives = 0;
    while !drain(folder.path(), &hands, &service, &mut dice).await {
        lives += 1;
        assert!(lives < 500);
    }
    assert!(lives > 2, "it was killed on the way: {lives}");
    // The service refuses a number with two meanings by itself.
    assert_eq!(service.numbers(), (1..=written).collect::<Vec<_>>());
    let sections = service.with(|state| state.sections());
    let of = |section: Section| {
        let one = sections.iter().filter(|(name, _)| name == section.as_str());
        one.count()
    };
    assert_eq!(of(Section::Scheduler), 24 * 60);
    assert_eq!(of(Section::Rules), 24);
    assert_eq!(of(Section::PendingExports), 24 * 4);
}
