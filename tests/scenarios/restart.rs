//! The process dies at every commit of the demo's story, and the same messages arrive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_simulator::Story;

use crate::house::{Deaths, House, Place, never};
use crate::story::{Told, told};

/// In each run the process dies at every such commit. Runs that begin at different ones die at
/// different boundaries; as many runs as this die at every commit boundary of the story.
const STRIDE: u64 = 30;

/// How many of those runs are made; `all` makes every one. Three keep the whole test short.
const RUNS: &str = "SYNCWATCH_RESTART_RUNS";

fn first_deaths() -> Vec<u64> {
    let runs = match std::env::var(RUNS).ok().as_deref() {
        Some("all") => STRIDE,
        Some(number) => number.parse().expect("a number of runs, or all"),
        None => 3,
    };
    (0..runs).map(|run| 1 + run * STRIDE / runs).collect()
}

/// The lane behind the quarantined job of the story.
const BEHIND: &str = "handel.example";

const EXTRA: &str = r#"
[lanes.cloud.objects]
late_after = "6s"
grace = "4s"
[lanes.cloud.password_hash]
late_after = "6s"
grace = "4s"
[lanes.connect.objects]
interval = "3s"
late_after = "8s"
grace = "7s"
[lanes.connect.password_hash]
interval = "3s"
late_after = "8s"
grace = "7s"

[alerts]
blind_after = "2s"
digest = "never"

[[route]]
min_severity = "warning"
receivers = ["mail", "teams", "webhook"]
"#;

const POLLS: &str = r#"request_timeout = "3s"
log_overlap = "10s"
log_settle = "2s"
log_requests = 100
polls.service_principals.schedule = "5s"
polls.jobs.schedule = "1s"
polls.provisioning_logs.schedule = "2s"
polls.directory_audits.enabled = false
polls.organization.enabled = false
polls.organization_beta.enabled = false
polls.agents.enabled = false
polls.credentials.schedule = "30s"
polls.users.enabled = false
polls.groups.enabled = false
polls.cloud_managed.enabled = false
polls.group_members.enabled = false
"#;

/// Plays the story; gives what was told and how many commits it took.
async fn play(place: Place, deaths: Deaths) -> (Vec<Told>, u64, u64) {
    let story = Story::demo();
    let length = Duration::from_millis(
        u64::try_from(story.length.expect("an end").as_ms()).expect("positive"),
    );
    let mut house = House::new(story, place, EXTRA, POLLS, deaths).await;
    let end = house.now() + length + Duration::from_secs(30);
    house.run_until(end).await;
    let violations: Vec<_> = house
        .sim
        .teams()
        .arrivals()
        .into_iter()
        .flat_map(|post| post.violations)
        .collect();
    assert_eq!(violations, Vec::<String>::new());
    let result = (told(&house.sim), house.commits(), house.lives);
    assert!(house.sim.stop().await);
    result
}

/// The set of messages: who was told what about which subject, how often. Repetitions with the
/// same idempotency key count once; a message without a key, or a key used for two different
/// messages, fails.
fn set_of(messages: &[Told]) -> BTreeMap<(String, String, String, String), usize> {
    let mut keys = BTreeMap::new();
    let mut set = BTreeMap::new();
    for told in messages {
        assert!(!told.key.is_empty(), "{told:?}");
        let what = (
            told.receiver.to_owned(),
            told.event.clone(),
            told.rule.clone(),
            told.subject.clone(),
        );
        match keys.insert((told.receiver, told.key.clone()), what.clone()) {
            Some(before) => assert_eq!(before, what, "one key, two messages"),
            None => *set.entry(what).or_default() += 1,
        }
    }
    set
}

async fn dies_everywhere(place: impl AsyncFn() -> Place) {
    let (calm, commits, lives) = play(place().await, never()).await;
    assert_eq!(lives, 1);
    let expected = set_of(&calm);
    for rule in ["WindowMissed", "JobQuarantined", "SourceUnreachable"] {
        for event in ["firing", "resolved"] {
            let found = expected.keys().any(|(_, e, r, _)| e == event && r == rule);
            assert!(found, "the story has no {event} {rule}: {expected:#?}");
        }
    }
    // The job behind this lane was in quarantine when its window closed, and ran again soon after.
    let behind = |told: &&Told| told.rule == "WindowMissed" && told.subject.contains(BEHIND);
    assert_eq!(calm.iter().find(behind), None, "its cause spoke for it");
    for first in first_deaths() {
        let deaths: Deaths = Arc::new(move |number| number % STRIDE == first % STRIDE);
        let (messages, _, lives) = play(place().await, deaths).await;
        assert!(
            lives > commits / STRIDE / 2,
            "it died only {lives} times in {commits} commits"
        );
        let found = set_of(&messages);
        assert_eq!(
            found,
            expected,
            "dying at commits {first}, {} and so on",
            first + STRIDE
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_every_commit_boundary_changes_no_message_on_sqlite() {
    dies_everywhere(async || Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_every_commit_boundary_changes_no_message_on_postgres() {
    dies_everywhere(async || Place::postgres().await).await;
}
