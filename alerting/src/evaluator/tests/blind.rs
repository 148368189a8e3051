use syncwatch_domain::alert::Rule;
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::source::{Poll, ReadFailure};

use super::world::{World, jobs_read, lane, read_of};

/// 100 lanes with a success at minute 0, read at minute 5; then Graph is gone.
async fn gone(world: &mut World, from: i64, until: i64) -> Vec<String> {
    let mut told = Vec::new();
    for at in from..until {
        jobs_read(at)
            .failed(ReadFailure::Network)
            .commit(&world.store)
            .await
            .unwrap();
        read_of(Poll::Organization, at)
            .failed(ReadFailure::Timeout)
            .commit(&world.store)
            .await
            .unwrap();
        told.extend(world.told(at).await);
    }
    told
}

async fn with_lanes() -> World {
    let mut world = World::new().await;
    let mut read = jobs_read(5);
    for n in 0..100 {
        read = read.lane(lane(&format!("site{n}"), 0));
    }
    read.commit(&world.store).await.unwrap();
    read_of(Poll::Organization, 5)
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(5).await, [""; 0]);
    world
}

#[tokio::test]
async fn when_graph_is_gone_there_is_one_alert_and_lanes_only_turn_blind() {
    let mut world = with_lanes().await;
    assert_eq!(
        gone(&mut world, 100, 130).await,
        ["firing SourceUnreachable graph"]
    );
    assert!(
        world
            .statuses()
            .await
            .iter()
            .all(|status| *status == LaneStatus::Blind)
    );
    let alert = &world.firing(Rule::SourceUnreachable).await[0];
    let lanes = alert
        .evidence
        .iter()
        .find(|fact| fact.name == "lanes behind it")
        .unwrap();
    assert!(lanes.value.starts_with("100: "), "{}", lanes.value);

    // It returns with the successes of all lanes but two.
    let mut read = jobs_read(131);
    for n in 2..100 {
        read = read.lane(lane(&format!("site{n}"), 110));
    }
    read.commit(&world.store).await.unwrap();
    let told = world.told(131).await;
    assert_eq!(
        told,
        [
            "firing WindowMissed lane/cloud/objects/site0",
            "firing WindowMissed lane/cloud/objects/site1",
            "resolved SourceUnreachable graph",
        ],
        "no word about the lanes that met their windows"
    );
    let on_time = world
        .statuses()
        .await
        .iter()
        .filter(|status| **status == LaneStatus::OnTime)
        .count();
    assert_eq!(on_time, 98);
}

#[tokio::test]
async fn an_alert_outlives_the_time_its_lane_was_blind() {
    let mut world = with_lanes().await;
    let mut read = jobs_read(70);
    for n in 1..100 {
        read = read.lane(lane(&format!("site{n}"), 65));
    }
    read.commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(70).await,
        ["firing LaneLate lane/cloud/objects/site0"]
    );
    assert_eq!(
        gone(&mut world, 100, 130).await,
        ["firing SourceUnreachable graph"]
    );
    assert_eq!(
        world.firing(Rule::LaneLate).await.len(),
        1,
        "missing data resolves nothing"
    );
    jobs_read(131)
        .lane(lane("site0", 128))
        .commit(&world.store)
        .await
        .unwrap();
    let told = world.told(131).await;
    assert!(
        told.contains(&"resolved LaneLate lane/cloud/objects/site0".to_owned()),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_source_that_stays_away_is_told_when_graph_is_back() {
    let mut world = with_lanes().await;
    gone(&mut world, 20, 30).await;
    read_of(Poll::Organization, 30)
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(30).await,
        ["resolved SourceUnreachable graph"],
        "the others come back when their polls are due"
    );
    for at in 31..=33 {
        jobs_read(at)
            .failed(ReadFailure::Network)
            .commit(&world.store)
            .await
            .unwrap();
        let told = world.told(at).await;
        let expected: &[&str] = match at {
            33 => &["firing SourceUnreachable source/jobs/3f1d0a52"],
            _ => &[],
        };
        assert_eq!(told, expected, "at {at}");
    }
    jobs_read(34).commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(34).await,
        ["resolved SourceUnreachable source/jobs/3f1d0a52"]
    );
}

#[tokio::test]
async fn a_lane_that_turned_blind_by_patience_sees_again_with_the_first_read() {
    let mut world = with_lanes().await;
    // Nobody polled for hours: the process was down, no source failed.
    assert_eq!(world.told(300).await, [""; 0]);
    assert!(
        world
            .statuses()
            .await
            .iter()
            .all(|status| *status == LaneStatus::Blind)
    );
    assert_eq!(world.judge(301).await.transitions, 0);
    jobs_read(302)
        .lane(lane("site0", 290))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(302).await, ["firing WindowMissed engine/cloud"]);
    let statuses = world.statuses().await;
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == LaneStatus::Missed)
            .count(),
        99
    );
}

#[tokio::test]
async fn a_missing_right_is_told_as_what_it_is() {
    let mut world = with_lanes().await;
    for at in 10..20 {
        read_of(Poll::ProvisioningLogs, at)
            .failed(ReadFailure::RightMissing)
            .commit(&world.store)
            .await
            .unwrap();
        jobs_read(at).commit(&world.store).await.unwrap();
        let told = world.told(at).await;
        let expected: &[&str] = if at == 10 {
            &["firing RightMissing right/AuditLog.Read.All"]
        } else {
            &[]
        };
        assert_eq!(told, expected, "at {at}");
    }
    read_of(Poll::ProvisioningLogs, 20)
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(20).await,
        ["resolved RightMissing right/AuditLog.Read.All"]
    );
}

#[tokio::test]
async fn looking_at_a_failing_source_again_writes_nothing() {
    let mut world = with_lanes().await;
    for at in 10..20 {
        read_of(Poll::ProvisioningLogs, at)
            .failed(ReadFailure::ServerError)
            .commit(&world.store)
            .await
            .unwrap();
        jobs_read(at).commit(&world.store).await.unwrap();
        world.judge(at).await;
    }
    assert_eq!(world.firing(Rule::SourceUnreachable).await.len(), 1);
    let before = world.store.commits();
    let report = world.judge(20).await;
    assert_eq!((report.did, world.store.commits()), (0, before));
}
