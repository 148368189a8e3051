//! Who is told what a receiver did not take. Pure.

use std::mem::discriminant;

use syncwatch_domain::alert::{AlertState, Evidence, Notification};
use syncwatch_domain::delivery::{Delivery, DeliveryState};

use crate::config::{Fallback, ReceiverConfig};

/// The receiver to tell in place of `failed`; `None` if nobody is to be told, or if everyone in
/// question was told already. `known` are all deliveries about this alert.
pub(super) fn stand_in<'a>(
    receivers: &'a [ReceiverConfig],
    failed: &str,
    notification: &Notification,
    known: &[Delivery],
) -> Option<&'a str> {
    let settings = |name: &str| receivers.iter().find(|one| one.name == name);
    let told = |name: &str| {
        let key = notification.idempotency_key(name);
        known
            .iter()
            .find(|one| one.idempotency_key == key)
            .map(|one| one.state)
    };
    let mut last = failed;
    // Each step leads to a receiver that failed too; there are no more of those than receivers.
    for _ in 0..=receivers.len() {
        match settings(last).map_or(&Fallback::Another, |one| &one.fallback) {
            Fallback::Nobody => return None,
            Fallback::Named(next) => {
                let next = settings(next)?.name.as_str();
                match told(next) {
                    None if next != failed => return Some(next),
                    Some(DeliveryState::Pending | DeliveryState::Delivered) if next != failed => {
                        return None;
                    }
                    _ => last = next,
                }
            }
            Fallback::Another => return another(receivers, failed, told),
        }
    }
    None
}

/// Any receiver but `failed`, best one of another kind; none if the message reaches one anyway.
fn another<'a>(
    receivers: &'a [ReceiverConfig],
    failed: &str,
    told: impl Fn(&str) -> Option<DeliveryState>,
) -> Option<&'a str> {
    let kind = |one: &ReceiverConfig| discriminant(&one.channel);
    let own_kind = receivers.iter().find(|one| one.name == failed).map(kind);
    let others = || receivers.iter().filter(|one| one.name != failed);
    let reached =
        |one: &ReceiverConfig| told(&one.name).is_some_and(|state| state != DeliveryState::Dead);
    if others().any(reached) {
        return None;
    }
    others()
        .filter(|one| told(&one.name).is_none())
        .min_by_key(|one| Some(kind(one)) == own_kind)
        .map(|one| one.name.as_str())
}

