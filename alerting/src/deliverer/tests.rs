#![expect(clippy::unwrap_used, reason = "tests")]

mod bench;
mod running;

use std::time::Duration;

use prometheus::Registry;
use syncwatch_domain::alert::{Alert, Notification, NotificationEvent, Rule};
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::delivery::{DeliveryState, NewDelivery};
use syncwatch_domain::secret::Secret;
use syncwatch_store::{CommitProbe, Judgement, Seen, StoreOptions};
use tempfile::TempDir;

use self::bench::{Bench, firing, secs, state};
use super::*;
use crate::config::{Channel, Fallback, SecretSource, TeamsConfig};
use crate::testing::http::{Answer, HttpSink};
use crate::testing::{START, alert, notification, receiver, webhook_receiver};

use NotificationEvent::{Firing, Resolved};

#[tokio::test]
async fn what_is_due_is_delivered_once_and_counted() {
    let sink = HttpSink::start([]).await;
    let bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    let told = firing(Rule::WindowMissed);
    bench.tell(&["hook"], &told).await;
    let deliverer = bench.deliverer();
    assert_eq!(bench.counted("hook", AttemptOutcome::Delivered), 0);
    let report = bench.round(&deliverer).await;
    assert_eq!((report.delivered, report.did()), (1, 1));
    assert_eq!(bench.round(&deliverer).await.did(), 0);
    assert_eq!(sink.requests().len(), 1);
    assert_eq!(
        bench.states(&told.alert).await,
        [state("hook", DeliveryState::Delivered, 1)]
    );
    assert_eq!(bench.counted("hook", AttemptOutcome::Delivered), 1);
    let text = prometheus::TextEncoder::new()
        .encode_to_string(&bench.registry.gather())
        .unwrap();
    assert!(
        text.contains("syncwatch_notification_latency_seconds_count 1"),
        "{text}"
    );
    assert!(
        text.contains(r#"syncwatch_notifications_total{outcome="retry",receiver="hook"} 0"#),
        "{text}"
    );
}

#[tokio::test]
async fn retry_after_is_honoured_to_the_second_and_holds_the_receivers_other_messages() {
    let busy = Answer::status(429).header("retry-after", "17");
    let sink = HttpSink::start([busy]).await;
    let bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    bench.tell(&["hook"], &firing(Rule::WindowMissed)).await;
    let deliverer = bench.deliverer();
    let report = bench.round(&deliverer).await;
    assert_eq!(
        (report.retried, report.next_due),
        (1, Some(START + secs(17)))
    );
    bench.tell(&["hook"], &firing(Rule::JobPaused)).await;
    bench.pass(secs(17) - Duration::from_millis(1));
    assert_eq!(bench.round(&deliverer).await.did(), 0);
    assert_eq!(sink.requests().len(), 1);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.round(&deliverer).await.delivered, 2);
    let requests = sink.requests();
    assert_eq!(requests.len(), 3);
    let key = requests[0].header("idempotency-key");
    assert!(
        requests[1..]
            .iter()
            .any(|one| one.header("idempotency-key") == key)
    );
}

