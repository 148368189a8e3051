//! What follows from an attempt. Pure.

use std::time::Duration;

use syncwatch_domain::delivery::{AttemptResult, Delivery};
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;

use crate::config::ReceiverConfig;

/// The result that counts, and when to try again if it is to be tried again.
///
/// The next attempt waits for our own backoff and for the receiver's wish, whichever is longer.
/// One that would come after the receiver's `give_up_after` is not waited for.
pub(super) fn settle(
    result: AttemptResult,
    delivery: &Delivery,
    receiver: &ReceiverConfig,
    ended_at: Timestamp,
) -> (AttemptResult, Option<Timestamp>) {
    let AttemptResult::Retry { after, reason } = result else {
        return (result, None);
    };
    let failures = u32::try_from(delivery.attempts)
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let wait = receiver.backoff.wait(failures, delivery.id.unsigned_abs());
    let due_at = ended_at + wait.max(after.unwrap_or(Duration::ZERO));
    if due_at > delivery.created_at + receiver.give_up_after {
        let limit = Span(receiver.give_up_after);
        let reason = format!("no success within {limit}; at last: {reason}");
        return (AttemptResult::GiveUp { reason }, None);
    }
    (AttemptResult::Retry { after, reason }, Some(due_at))
}

#[cfg(test)]
mod tests {
    use syncwatch_domain::alert::{NotificationEvent, Rule};
    use syncwatch_domain::delivery::AttemptOutcome;

    use super::*;
    use crate::testing::{START, alert, delivery, notification, webhook_receiver};

    fn tried(attempts: i64) -> Delivery {
        let told = notification(NotificationEvent::Firing, alert(Rule::JobPaused));
        Delivery {
            attempts,
            created_at: START,
            ..delivery("hook", told)
        }
    }

    fn retry(after: Option<u64>) -> AttemptResult {
        AttemptResult::Retry {
            after: after.map(Duration::from_secs),
            reason: "busy".into(),
        }
    }

    #[test]
    fn the_longer_of_backoff_and_wish_decides() {
        let receiver = webhook_receiver("hook", "");
        for (attempts, after, least, most) in [
            (0, None, 1_500, 2_000),
            (3, None, 12_000, 16_000),
            (60, None, 225_000, 300_000),
            (0, Some(17), 17_000, 17_000),
            (60, Some(17), 225_000, 300_000),
            (0, Some(0), 1_500, 2_000),
        ] {
            let (result, due_at) = settle(retry(after), &tried(attempts), &receiver, START);
            assert_eq!(result, retry(after));
            let wait = due_at.unwrap_or_default().since(START).as_millis();
            assert!(
                (least..=most).contains(&wait),
                "{attempts} {after:?}: {wait}"
            );
        }
    }

    #[test]
    fn a_delivery_that_takes_too_long_is_given_up() {
        let receiver = webhook_receiver("hook", "");
        let limit = receiver.give_up_after;
        for (after, ended_at, outcome) in [
            (
                None,
                START + limit - Duration::from_secs(600),
                AttemptOutcome::Retry,
            ),
            (None, START + limit, AttemptOutcome::GivenUp),
            (Some(86_400), START, AttemptOutcome::Retry),
            (Some(86_401), START, AttemptOutcome::GivenUp),
            (Some(u64::MAX), START, AttemptOutcome::GivenUp),
        ] {
            let (result, due_at) = settle(retry(after), &tried(8), &receiver, ended_at);
            assert_eq!(result.outcome(), outcome, "{after:?} {ended_at}");
            assert_eq!(due_at.is_some(), outcome == AttemptOutcome::Retry);
            if let AttemptResult::GiveUp { reason } = result {
                assert_eq!(reason, "no success within 1d; at last: busy");
            }
        }
    }

    #[test]
    fn other_results_stay_what_they_are() {
        let receiver = webhook_receiver("hook", "");
        let refused = AttemptResult::GiveUp {
            reason: "no".into(),
        };
        for result in [AttemptResult::Delivered, refused] {
            assert_eq!(
                settle(result.clone(), &tried(0), &receiver, START),
                (result, None)
            );
        }
    }
}
