//! Scopes of Cloud Sync: kept while they are read, taken back when nobody keeps them true.

use syncwatch_domain::scope::cloud::{self, CloudScope};

use super::*;

const SCHEMA: &str = "/v1.0/servicePrincipals/3f0b7c52-9d14-4a86-8e71-c2d5f6a90b11/synchronization/jobs/AD2AADProvisioning.0123456789abcdef0123456789abcdef.0a/schema";
const TEMPLATE: &str = "/v1.0/servicePrincipals/3f0b7c52-9d14-4a86-8e71-c2d5f6a90b11/synchronization/templates/AD2AADProvisioning/schema";

fn schema(containers: &[&str]) -> Reply {
    let body = json!({
        "version": "Date:2026-10-02T09:00:00Z, ActivityId:00000000-0000-4000-8000-000000000001",
        "synchronizationRules": [{"containerFilter": {"includedContainers": containers}}],
    });
    (200, None, body.to_string())
}

impl World {
    /// The scope on record; `None` when there is none.
    async fn scope(&self) -> Option<CloudScope> {
        let facts = self.store.facts(None).await.unwrap();
        let name = cloud::fact_name(PRINCIPAL, OBJECTS);
        let fact = facts.into_iter().find(|fact| fact.name == name)?;
        serde_json::from_value::<Option<_>>(fact.value).unwrap()
    }

    async fn containers(&self) -> Option<Vec<String>> {
        let scope = self.scope().await?;
        Some(scope.names().map(str::to_owned).collect())
    }
}

#[tokio::test]
async fn the_scope_of_a_provisioning_job_is_read_once_an_hour() {
    let mut world = world(|_| ()).await;
    world.graph.on(SCHEMA, |_| schema(&["OU=Staff,DC=rowan"]));
    world.run_to(0).await;
    let scope = world.scope().await.unwrap();
    assert_eq!(scope.rules[0].containers, ["OU=Staff,DC=rowan"]);
    assert_eq!(scope.saved_at, Timestamp::parse("2026-10-02T09:00:00Z"));
    assert!(!scope.from_template);
    world.graph.on(SCHEMA, |_| schema(&["OU=Sales,DC=rowan"]));
    world.graph.take_asked();
    world.run_to(125).await;
    assert_eq!(world.containers().await.unwrap(), ["OU=Sales,DC=rowan"]);
    assert!((1..=3).contains(&world.graph.count(SCHEMA)));
}

#[tokio::test]
async fn a_job_without_a_schema_of_its_own_has_that_of_its_template() {
    let mut world = world(|_| ()).await;
    world.graph.on(TEMPLATE, |_| schema(&[]));
    world.run_to(0).await;
    let scope = world.scope().await.unwrap();
    assert!(scope.from_template);
    assert_eq!(scope.rules.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing_and_fails_alone() {
    let mut world = world(|_| ()).await;
    world.graph.on(SCHEMA, |_| schema(&["OU=Staff,DC=rowan"]));
    world.run_to(0).await;
    let broken = || raw(200, "{\"synchronizationRules\": null}");
    world.graph.on(SCHEMA, move |_| broken());
    let did = world.run_to(125).await;
    let failed = RunEnd::Failed(ReadFailure::BadAnswer);
    assert!(ends(&did, Poll::JobSchemas).contains(&failed));
    assert!(!ends(&did, Poll::Jobs).contains(&failed));
    assert_eq!(world.containers().await.unwrap(), ["OU=Staff,DC=rowan"]);
}

#[tokio::test]
async fn a_scope_goes_with_its_job_its_configuration_and_its_poll() {
    for end in ["job", "configuration", "poll"] {
        let mut world = world(|_| ()).await;
        world.graph.on(SCHEMA, |_| schema(&["OU=Staff,DC=rowan"]));
        world.run_to(0).await;
        assert!(world.scope().await.is_some());
        match end {
            "job" => {
                world.graph.on(SCHEMA, |_| refusal(404, "NotFound", "gone"));
            }
            "configuration" => world.graph.on("/v1.0/servicePrincipals", |_| page(&[])),
            _ => {
                let poll = world.config.polls.get_mut(&Poll::JobSchemas).unwrap();
                poll.enabled = false;
                world.restart();
            }
        }
        world.run_to(125).await;
        assert_eq!(world.scope().await, None, "{end}");
    }
}
