//! Writes attempts down, many in one commit, and sees to what was given up.

use std::collections::HashSet;
use std::time::Duration;

use syncwatch_domain::delivery::{AttemptOutcome, AttemptResult, DeliveryState, NewDelivery};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{AttemptRecord, StoreError, Want};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::outlet::Finished;
use super::{PERIOD, RECORDS, Shared, fallback};

/// Wait between tries when the store cannot be written.
const STORE_TROUBLE: Duration = Duration::from_secs(1);

/// Tries after the stop; what is not written then is sent once more after the start.
const LAST_TRIES: u32 = 3;

/// Deliveries of vanished receivers that are given up in one go.
const ORPHANS: u32 = 200;

/// Writes down what comes in, until every sender is gone.
pub(super) async fn run(
    shared: &Shared,
    mut inbox: mpsc::Receiver<Finished>,
    stop: &CancellationToken,
) {
    let mut finished = Vec::new();
    while inbox.recv_many(&mut finished, RECORDS).await > 0 {
        let mut tries_left = LAST_TRIES;
        let mut in_trouble = false;
        while let Err(error) = record(shared, &mut finished, shared.clock.now()).await {
            if !in_trouble {
                let error: &dyn std::error::Error = &error;
                error!(
                    error,
                    attempts = finished.len(),
                    "cannot write attempts down, will try again"
                );
            }
            in_trouble = true;
            if stop.is_cancelled() {
                tries_left -= 1;
                if tries_left == 0 {
                    error!(
                        attempts = finished.len(),
                        "attempts are not written down; they will be repeated"
                    );
                    return;
                }
            }
            tokio::time::sleep(STORE_TROUBLE).await;
        }
    }
}

/// Writes `finished` down and empties it. On an error it stays as it is.
pub(super) async fn record(
    shared: &Shared,
    finished: &mut Vec<Finished>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let given_up: Vec<i64> = finished
        .iter()
        .filter(|one| one.record.result.outcome() == AttemptOutcome::GivenUp)
        .map(|one| one.delivery.id)
        .collect();
    for one in finished
        .iter_mut()
        .filter(|one| one.record.fallback.is_none())
    {
        one.record.fallback = stand_in(shared, one, &given_up, now).await?;
    }
    let records: Vec<AttemptRecord> = finished.iter().map(|one| one.record.clone()).collect();
    shared.store.finish_attempts(&records, now).await?;
    for one in finished.drain(..) {
        if let Some(outlet) = one.outlet {
            outlet.recorded(one.delivery.id);
        }
    }
    Ok(())
}

/// Who is told in place of a receiver that was given up. `given_up` are the deliveries that this
/// commit gives up: none of them reaches anybody.
async fn stand_in(
    shared: &Shared,
    finished: &Finished,
    given_up: &[i64],
    now: Timestamp,
) -> Result<Option<NewDelivery>, StoreError> {
    let AttemptResult::GiveUp { reason } = &finished.record.result else {
        return Ok(None);
    };
    let delivery = &finished.delivery;
    let notification = &delivery.notification;
    let mut known = shared.store.deliveries_of(&notification.alert.id.0).await?;
    for one in known.iter_mut().filter(|one| given_up.contains(&one.id)) {
        one.state = DeliveryState::Dead;
    }
    let stand_in = fallback::stand_in(&shared.receivers, &delivery.receiver, notification, &known);
    Ok(stand_in.map(|receiver| NewDelivery {
        receiver: receiver.to_owned(),
        notification: fallback::instead_of(&delivery.receiver, reason, notification, &known),
        due_at: now,
    }))
}

/// Looks for deliveries of vanished receivers from time to time, until the stop.
pub(super) async fn run_orphans(shared: &Shared, stop: &CancellationToken) {
    loop {
        if let Err(error) = give_up_orphans(shared, shared.clock.now()).await {
            let error: &dyn std::error::Error = &error;
            error!(
                error,
                "cannot look for deliveries of receivers that are no longer configured"
            );
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Gives up what waits for receivers that are no longer configured; another one is told. Says
/// how many deliveries those were.
pub(super) async fn give_up_orphans(shared: &Shared, now: Timestamp) -> Result<usize, StoreError> {
    let mut wants = Vec::new();
    for receiver in shared.store.pending_receivers().await? {
        if !shared.receivers.iter().any(|one| one.name == receiver) {
            wants.push(Want {
                receiver,
                limit: ORPHANS,
            });
        }
    }
    if wants.is_empty() {
        return Ok(0);
    }
    let orphans = shared
        .store
        .claim_deliveries(now, shared.lease, &wants, &HashSet::new())
        .await?;
    let mut finished: Vec<_> = orphans
        .into_iter()
        .map(|delivery| {
            let reason = format!("no receiver {:?} is configured any more", delivery.receiver);
            error!(
                receiver.name = delivery.receiver,
                delivery.id, reason, "given up"
            );
            let record = AttemptRecord {
                delivery_id: delivery.id,
                began_at: now,
                ended_at: now,
                result: AttemptResult::GiveUp { reason },
                next_due_at: None,
                fallback: None,
            };
            shared
                .metrics
                .attempted(&delivery.receiver, record.result.outcome());
            Finished {
                delivery,
                record,
                outlet: None,
            }
        })
        .collect();
    let count = finished.len();
    record(shared, &mut finished, now).await?;
    Ok(count)
}
