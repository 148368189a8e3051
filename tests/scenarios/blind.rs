//! Graph is gone for thirty minutes: blind is not late, and not recovered.

use std::time::Duration;

use syncwatch_domain::alert::{AlertState, Rule};
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::ledger::LedgerProof;
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Action, DownMode, JobRef, Story};
use syncwatch_store::{AlertFilter, LaneFilter, Store, StoreEvent};

use crate::house::{House, Place, never};
use crate::story::told;

const LANES: usize = 100;
/// Each configuration has two jobs, one for each kind.
const CONFIGURATIONS: usize = LANES / 2;
/// Jobs that stand still while nobody can see them.
const STANDING: usize = 5;
const TENANT: &str = "nordwall";

const EXTRA: &str = r#"
[lanes.cloud.objects]
late_after = "7m"
grace = "4m"
[lanes.cloud.password_hash]
late_after = "7m"
grace = "4m"

[alerts]
group_from = 0
"#;

const POLLS: &str = r#"log_settle = "5m"
provisioning_page_size = 1000
polls.service_principals.schedule = "10m"
polls.jobs.schedule = "2m"
polls.provisioning_logs.schedule = "2m"
polls.directory_audits.enabled = false
polls.organization.enabled = false
polls.organization_beta.enabled = false
polls.agents.enabled = false
polls.credentials.enabled = false
polls.users.enabled = false
polls.groups.enabled = false
polls.cloud_managed.enabled = false
polls.group_members.enabled = false
"#;

fn domain(number: usize) -> String {
    format!("site{number:03}.nordwall.example")
}

fn story() -> Story {
    let mut text = String::from(
        r#"
seed = 4711
start = "2026-09-14T06:00:00Z"
[settings]
log_delay = "20s"
log_jitter = "10s"
late_share = 0.02
late_by = "90s"
duplicate_share = 0.05
empty_page_share = 0.1
reports_limit = 0
failure_share = 0.0
password_rows = true
[[tenant]]
name = "nordwall"
id = "3b0d4a52-6f7e-4c19-9a1d-52d6f0c8b741"
display_name = "Nordwall Werke AG"
prefix = "nordwallwerke"
domains = ["nordwall.example"]
[[tenant.client]]
id = "8d1c0f3e-2a6b-4f57-b0d9-41c7e95a6b02"
secret = "scenario~Secret"
secret_ends = "200d"
roles = ["Application.Read.All", "AuditLog.Read.All", "Group.Read.All", "Organization.Read.All", "Synchronization.Read.All", "User.Read.All"]
"#,
    );
    for number in 0..CONFIGURATIONS {
        text.push_str(&format!(
            "[[tenant.configuration]]\ndomain = \"{}\"\nnetbios = \"SITE{number:03}\"\n\
             [[tenant.configuration.job]]\ntemplate = \"AD2AADProvisioning\"\ninterval = \"5m\"\ncadence = \"5m\"\n\
             takes = \"5s\"\nobjects = 1\nrows = 1\n\
             [[tenant.configuration.job]]\ntemplate = \"AD2AADPasswordHash\"\ninterval = \"5m\"\ncadence = \"5m\"\n\
             takes = \"5s\"\nobjects = 1\nrows = 1\n",
            domain(number)
        ));
    }
    Story::parse(&text).expect("a story")
}

/// Runs minute by minute so that the test sees what changes.
async fn minutes(house: &mut House, minutes: u64) {
    let until = house.now() + Duration::from_secs(minutes * 60);
    house.run_until(until).await;
}

fn standing(number: usize) -> JobRef {
    JobRef::objects(TENANT, &domain(number))
}

