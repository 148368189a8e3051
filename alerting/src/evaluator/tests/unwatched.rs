//! The config does not ask for a tenant or a poll any more: what was said about it ends.

use syncwatch_domain::alert::{NotificationEvent, Rule};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure};
use syncwatch_store::{PollCommit, PollOutcome};

use super::world::{World, jobs_read, lane, read_of, said};
use crate::detect::testing::{job, minute, quarantined};

/// Retires every source that is to go, as the collector does when it starts.
async fn take_out(world: &World, at: i64, goes: impl Fn(Poll) -> bool) {
    for source in world.store.sources(None).await.unwrap() {
        if goes(source.state.key.poll) {
            let at = minute(at);
            let commit = PollCommit {
                unwatched: vec![source.state.key],
                ..PollCommit::bare(source.id, at, at, PollOutcome::Partial)
            };
            let policy = LanePolicy::default();
            world.store.commit_poll(&commit, &policy).await.unwrap();
        }
    }
}

/// A tenant with a missed window, failing objects, a missing right and a job in quarantine.
async fn troubled() -> World {
    let mut world = World::new().await;
    let objects: Vec<String> = (0..12).map(|n| format!("o{n}")).collect();
    let failing: Vec<(&str, Option<&str>)> = objects
        .iter()
        .map(|object| (object.as_str(), Some("HybridIdentityServiceAgentTimeout")))
        .collect();
    let logs = read_of(Poll::ProvisioningLogs, 5).objects(&failing);
    logs.commit(&world.store).await.unwrap();
    let organization = read_of(Poll::Organization, 5).failed(ReadFailure::RightMissing);
    organization.commit(&world.store).await.unwrap();
    let read = jobs_read(5).job(job()).lane(lane("a", 0));
    read.commit(&world.store).await.unwrap();
    assert_eq!(world.told(5).await.len(), 2);
    jobs_read(121).commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(121).await,
        ["firing WindowMissed lane/cloud/objects/a"]
    );
    let held = jobs_read(130).job(quarantined("TooManyDeletes", None));
    held.commit(&world.store).await.unwrap();
    world.told(130).await;
    assert_eq!(world.store.firing_alerts().await.unwrap().len(), 4);
    world
}

#[tokio::test]
async fn all_alerts_of_a_tenant_that_was_taken_out_end_and_say_why() {
    let mut world = troubled().await;
    take_out(&world, 140, |_| true).await;
    world.judge(140).await;
    assert_eq!(world.store.firing_alerts().await.unwrap(), []);
    let news = world.news(140).await;
    assert_eq!(
        news.len(),
        4,
        "{:?}",
        news.iter().map(said).collect::<Vec<_>>()
    );
    for delivery in &news {
        let told = &delivery.notification;
        assert_eq!(told.event, NotificationEvent::Resolved);
        let summary = &told.alert.summary;
        assert!(summary.contains("did not recover"), "{summary}");
        let lane = told.alert.rule == Rule::WindowMissed;
        assert_eq!(summary.contains("no longer watched"), !lane, "{summary}");
        assert_eq!(summary.contains("does not ask for it"), lane, "{summary}");
    }
    for at in [300, 2_000] {
        assert_eq!(world.told(at).await, [""; 0], "old facts raise nothing");
    }
}

#[tokio::test]
async fn a_restart_finds_alerts_that_nobody_watches_any_more() {
    let mut world = troubled().await;
    take_out(&world, 140, |_| true).await;
    // Whoever looked then did not know what to do about it.
    let mut judgement = syncwatch_store::Judgement {
        now: minute(140),
        lanes: Vec::new(),
        alerts: Vec::new(),
        deliveries: Vec::new(),
        seen: syncwatch_store::Seen::default(),
    };
    let unseen = world.store.unseen().await.unwrap();
    let retired = unseen.sources.iter().filter(|source| source.state.retired);
    judgement.seen.sources = retired
        .map(|source| (source.id, source.state.attempted_at, true))
        .collect();
    assert_eq!(judgement.seen.sources.len(), 3);
    world.store.commit_judgement(&judgement).await.unwrap();
    world.evaluator = world.rival();
    world.judge(150).await;
    assert_eq!(world.store.firing_alerts().await.unwrap(), []);
}

#[tokio::test]
async fn a_poll_that_was_switched_off_ends_its_alerts_alone() {
    let mut world = troubled().await;
    take_out(&world, 140, |poll| poll == Poll::ProvisioningLogs).await;
    assert_eq!(
        world.told(140).await,
        ["resolved ObjectErrors job/AD2AADProvisioning.5f0c.01/errors/agent_path"]
    );
    take_out(&world, 150, |poll| poll == Poll::Organization).await;
    assert_eq!(
        world.told(150).await,
        ["resolved RightMissing right/Organization.Read.All"]
    );
    assert_eq!(world.told(300).await, [""; 0]);
    assert_eq!(world.store.firing_alerts().await.unwrap().len(), 2);
}

#[tokio::test]
async fn errors_of_a_job_that_is_gone_end_with_it() {
    let mut world = troubled().await;
    let mut read = jobs_read(140);
    read.jobs_complete = true;
    read.commit(&world.store).await.unwrap();
    let told = world.told(140).await;
    let errors = "resolved ObjectErrors job/AD2AADProvisioning.5f0c.01/errors/agent_path";
    assert!(told.iter().any(|line| line == errors), "{told:?}");
    assert_eq!(world.told(2_000).await, [""; 0], "and are not raised again");
}