#[tokio::test]
async fn server_errors_back_off_until_the_message_is_given_up_and_another_is_told() {
    let sick = HttpSink::start((0..40).map(|_| Answer::status(500))).await;
    let well = HttpSink::start([]).await;
    let mut first = webhook_receiver("first", &sick.url("/"));
    first.give_up_after = secs(60);
    let bench = Bench::new(vec![first, webhook_receiver("second", &well.url("/"))]).await;
    let told = firing(Rule::WindowMissed);
    bench.tell(&["first"], &told).await;
    let deliverer = bench.deliverer();
    let mut waits = Vec::new();
    let given_up = loop {
        let report = bench.round(&deliverer).await;
        if report.given_up > 0 {
            break report;
        }
        assert_eq!(report.retried, 1, "{report:?}");
        let due = report.next_due.unwrap();
        waits.push(due.since(bench.now()).as_millis());
        bench.clock.set(due);
    };
    assert_eq!(given_up.given_up, 1);
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    assert!(bench.now() <= START + secs(60));
    assert_eq!(bench.round(&deliverer).await.delivered, 1);
    let attempts = sick.requests().len();
    assert_eq!(
        bench.states(&told.alert).await,
        [
            state(
                "first",
                DeliveryState::Dead,
                i64::try_from(attempts).unwrap()
            ),
            state("second", DeliveryState::Delivered, 1),
        ]
    );
    let dead = bench.store.dead_letters(10).await.unwrap();
    let why = dead[0].last_error.as_deref().unwrap();
    assert!(
        why.starts_with("no success within 1m; at last: the receiver answered 500"),
        "{why}"
    );
    let body = well.requests()[0].json();
    let evidence = body["alert"]["evidence"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(evidence["name"], "not reached");
    assert!(
        evidence["value"]
            .as_str()
            .unwrap()
            .starts_with("receiver first: no success")
    );
}

#[tokio::test]
async fn a_refusal_is_told_to_another_and_two_refusals_to_a_third() {
    let refuse = || HttpSink::start([Answer::status(404)]);
    let (one, two, three) = (refuse().await, refuse().await, HttpSink::start([]).await);
    let bench = Bench::new(vec![
        webhook_receiver("one", &one.url("/")),
        webhook_receiver("two", &two.url("/")),
        webhook_receiver("three", &three.url("/")),
    ])
    .await;
    let told = firing(Rule::WindowMissed);
    bench.tell(&["one", "two"], &told).await;
    let deliverer = bench.deliverer();
    assert_eq!(bench.round(&deliverer).await.given_up, 2);
    assert_eq!(bench.round(&deliverer).await.delivered, 1);
    assert_eq!(bench.round(&deliverer).await.did(), 0);
    assert_eq!(three.requests().len(), 1);
    assert_eq!(bench.counted("one", AttemptOutcome::GivenUp), 1);
}

#[tokio::test]
async fn without_a_stand_in_the_dead_letter_list_is_the_end() {
    let sink = HttpSink::start([Answer::status(401)]).await;
    let mut first = webhook_receiver("first", &sink.url("/"));
    first.fallback = Fallback::Nobody;
    let bench = Bench::new(vec![first, webhook_receiver("second", &sink.url("/"))]).await;
    let told = firing(Rule::WindowMissed);
    bench.tell(&["first"], &told).await;
    assert_eq!(bench.round(&bench.deliverer()).await.given_up, 1);
    assert_eq!(
        bench.states(&told.alert).await,
        [state("first", DeliveryState::Dead, 1)]
    );
    assert_eq!(bench.store.dead_letters(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_pace_of_teams_holds() {
    let sink = HttpSink::start([]).await;
    let url = SecretSource::Inline(Secret::new(sink.url("/flow")));
    let settings = TeamsConfig { url, pace: secs(2) };
    let bench = Bench::new(vec![receiver("teams", Channel::Teams(settings))]).await;
    for rule in [Rule::WindowMissed, Rule::JobPaused, Rule::JobFailing] {
        bench.tell(&["teams"], &firing(rule)).await;
    }
    let deliverer = bench.deliverer();
    for sent in 1..=3 {
        let report = bench.round(&deliverer).await;
        assert_eq!(report.delivered, 1);
        assert_eq!(sink.requests().len(), sent);
        assert_eq!(report.next_due, Some(bench.now() + secs(2)));
        bench.pass(Duration::from_millis(1_999));
        assert_eq!(bench.round(&deliverer).await.did(), 0);
        bench.pass(Duration::from_millis(1));
    }
    assert_eq!(bench.round(&deliverer).await.did(), 0);
}

#[tokio::test]
async fn an_end_never_overtakes_its_beginning() {
    let sink = HttpSink::start([Answer::status(503)]).await;
    let bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    let told = firing(Rule::WindowMissed);
    bench.tell(&["hook"], &told).await;
    let deliverer = bench.deliverer();
    let due = bench.round(&deliverer).await.next_due.unwrap();
    bench
        .tell(
            &["hook"],
            &notification(Resolved, alert(Rule::WindowMissed)),
        )
        .await;
    bench.tell(&["hook"], &firing(Rule::JobPaused)).await;
    assert_eq!(
        bench.round(&deliverer).await.delivered,
        1,
        "the other alert alone"
    );
    bench.clock.set(due);
    assert_eq!(bench.round(&deliverer).await.delivered, 1);
    assert_eq!(bench.round(&deliverer).await.delivered, 1);
    let told: Vec<_> = sink
        .requests()
        .iter()
        .map(crate::testing::http::Request::json)
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|body| format!("{} {}", body["alert"]["rule"], body["event"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "WindowMissed firing",
            "JobPaused firing",
            "WindowMissed firing",
            "WindowMissed resolved",
        ]
    );
}

#[tokio::test]
async fn a_receiver_that_is_no_longer_configured_is_replaced_by_another() {
    let sink = HttpSink::start([]).await;
    let bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    let told = firing(Rule::WindowMissed);
    bench.tell(&["gone"], &told).await;
    let deliverer = bench.deliverer();
    let report = bench.round(&deliverer).await;
    assert_eq!((report.given_up, report.delivered), (1, 1));
    assert_eq!(
        bench.states(&told.alert).await,
        [
            state("gone", DeliveryState::Dead, 1),
            state("hook", DeliveryState::Delivered, 1),
        ]
    );
}

#[tokio::test]
async fn a_death_before_the_record_repeats_the_message_under_the_same_key() {
    let hang = Answer {
        hang: true,
        ..Answer::default()
    };
    let sink = HttpSink::start([hang]).await;
    let mut bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    bench.tell(&["hook"], &firing(Rule::WindowMissed)).await;
    let deliverer = bench.deliverer();
    // The receiver has the message, and the process is gone before it knows.
    tokio::select! {
        report = deliverer.run_once(START) => panic!("{report:?}"),
        _ = sink.wait_for(1) => {}
    }
    drop(deliverer);
    bench.restart().await;
    assert_eq!(bench.round(&bench.deliverer()).await.delivered, 1);
    assert_eq!(bench.round(&bench.deliverer()).await.did(), 0);
    let requests = sink.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        requests[0].header("idempotency-key"),
        requests[1].header("idempotency-key")
    );
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn the_record_is_the_first_commit_after_the_decision_and_survives_a_death() {
    let sink = HttpSink::start([]).await;
    let receivers = vec![webhook_receiver("hook", &sink.url("/"))];
    let second_is_the_last = CommitProbe::new(|number| number < 2);
    let mut bench = Bench::probed(receivers, Some(second_is_the_last)).await;
    bench.tell(&["hook"], &firing(Rule::WindowMissed)).await;
    assert!(
        bench.deliverer().run_once(START).await.is_err(),
        "dies with its commit"
    );
    bench.restart().await;
    assert_eq!(bench.round(&bench.deliverer()).await.did(), 0);
    assert_eq!(sink.requests().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_cannot_be_set_up_is_named() {
    let mut broken = webhook_receiver("broken", "https://orchard.example/");
    broken.ca_file = Some("/nowhere/ca.pem".into());
    let bench = Bench::new(vec![broken.clone(), broken]).await;
    let clock = Arc::clone(&bench.clock) as Arc<dyn Clock>;
    let failures = Deliverer::new(
        bench.store.clone(),
        clock,
        &bench.config,
        None,
        bench.metrics.clone(),
    );
    let failures: Vec<_> = failures
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(failures.len(), 2);
    assert!(
        failures[0].contains("receiver broken from /nowhere/ca.pem"),
        "{failures:?}"
    );
}
