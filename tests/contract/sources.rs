//! Sources: made once, read, failing, retired.

use syncwatch_domain::source::ReadFailure;
use syncwatch_store::{Fact, PollCommit, PollOutcome};

use crate::bench::{Bench, at, job, jobs_source, update};

crate::on_both!(
    a_source_is_made_once_and_keeps_its_record,
    failures_are_counted_from_the_first_until_a_read,
    a_retired_source_pauses_its_lanes_and_comes_back_when_found_again,
    a_source_the_config_does_not_ask_for_takes_its_jobs_along_and_says_why,
    a_source_that_is_retired_while_it_is_judged_stays_unseen,
    what_a_poll_continues_from_is_kept_with_its_rows,
    facts_are_unseen_until_marked_and_again_when_they_change,
);

async fn a_source_is_made_once_and_keeps_its_record(bench: Bench) {
    let first = bench
        .store
        .ensure_source(&jobs_source("sp"), at(5))
        .await
        .expect("a source");
    let again = bench
        .store
        .ensure_source(&jobs_source("sp"), at(9))
        .await
        .expect("a source");
    assert_eq!(first, again);
    assert_eq!(again.state.first_seen_at, at(0), "the bench made it");
    assert_eq!(bench.store.sources(None).await.expect("sources").len(), 1);
    assert!(
        bench
            .store
            .sources(Some("nobody"))
            .await
            .expect("sources")
            .is_empty()
    );
}

async fn failures_are_counted_from_the_first_until_a_read(bench: Bench) {
    bench.read(10, vec![]).await;
    bench.fail(20).await;
    bench.fail(30).await;
    let source = bench
        .store
        .sources(None)
        .await
        .expect("sources")
        .remove(0)
        .state;
    assert_eq!(
        (source.read_at, source.attempted_at),
        (Some(at(10)), Some(at(30)))
    );
    assert_eq!((source.failing_since, source.failures), (Some(at(20)), 2));
    assert_eq!(source.failure, Some(ReadFailure::ServerError));
    assert_eq!(source.failure_text.as_deref(), Some("graph answered 503"));
    bench.read(40, vec![]).await;
    bench.read(35, vec![]).await;
    let source = bench
        .store
        .sources(None)
        .await
        .expect("sources")
        .remove(0)
        .state;
    assert_eq!(
        (source.failing_since, source.failures, source.failure),
        (None, 0, None)
    );
    let last = bench.store.last_read(&jobs_source("sp")).await;
    assert_eq!(last.expect("an answer"), Some(Some(at(40))));
    let unknown = bench.store.last_read(&jobs_source("other")).await;
    assert_eq!(unknown.expect("an answer"), None);
    assert_eq!(
        source.read_at,
        Some(at(40)),
        "a slow answer to an older question moves nothing back"
    );
}

async fn a_retired_source_pauses_its_lanes_and_comes_back_when_found_again(bench: Bench) {
    bench.read(10, vec![update("a", &[5])]).await;
    bench.judge(11).await;
    let mut commit = bench.commit(20, vec![]);
    commit.retired = vec![jobs_source("sp")];
    bench.write(&commit).await;
    assert!(bench.store.sources(None).await.expect("sources").is_empty());
    assert_eq!(
        bench.judge(21).await,
        [("a".to_owned(), syncwatch_domain::lane::LaneStatus::Paused)]
    );
    assert_eq!(
        bench.lane("a").await.idle_reason.as_deref(),
        Some("its configuration is gone")
    );
    let mut commit = bench.commit(30, vec![]);
    commit.discovered = vec![jobs_source("sp")];
    let receipt = bench.write(&commit).await;
    assert_eq!(receipt.discovered[0].id, bench.source);
    assert_eq!(bench.store.sources(None).await.expect("sources").len(), 1);
}

