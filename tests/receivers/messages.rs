//! Messages to send.

use std::collections::BTreeMap;
use std::time::Duration;

use syncwatch_alerting::config::{self, RawReceiver};
use syncwatch_alerting::notify::Notifier;
use syncwatch_domain::alert::{
    Alert, AlertId, AlertState, Evidence, Notification, NotificationEvent, Rule, Severity, Subject,
};
use syncwatch_domain::delivery::{Delivery, DeliveryState};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_domain::time::Timestamp;

/// 2026-11-22T08:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_334_400_000);

/// The notifier for the one receiver that `toml` describes, read as the service reads it.
pub(crate) fn notifier(toml: &str) -> Notifier {
    let raw: RawReceiver = toml::from_str(toml).unwrap();
    let checked = config::check(vec![raw], Vec::new()).unwrap();
    let page = "https://sync.meadow.example/".parse().unwrap();
    Notifier::new(&checked.receivers[0], Some(&page)).unwrap()
}

/// What is told about a lane of the fictional tenant `meadow`.
pub(crate) fn told(event: NotificationEvent, rule: Rule, severity: Severity) -> Notification {
    let subject = Subject::lane(&LaneKey {
        tenant: "meadow".into(),
        engine: Engine::Cloud,
        kind: LaneKind::Objects,
        partition: "ad.meadow.example".into(),
    });
    let over = event == NotificationEvent::Resolved;
    let evidence = |name: &str, value: &str| Evidence {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    Notification {
        event,
        children: Vec::new(),
        decided_at: START + Duration::from_millis(3),
        alert: Alert {
            id: AlertId::of(rule, &subject, START),
            rule,
            severity,
            state: if over {
                AlertState::Resolved
            } else {
                AlertState::Firing
            },
            occurred_at: START,
            detected_at: START + Duration::from_millis(3),
            resolved_at: over.then_some(START + Duration::from_secs(1_500)),
            summary: "Die Objekte von ad.meadow.example sind seit 07:10 überfällig ☂".into(),
            mend: "Check the provisioning agents of ad.meadow.example.".into(),
            evidence: vec![
                evidence("last success", "2026-11-22T07:10:00Z"),
                evidence("odd", "\u{0}\"\\ [x](http://evil.example) <b>\r\n日本語 😀"),
                evidence("empty", ""),
            ],
            labels: BTreeMap::from([("tenant".to_owned(), "meadow".to_owned())]),
            cause: None,
            speaks_at: None,
            respite: None,
            subject,
        },
    }
}

/// `told` on its way.
pub(crate) fn delivery(told: Notification) -> Delivery {
    Delivery {
        id: 1,
        idempotency_key: told.idempotency_key("receiver"),
        receiver: "receiver".to_owned(),
        created_at: told.decided_at,
        due_at: told.decided_at,
        notification: told,
        state: DeliveryState::Pending,
        attempts: 0,
        finished_at: None,
        last_error: None,
    }
}

/// Every event of every rule, the severities in turn.
pub(crate) fn everything() -> Vec<Notification> {
    let events = NotificationEvent::ALL.iter();
    events
        .flat_map(|event| Rule::ALL.iter().map(move |rule| (*event, *rule)))
        .enumerate()
        .map(|(n, (event, rule))| told(event, rule, Severity::ALL[n % Severity::ALL.len()]))
        .collect()
}
