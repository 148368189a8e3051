//! A cause is over: what it spoke for has the time of a cycle to end before it is told.
//!
//! The lane `a` has a success at minute 0; it is late after 60 minutes, which is also how long it
//! may wait, and its window closes after 120.

use syncwatch_domain::alert::{AlertState, Rule};
use syncwatch_domain::source::ReadFailure;
use syncwatch_store::AlertFilter;

use super::world::{World, jobs_read, lane};
use crate::config::AlertSettings;
use crate::detect::testing::{job, minute, quarantined};

const QUARANTINE: &str = "JobQuarantined job/AD2AADProvisioning.5f0c.01";
const MISSED: &str = "WindowMissed lane/cloud/objects/a";

/// Quarantined at minute 30 and seen to run again at `until`, read at each of `reads` in between.
async fn after_quarantine(reads: &[i64], until: i64) -> World {
    let mut world = World::with(AlertSettings {
        digest: None,
        ..AlertSettings::default()
    })
    .await;
    let first = jobs_read(5).lane(lane("a", 0)).job(job());
    first.commit(&world.store).await.unwrap();
    assert_eq!(world.told(5).await, [""; 0]);
    quarantine(&world, 30).await;
    assert_eq!(world.told(30).await, [format!("firing {QUARANTINE}")]);
    for at in reads {
        quarantine(&world, *at).await;
        assert_eq!(world.told(*at).await, [""; 0]);
    }
    runs(&world, until).await;
    assert_eq!(world.told(until).await, [format!("resolved {QUARANTINE}")]);
    world
}

async fn quarantine(world: &World, at: i64) {
    let held = quarantined("TooManyDeletes", None);
    let read = jobs_read(at).job(held);
    read.commit(&world.store).await.unwrap();
}

async fn runs(world: &World, at: i64) {
    let read = jobs_read(at).job(job());
    read.commit(&world.store).await.unwrap();
}

async fn succeeds(world: &World, at: i64) {
    let read = jobs_read(at).job(job()).lane(lane("a", at - 1));
    read.commit(&world.store).await.unwrap();
}

#[tokio::test]
async fn a_lane_that_succeeds_soon_after_the_quarantine_is_never_told() {
    let mut world = after_quarantine(&[61, 121], 140).await;
    let waiting = world.firing(Rule::WindowMissed).await.remove(0);
    assert_eq!(waiting.speaks_at, Some(minute(200)));
    let cause = world.store.alert(&waiting.cause.unwrap().0).await.unwrap();
    assert_eq!(cause.unwrap().state, AlertState::Resolved);
    succeeds(&world, 199).await;
    assert_eq!(world.told(199).await, [""; 0]);
    runs(&world, 240).await;
    assert_eq!(world.told(240).await, [""; 0]);
    let all = world.store.alerts(&AlertFilter::default()).await.unwrap();
    let missed = all.iter().find(|alert| alert.rule == Rule::WindowMissed);
    let missed = missed.expect("it is on record all the same");
    assert_eq!(
        (missed.state, missed.speaks_at),
        (AlertState::Resolved, None)
    );
}

#[tokio::test]
async fn a_lane_that_still_does_not_succeed_is_told_once_its_time_is_over() {
    let mut world = after_quarantine(&[61, 121], 140).await;
    assert_eq!(world.judge(185).await.next_due, Some(minute(200)));
    runs(&world, 199).await;
    assert_eq!(world.told(200).await, [""; 0], "that read is too old");
    runs(&world, 201).await;
    assert_eq!(world.told(201).await, [format!("firing {MISSED}")]);
    let told = world.firing(Rule::WindowMissed).await.remove(0);
    assert_eq!(
        (told.cause, told.speaks_at, told.respite),
        (None, None, None)
    );
    runs(&world, 210).await;
    assert_eq!(world.told(210).await, [""; 0]);
    succeeds(&world, 220).await;
    assert_eq!(world.told(220).await, [format!("resolved {MISSED}")]);
}

#[tokio::test]
async fn a_success_that_comes_with_the_last_read_is_in_time() {
    let mut world = after_quarantine(&[61, 121], 140).await;
    succeeds(&world, 201).await;
    assert_eq!(world.told(201).await, [""; 0]);
    assert_eq!(world.store.firing_alerts().await.unwrap(), []);
}

