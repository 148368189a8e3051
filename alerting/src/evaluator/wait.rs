//! What happens to an alert once its cause is over.
//!
//! A quarantine that ends says nothing about the lane behind it: the lane is on time again with
//! its next success, and that takes a cycle. So what the cause explained waits for as long as a
//! regular cycle needs. It is told only if its source was read after that and still shows it; what
//! ends in between was never told and ends without a word. The instant is part of the alert on
//! record, so that a restart changes nothing.

use std::collections::{BTreeSet, HashMap};

use syncwatch_domain::alert::Alert;
use syncwatch_domain::source::SourceKey;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{Store, StoreError};

use super::book::Book;
use super::firing::{Ended, Firing, Key};

/// The waits that are over at `now`: the instant has passed, and the source was read after it.
///
/// To be asked before lanes are judged: a success that came with that read is then judged first.
pub(crate) async fn over(
    store: &Store,
    firing: &Firing,
    now: Timestamp,
) -> Result<BTreeSet<Key>, StoreError> {
    let mut reads: HashMap<&SourceKey, Option<Option<Timestamp>>> = HashMap::new();
    let mut over = BTreeSet::new();
    for (key, alert) in firing.waiting() {
        let Some(speaks_at) = alert.speaks_at.filter(|at| *at <= now) else {
            continue;
        };
        let seen = match alert.respite.as_ref().map(|respite| &respite.source) {
            Some(source) => {
                if !reads.contains_key(source) {
                    reads.insert(source, store.last_read(source).await?);
                }
                reads[source]
            }
            None => None,
        };
        // What is not polled any more will never be read: there is nothing to wait for.
        if seen.is_none_or(|read_at| read_at >= Some(speaks_at)) {
            over.insert(key.clone());
        }
    }
    Ok(over)
}

/// The next instant at which a wait can end.
pub(crate) fn next_due(firing: &Firing, now: Timestamp) -> Option<Timestamp> {
    firing
        .waiting()
        .filter_map(|(_, alert)| alert.speaks_at)
        .filter(|at| *at > now)
        .min()
}

/// The cause of an alert ended just now.
pub(crate) fn begin(book: &mut Book<'_>, key: &Key, cause: &Alert) {
    let lasts = book
        .get(key)
        .and_then(|alert| alert.respite.as_ref())
        .map(|respite| respite.lasts.0);
    match (Ended::of(cause), lasts) {
        (Some(cause), Some(lasts)) => {
            let speaks_at = book.now() + lasts;
            book.wait(key, cause.id, speaks_at);
        }
        _ => book.release(key),
    }
}

/// An alert began shortly after what would have explained it had ended: it waits as if it had
/// begun shortly before.
pub(crate) fn follow(book: &mut Book<'_>, key: &Key) {
    let respite = book.get(key).and_then(|alert| alert.respite.as_ref());
    let Some(lasts) = respite.map(|respite| respite.lasts.0) else {
        return;
    };
    if let Some(cause) = book.ended_cause_of(key) {
        let speaks_at = cause.at + lasts;
        if speaks_at > book.now() {
            book.wait(key, cause.id, speaks_at);
        }
    }
}

/// Something explains again what waits.
pub(crate) fn rejoin(book: &mut Book<'_>) {
    for key in book.waiting() {
        if let Some(cause) = book.cause_of(&key).map(|cause| cause.id.clone()) {
            book.hang(&key, cause);
        }
    }
}

/// What waited long enough speaks for itself, unless it ended or hangs under something again.
pub(crate) fn end(book: &mut Book<'_>, waited: &BTreeSet<Key>) {
    let now = book.now();
    for key in waited {
        let speaks_at = book.get(key).and_then(|alert| alert.speaks_at);
        if speaks_at.is_some_and(|at| at <= now) {
            book.release(key);
        }
    }
}
