//! The outbox: born leased, claimed by one, tried until done, and forgotten in the end.

use std::collections::HashSet;
use std::time::Duration;

use syncwatch_domain::alert::{AlertState, NotificationEvent};
use syncwatch_domain::delivery::{AttemptResult, Delivery, DeliveryState};
use syncwatch_store::{AttemptRecord, CommitProbe, Retention, Store, Topic, Want};

use crate::alerts::{alert, delivery};
use crate::bench::{Bench, at, bare_judgement};

crate::on_both!(
    a_delivery_is_born_held_by_its_process_and_by_no_other,
    a_delivery_written_twice_is_one,
    a_retry_waits_for_its_time_and_then_belongs_to_whoever_is_first,
    what_is_given_up_is_a_dead_letter_and_another_receiver_is_told,
    a_lease_that_ran_out_is_taken_over,
    each_receiver_gets_the_places_it_offers,
    a_restarted_process_finds_its_deliveries_at_once,
    a_process_that_dies_at_a_commit_has_committed,
    old_things_go_but_nothing_that_still_matters,
    a_commit_wakes_who_waits_for_it,
    an_end_waits_for_the_beginning_it_belongs_to,
);

const LEASE: Duration = Duration::from_secs(30);

async fn post(bench: &Bench, store: &Store, partition: &str, receivers: &[&str], now: i64) -> u64 {
    let alert = alert(partition, 100);
    let mut judgement = bare_judgement(now, vec![]);
    judgement.deliveries = receivers
        .iter()
        .map(|name| delivery(&alert, name, at(now)))
        .collect();
    judgement.alerts = vec![alert];
    let _ = bench;
    store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement")
        .deliveries
}

fn want(receiver: &str, limit: u32) -> Want {
    Want {
        receiver: receiver.to_owned(),
        limit,
    }
}

async fn claim(store: &Store, receiver: &str, now: i64) -> Vec<Delivery> {
    let claimed = store
        .claim_deliveries(at(now), LEASE, &[want(receiver, 10)], &HashSet::new())
        .await;
    claimed.expect("a claim")
}

async fn finish(
    store: &Store,
    delivery: &Delivery,
    result: AttemptResult,
    now: i64,
    next: Option<i64>,
) {
    let record = AttemptRecord {
        delivery_id: delivery.id,
        began_at: at(now),
        ended_at: at(now),
        result,
        next_due_at: next.map(at),
        fallback: None,
    };
    store
        .finish_attempts(&[record], at(now))
        .await
        .expect("written");
}

async fn a_delivery_is_born_held_by_its_process_and_by_no_other(bench: Bench) {
    let other = bench.another("second", None).await;
    assert_eq!(post(&bench, &bench.store, "a", &["noc"], 100).await, 1);
    assert_eq!(claim(&other, "noc", 100).await, []);
    let before = bench.store.commits();
    let held = claim(&bench.store, "noc", 100).await;
    assert_eq!(held.len(), 1);
    assert_eq!(
        bench.store.commits(),
        before,
        "no commit stands between decision and sending"
    );
    let in_flight = HashSet::from([held[0].id]);
    let again = bench
        .store
        .claim_deliveries(at(100), LEASE, &[want("noc", 10)], &in_flight)
        .await;
    assert_eq!(again.expect("a claim"), []);
    finish(&bench.store, &held[0], AttemptResult::Delivered, 101, None).await;
    assert_eq!(claim(&bench.store, "noc", 102).await, []);
    let done = bench
        .store
        .deliveries_of(&alert("a", 100).id.0)
        .await
        .expect("deliveries")
        .remove(0);
    assert_eq!(
        (done.state, done.attempts, done.finished_at),
        (DeliveryState::Delivered, 1, Some(at(101)))
    );
}

