//! Synchronization jobs over HTTP.

use syncwatch_simulator::{Action, JobRef};

use crate::setup::Setup;

fn objects() -> JobRef {
    JobRef::objects("big", "werke.example")
}

#[tokio::test]
async fn jobs_run_on_their_cadence_and_promise_another_interval() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let job = setup.job_list(&token).await.remove(0);
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
    setup.apply(&Action::JobStop { job: objects() });
    let before = setup.job_list(&token).await.remove(0);
    setup.clock.advance(30 * 60_000);
    assert_eq!(setup.job_list(&token).await[0], before);
    setup.apply(&Action::JobResume { job: objects() });
    setup.clock.advance(60_000);
    assert_ne!(setup.job_list(&token).await[0], before);
    setup.stop().await;
}

#[tokio::test]
async fn a_replica_that_is_behind_makes_time_go_backwards() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    setup.clock.advance(30 * 60_000);
    let now =
        setup.job_list(&token).await.remove(0)["status"]["steadyStateLastAchievedTime"].clone();
    setup.apply(&Action::StaleReplica {
        tenant: "big".to_owned(),
        reads: 4,
        cycles: 3,
    });
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(
            setup.job_list(&token).await.remove(0)["status"]["steadyStateLastAchievedTime"].clone(),
        );
    }
    assert!(
        seen.iter().any(|at| at.as_str() < now.as_str()),
        "one read should be behind {now}: {seen:?}"
    );
    assert_eq!(seen[4], now, "the replicas agree again");
    setup.stop().await;
}

#[tokio::test]
async fn quarantine_names_its_reason_and_paused_jobs_say_so() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let code = "HybridIdentityServiceNoActiveAgents";
    setup.apply(&Action::JobQuarantine {
        job: objects(),
        reason: "EncounteredQuarantineException".to_owned(),
        code: Some(code.to_owned()),
    });
    setup.apply(&Action::JobPause {
        job: JobRef::password_hash("big", "werke.example"),
    });
    let jobs = setup.job_list(&token).await;
    assert_eq!(jobs[0]["status"]["code"], "Quarantine");
    assert_eq!(jobs[0]["status"]["quarantine"]["error"]["code"], code);
    assert_eq!(
        (&jobs[1]["schedule"]["state"], &jobs[1]["status"]["code"]),
        (&"Paused".into(), &"Paused".into())
    );
    setup.stop().await;
}

#[tokio::test]
async fn a_job_that_never_ran_looks_failed_and_a_disabled_one_has_the_longest_interval() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let body = setup
        .json(
            &token,
            "/v1.0/servicePrincipals?$filter=appId%20eq%20'1a4721b3-e57f-4451-ae87-ef078703ec94'",
        )
        .await;
    assert!(
        body["value"][0]["applicationTemplateId"].is_null(),
        "the legacy shape"
    );
    let id = body["value"][0]["id"].as_str().unwrap().to_owned();
    setup.apply(&Action::JobStop {
        job: JobRef::objects("big", "vertrieb.example"),
    });
    let jobs = setup
        .json(
            &token,
            &format!("/v1.0/servicePrincipals/{id}/synchronization/jobs"),
        )
        .await;
    let never = &jobs["value"][0];
    assert_eq!(
        (
            &never["status"]["code"],
            &never["status"]["lastExecution"]["error"]["code"]
        ),
        (&"NotRun".into(), &"None".into())
    );
    let disabled = &jobs["value"][1];
    assert_eq!(
        disabled["schedule"]["interval"],
        "P10675199DT2H48M5.4775807S"
    );
    assert!(disabled["status"]["lastExecution"].is_null());
    let schema = format!(
        "/v1.0/servicePrincipals/{id}/synchronization/jobs/{}/schema",
        never["id"].as_str().unwrap()
    );
    assert_eq!(setup.error(&token, &schema).await.0, 404, "never started");
    let template = |name: &str| {
        format!("/v1.0/servicePrincipals/{id}/synchronization/templates/{name}/schema")
    };
    let standard = setup.json(&token, &template("AD2AADProvisioning")).await;
    let rule = &standard["synchronizationRules"][0];
    assert_eq!(
        rule["containerFilter"]["includedContainers"],
        serde_json::json!([])
    );
    assert_eq!(setup.error(&token, &template("Workday")).await.0, 404);
    setup.stop().await;
}

#[tokio::test]
async fn the_schema_shows_the_scope_and_a_change_moves_its_version() {
    let setup = Setup::start().await;
    let token = setup.token().await;
    let id = setup.principal(&token).await;
    let job = setup.running.job_id(&objects()).unwrap();
    let path = format!("/v1.0/servicePrincipals/{id}/synchronization/jobs/{job}/schema");
    let before = setup.json(&token, &path).await;
    let containers = &before["synchronizationRules"][0]["containerFilter"]["includedContainers"];
    assert_eq!(containers[0], "OU=Pilot,DC=werke,DC=example");
    let mappings = before["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
        .as_array()
        .unwrap();
    assert!(
        mappings
            .iter()
            .any(|one| one["targetAttributeName"] == "CredentialData"),
        "password hashes are on"
    );
    setup.apply(&Action::ScopeChange {
        job: objects(),
        containers: Vec::new(),
    });
    let after = setup.json(&token, &path).await;
    assert_ne!(before["version"], after["version"]);
    assert_eq!(
        after["synchronizationRules"][0]["containerFilter"]["includedContainers"],
        serde_json::json!([])
    );
    setup.stop().await;
}
