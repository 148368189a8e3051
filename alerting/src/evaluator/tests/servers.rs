//! Sync servers as a whole: one cause is one message, and silence ends nothing.

mod causes;
mod sight;

use std::collections::BTreeSet;
use std::time::Duration;

use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::lane::{Engine, LaneKind, LaneStatus};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure};
use syncwatch_domain::sync_server::{
    Agent, Database, DomainReach, LostRecords, Part, PasswordDomain, PasswordSync, Reachability,
    Scheduler, ServiceKind, ServiceState, Services,
};
use syncwatch_store::{LaneUpdate, PollCommit, PollOutcome};

use super::world::{Read, World, agent_read, lane, read_of};
use crate::detect::testing::minute;
use crate::detect::testing::servers::{scheduler, service};

const STALLED: &str = "SchedulerStalled server/SYNC01";

fn agent(host: &str) -> Agent {
    Agent {
        host: host.into(),
        version: "0.1.0".into(),
        system: String::new(),
        roles: BTreeSet::new(),
        clock_ahead_ms: 0,
        newest_gap: None,
    }
}

/// A lane of Connect with a success at a minute: late after 70 minutes, missed after 120.
fn connect_lane(kind: LaneKind, partition: &str, success: i64) -> LaneUpdate {
    let mut update = lane(partition, success);
    update.key.engine = Engine::Connect;
    update.key.kind = kind;
    update.job_id = None;
    update.promised = Some(Duration::from_secs(30 * 60));
    update
}

async fn commit(world: &World, read: Read<'_>) {
    read.commit(&world.store).await.unwrap();
}

/// A report comes, and with it the scheduler.
async fn scheduled(world: &World, host: &str, at: i64, scheduler: &Scheduler) {
    commit(
        world,
        agent_read(host, at).part(host, Part::Agent, &agent(host)),
    )
    .await;
    let section = format!("{host}/scheduler");
    let read = agent_read(&section, at).part(host, Part::Scheduler, scheduler);
    commit(world, read).await;
}

/// The run history was read, with the newest success at a minute.
async fn ran(world: &World, at: i64, success: i64) {
    let lane = connect_lane(LaneKind::Objects, "ad.orchard.example", success);
    commit(world, agent_read("SYNC01/runs", at).lane(lane)).await;
}

/// Suspended since minute 5, the next cycle planned for minute 30.
fn wizard() -> Scheduler {
    Scheduler {
        suspended: true,
        suspended_since: Some(minute(5)),
        ..scheduler(30)
    }
}

/// A wizard is open from minute 5 on, and everything is read every five minutes until `until`.
/// Gives what was told, with the minute.
async fn stalls(world: &mut World, until: i64) -> Vec<String> {
    let mut told = Vec::new();
    for at in (0..=until).step_by(5) {
        let now = if at < 5 { scheduler(30) } else { wizard() };
        scheduled(world, "SYNC01", at, &now).await;
        ran(world, at, 0).await;
        let news = world.told(at).await;
        told.extend(news.into_iter().map(|line| format!("{at}: {line}")));
    }
    told
}

#[tokio::test]
async fn a_wizard_that_stays_open_is_one_message_until_a_window_is_missed() {
    let mut world = World::new().await;
    assert_eq!(
        stalls(&mut world, 115).await,
        [format!("60: firing {STALLED}")]
    );
    let late = world.firing(Rule::LaneLate).await.remove(0);
    let stall = world.firing(Rule::SchedulerStalled).await.remove(0);
    assert_eq!(late.cause, Some(stall.id), "the late lane hangs under it");
    assert_eq!(world.firing(Rule::SchedulerSuspended).await, []);
    assert_eq!(stall.severity, Severity::Warning);
}

#[tokio::test]
async fn a_stall_and_its_late_lane_that_are_learned_at_once_are_one_message() {
    let mut world = World::new().await;
    scheduled(&world, "SYNC01", 0, &scheduler(30)).await;
    ran(&world, 5, 0).await;
    assert_eq!(world.told(5).await, [""; 0]);
    scheduled(&world, "SYNC01", 150, &wizard()).await;
    ran(&world, 150, 0).await;
    assert_eq!(world.told(150).await, [format!("firing {STALLED}")]);
    let missed = world.firing(Rule::WindowMissed).await.remove(0);
    assert!(missed.cause.is_some());
}

#[tokio::test]
async fn a_stall_becomes_as_grave_as_the_window_it_cost() {
    let mut world = World::new().await;
    assert_eq!(
        stalls(&mut world, 200).await,
        [
            format!("60: firing {STALLED}"),
            format!("120: changed {STALLED}")
        ]
    );
    let stall = world.firing(Rule::SchedulerStalled).await.remove(0);
    assert_eq!(stall.severity, Severity::Critical);
    assert_eq!(stall.labels["severity"], "critical");
    let missed = world.firing(Rule::WindowMissed).await.remove(0);
    assert_eq!(missed.cause, Some(stall.id));
}

