//! A process that dies at any commit tells the same as one that never dies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncwatch_domain::job::{Job, JobStatus, ScheduleState};
use syncwatch_domain::source::{Poll, ReadFailure};
use syncwatch_store::{CommitProbe, Store, StoreError, StoreOptions};
use tokio::sync::watch;

use super::super::{Evaluator, EvaluatorError};
use super::world::{Read, deliver, jobs_read, lane, options, read_of, said, terms};
use crate::config::AlertSettings;
use crate::detect::testing::{job, minute, quarantined};

/// The story: a poll and a judgement at each of these minutes.
fn story() -> Vec<(i64, Vec<Read<'static>>)> {
    let lanes = |mut read: Read<'static>, success: i64, range: std::ops::Range<i64>| {
        for n in range {
            read = read.lane(lane(&format!("site{n}"), success));
        }
        read
    };
    let disabled = Job {
        status: JobStatus::Paused,
        schedule: ScheduleState::Disabled,
        interval: None,
        ..job()
    };
    let gone = |at| {
        vec![
            jobs_read(at).failed(ReadFailure::Network),
            read_of(Poll::Organization, at).failed(ReadFailure::Network),
        ]
    };
    let errors = [
        ("o1", Some("HybridIdentityServiceAgentTimeout")),
        ("o2", Some("TimeOut")),
        ("o3", Some("HybridIdentityServiceAgentTimeout")),
    ];
    vec![
        (
            5,
            vec![
                lanes(jobs_read(5).job(job()), 0, 0..14),
                read_of(Poll::Organization, 5),
            ],
        ),
        (
            30,
            vec![read_of(Poll::ProvisioningLogs, 30).objects(&errors)],
        ),
        (61, vec![lanes(jobs_read(61), 50, 3..14)]),
        (
            90,
            vec![jobs_read(90).job(quarantined("TooManyDeletes", None))],
        ),
        (121, vec![jobs_read(121)]),
        (130, vec![lanes(jobs_read(130).job(job()), 125, 0..2)]),
        (171, vec![jobs_read(171)]),
        (200, gone(200)),
        (203, gone(203)),
        (300, gone(300)),
        (
            301,
            vec![
                lanes(jobs_read(301), 290, 0..13),
                read_of(Poll::Organization, 301),
            ],
        ),
        (310, vec![jobs_read(310).job(quarantined("Unknown", None))]),
        (320, vec![jobs_read(320).job(disabled)]),
        (330, vec![lanes(jobs_read(330).job(job()), 329, 0..14)]),
        (
            1_600,
            vec![read_of(Poll::ProvisioningLogs, 1_600).objects(&[("o1", None), ("o3", None)])],
        ),
    ]
}

/// Plays the story; the process dies right after its `dies_at`th commit and starts again.
/// Gives every message with its key, and how many commits it took.
async fn play(dies_at: u64) -> (BTreeSet<(String, String)>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let commits = Arc::new(AtomicU64::new(0));
    let open = || open(options(&folder), Arc::clone(&commits), dies_at);
    let (_terms, receiver) = watch::channel(terms(AlertSettings::default()));
    let mut store = open().await;
    let mut evaluator = Evaluator::new(store.clone(), receiver.clone());
    for (step, (at, reads)) in story().into_iter().enumerate() {
        for index in 0..reads.len() {
            let read = || story().remove(step).1.remove(index);
            if let Err(StoreError::Closed) = read().commit(&store).await {
                store = open().await;
                evaluator = Evaluator::new(store.clone(), receiver.clone());
                read().commit(&store).await.unwrap();
            }
        }
        match evaluator.run_once(minute(at)).await {
            Err(EvaluatorError::Store(StoreError::Closed)) => {
                store = open().await;
                evaluator = Evaluator::new(store.clone(), receiver.clone());
                evaluator.run_once(minute(at)).await.unwrap();
            }
            outcome => {
                outcome.unwrap();
            }
        }
    }
    let played = commits.load(Ordering::SeqCst);
    let all = deliver(&store, minute(9_999)).await;
    let told = all
        .iter()
        .map(|delivery| (said(delivery), delivery.idempotency_key.clone()))
        .collect();
    (told, played)
}

async fn open(options: StoreOptions, commits: Arc<AtomicU64>, dies_at: u64) -> Store {
    let probe = CommitProbe::new(move |_| commits.fetch_add(1, Ordering::SeqCst) + 1 != dies_at);
    Store::open_and_migrate(&StoreOptions {
        probe: Some(probe),
        ..options
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn dying_at_any_commit_changes_nothing_that_is_told() {
    let (told, commits) = play(u64::MAX).await;
    let lines: Vec<&str> = told.iter().map(|(line, _)| line.as_str()).collect();
    assert!(
        lines.len() > 15 && commits > 25,
        "{commits} commits: {lines:#?}"
    );
    for dies_at in 1..=commits {
        let (told_with_death, _) = play(dies_at).await;
        assert_eq!(
            told_with_death, told,
            "died at commit {dies_at} of {commits}"
        );
    }
}
