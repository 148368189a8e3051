use serde_json::json;
use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::job::{Job, JobStatus};
use syncwatch_domain::source::Poll;
use syncwatch_store::Fact;

use super::world::{World, jobs_read, read_of, terms};
use crate::config::AlertSettings;
use crate::detect::testing::{job, minute};

const DAY: i64 = 24 * 60;

fn credential(days: i64) -> Fact {
    let ends_at = minute(days * DAY);
    let value = json!({"kind": "secret", "name": "autumn", "ends_at": ends_at, "app": "own", "app_id": "a"});
    Fact {
        name: "credential/k1".into(),
        value,
    }
}

#[tokio::test]
async fn a_credential_is_told_at_its_thresholds_although_nothing_is_read() {
    let mut world = World::with(AlertSettings {
        digest: None,
        ..AlertSettings::default()
    })
    .await;
    let mut read = read_of(Poll::Credentials, 0);
    read.facts.push(credential(31));
    read.commit(&world.store).await.unwrap();
    assert_eq!(world.told(0).await, [""; 0]);
    assert_eq!(world.told(DAY - 1).await, [""; 0]);
    let report = world.judge(DAY - 1).await;
    assert_eq!(
        report.next_due,
        Some(minute(DAY)),
        "at the threshold, not an hour later"
    );
    assert_eq!(
        world.told(DAY).await,
        ["firing CredentialExpiring credential/k1"]
    );
    assert_eq!(
        world.told(24 * DAY).await,
        ["changed CredentialExpiring credential/k1"]
    );
    assert_eq!(
        world.firing(Rule::CredentialExpiring).await[0].severity,
        Severity::Critical
    );
}

#[tokio::test]
async fn a_renewed_credential_ends_the_alert_about_the_old_one() {
    let mut world = World::new().await;
    let mut read = read_of(Poll::Credentials, 0);
    read.facts.push(credential(3));
    read.commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(0).await,
        ["firing CredentialExpiring credential/k1"]
    );
    let mut read = read_of(Poll::Credentials, DAY);
    read.facts.push(Fact {
        name: "credential/k2".into(),
        ..credential(300)
    });
    read.commit(&world.store).await.unwrap();
    assert_eq!(
        world.told(DAY).await,
        ["resolved CredentialExpiring credential/k1"]
    );
}

#[tokio::test]
async fn new_terms_are_applied_to_what_is_known() {
    let mut settings = AlertSettings::default();
    settings.severity.insert(Rule::JobPaused, Severity::Info);
    let mut world = World::with(settings).await;
    jobs_read(5)
        .job(Job {
            status: JobStatus::Paused,
            ..job()
        })
        .commit(&world.store)
        .await
        .unwrap();
    assert_eq!(
        world.told(5).await,
        [""; 0],
        "infos are routed to nobody by default"
    );
    assert_eq!(world.firing(Rule::JobPaused).await.len(), 1);
    world.terms.send(terms(AlertSettings::default())).unwrap();
    assert_eq!(
        world.told(6).await,
        ["changed JobPaused job/AD2AADProvisioning.5f0c.01"]
    );
}