#[tokio::test]
async fn nobody_is_told_of_what_cannot_be_seen_when_the_time_is_over() {
    let mut world = after_quarantine(&[61, 121], 140).await;
    for at in [201, 230] {
        let failed = jobs_read(at).failed(ReadFailure::Network);
        failed.commit(&world.store).await.unwrap();
        let told = world.told(at).await;
        assert!(!told.contains(&format!("firing {MISSED}")), "{told:?}");
    }
    runs(&world, 240).await;
    assert!(world.told(240).await.contains(&format!("firing {MISSED}")));
}

#[tokio::test]
async fn a_restart_neither_shortens_nor_forgets_the_wait() {
    let mut world = after_quarantine(&[61, 121], 140).await;
    world.evaluator = world.rival();
    assert_eq!(world.judge(150).await.next_due, Some(minute(200)));
    runs(&world, 151).await;
    assert_eq!(world.told(151).await, [""; 0]);
    world.evaluator = world.rival();
    runs(&world, 200).await;
    assert_eq!(world.told(200).await, [format!("firing {MISSED}")]);
}

#[tokio::test]
async fn a_lane_that_turns_late_just_after_the_quarantine_waits_as_if_it_had_been_late_before() {
    for restarts in [false, true] {
        let mut world = after_quarantine(&[], 58).await;
        if restarts {
            world.evaluator = world.rival();
        }
        runs(&world, 61).await;
        assert_eq!(world.told(61).await, [""; 0]);
        let late = world.firing(Rule::LaneLate).await.remove(0);
        assert_eq!(late.speaks_at, Some(minute(58 + 60)));
        runs(&world, 119).await;
        assert_eq!(
            world.told(119).await,
            ["firing LaneLate lane/cloud/objects/a"]
        );
        runs(&world, 121).await;
        assert_eq!(world.told(121).await, [format!("firing {MISSED}")]);
    }
}

#[tokio::test]
async fn a_window_that_closes_in_the_wait_of_its_lane_takes_the_wait_over() {
    let mut world = after_quarantine(&[61], 100).await;
    runs(&world, 121).await;
    assert_eq!(world.told(121).await, [""; 0]);
    let missed = world.firing(Rule::WindowMissed).await.remove(0);
    assert_eq!(missed.speaks_at, Some(minute(160)));
    assert_eq!(world.firing(Rule::LaneLate).await, []);
    runs(&world, 160).await;
    assert_eq!(world.told(160).await, [format!("firing {MISSED}")]);
}

#[tokio::test]
async fn a_job_that_falls_back_into_quarantine_speaks_for_its_lane_again() {
    let mut world = after_quarantine(&[61, 121], 140).await;
    quarantine(&world, 150).await;
    assert_eq!(world.told(150).await, [format!("firing {QUARANTINE}")]);
    let cause = world.firing(Rule::JobQuarantined).await.remove(0).id;
    let missed = world.firing(Rule::WindowMissed).await.remove(0);
    assert_eq!((missed.cause, missed.speaks_at), (Some(cause), None));
    quarantine(&world, 201).await;
    assert_eq!(world.told(201).await, [""; 0], "the first wait is void");
    runs(&world, 300).await;
    assert_eq!(world.told(300).await, [format!("resolved {QUARANTINE}")]);
    runs(&world, 359).await;
    assert_eq!(world.told(359).await, [""; 0]);
    runs(&world, 360).await;
    assert_eq!(world.told(360).await, [format!("firing {MISSED}")]);
}

#[tokio::test]
async fn lanes_that_waited_for_nothing_together_are_one_message() {
    let mut world = World::new().await;
    let mut first = jobs_read(5).job(job());
    for n in 0..12 {
        first = first.lane(lane(&format!("site{n}"), 0));
    }
    first.commit(&world.store).await.unwrap();
    world.told(5).await;
    quarantine(&world, 121).await;
    assert_eq!(world.told(121).await, [format!("firing {QUARANTINE}")]);
    runs(&world, 140).await;
    assert_eq!(world.told(140).await, [format!("resolved {QUARANTINE}")]);
    runs(&world, 200).await;
    assert_eq!(world.told(200).await, ["firing WindowMissed engine/cloud"]);
}
