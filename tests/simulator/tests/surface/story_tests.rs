//! Stories: the shipped one, timed steps, and mistakes in a file.

use syncwatch_simulator::{JobRef, Story};

use crate::setup::Setup;

#[tokio::test]
async fn the_demo_plays_from_healthy_to_healthy() {
    let story = Story::demo();
    let setup = Setup::with(story.clone()).await;
    let stopped = JobRef::password_hash("nordwall", "werke.example");
    let quarantined = JobRef::objects("hansekontor", "handel.example");
    let age = |job: &JobRef, at: i64| {
        setup.clock.set(setup.running.origin_ms() + at);
        at + setup.running.origin_ms() - setup.running.last_success_ms(job).unwrap()
    };
    assert!(age(&stopped, 10_000) < 3000);
    assert!(age(&stopped, 21_900) > 9000, "a missed window");
    assert!(age(&stopped, 26_900) < 3000, "runs again");
    assert!(age(&quarantined, 37_900) > 9000, "quarantine");
    assert!(age(&quarantined, 42_000) < 3000);
    assert!(
        age(&stopped, 54_900) < 3000,
        "cycles go on while graph is away"
    );
    setup
        .clock
        .set(setup.running.origin_ms() + story.length.unwrap().as_ms());
    assert_eq!(setup.running.steps_left(), 0);
    for tenant in &story.tenants {
        for configuration in &tenant.configurations {
            for job in &configuration.jobs {
                let job = JobRef::new(&tenant.name, &configuration.domain, &job.template);
                let at = setup.running.last_success_ms(&job).unwrap();
                assert!(
                    setup.running.origin_ms() + 75_000 - at < 3000,
                    "{job} does not run at the end"
                );
            }
        }
    }
    assert!(story.length.unwrap().as_ms() < 80_000);
    setup.stop().await;
}

#[tokio::test]
async fn the_same_story_gives_the_same_world() {
    let (one, two) = (Setup::start().await, Setup::start().await);
    let mut seen = Vec::new();
    for setup in [&one, &two] {
        let token = setup.token().await;
        setup.clock.advance(45 * 60_000);
        let jobs = setup.job_list(&token).await;
        let rows = setup.all(&token, "/v1.0/auditLogs/provisioning").await;
        seen.push((jobs, rows));
    }
    assert!(seen[0] == seen[1], "seed, story and time decide everything");
    one.stop().await;
    two.stop().await;
}

#[test]
fn mistakes_in_a_story_are_named() {
    let good = include_str!("story.toml");
    for (change, expected) in [
        (
            "[[step]]\nat = \"1s\"\ndo = \"job_stop\"\njob = \"big\"\n",
            "does not name a job",
        ),
        (
            "[[step]]\nat = \"1 s\"\ndo = \"login_up\"\n",
            "is not a duration",
        ),
        (
            "[[step]]\nat = \"1s\"\ndo = \"explode\"\n",
            "unknown variant",
        ),
        (
            "[[step]]\nat = \"1s\"\ndo = \"graph_up\"\ntenant = \"big\"\nmode = \"503\"\n",
            "unknown field",
        ),
        ("[[step]]\ndo = \"login_up\"\n", "missing field `at`"),
    ] {
        let error = Story::parse(&format!("{good}\n{change}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{change}: {error}");
    }
}

#[tokio::test]
async fn a_step_about_nobody_keeps_the_simulator_from_starting() {
    use std::sync::Arc;
    use syncwatch_simulator::{Ports, SimError, Simulator, SystemClock};
    let text = format!(
        "{}\n[[step]]\nat = \"1s\"\ndo = \"graph_up\"\ntenant = \"nobody\"\n",
        include_str!("story.toml")
    );
    let story = Story::parse(&text).unwrap();
    let error = Simulator::start(story, Arc::new(SystemClock), Ports::free())
        .await
        .unwrap_err();
    assert!(matches!(error, SimError::Step { .. }), "{error:?}");
}
