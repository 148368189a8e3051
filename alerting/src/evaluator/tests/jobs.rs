use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::job::{Job, JobStatus, ScheduleState};
use syncwatch_domain::source::Poll;

use super::world::{World, jobs_read, lane, read_of};
use crate::detect::testing::{job, job_error, minute, quarantined};

#[tokio::test]
async fn a_quarantine_speaks_for_the_lane_behind_it() {
    let mut world = World::new().await;
    jobs_read(5)
        .lane(lane("a", 0))
        .job(job())
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(5).await, [""; 0]);
    let held = || quarantined("TooManyDeletes", None);
    jobs_read(30)
        .job(held())
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(30).await,
        ["firing JobQuarantined job/AD2AADProvisioning.5f0c.01"]
    );
    for at in [61, 121] {
        jobs_read(at)
            .job(held())
            .commit(&world.store)
            .await
            .unwrap();
        assert_eq!(world.told(at).await, [""; 0]);
    }
    let cause = world.firing(Rule::JobQuarantined).await[0].id.clone();
    assert_eq!(world.firing(Rule::WindowMissed).await[0].cause, Some(cause));
    jobs_read(140)
        .job(job())
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(140).await,
        ["resolved JobQuarantined job/AD2AADProvisioning.5f0c.01"]
    );
}

#[tokio::test]
async fn a_quarantine_and_a_missed_window_learned_at_once_are_one_message() {
    let mut world = World::new().await;
    jobs_read(5)
        .lane(lane("a", 0))
        .job(job())
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(5).await;
    jobs_read(121)
        .job(quarantined("TooManyDeletes", None))
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(121).await;
    let news = world.news(121).await;
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].notification.alert.rule, Rule::JobQuarantined);
    assert_eq!(news[0].notification.children, ["Cloud Sync objects of a"]);
}

#[tokio::test]
async fn a_quarantine_that_ends_in_a_disabled_job_is_not_called_resolved() {
    let mut world = World::new().await;
    jobs_read(5)
        .job(quarantined("TooManyDeletes", None))
        .commit(&world.store)
        .await
        .unwrap();
    world.told(5).await;
    let disabled = Job {
        status: JobStatus::Paused,
        schedule: ScheduleState::Disabled,
        interval: None,
        ..job()
    };
    jobs_read(10)
        .job(disabled)
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(10).await,
        ["firing JobDisabled job/AD2AADProvisioning.5f0c.01"]
    );
    assert_eq!(
        world.firing(Rule::JobDisabled).await[0].severity,
        Severity::Critical
    );
    assert_eq!(world.firing(Rule::JobQuarantined).await, []);
}

#[tokio::test]
async fn a_quarantine_that_is_resumed_after_a_pause_is_told_again() {
    let mut world = World::new().await;
    let held = || quarantined("TooManyDeletes", None);
    jobs_read(5).job(held()).commit(&world.store).await.unwrap();
    let first = world.judge(5).await;
    assert_eq!(first.deliveries, 1);
    jobs_read(10)
        .job(Job {
            status: JobStatus::Paused,
            ..held()
        })
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(10).await;
    jobs_read(15)
        .job(held())
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(15).await;
    let news = world.news(15).await;
    let told: Vec<_> = news.iter().map(super::world::said).collect();
    assert_eq!(
        told,
        [
            "firing JobQuarantined job/AD2AADProvisioning.5f0c.01",
            "firing JobPaused job/AD2AADProvisioning.5f0c.01",
            "firing JobQuarantined job/AD2AADProvisioning.5f0c.01",
        ]
    );
    assert_ne!(
        news[0].notification.alert.id, news[2].notification.alert.id,
        "another alert than the first"
    );
}

#[tokio::test]
async fn a_failing_job_is_told_after_two_executions_and_until_one_succeeds() {
    let mut world = World::new().await;
    let failing = |failures| Job {
        successive_failures: failures,
        error: job_error("HybridIdentityServiceNoActiveAgents"),
        ..job()
    };
    jobs_read(5)
        .job(failing(1))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(5).await, [""; 0]);
    jobs_read(25)
        .job(failing(2))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(25).await,
        ["firing JobFailing job/AD2AADProvisioning.5f0c.01"]
    );
    jobs_read(45)
        .job(failing(3))
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(45).await, [""; 0]);
    jobs_read(65).job(job()).commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(65).await,
        ["resolved JobFailing job/AD2AADProvisioning.5f0c.01"]
    );
}

