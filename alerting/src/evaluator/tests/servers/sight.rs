//! Servers out of sight, and agents that are taken out of the config.

use super::*;

/// The agent is silent at a minute.
async fn silent(world: &World, host: &str, at: i64) {
    commit(world, agent_read(host, at).failed(ReadFailure::Timeout)).await;
}

#[tokio::test]
async fn silence_of_an_agent_is_one_message_and_ends_nothing() {
    let mut world = World::new().await;
    let full = Database {
        local_db: true,
        used_mb: 8_300.0,
    };
    scheduled(&world, "SYNC01", 60, &wizard()).await;
    let read = agent_read("SYNC01/database", 60).part("SYNC01", Part::Database, &full);
    commit(&world, read).await;
    let failed = |at| agent_read("SYNC01/reachability", at).failed(ReadFailure::Timeout);
    commit(&world, failed(59)).await;
    let mut told = world.told(60).await;
    told.sort();
    assert_eq!(
        told,
        [
            "firing DatabaseFilling server/SYNC01",
            &format!("firing {STALLED}")
        ]
    );
    for at in [75, 76, 77] {
        silent(&world, "SYNC01", at).await;
    }
    assert_eq!(
        world.told(77).await,
        ["firing SourceUnreachable agent/SYNC01"]
    );
    commit(&world, failed(80)).await;
    for at in [80, 200, 10_000] {
        silent(&world, "SYNC01", at).await;
        assert_eq!(world.told(at).await, [""; 0], "at {at}");
    }
    let section = world.firing(Rule::SourceUnreachable).await;
    let section = section
        .iter()
        .find(|alert| alert.subject.path == "agent/SYNC01/reachability")
        .unwrap();
    assert!(section.cause.is_some(), "its section hangs under it");
    assert_eq!(world.firing(Rule::SchedulerStalled).await.len(), 1);
    assert_eq!(world.firing(Rule::DatabaseFilling).await.len(), 1);

    scheduled(&world, "SYNC01", 10_010, &scheduler(10_020)).await;
    let reach = agent_read("SYNC01/reachability", 10_010);
    commit(
        &world,
        reach.part("SYNC01", Part::Reachability, &Reachability::default()),
    )
    .await;
    let mut told = world.told(10_010).await;
    told.sort();
    assert_eq!(
        told,
        [
            format!("resolved {STALLED}"),
            "resolved SourceUnreachable agent/SYNC01".to_owned()
        ]
    );
    assert_eq!(
        world.firing(Rule::DatabaseFilling).await.len(),
        1,
        "its section was not read since"
    );
}

#[tokio::test]
async fn a_silent_agent_makes_its_lanes_blind_and_nothing_late() {
    let mut world = World::new().await;
    scheduled(&world, "SYNC01", 0, &scheduler(20)).await;
    ran(&world, 5, 0).await;
    world.told(5).await;
    for at in (20..=180).step_by(10) {
        silent(&world, "SYNC01", at).await;
        let told = world.told(at).await;
        let expected: &[&str] = match at {
            20 => &["firing SourceUnreachable agent/SYNC01"],
            _ => &[],
        };
        assert_eq!(told, expected, "at {at}");
    }
    assert_eq!(world.statuses().await, [LaneStatus::Blind]);
    let told = world.firing(Rule::SourceUnreachable).await.remove(0);
    assert_eq!(
        told.severity,
        Severity::Critical,
        "it was the active server"
    );
    assert!(told.summary.contains("1 lane is blind"), "{}", told.summary);
}

#[tokio::test]
async fn an_agent_that_is_taken_out_of_the_config_ends_its_alerts_without_a_recovery() {
    let mut world = World::new().await;
    scheduled(&world, "SYNC02", 90, &scheduler(110)).await;
    scheduled(&world, "SYNC01", 90, &wizard()).await;
    let mut told = world.told(90).await;
    told.sort();
    assert_eq!(
        told,
        [
            format!("firing {STALLED}"),
            "firing TwoActiveServers servers".to_owned()
        ]
    );
    for source in world.store.sources(None).await.unwrap() {
        if source.state.key.instance.starts_with("SYNC01") {
            let at = minute(100);
            let commit = PollCommit {
                unwatched: vec![source.state.key],
                ..PollCommit::bare(source.id, at, at, PollOutcome::Partial)
            };
            let policy = LanePolicy::default();
            world.store.commit_poll(&commit, &policy).await.unwrap();
        }
    }
    world.judge(100).await;
    let news = world.news(100).await;
    let of = |rule| {
        let mut alerts = news.iter().map(|one| &one.notification.alert);
        alerts.find(|alert| alert.rule == rule).unwrap()
    };
    assert!(
        of(Rule::SchedulerStalled)
            .summary
            .contains("did not recover")
    );
    assert!(of(Rule::TwoActiveServers).summary.contains("SYNC02"));
    assert_eq!(world.store.firing_alerts().await.unwrap(), []);
}

#[tokio::test]
async fn lost_records_are_told_once_and_never_again() {
    let mut world = World::new().await;
    let lost = Agent {
        newest_gap: Some(LostRecords {
            records: 300,
            from: minute(-900),
            to: minute(-600),
        }),
        ..agent("SYNC01")
    };
    let mut told = Vec::new();
    for at in [0, 700, 1_500, 3_000, 9_000] {
        commit(
            &world,
            agent_read("SYNC01", at).part("SYNC01", Part::Agent, &lost),
        )
        .await;
        told.extend(world.told(at).await);
    }
    assert_eq!(
        told,
        [
            "firing AgentGap server/SYNC01",
            "resolved AgentGap server/SYNC01"
        ]
    );
}
