use syncwatch_domain::alert::{AlertState, Rule};
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::window::READ_PATIENCE;
use syncwatch_store::{AlertFilter, Expectation, LaneUpdate};

use super::world::{World, jobs_read, lane};
use crate::config::AlertSettings;
use crate::detect::testing::{job, minute};

#[tokio::test]
async fn first_sight_is_silent() {
    let mut world = World::new().await;
    jobs_read(10)
        .lane(lane("a", 5))
        .commit(&world.store)
        .await
        .unwrap();
    let report = world.judge(10).await;
    assert_eq!(report.transitions, 1);
    assert_eq!(world.statuses().await, [LaneStatus::OnTime]);
    assert_eq!(world.news(10).await.len(), 0);
}

#[tokio::test]
async fn a_lane_is_late_then_missed_then_on_time_again_and_each_is_told_once() {
    let mut world = World::new().await;
    jobs_read(5)
        .lane(lane("a", 0))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(5).await, [""; 0]);
    jobs_read(61).commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(61).await,
        ["firing LaneLate lane/cloud/objects/a"]
    );
    jobs_read(121).commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(121).await,
        ["firing WindowMissed lane/cloud/objects/a"]
    );
    jobs_read(122).commit(&world.store).await.unwrap();
    assert_eq!(world.told(122).await, [""; 0]);
    jobs_read(131)
        .lane(lane("a", 130))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(131).await,
        ["resolved WindowMissed lane/cloud/objects/a"]
    );
    assert_eq!(world.store.firing_alerts().await.unwrap(), []);
    let all = world.store.alerts(&AlertFilter::default()).await.unwrap();
    let missed = all
        .iter()
        .find(|alert| alert.rule == Rule::WindowMissed)
        .unwrap();
    assert_eq!(
        (missed.occurred_at, missed.detected_at),
        (minute(120), minute(121))
    );
    assert_eq!(
        (missed.state, missed.resolved_at),
        (AlertState::Resolved, Some(minute(130)))
    );
}

#[tokio::test]
async fn a_deadline_without_a_read_after_it_tells_nothing() {
    let mut world = World::new().await;
    jobs_read(5)
        .lane(lane("a", 0))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(5).await;
    jobs_read(119).commit(&world.store).await.unwrap();
    world.judge(119).await;
    world.news(119).await;
    assert_eq!(world.told(120).await, [""; 0]);
    assert_eq!(
        world.statuses().await,
        [LaneStatus::Late],
        "the read that proves it is on its way"
    );
    jobs_read(120).commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(120).await,
        ["firing WindowMissed lane/cloud/objects/a"]
    );
}

#[tokio::test]
async fn the_next_instant_that_matters_is_reported() {
    let mut world = World::with(AlertSettings {
        digest: None,
        ..AlertSettings::default()
    })
    .await;
    jobs_read(5)
        .lane(lane("a", 0))
        .commit(&world.store)
        .await
        .unwrap();
    let sweep = Some(minute(65));
    assert_eq!(
        world.judge(5).await.next_due,
        sweep,
        "a read wakes by itself"
    );
    jobs_read(61).commit(&world.store).await.unwrap();
    assert_eq!(world.judge(61).await.next_due, sweep);
    assert_eq!(
        world.judge(65).await.next_due,
        Some(minute(120) + READ_PATIENCE),
        "no read came"
    );
}

#[tokio::test]
async fn a_paused_lane_ends_its_alert_in_its_own_words_and_comes_back_silently() {
    let mut world = World::new().await;
    jobs_read(5)
        .lane(lane("a", 0))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(5).await;
    jobs_read(121).commit(&world.store).await.unwrap();
    world.judge(121).await;
    world.news(121).await;
    let paused = LaneUpdate {
        expectation: Expectation::Paused {
            reason: "the job is paused".into(),
        },
        cycles: Vec::new(),
        ..lane("a", 0)
    };
    jobs_read(122)
        .lane(paused)
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(122).await;
    let news = world.news(122).await;
    assert_eq!(news.len(), 1);
    let alert = &news[0].notification.alert;
    assert!(
        alert.summary.contains("did not recover"),
        "{}",
        alert.summary
    );
    assert!(
        alert.summary.contains("the job is paused"),
        "{}",
        alert.summary
    );
    let back = LaneUpdate {
        cycles: Vec::new(),
        ..lane("a", 0)
    };
    jobs_read(200)
        .lane(back)
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(200).await, [""; 0]);
    assert_eq!(world.statuses().await, [LaneStatus::OnTime]);
}