#[tokio::test]
async fn a_job_that_is_gone_takes_its_alert_along() {
    let mut world = World::new().await;
    jobs_read(5)
        .job(quarantined("TooManyDeletes", None))
        .commit(&world.store)
        .await
        .unwrap();
    world.told(5).await;
    let mut empty = jobs_read(10);
    empty.jobs_complete = true;
    empty.commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(10).await,
        ["resolved JobQuarantined job/AD2AADProvisioning.5f0c.01"]
    );
}

const DUPLICATE: Option<&str> = Some("AttributeValueMustBeUnique");
const AGENT: Option<&str> = Some("HybridIdentityServiceAgentTimeout");

#[tokio::test]
async fn errors_of_the_agent_path_are_told_at_once_and_end_when_all_objects_are_done() {
    let mut world = World::new().await;
    let logs = |at| read_of(Poll::ProvisioningLogs, at);
    jobs_read(1).job(job()).commit(&world.store).await.unwrap();
    logs(2)
        .objects(&[("o1", AGENT)])
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(2).await, [""; 0]);
    logs(3)
        .objects(&[("o2", AGENT)])
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(3).await;
    let news = world.news(3).await;
    assert_eq!(news.len(), 1);
    let summary = &news[0].notification.alert.summary;
    assert!(
        summary.starts_with(
            "2 objects fail in Cloud Sync job AD2AADProvisioning of ad.orchard.example"
        ),
        "{summary}"
    );
    logs(4)
        .objects(&[("o1", None)])
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(4).await, [""; 0]);
    logs(5)
        .objects(&[("o2", None)])
        .commit(&world.store)
        .await
        .unwrap();
    let path = "job/AD2AADProvisioning.5f0c.01/errors/agent_path";
    assert_eq!(
        world.told(5).await,
        [format!("resolved ObjectErrors {path}")]
    );
}

#[tokio::test]
async fn errors_of_single_objects_come_with_the_digest_of_each_day_and_when_they_grow() {
    let mut world = World::new().await;
    let logs = |at| read_of(Poll::ProvisioningLogs, at);
    logs(2)
        .objects(&[("o1", DUPLICATE), ("o2", DUPLICATE)])
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(world.told(2).await, [""; 0]);
    let due = world.judge(3).await.next_due.unwrap();
    assert_eq!(due, minute(60), "07:00, the hour of the digest");
    let path = "job/AD2AADProvisioning.5f0c.01/errors/data";
    assert_eq!(
        world.told(60).await,
        [format!("firing ObjectErrors {path}")]
    );
    assert_eq!(world.told(61).await, [""; 0]);
    let day = 24 * 60;
    assert_eq!(
        world.told(60 + day).await,
        [format!("changed ObjectErrors {path}")]
    );
    assert_eq!(
        world.told(60 + 2 * day).await,
        [format!("changed ObjectErrors {path}")],
        "each day anew"
    );
    let many: Vec<String> = (0..12).map(|n| format!("m{n}")).collect();
    let many: Vec<(&str, Option<&str>)> = many
        .iter()
        .map(|object| (object.as_str(), DUPLICATE))
        .collect();
    logs(61 + 2 * day)
        .objects(&many)
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(61 + 2 * day).await,
        [format!("changed ObjectErrors {path}")],
        "grown from 2 to 14"
    );
}

#[tokio::test]
async fn a_digest_is_not_lost_by_a_restart() {
    let mut world = World::new().await;
    let logs = read_of(Poll::ProvisioningLogs, 2);
    logs.objects(&[("o1", DUPLICATE)])
        .commit(&world.store)
        .await
        .unwrap();
    world.judge(2).await;
    world.evaluator = world.rival();
    let told = world.told(500).await;
    assert_eq!(
        told,
        ["firing ObjectErrors job/AD2AADProvisioning.5f0c.01/errors/data"]
    );
}