#[tokio::test]
async fn thirty_blind_minutes_give_one_alert_and_the_ledger_knows_what_was_missed() {
    let mut house = House::new(story(), Place::sqlite(), EXTRA, POLLS, never()).await;
    let store = house.store().await;
    let mut events = store.feed().events();
    minutes(&mut house, 20).await;
    let lanes = store.lanes(&LaneFilter::default()).await.expect("lanes");
    assert_eq!(lanes.len(), LANES);
    assert!(
        lanes.iter().all(|lane| lane.status == LaneStatus::OnTime),
        "{lanes:#?}"
    );
    assert_eq!(told(&house.sim), []);
    while events.try_recv().is_ok() {}

    let gone_at = house.now();
    apply(
        &house,
        &Action::GraphDown {
            tenant: TENANT.into(),
            mode: DownMode::Unavailable,
        },
    );
    for number in 0..STANDING {
        let job = standing(number);
        apply(&house, &Action::JobStop { job });
    }
    minutes(&mut house, 25).await;
    for number in 0..STANDING {
        let job = standing(number);
        apply(&house, &Action::JobResume { job });
    }
    minutes(&mut house, 5).await;
    only_one_message(&house, &store).await;
    only_blind(&mut events);

    let tenant = TENANT.into();
    apply(&house, &Action::GraphUp { tenant });
    let back_at = house.now();
    minutes(&mut house, 25).await;
    let lanes = store.lanes(&LaneFilter::default()).await.expect("lanes");
    assert!(
        lanes.iter().all(|lane| lane.status == LaneStatus::OnTime),
        "{lanes:#?}"
    );
    let all = store.alerts(&AlertFilter::default()).await.expect("alerts");
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].state, AlertState::Resolved);
    let resolved = told(&house.sim)
        .into_iter()
        .filter(|told| told.event == "resolved")
        .count();
    assert_eq!(
        resolved, 2,
        "of the source, to two receivers; none for a lane"
    );
    check_ledger(&store, gone_at, back_at).await;
    drop(events);
    assert!(house.sim.stop().await);
}

fn apply(house: &House, action: &Action) {
    house.sim.apply(action).expect("an action of the story");
}

/// All lanes are blind; one alert about the source is all there is, told to each receiver once.
async fn only_one_message(house: &House, store: &Store) {
    let firing = store.firing_alerts().await.expect("alerts");
    assert_eq!(firing.len(), 1, "{firing:#?}");
    assert_eq!(firing[0].rule, Rule::SourceUnreachable);
    assert_eq!(firing[0].subject.path, "graph");
    let blind = LaneFilter {
        status: Some(LaneStatus::Blind),
        ..LaneFilter::default()
    };
    assert_eq!(store.lanes(&blind).await.expect("lanes").len(), LANES);
    let messages: Vec<_> = told(&house.sim)
        .into_iter()
        .map(|told| (told.receiver, told.event, told.rule))
        .collect();
    let one = |receiver| {
        (
            receiver,
            "firing".to_owned(),
            "SourceUnreachable".to_owned(),
        )
    };
    assert_eq!(messages, [one("webhook"), one("mail")]);
}

/// No lane changed to anything but blind.
fn only_blind(events: &mut tokio::sync::broadcast::Receiver<StoreEvent>) {
    let mut blind = 0;
    while let Ok(event) = events.try_recv() {
        if let StoreEvent::LaneJudged { to, lane, .. } = event {
            assert_eq!(to, LaneStatus::Blind, "lane {lane}");
            blind += 1;
        }
    }
    assert_eq!(blind, LANES);
}

/// The jobs that stood still are in the ledger with the time of the gap, and no other job is.
async fn check_ledger(store: &Store, gone_at: Timestamp, back_at: Timestamp) {
    let ledger = store.ledger(1_000).await.expect("the ledger");
    let mut partitions: Vec<_> = ledger
        .iter()
        .map(|(key, _)| key.partition.clone())
        .collect();
    partitions.sort();
    let expected: Vec<_> = (0..STANDING).map(domain).collect();
    assert_eq!(partitions, expected, "{ledger:#?}");
    for (key, entry) in &ledger {
        assert_eq!(entry.proof, LedgerProof::Logs, "{key}");
        let slack = Duration::from_secs(6 * 60);
        assert!(
            entry.from_at <= gone_at && entry.from_at + slack >= gone_at,
            "{key}: {entry:?}"
        );
        let caught_up_at = entry.caught_up_at.expect("over");
        assert!(
            caught_up_at >= gone_at + Duration::from_secs(25 * 60) && caught_up_at <= back_at,
            "{key}: {entry:?}"
        );
        assert!((4..=6).contains(&entry.windows), "{key}: {entry:?}");
    }
}
