//! The loop itself, on the real clock.

use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::clock::{Clock, SystemClock};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::Poll;
use syncwatch_domain::time::millis;
use syncwatch_store::{PollCommit, PollOutcome, StoreError, Topic};
use tokio_util::sync::CancellationToken;

use super::super::EvaluatorError;
use super::world::{World, lane};
use crate::detect::testing::{minute, source_key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_wakes_the_loop_and_a_stop_ends_it() {
    let world = World::new().await;
    let store = world.store.clone();
    let stop = CancellationToken::new();
    let clock = SystemClock;
    let mut outbox = store.feed().subscribe(Topic::Outbox);
    let mut judged = store.feed().subscribe(Topic::Judged);
    let watched = async {
        let now = clock.now();
        let source = store
            .ensure_source(&source_key(Poll::Jobs, "3f1d0a52"), now)
            .await
            .unwrap()
            .id;
        // Its window closed two hours ago; the reads are of now.
        let success = (millis(now.since(minute(0))) / 60_000) - 240;
        let commit = PollCommit {
            lanes: vec![lane("a", success)],
            ..PollCommit::bare(source, now, now, PollOutcome::Read)
        };
        judged.mark_unchanged();
        let again = now + Duration::from_millis(1);
        let again = PollCommit::bare(source, again, again, PollOutcome::Read);
        for read in [commit, again] {
            store
                .commit_poll(&read, &LanePolicy::default())
                .await
                .unwrap();
        }
        tokio::time::timeout(Duration::from_secs(20), outbox.changed())
            .await
            .unwrap()
            .unwrap();
        stop.cancel();
    };
    let (outcome, ()) = tokio::join!(world.evaluator.run(Arc::new(clock), stop.clone()), watched);
    outcome.unwrap();
}

#[tokio::test]
async fn a_closed_store_ends_the_loop_with_an_error() {
    let world = World::new().await;
    world.store.close().await;
    let outcome = world
        .evaluator
        .run(Arc::new(SystemClock), CancellationToken::new())
        .await;
    assert!(
        matches!(outcome, Err(EvaluatorError::Store(StoreError::Closed))),
        "{outcome:?}"
    );
}