async fn a_delivery_written_twice_is_one(bench: Bench) {
    assert_eq!(
        post(&bench, &bench.store, "a", &["noc", "mail"], 100).await,
        2
    );
    assert_eq!(
        post(&bench, &bench.store, "a", &["noc", "mail", "teams"], 101).await,
        1
    );
    assert_eq!(bench.store.outbox().await.expect("the outbox").depth, 3);
    assert_eq!(
        bench.store.pending_receivers().await.expect("names"),
        ["mail", "noc", "teams"]
    );
}

async fn a_retry_waits_for_its_time_and_then_belongs_to_whoever_is_first(bench: Bench) {
    let other = bench.another("second", None).await;
    post(&bench, &bench.store, "a", &["noc"], 100).await;
    let held = claim(&bench.store, "noc", 100).await.remove(0);
    let retry = AttemptResult::Retry {
        after: None,
        reason: "503".to_owned(),
    };
    finish(&bench.store, &held, retry, 101, Some(131)).await;
    assert_eq!(claim(&bench.store, "noc", 130).await, []);
    assert_eq!(
        bench
            .store
            .next_delivery_due(at(101))
            .await
            .expect("an instant"),
        Some(at(131))
    );
    let taken = claim(&other, "noc", 131).await;
    assert_eq!((taken.len(), taken[0].attempts), (1, 1));
    assert_eq!(taken[0].last_error.as_deref(), Some("503"));
    assert_eq!(
        claim(&bench.store, "noc", 131).await,
        [],
        "the other was first"
    );
}

async fn what_is_given_up_is_a_dead_letter_and_another_receiver_is_told(bench: Bench) {
    post(&bench, &bench.store, "a", &["teams"], 100).await;
    let held = claim(&bench.store, "teams", 100).await.remove(0);
    let record = AttemptRecord {
        delivery_id: held.id,
        began_at: at(100),
        ended_at: at(101),
        result: AttemptResult::GiveUp {
            reason: "404".to_owned(),
        },
        next_due_at: None,
        fallback: Some(delivery(&alert("a", 100), "mail", at(101))),
    };
    bench
        .store
        .finish_attempts(&[record], at(101))
        .await
        .expect("written");
    let dead = bench.store.dead_letters(10).await.expect("dead letters");
    assert_eq!(
        (dead.len(), dead[0].last_error.as_deref()),
        (1, Some("404"))
    );
    assert_eq!(claim(&bench.store, "mail", 101).await.len(), 1);
}

async fn a_lease_that_ran_out_is_taken_over(bench: Bench) {
    let other = bench.another("second", None).await;
    post(&bench, &bench.store, "a", &["noc"], 100).await;
    let ends = other
        .next_delivery_due(at(100))
        .await
        .expect("an instant")
        .expect("the end of the lease");
    assert_eq!(claim(&other, "noc", 150).await, []);
    let taken = other
        .claim_deliveries(ends, LEASE, &[want("noc", 1)], &HashSet::new())
        .await
        .expect("a claim");
    assert_eq!(taken.len(), 1);
}

async fn each_receiver_gets_the_places_it_offers(bench: Bench) {
    for partition in ["a", "b", "c"] {
        post(&bench, &bench.store, partition, &["noc", "teams"], 100).await;
    }
    let wants = [want("noc", 2), want("teams", 0)];
    let claimed = bench
        .store
        .claim_deliveries(at(100), LEASE, &wants, &HashSet::new())
        .await
        .expect("a claim");
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|delivery| delivery.receiver == "noc"));
    assert!(
        claimed[0].id < claimed[1].id,
        "in the order they were decided"
    );
}

async fn a_restarted_process_finds_its_deliveries_at_once(bench: Bench) {
    post(&bench, &bench.store, "a", &["noc"], 100).await;
    let restarted = bench.another("first", None).await;
    assert_eq!(claim(&restarted, "noc", 101).await.len(), 1);
}

