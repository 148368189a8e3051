use syncwatch_domain::alert::Rule;
use syncwatch_domain::job::{Job, JobStatus};

use super::world::{World, jobs_read, lane};
use crate::detect::testing::{job, minute};

#[tokio::test]
async fn an_evaluator_that_lags_behind_another_judges_again() {
    let mut world = World::new().await;
    let mut rival = world.rival();
    jobs_read(5)
        .job(job())
        .lane(lane("a", 0))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(5).await;
    rival.run_once(minute(5)).await.unwrap();
    // The rival's memory knows of no alert; the store does.
    let paused = |read_at| Job {
        status: JobStatus::Paused,
        successive_failures: read_at,
        ..job()
    };
    jobs_read(10)
        .job(paused(1))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(10).await;
    jobs_read(11)
        .job(paused(2))
        .commit(&world.store)
        .await
        .unwrap();
    rival.run_once(minute(11)).await.unwrap();
    assert_eq!(world.firing(Rule::JobPaused).await.len(), 1);
    assert_eq!(world.news(11).await.len(), 1, "told once");
}

#[tokio::test]
async fn two_evaluators_at_once_tell_everything_once() {
    let mut world = World::new().await;
    let mut rival = world.rival();
    let mut read = jobs_read(5);
    for n in 0..9 {
        read = read.lane(lane(&format!("site{n}"), 0));
    }
    read.commit(&world.store).await.unwrap();
    for at in [5, 61, 121] {
        jobs_read(at).commit(&world.store).await.unwrap();
        let (one, other) = tokio::join!(
            world.evaluator.run_once(minute(at)),
            rival.run_once(minute(at))
        );
        one.unwrap();
        other.unwrap();
    }
    assert_eq!(
        world.news(121).await.len(),
        18,
        "late and missed, each lane once"
    );
    assert_eq!(world.firing(Rule::WindowMissed).await.len(), 9);
    assert_eq!(world.firing(Rule::LaneLate).await.len(), 0);
}