#[tokio::test]
async fn a_lane_that_can_no_longer_be_told_apart_has_not_recovered() {
    let mut world = World::new().await;
    jobs_read(5)
        .lane(lane("a", 0))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(5).await;
    jobs_read(121).commit(&world.store).await.unwrap();
    world.judge(121).await;
    world.news(121).await;
    let quiet = |expectation| LaneUpdate {
        expectation,
        cycles: Vec::new(),
        ..lane("a", 0)
    };
    let masked = Expectation::Masked {
        reason: "another engine keeps the time stamp fresh".into(),
    };
    jobs_read(122)
        .lane(quiet(masked))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(122).await, [""; 0]);
    jobs_read(130)
        .lane(quiet(Expectation::Expected))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(130).await,
        [""; 0],
        "a window that begins anew is no success"
    );
    assert_eq!(world.firing(Rule::WindowMissed).await.len(), 1);
    jobs_read(140)
        .lane(lane("a", 139))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(140).await;
    jobs_read(200).commit(&world.store).await.unwrap();
    world.judge(200).await;
    let news: Vec<String> = world
        .news(200)
        .await
        .iter()
        .map(super::world::said)
        .collect();
    assert_eq!(
        news,
        [
            "resolved WindowMissed lane/cloud/objects/a",
            "firing LaneLate lane/cloud/objects/a"
        ]
    );
}

#[tokio::test]
async fn many_lanes_that_miss_at_once_are_one_message() {
    let mut world = World::new().await;
    let mut read = jobs_read(5);
    for n in 0..40 {
        let mut update = lane(&format!("site{n}"), 0);
        update.job_id = Some(format!("{}{n}", job().job_id));
        read = read.lane(update);
    }
    read.commit(&world.store).await.unwrap();
    world.judge(5).await;
    jobs_read(121).commit(&world.store).await.unwrap();
    world.judge(121).await;
    let news = world.news(121).await;
    assert_eq!(
        news.iter().map(super::world::said).collect::<Vec<_>>(),
        ["firing WindowMissed engine/cloud"]
    );
    assert_eq!(news[0].notification.children.len(), 40);
    let group = &news[0].notification.alert.id;
    let lanes = world.firing(Rule::WindowMissed).await;
    assert_eq!(
        lanes
            .iter()
            .filter(|alert| alert.cause.as_ref() == Some(group))
            .count(),
        40
    );
}

#[tokio::test]
async fn without_groups_every_lane_has_its_own_message() {
    let mut world = World::with(AlertSettings {
        group_from: 0,
        ..AlertSettings::default()
    })
    .await;
    let mut read = jobs_read(5);
    for n in 0..1_500 {
        read = read.lane(lane(&format!("site{n}"), 0));
    }
    read.commit(&world.store).await.unwrap();
    let report = world.judge(5).await;
    assert_eq!(
        (report.transitions, report.did),
        (1_500, 3),
        "two turns of lanes, one of the rest"
    );
    jobs_read(121).commit(&world.store).await.unwrap();
    let report = world.judge(121).await;
    assert_eq!((report.transitions, report.deliveries), (1_500, 1_500));
    assert!(
        world
            .statuses()
            .await
            .iter()
            .all(|status| *status == LaneStatus::Missed)
    );
}

#[tokio::test]
async fn a_lane_that_is_overdue_at_first_sight_is_read_again_before_it_is_called_missed() {
    for (success, told) in [
        (0, "firing WindowMissed lane/cloud/objects/a"),
        (60, "firing LaneLate lane/cloud/objects/a"),
    ] {
        let mut world = World::new().await;
        let read = jobs_read(130).lane(lane("a", success));
        read.commit(&world.store).await.unwrap();
        let report = world.judge(130).await;
        assert_eq!(world.news(130).await.len(), 0);
        assert_eq!(world.statuses().await, [LaneStatus::Unknown]);
        assert_eq!(report.transitions, 0);
        let again = world.judge(150).await;
        assert_eq!(again.did, 0, "nothing to do before the next read");
        jobs_read(151).commit(&world.store).await.unwrap();
        assert_eq!(world.told(151).await, [told]);
    }
}

#[tokio::test]
async fn an_answer_of_yesterday_at_first_sight_is_no_missed_window() {
    let mut world = World::new().await;
    let stale = jobs_read(130).lane(lane("a", 0));
    stale.commit(&world.store).await.unwrap();
    world.judge(130).await;
    let fresh = jobs_read(131).lane(lane("a", 129));
    fresh.commit(&world.store).await.unwrap();
    assert_eq!(world.told(131).await, [""; 0]);
    assert_eq!(world.statuses().await, [LaneStatus::OnTime]);
    assert_eq!(world.store.ledger(10).await.unwrap(), []);
}