#[tokio::test]
async fn when_the_wizard_is_closed_the_lane_gets_a_cycle_to_recover() {
    let mut world = World::new().await;
    stalls(&mut world, 125).await;
    let works = Scheduler {
        in_progress: true,
        ..scheduler(160)
    };
    scheduled(&world, "SYNC01", 130, &works).await;
    ran(&world, 130, 0).await;
    assert_eq!(world.told(130).await, [format!("resolved {STALLED}")]);
    scheduled(&world, "SYNC01", 140, &scheduler(160)).await;
    ran(&world, 140, 135).await;
    assert_eq!(world.told(140).await, [""; 0], "the lane was never told");
    assert_eq!(world.store.firing_alerts().await.unwrap(), []);
}

#[tokio::test]
async fn a_lane_that_does_not_recover_after_a_stall_is_told_in_the_end() {
    let mut world = World::new().await;
    stalls(&mut world, 125).await;
    let mut told = Vec::new();
    for at in (130..=205).step_by(5) {
        scheduled(&world, "SYNC01", at, &scheduler(at + 20)).await;
        ran(&world, at, 0).await;
        told.extend(world.told(at).await);
    }
    assert_eq!(
        told,
        [
            format!("resolved {STALLED}"),
            "firing WindowMissed lane/connect/objects/ad.orchard.example".to_owned()
        ]
    );
}

#[tokio::test]
async fn a_restart_finds_the_stall_and_what_hangs_under_it() {
    let mut world = World::new().await;
    stalls(&mut world, 125).await;
    world.evaluator = world.rival();
    scheduled(&world, "SYNC01", 130, &wizard()).await;
    ran(&world, 130, 0).await;
    assert_eq!(world.told(130).await, [""; 0]);
}

#[tokio::test]
async fn a_stall_is_seen_although_no_fact_changes_any_more() {
    let mut world = World::new().await;
    scheduled(&world, "SYNC01", 10, &wizard()).await;
    let due = world.judge(10).await.next_due;
    assert_eq!(due, Some(minute(60)));
    scheduled(&world, "SYNC01", 58, &wizard()).await;
    assert_eq!(world.told(60).await, [""; 0], "nobody has looked since");
    assert_eq!(world.judge(60).await.next_due, Some(minute(61)));
    scheduled(&world, "SYNC01", 61, &wizard()).await;
    assert_eq!(world.told(61).await, [format!("firing {STALLED}")]);
    let commits = world.store.commits();
    scheduled(&world, "SYNC01", 62, &wizard()).await;
    let report = world.judge(62).await;
    assert_eq!(report.did, 0, "what is known is written once");
    assert_eq!(world.store.commits(), commits + 2, "the two reads");
}

/// What Microsoft Graph tells of Connect as a whole.
async fn graph(world: &World, at: i64, success: i64) {
    let lane = connect_lane(LaneKind::Objects, "tenant", success);
    commit(world, read_of(Poll::Organization, at).lane(lane)).await;
}

#[tokio::test]
async fn what_graph_tells_of_connect_hangs_under_the_active_server() {
    let mut world = World::new().await;
    let mut told = Vec::new();
    for at in (0..=115).step_by(5) {
        let staging = Scheduler {
            staging_mode: true,
            ..scheduler(at + 20)
        };
        scheduled(&world, "SYNC02", at, &staging).await;
        scheduled(&world, "SYNC01", at, &wizard()).await;
        graph(&world, at, 0).await;
        told.extend(world.told(at).await);
    }
    assert_eq!(told, [format!("firing {STALLED}")]);
    assert_eq!(world.firing(Rule::LaneLate).await.len(), 1);
}

#[tokio::test]
async fn a_second_server_that_is_promoted_is_one_message_and_its_end_another() {
    let mut world = World::new().await;
    for (at, staging_mode, expected) in [
        (0, true, &[][..]),
        (5, true, &[]),
        (10, false, &["firing TwoActiveServers servers"]),
        (15, false, &[]),
        (80, false, &[]),
        (85, true, &["resolved TwoActiveServers servers"]),
    ] {
        scheduled(&world, "SYNC01", at, &scheduler(at + 20)).await;
        let second = Scheduler {
            staging_mode,
            ..scheduler(at + 20)
        };
        scheduled(&world, "SYNC02", at, &second).await;
        assert_eq!(world.told(at).await, expected, "at {at}");
    }
    let ended = world
        .store
        .alerts(&syncwatch_store::AlertFilter::default())
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    assert!(ended[0].evidence.iter().any(|fact| fact.name == "SYNC01"));
    assert!(ended[0].evidence.iter().any(|fact| fact.name == "SYNC02"));
}
