//! Synchronization jobs over HTTP.

use crate::setup::Setup;
use syncwatch_simulator::{Action, JobRef};

#[tokio::test]
async fn jobs_run_on_their_cadence_and_promise_another_interval() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let jobs = setup.job_list(&token).await;
    let job = &jobs[0];
    assert!(
        job["id"]
            .as_str()
            .unwrap()
            .starts_with("AD2AADProvisioning.3b0d4a526f7e4c199a1d52d6f0c8b741.")
    );
    assert_eq!(job["schedule"]["interval"], "PT20M");
    assert_eq!(
        job["status"]["lastSuccessfulExecution"]["timeBegan"],
        "0001-01-01T00:00:00Z"
    );
    let before = job["status"]["steadyStateLastAchievedTime"].clone();
    setup.clock.advance(10 * 60_000);
    let after = setup.job_list(&token).await[0]["status"]["steadyStateLastAchievedTime"].clone();
    assert!(
        after.as_str() > before.as_str(),
        "{after} should be after {before}"
    );
    setup.stop().await;
}

#[tokio::test]
async fn a_stopped_job_looks_healthy_and_stands_still() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.apply(Action::JobStop {
        job: JobRef::objects("big", "werke.example"),
    });
    let before = setup.job_list(&token).await[0].clone();
    setup.clock.advance(30 * 60_000);
    assert_eq!(setup.job_list(&token).await[0], before);
    setup.apply(Action::JobResume {
        job: JobRef::objects("big", "werke.example"),
    });
    setup.clock.advance(60_000);
    assert_ne!(setup.job_list(&token).await[0], before);
    setup.stop().await;
}
