//! Alerts: one per rule and subject, written with what they cause.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{
    Alert, AlertId, AlertState, Evidence, Notification, NotificationEvent, Rule, Severity, Subject,
};
use syncwatch_domain::delivery::NewDelivery;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::AlertFilter;

use crate::bench::{Bench, TENANT, at, bare_judgement, lane_key};

crate::on_both!(
    an_alert_is_read_back_whole,
    a_second_firing_alert_of_the_same_rule_and_subject_is_refused_as_a_lost_race,
    what_ends_makes_room_for_what_begins,
    a_refused_judgement_writes_nothing_at_all,
    alerts_are_counted_by_kind,
    alerts_that_ended_lately_are_listed_by_their_end,
);

pub(crate) fn alert(partition: &str, occurred: i64) -> Alert {
    let subject = Subject::lane(&lane_key(partition));
    let occurred_at = at(occurred);
    Alert {
        id: AlertId::of(Rule::WindowMissed, &subject, occurred_at),
        rule: Rule::WindowMissed,
        subject,
        severity: Severity::Critical,
        state: AlertState::Firing,
        occurred_at,
        detected_at: at(occurred),
        resolved_at: None,
        summary: "a window closed without a success".to_owned(),
        mend: "look at the job".to_owned(),
        evidence: vec![Evidence {
            name: "last success".into(),
            value: at(0).to_string(),
        }],
        labels: BTreeMap::from([("tenant".to_owned(), TENANT.to_owned())]),
        cause: None,
        speaks_at: None,
        respite: None,
    }
}

pub(crate) fn delivery(alert: &Alert, receiver: &str, due_at: Timestamp) -> NewDelivery {
    NewDelivery {
        receiver: receiver.to_owned(),
        notification: Notification {
            event: NotificationEvent::Firing,
            alert: alert.clone(),
            children: vec![],
            decided_at: at(0),
        },
        due_at,
    }
}

async fn an_alert_is_read_back_whole(bench: Bench) {
    let mut alert = alert("a", 100);
    let mut judgement = bare_judgement(100, vec![]);
    judgement.alerts = vec![alert.clone()];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    assert_eq!(
        bench.store.firing_alerts().await.expect("alerts"),
        [alert.clone()]
    );
    assert_eq!(
        bench.store.alert(&alert.id.0).await.expect("an answer"),
        Some(alert.clone())
    );
    (alert.state, alert.resolved_at) = (AlertState::Resolved, Some(at(140)));
    judgement.alerts = vec![alert.clone()];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    assert_eq!(bench.store.firing_alerts().await.expect("alerts"), []);
    let listed = bench
        .store
        .alerts(&AlertFilter::default())
        .await
        .expect("alerts");
    assert_eq!(listed, [alert.clone()]);
    for (path, end) in [
        (alert.subject.path.as_str(), Some(at(140))),
        ("elsewhere", None),
    ] {
        let found = bench
            .store
            .last_resolved(alert.rule, &alert.subject.tenant, path)
            .await
            .expect("an answer");
        assert_eq!(found, end, "{path}");
    }
    assert_eq!(bench.store.alert("nothing").await.expect("an answer"), None);
}

async fn a_second_firing_alert_of_the_same_rule_and_subject_is_refused_as_a_lost_race(
    bench: Bench,
) {
    let mut judgement = bare_judgement(100, vec![]);
    judgement.alerts = vec![alert("a", 100)];
    assert!(
        bench
            .store
            .commit_judgement(&judgement)
            .await
            .expect("a judgement")
            .committed
    );
    judgement.alerts = vec![alert("b", 130), alert("a", 130)];
    assert!(
        !bench
            .store
            .commit_judgement(&judgement)
            .await
            .expect("an answer")
            .committed
    );
    assert_eq!(
        bench.store.firing_alerts().await.expect("alerts"),
        [alert("a", 100)]
    );
}

async fn what_ends_makes_room_for_what_begins(bench: Bench) {
    let mut judgement = bare_judgement(100, vec![]);
    let mut first = alert("a", 100);
    judgement.alerts = vec![first.clone()];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    (first.state, first.resolved_at) = (AlertState::Resolved, Some(at(140)));
    judgement.alerts = vec![alert("a", 150), first];
    assert!(
        bench
            .store
            .commit_judgement(&judgement)
            .await
            .expect("a judgement")
            .committed
    );
    assert_eq!(
        bench.store.firing_alerts().await.expect("alerts"),
        [alert("a", 150)]
    );
}

async fn a_refused_judgement_writes_nothing_at_all(bench: Bench) {
    let mut judgement = bare_judgement(100, vec![]);
    judgement.alerts = vec![alert("a", 100)];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    judgement.alerts = vec![alert("b", 100), alert("a", 130)];
    judgement.deliveries = vec![delivery(&alert("b", 100), "noc", at(100))];
    assert!(
        !bench
            .store
            .commit_judgement(&judgement)
            .await
            .expect("an answer")
            .committed
    );
    assert_eq!(bench.store.outbox().await.expect("the outbox").depth, 0);
    assert_eq!(
        bench
            .store
            .alert(&alert("b", 100).id.0)
            .await
            .expect("an answer"),
        None
    );
}

async fn alerts_are_counted_by_kind(bench: Bench) {
    let mut judgement = bare_judgement(100, vec![]);
    let mut over = alert("c", 90);
    (over.state, over.resolved_at) = (AlertState::Resolved, Some(at(95)));
    judgement.alerts = vec![alert("a", 100), alert("b", 100), over];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    let totals = bench.store.alert_totals().await.expect("totals");
    let counts: Vec<_> = totals
        .iter()
        .map(|total| (total.state, total.count))
        .collect();
    assert_eq!(counts, [(AlertState::Firing, 2), (AlertState::Resolved, 1)]);
}

async fn alerts_that_ended_lately_are_listed_by_their_end(bench: Bench) {
    let over = |partition: &str, end: i64| Alert {
        state: AlertState::Resolved,
        resolved_at: Some(at(end)),
        ..alert(partition, 90)
    };
    let other = Alert {
        rule: Rule::LaneLate,
        ..over("d", 99)
    };
    let mut judgement = bare_judgement(100, vec![]);
    judgement.alerts = vec![
        over("a", 98),
        over("b", 97),
        over("c", 96),
        other,
        alert("e", 90),
    ];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    let listed = bench
        .store
        .lately_resolved(Rule::WindowMissed, at(97))
        .await
        .expect("alerts");
    assert_eq!(listed, [over("b", 97), over("a", 98)]);
}