async fn a_process_that_dies_at_a_commit_has_committed(bench: Bench) {
    let dying = bench
        .another("first", Some(CommitProbe::new(|number| number < 1)))
        .await;
    let mut judgement = bare_judgement(100, vec![]);
    judgement.alerts = vec![alert("a", 100)];
    dying.commit_judgement(&judgement).await.expect_err("dead");
    dying.firing_alerts().await.expect_err("dead for good");
    assert_eq!(bench.store.firing_alerts().await.expect("alerts").len(), 1);
}

async fn old_things_go_but_nothing_that_still_matters(bench: Bench) {
    post(&bench, &bench.store, "pending", &["noc"], 100).await;
    post(&bench, &bench.store, "done", &["mail"], 100).await;
    let held = claim(&bench.store, "mail", 100).await.remove(0);
    finish(&bench.store, &held, AttemptResult::Delivered, 101, None).await;
    let mut judgement = bare_judgement(110, vec![]);
    for partition in ["pending", "done"] {
        let mut over = alert(partition, 100);
        (over.state, over.resolved_at) = (AlertState::Resolved, Some(at(110)));
        judgement.alerts.push(over);
    }
    judgement.alerts.push(alert("firing", 100));
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    let hour = Duration::from_secs(3_600);
    let retention = Retention {
        observations: hour,
        cycles: hour,
        alerts: hour,
    };
    assert_eq!(
        bench
            .store
            .prune(at(200), &retention)
            .await
            .expect("a report")
            .alerts,
        0
    );
    let report = bench
        .store
        .prune(at(110 + 3_601), &retention)
        .await
        .expect("a report");
    assert_eq!(
        (report.alerts, report.more),
        (3, false),
        "alert, delivery and attempt of what is done"
    );
    let left = bench.store.alert_totals().await.expect("totals");
    assert_eq!(left.iter().map(|total| total.count).sum::<i64>(), 2);
    assert_eq!(bench.store.outbox().await.expect("the outbox").depth, 1);
}

async fn a_commit_wakes_who_waits_for_it(bench: Bench) {
    let mut outbox = bench.store.feed().subscribe(Topic::Outbox);
    let mut observed = bench.store.feed().subscribe(Topic::Observed);
    post(&bench, &bench.store, "a", &["noc"], 100).await;
    assert!(outbox.has_changed().expect("open"));
    assert!(!observed.has_changed().expect("open"));
    outbox.mark_unchanged();
    bench.read(101, vec![]).await;
    assert!(!outbox.has_changed().expect("open"));
    assert!(observed.has_changed().expect("open"));
    observed.mark_unchanged();
}

async fn an_end_waits_for_the_beginning_it_belongs_to(bench: Bench) {
    let store = &bench.store;
    let mut judgement = bare_judgement(200, vec![]);
    judgement.alerts = vec![alert("a", 100)];
    for event in [NotificationEvent::Firing, NotificationEvent::Resolved] {
        let mut told = delivery(&judgement.alerts[0], "noc", at(200));
        told.notification.event = event;
        judgement.deliveries.push(told);
    }
    store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    post(&bench, store, "b", &["noc"], 200).await;
    let first = claim(store, "noc", 200).await;
    let events = first.iter().map(|one| one.notification.event);
    let only_beginnings = [NotificationEvent::Firing, NotificationEvent::Firing];
    assert_eq!(events.collect::<Vec<_>>(), only_beginnings);

    // It waits for its retry, and its end, though due and held, waits with it.
    let retry = AttemptResult::Retry {
        after: None,
        reason: "503".into(),
    };
    finish(store, &first[0], retry, 201, Some(260)).await;
    finish(store, &first[1], AttemptResult::Delivered, 201, None).await;
    assert_eq!(claim(store, "noc", 259).await, []);
    let again = claim(store, "noc", 260).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].id, first[0].id);

    finish(store, &again[0], AttemptResult::Delivered, 261, None).await;
    let end = claim(store, "noc", 261).await;
    assert_eq!(end.len(), 1);
    assert_eq!(end[0].notification.event, NotificationEvent::Resolved);
}
