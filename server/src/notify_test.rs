//! Test messages: one attempt per receiver, at once, without the outbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use syncwatch_alerting::config::Notifications;
use syncwatch_alerting::notify::{Notifier, NotifierError};
use syncwatch_domain::alert::{
    Alert, AlertId, AlertState, Evidence, Notification, NotificationEvent, Rule, Severity, Subject,
};
use syncwatch_domain::clock::Clock;
use syncwatch_domain::delivery::{AttemptResult, Delivery, DeliveryState};
use syncwatch_domain::time::Timestamp;
use url::Url;

/// What came of one test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The receiver.
    pub receiver: String,
    /// It acknowledged.
    pub delivered: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why it did not acknowledge.
    pub error: Option<String>,
}

/// Sends test messages.
#[derive(Clone, Debug)]
pub struct Tester {
    notifiers: Arc<Vec<(String, Notifier)>>,
    clock: Arc<dyn Clock>,
}

impl Tester {
    /// A tester for the receivers of the configuration.
    ///
    /// # Errors
    /// When a receiver cannot be set up.
    pub fn new(
        config: &Notifications,
        page: Option<&Url>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NotifierError> {
        let notifiers = config
            .receivers
            .iter()
            .map(|receiver| Ok((receiver.name.clone(), Notifier::new(receiver, page)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            notifiers: Arc::new(notifiers),
            clock,
        })
    }

    /// Tells one receiver, or all.
    ///
    /// # Errors
    /// With a sentence when there is no such receiver.
    pub async fn tell(&self, only: Option<&str>) -> Result<Vec<Told>, String> {
        let chosen: Vec<_> = self
            .notifiers
            .iter()
            .filter(|(name, _)| only.is_none_or(|only| only == name))
            .collect();
        if let (true, Some(name)) = (chosen.is_empty(), only) {
            let known: Vec<&str> = self
                .notifiers
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            return Err(format!(
                "there is no receiver {name:?}; receivers are: {}",
                known.join(", ")
            ));
        }
        let mut told = Vec::with_capacity(chosen.len());
        for (name, notifier) in chosen {
            let now = self.clock.now();
            let began = std::time::Instant::now();
            let result = notifier.send(&message(name, now), now).await;
            told.push(Told {
                receiver: name.clone(),
                delivered: matches!(result, AttemptResult::Delivered),
                took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                error: match result {
                    AttemptResult::Delivered => None,
                    AttemptResult::Retry { reason, .. } | AttemptResult::GiveUp { reason } => {
                        Some(reason)
                    }
                },
            });
        }
        Ok(told)
    }
}

/// A message that cannot be taken for an alert: it says so in every field people look at, and its
/// id is none that an alert can have.
fn message(receiver: &str, now: Timestamp) -> Delivery {
    let id = format!("test-{}", now.as_millis());
    let alert = Alert {
        id: AlertId(id.clone()),
        rule: Rule::SourceUnreachable,
        subject: Subject {
            tenant: "test".to_owned(),
            path: "test".to_owned(),
            title: "Test message of syncwatch".to_owned(),
        },
        severity: Severity::Info,
        state: AlertState::Firing,
        occurred_at: now,
        detected_at: now,
        resolved_at: None,
        summary: "This is a test message of syncwatch: nothing is wrong.".to_owned(),
        mend: "There is nothing to do.".to_owned(),
        evidence: vec![Evidence {
            name: "receiver".to_owned(),
            value: receiver.to_owned(),
        }],
        labels: BTreeMap::from([("test".to_owned(), "true".to_owned())]),
        cause: None,
        speaks_at: None,
        respite: None,
    };
    let notification = Notification {
        event: NotificationEvent::Firing,
        alert,
        children: Vec::new(),
        decided_at: now,
    };
    Delivery {
        id: 0,
        idempotency_key: format!("{id}-{receiver}"),
        receiver: receiver.to_owned(),
        notification,
        state: DeliveryState::Pending,
        attempts: 0,
        created_at: now,
        due_at: now,
        finished_at: None,
        last_error: None,
    }
}