/// The message as the stand-in gets it: it says why it comes to them.
pub(super) fn instead_of(
    failed: &str,
    reason: &str,
    notification: &Notification,
    known: &[Delivery],
) -> Notification {
    let mut told = notification.clone();
    let mut add = |name: &str, value: String| {
        told.alert.evidence.push(Evidence {
            name: name.to_owned(),
            value,
        });
    };
    add("not reached", format!("receiver {failed}: {reason}"));
    // The end of the alert was told to others, before this receiver took part.
    let over = known
        .iter()
        .map(|delivery| &delivery.notification.alert)
        .filter(|alert| alert.state == AlertState::Resolved)
        .find_map(|alert| alert.resolved_at);
    if let (Some(resolved_at), None) = (over, notification.alert.resolved_at) {
        add("meanwhile", format!("resolved at {resolved_at}"));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use syncwatch_domain::alert::{NotificationEvent, Rule};

    use super::*;
    use crate::config::Channel;
    use crate::testing::{
        START, alert, delivery, mail_settings, notification, receiver, webhook_receiver,
    };

    fn told() -> Notification {
        notification(NotificationEvent::Firing, alert(Rule::WindowMissed))
    }

    fn to(name: &str, state: DeliveryState) -> Delivery {
        Delivery {
            state,
            ..delivery(name, told())
        }
    }

    /// Two webhooks and a mail receiver, with these fallbacks.
    fn receivers(fallbacks: [Fallback; 3]) -> Vec<ReceiverConfig> {
        let mut all = vec![
            webhook_receiver("one", ""),
            webhook_receiver("two", ""),
            receiver("mail", Channel::Mail(mail_settings(25))),
        ];
        for (one, fallback) in all.iter_mut().zip(fallbacks) {
            one.fallback = fallback;
        }
        all
    }

    fn named(name: &str) -> Fallback {
        Fallback::Named(name.to_owned())
    }

    #[test]
    fn the_stand_in_is_the_first_that_does_not_know() {
        use DeliveryState::{Dead, Delivered, Pending};
        use Fallback::{Another, Nobody};
        type Known<'k> = &'k [(&'k str, DeliveryState)];
        let none: Known<'_> = &[];
        for (fallbacks, failed, known, expected) in [
            // By default one of another kind, then one of the same.
            ([Another, Another, Another], "one", none, Some("mail")),
            ([Another, Another, Another], "mail", none, Some("one")),
            (
                [Another, Another, Another],
                "one",
                &[("mail", Dead)],
                Some("two"),
            ),
            ([Another, Another, Another], "gone", none, Some("one")),
            // By default nobody, if the message reaches somebody anyway.
            (
                [Another, Another, Another],
                "one",
                &[("two", Pending)],
                None,
            ),
            (
                [Another, Another, Another],
                "one",
                &[("mail", Delivered)],
                None,
            ),
            (
                [Another, Another, Another],
                "one",
                &[("two", Dead), ("mail", Dead)],
                None,
            ),
            // A named one whatever others know, along the chain, and never in a circle.
            ([named("two"), Another, Another], "one", none, Some("two")),
            (
                [named("two"), Another, Another],
                "one",
                &[("mail", Delivered)],
                Some("two"),
            ),
            (
                [named("two"), Another, Another],
                "one",
                &[("two", Delivered)],
                None,
            ),
            (
                [named("two"), named("mail"), Another],
                "one",
                &[("two", Dead)],
                Some("mail"),
            ),
            (
                [named("two"), named("one"), Another],
                "one",
                &[("two", Dead)],
                None,
            ),
            (
                [named("two"), Nobody, Another],
                "one",
                &[("two", Dead)],
                None,
            ),
            (
                [named("two"), Another, Another],
                "one",
                &[("two", Dead)],
                Some("mail"),
            ),
            ([Nobody, Another, Another], "one", none, None),
        ] {
            let all = receivers(fallbacks);
            let mut deliveries = vec![to(failed, Dead)];
            deliveries.extend(known.iter().map(|(name, state)| to(name, *state)));
            let found = stand_in(&all, failed, &told(), &deliveries);
            assert_eq!(found, expected, "{failed}, known {known:?}");
        }
    }

    #[test]
    fn another_message_about_the_same_alert_does_not_count() {
        let resolved = notification(NotificationEvent::Resolved, alert(Rule::WindowMissed));
        let known = [Delivery {
            state: DeliveryState::Delivered,
            ..delivery("mail", resolved)
        }];
        let all = receivers([Fallback::Another, Fallback::Another, Fallback::Another]);
        assert_eq!(stand_in(&all, "one", &told(), &known), Some("mail"));
    }

    #[test]
    fn the_stand_in_learns_why_and_what_happened_since() {
        let resolved = notification(NotificationEvent::Resolved, alert(Rule::WindowMissed));
        let known = [to("one", DeliveryState::Dead), delivery("two", resolved)];
        let message = instead_of("one", "the receiver answered 404", &told(), &known);
        assert_eq!(
            message.idempotency_key("mail"),
            told().idempotency_key("mail")
        );
        let added: Vec<_> = message
            .alert
            .evidence
            .iter()
            .skip(2)
            .map(|one| one.value.clone())
            .collect();
        let over = START + Duration::from_secs(47 * 60);
        assert_eq!(
            added,
            [
                "receiver one: the receiver answered 404".to_owned(),
                format!("resolved at {over}"),
            ]
        );
    }
}