async fn a_source_the_config_does_not_ask_for_takes_its_jobs_along_and_says_why(bench: Bench) {
    let mut commit = bench.commit(10, vec![update("a", &[5])]);
    commit.jobs = vec![job("a")];
    bench.write(&commit).await;
    bench.judge(11).await;
    let mut commit = bench.commit(20, vec![]);
    commit.outcome = PollOutcome::Partial;
    commit.unwatched = vec![jobs_source("sp")];
    bench.write(&commit).await;
    assert!(bench.store.sources(None).await.expect("sources").is_empty());
    assert!(bench.store.jobs().await.expect("jobs").is_empty());
    let unseen = bench.store.unseen().await.expect("unseen");
    assert!(unseen.jobs.iter().any(|stored| stored.gone));
    assert_eq!(
        bench.lane("a").await.idle_reason.as_deref(),
        Some("the configuration of syncwatch does not ask for it")
    );
    let mut commit = bench.commit(30, vec![update("a", &[25])]);
    commit.discovered = vec![jobs_source("sp")];
    commit.jobs = vec![job("a")];
    bench.write(&commit).await;
    assert_eq!(bench.store.jobs().await.expect("jobs").len(), 1);
    assert_eq!(bench.lane("a").await.idle_reason, None);
}

async fn a_source_that_is_retired_while_it_is_judged_stays_unseen(bench: Bench) {
    bench.fail(10).await;
    let looked_at = bench.store.unseen().await.expect("unseen").sources;
    let mut commit = bench.commit(10, vec![]);
    commit.outcome = PollOutcome::Partial;
    commit.retired = vec![jobs_source("sp")];
    bench.write(&commit).await;
    let mut judgement = crate::bench::bare_judgement(11, vec![]);
    judgement.seen.sources = looked_at
        .iter()
        .map(|source| {
            let state = &source.state;
            (source.id, state.attempted_at, state.retired)
        })
        .collect();
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    let unseen = bench.store.unseen().await.expect("unseen").sources;
    assert!(
        unseen.iter().any(|source| source.state.retired),
        "{unseen:?}"
    );
}

async fn what_a_poll_continues_from_is_kept_with_its_rows(bench: Bench) {
    let mut commit = bench.commit(10, vec![]);
    commit.resume = Some("{\"watermark\":7}".to_owned());
    bench.write(&commit).await;
    bench.read(20, vec![]).await;
    bench.fail(30).await;
    let source = bench.store.sources(None).await.expect("sources").remove(0);
    assert_eq!(
        source.resume.as_deref(),
        Some("{\"watermark\":7}"),
        "kept until it is replaced"
    );
}

async fn facts_are_unseen_until_marked_and_again_when_they_change(bench: Bench) {
    let mut commit = PollCommit::bare(bench.source, at(10), at(10), PollOutcome::Read);
    let fact = |days: i64| Fact {
        name: "credential/k1".to_owned(),
        value: serde_json::json!({ "days": days }),
    };
    commit.facts = vec![fact(30)];
    bench.write(&commit).await;
    let unseen = bench.store.unseen().await.expect("unseen");
    assert_eq!(unseen.facts.len(), 1);
    let mut judgement = crate::bench::bare_judgement(11, vec![]);
    judgement.seen.facts = vec![(
        "hauser".to_owned(),
        "credential/k1".to_owned(),
        unseen.facts[0].read_at,
    )];
    bench
        .store
        .commit_judgement(&judgement)
        .await
        .expect("a judgement");
    assert!(bench.store.unseen().await.expect("unseen").facts.is_empty());
    (commit.started_at, commit.finished_at) = (at(20), at(20));
    bench.write(&commit).await;
    assert!(
        bench.store.unseen().await.expect("unseen").facts.is_empty(),
        "nothing new"
    );
    commit.facts = vec![fact(29)];
    (commit.started_at, commit.finished_at) = (at(30), at(30));
    bench.write(&commit).await;
    let unseen = bench.store.unseen().await.expect("unseen");
    assert_eq!(unseen.facts[0].value["days"], 29);
    assert_eq!(
        bench.store.facts(Some("hauser")).await.expect("facts"),
        unseen.facts
    );
}
