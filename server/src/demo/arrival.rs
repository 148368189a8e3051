//! What arrived at the simulated receivers.

use serde_json::Value;
use syncwatch_domain::alert::{Notification, NotificationEvent};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::{Mail, Running, TeamsPost, WebhookCall};
use syncwatch_store::Store;

/// By which way a message came. The words are the names of the receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Via {
    Mail,
    Teams,
    Webhook,
}

impl Via {
    pub(super) const ALL: [Self; 3] = [Self::Mail, Self::Teams, Self::Webhook];

    pub(super) const fn receiver(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Teams => "teams",
            Self::Webhook => "webhook",
        }
    }
}

/// A message as a receiver got it.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) at: Timestamp,
    pub(super) via: Via,
    /// The answer the receiver gave.
    pub(super) status: u16,
    /// The alert it speaks of, as far as the message tells.
    alert: Option<String>,
    event: Option<NotificationEvent>,
    /// What lets a receiver drop repetitions.
    pub(super) key: Option<String>,
}

/// A message that arrived, with what was to be told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) arrival: Arrival,
    pub(super) notification: Notification,
}

impl Arrival {
    #[cfg(test)]
    pub(super) fn for_test(at: Timestamp, via: Via, status: u16) -> Self {
        Self {
            at,
            via,
            status,
            alert: None,
            event: None,
            key: Some("key".to_owned()),
        }
    }

    /// The receiver took it.
    pub(super) const fn accepted(&self) -> bool {
        self.status / 100 == 2
    }

    /// Finds what was to be told: the message itself says which alert and which event.
    pub(super) async fn explained(self, store: &Store) -> Option<Told> {
        let deliveries = store.deliveries_of(self.alert.as_deref()?).await.ok()?;
        let matching = deliveries.into_iter().filter(|delivery| {
            let notification = &delivery.notification;
            let same_key = self
                .key
                .as_ref()
                .is_none_or(|key| *key == delivery.idempotency_key);
            delivery.receiver == self.via.receiver()
                && Some(notification.event) == self.event
                && notification.decided_at <= self.at
                && same_key
        });
        // A card names no key: then it is the newest that had been decided.
        let matching = matching.max_by_key(|delivery| delivery.notification.decided_at)?;
        Some(Told {
            arrival: self,
            notification: matching.notification,
        })
    }
}

/// Which arrivals were looked at already.
#[derive(Default)]
pub(super) struct Seen {
    mails: usize,
    posts: usize,
    calls: usize,
}

impl Seen {
    /// What arrived since the last look, in the order of arrival.
    pub(super) fn fresh(&mut self, sim: &Running) -> Vec<Arrival> {
        let (mails, posts, calls) = (
            sim.mail().arrivals(),
            sim.teams().arrivals(),
            sim.webhook().arrivals(),
        );
        let mut fresh: Vec<Arrival> = mails.iter().skip(self.mails).map(of_mail).collect();
        fresh.extend(posts.iter().skip(self.posts).map(of_post));
        fresh.extend(calls.iter().skip(self.calls).map(of_call));
        (self.mails, self.posts, self.calls) = (mails.len(), posts.len(), calls.len());
        fresh.sort_by_key(|arrival| (arrival.at, arrival.via));
        fresh
    }
}

fn of_mail(mail: &Mail) -> Arrival {
    Arrival {
        at: Timestamp::from_millis(mail.at_ms),
        via: Via::Mail,
        status: mail.status,
        alert: mail.header("x-syncwatch-alert"),
        event: mail
            .header("x-syncwatch-event")
            .and_then(|word| NotificationEvent::from_word(&word)),
        key: mail.header("x-syncwatch-idempotency-key"),
    }
}

fn of_call(call: &WebhookCall) -> Arrival {
    let body = call.json().unwrap_or_default();
    let text = |pointer: &str| {
        body.pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Arrival {
        at: Timestamp::from_millis(call.at_ms),
        via: Via::Webhook,
        status: call.status,
        alert: text("/alert/id"),
        event: text("/event").and_then(|word| NotificationEvent::from_word(&word)),
        key: call.header("idempotency-key").map(str::to_owned),
    }
}

/// A card is made for people: its link names the alert, its heading the event.
fn of_post(post: &TeamsPost) -> Arrival {
    let link = post.body.split_once("#alert-").map(|(_, rest)| rest);
    let alert = link.map(|rest| {
        rest.chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect()
    });
    let text = post.text().to_lowercase();
    let event = NotificationEvent::ALL.iter().copied().find(|event| {
        text.lines().any(|line| {
            line.strip_prefix(event.as_str())
                .is_some_and(|rest| rest.trim_start().starts_with('·'))
        })
    });
    Arrival {
        at: Timestamp::from_millis(post.at_ms),
        via: Via::Teams,
        status: post.status,
        alert,
        event,
        key: None,
    }
}
