//! Rows of logs: each once, whatever comes how often, and the objects that fail at present.

use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use syncwatch_store::{LogPage, LogRow, LogStream, ObjectErrorSummary, PollReceipt, Store};

use crate::bench::{Bench, at, bare_judgement, job};

crate::on_both!(
    rows_that_come_again_are_stored_once,
    memory_is_not_needed_to_know_a_row,
    an_id_that_comes_back_with_another_instant_is_kept_out,
    rows_come_back_as_they_were,
    rows_are_counted_by_action_status_and_group,
    an_object_fails_until_its_newest_row_says_otherwise,
    errors_that_change_while_they_are_judged_stay_unseen,
    a_job_that_is_gone_has_no_failing_objects,
    a_page_that_fails_leaves_nothing_behind,
    a_large_page_is_stored_whole,
    a_page_prepared_before_its_predecessor_was_committed_adds_only_what_is_new,
    a_page_prepared_elsewhere_adds_only_what_is_new,
);

const JOB: &str = "AD2AADProvisioning.0123.job-a";
const RAW: &[u8] = br#"{"id":"x","provisioningAction":"update","note":"gr\u00fcn"}"#;

fn row(number: u32, seconds: i64) -> LogRow<'static> {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    id[12..].copy_from_slice(&number.to_be_bytes());
    LogRow {
        id: RowId(id),
        occurred_at: at(seconds),
        job_id: JOB.into(),
        action: ProvisioningAction::Update,
        status: ProvisioningStatus::Success,
        error_code: None,
        object_id: Some("object-1".into()),
        cycle_id: None,
        raw: RAW,
    }
}

fn failure(number: u32, seconds: i64, object: &'static str, code: &'static str) -> LogRow<'static> {
    LogRow {
        status: ProvisioningStatus::Failure,
        error_code: Some(code.into()),
        object_id: Some(object.into()),
        ..row(number, seconds)
    }
}

fn prepare(store: &Store, rows: &[LogRow<'_>]) -> LogPage {
    store
        .prepare_log(LogStream::Provisioning, rows)
        .expect("a page")
}

async fn write(bench: &Bench, store: &Store, rows: &[LogRow<'static>]) -> PollReceipt {
    commit_page(bench, store, &prepare(store, rows)).await
}

async fn commit_page(bench: &Bench, store: &Store, page: &LogPage) -> PollReceipt {
    let mut commit = bench.commit(900, vec![]);
    commit.log = Some(page);
    store
        .commit_poll(&commit, &bench.policy)
        .await
        .expect("a commit")
}

async fn rows_that_come_again_are_stored_once(bench: Bench) {
    let first: Vec<_> = (0..40).map(|n| row(n, i64::from(n))).collect();
    let overlap: Vec<_> = (20..60).map(|n| row(n, i64::from(n))).collect();
    let mut twice = first.clone();
    twice.extend_from_slice(&first[..5]);
    let receipt = write(&bench, &bench.store, &twice).await;
    assert_eq!((receipt.stored, receipt.repeated), (40, 5));
    let receipt = write(&bench, &bench.store, &overlap).await;
    assert_eq!((receipt.stored, receipt.repeated), (20, 20));
    assert_eq!(bench.store.log_row_count().await.expect("a count"), 60);
}

async fn memory_is_not_needed_to_know_a_row(bench: Bench) {
    let first: Vec<_> = (0..30).map(|n| row(n, i64::from(n))).collect();
    write(&bench, &bench.store, &first).await;
    let restarted = bench.another("first", None).await;
    let overlap: Vec<_> = (10..40).map(|n| row(n, i64::from(n))).collect();
    let receipt = write(&bench, &restarted, &overlap).await;
    assert_eq!((receipt.stored, receipt.repeated), (10, 20));
    assert_eq!(restarted.log_row_count().await.expect("a count"), 40);
    let totals = restarted.event_totals().await.expect("totals");
    assert_eq!(
        totals.iter().map(|total| total.count).sum::<i64>(),
        40,
        "counted once"
    );
}

async fn an_id_that_comes_back_with_another_instant_is_kept_out(bench: Bench) {
    write(&bench, &bench.store, &[row(1, 10)]).await;
    let receipt = write(&bench, &bench.store, &[row(1, 11), row(2, 11)]).await;
    assert_eq!((receipt.stored, receipt.conflicting), (1, 1));
    assert_eq!(bench.store.log_row_count().await.expect("a count"), 2);
}

async fn rows_come_back_as_they_were(bench: Bench) {
    write(
        &bench,
        &bench.store,
        &[failure(7, 70, "object-9", "DuplicateTargetEntries")],
    )
    .await;
    let rows = bench.store.log_rows("hauser", JOB, 10).await.expect("rows");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].raw, RAW);
    assert_eq!(rows[0].id, row(7, 70).id);
    assert_eq!(rows[0].occurred_at, at(70));
    assert_eq!(rows[0].status, ProvisioningStatus::Failure);
    assert_eq!(
        rows[0].error_code.as_deref(),
        Some("DuplicateTargetEntries")
    );
    assert_eq!(rows[0].object_id.as_deref(), Some("object-9"));
}

async fn rows_are_counted_by_action_status_and_group(bench: Bench) {
    let rows = [
        row(1, 1),
        row(2, 2),
        failure(3, 3, "a", "AttributeValueMustBeUnique"),
        failure(4, 4, "b", "HybridIdentityServiceAgentTimeout"),
    ];
    write(&bench, &bench.store, &rows).await;
    write(&bench, &bench.store, &rows).await;
    let totals = bench.store.event_totals().await.expect("totals");
    let count = |status, group| {
        let found = totals
            .iter()
            .find(|total| total.status == status && total.error_group == group);
        found.map_or(0, |total| total.count)
    };
    assert_eq!(count(ProvisioningStatus::Success, None), 2);
    assert_eq!(
        count(ProvisioningStatus::Failure, Some(ErrorGroup::Data)),
        1
    );
    assert_eq!(
        count(ProvisioningStatus::Failure, Some(ErrorGroup::AgentPath)),
        1
    );
}

async fn an_object_fails_until_its_newest_row_says_otherwise(bench: Bench) {
    let data = |summaries: Vec<ObjectErrorSummary>| {
        summaries
            .into_iter()
            .find(|summary| summary.group == ErrorGroup::Data)
            .expect("the data group")
    };
    write(
        &bench,
        &bench.store,
        &[
            failure(1, 10, "a", "InvalidSoftMatch"),
            failure(2, 12, "b", "InvalidSoftMatch"),
            failure(3, 11, "c", "X"),
        ],
    )
    .await;
    let summary = data(bench.store.unseen().await.expect("unseen").object_errors);
    assert_eq!(
        (summary.objects, summary.first_at, summary.last_at),
        (3, Some(at(10)), Some(at(12)))
    );
    assert_eq!(summary.codes[0], ("InvalidSoftMatch".to_owned(), 2));
    let done = LogRow {
        object_id: Some("a".into()),
        ..row(4, 20)
    };
    let too_old = LogRow {
        object_id: Some("b".into()),
        ..row(5, 5)
    };
    write(&bench, &bench.store, &[done, too_old]).await;
    let summary = data(bench.store.object_errors().await.expect("summaries"));
    assert_eq!(
        summary.objects, 2,
        "a recovered; the success of b is older than its failure"
    );
    let all = [("b", 30, 6), ("c", 31, 7)];
    let rows: Vec<_> = all
        .into_iter()
        .map(|(object, seconds, n)| LogRow {
            object_id: Some(object.into()),
            ..row(n, seconds)
        })
        .collect();
    write(&bench, &bench.store, &rows).await;
    let summary = data(bench.store.unseen().await.expect("unseen").object_errors);
    assert_eq!(
        (summary.objects, summary.first_at),
        (0, None),
        "all recovered is said, not left out"
    );
}

async fn errors_that_change_while_they_are_judged_stay_unseen(bench: Bench) {
    let see = async |looked_at: &[ObjectErrorSummary]| {
        let mut judgement = bare_judgement(100, vec![]);
        judgement.seen.object_errors = looked_at
            .iter()
            .map(|errors| (errors.tenant.clone(), errors.job_id.clone(), errors.version))
            .collect();
        let receipt = bench.store.commit_judgement(&judgement).await;
        assert!(receipt.expect("a judgement").committed);
        bench.store.unseen().await.expect("unseen").object_errors
    };
    write(&bench, &bench.store, &[failure(1, 10, "a", "X")]).await;
    let looked_at = bench.store.unseen().await.expect("unseen").object_errors;
    assert!(!looked_at.is_empty());
    write(&bench, &bench.store, &[failure(2, 11, "b", "X")]).await;
    let left = see(&looked_at).await;
    let objects: i64 = left.iter().map(|errors| errors.objects).sum();
    assert_eq!(
        objects, 2,
        "the page that came meanwhile is still to be judged"
    );
    assert_eq!(see(&left).await, []);
    // Back in the state that was seen first, but by another way.
    let done = LogRow {
        object_id: Some("b".into()),
        ..row(3, 20)
    };
    write(&bench, &bench.store, &[done]).await;
    assert_ne!(see(&looked_at).await, []);
}

async fn a_job_that_is_gone_has_no_failing_objects(bench: Bench) {
    let of = |partition: &str| format!("AD2AADProvisioning.{partition}");
    let (kept, gone) = (of("a"), of("b"));
    let mut commit = bench.commit(10, vec![]);
    commit.jobs = vec![job("a"), job("b")];
    let rows = [
        LogRow {
            job_id: kept.as_str().into(),
            ..failure(1, 10, "a", "X")
        },
        LogRow {
            job_id: gone.as_str().into(),
            ..failure(2, 10, "b", "X")
        },
    ];
    let page = prepare(&bench.store, &rows);
    commit.log = Some(&page);
    bench.write(&commit).await;
    let failing = async || {
        let all = bench.store.object_errors().await.expect("summaries");
        let failing = all.into_iter().filter(|errors| errors.objects > 0);
        failing.map(|errors| errors.job_id).collect::<Vec<_>>()
    };
    assert_eq!(failing().await, [kept.clone(), gone.clone()]);
    let mut commit = bench.commit(20, vec![]);
    commit.jobs = vec![job("a")];
    commit.jobs_complete = true;
    bench.write(&commit).await;
    assert_eq!(failing().await, [kept]);
}

async fn a_page_that_fails_leaves_nothing_behind(bench: Bench) {
    let dying = bench
        .another("first", Some(syncwatch_store::CommitProbe::new(|_| true)))
        .await;
    let rows = [row(1, 1)];
    let mut commit = bench.commit(900, vec![]);
    commit.source = syncwatch_store::SourceId(4_711);
    let page = prepare(&dying, &rows);
    commit.log = Some(&page);
    dying
        .commit_poll(&commit, &bench.policy)
        .await
        .expect_err("an unknown source");
    assert_eq!(bench.store.log_row_count().await.expect("a count"), 0);
    let receipt = write(&bench, &dying, &[row(1, 1)]).await;
    assert_eq!(
        receipt.stored, 1,
        "what was not committed is not remembered as stored"
    );
}

async fn a_large_page_is_stored_whole(bench: Bench) {
    let rows: Vec<_> = (0..1_730).map(|n| row(n, i64::from(n % 97))).collect();
    let receipt = write(&bench, &bench.store, &rows).await;
    assert_eq!((receipt.stored, receipt.repeated), (1_730, 0));
    let restarted = bench.another("first", None).await;
    let receipt = write(&bench, &restarted, &rows).await;
    assert_eq!((receipt.stored, receipt.repeated), (0, 1_730));
}

async fn a_page_prepared_before_its_predecessor_was_committed_adds_only_what_is_new(bench: Bench) {
    let store = &bench.store;
    let first: Vec<_> = (0..40).map(|n| row(n, i64::from(n))).collect();
    let mut second: Vec<_> = (30..60).map(|n| row(n, i64::from(n))).collect();
    second.push(row(5, 500));
    let (first, second) = (prepare(store, &first), prepare(store, &second));
    let receipt = commit_page(&bench, store, &first).await;
    assert_eq!((receipt.stored, receipt.repeated), (40, 0));
    let receipt = commit_page(&bench, store, &second).await;
    assert_eq!(
        (receipt.stored, receipt.repeated, receipt.conflicting),
        (20, 10, 1)
    );
    exactly(store, 60).await;
    let receipt = commit_page(&bench, store, &second).await;
    assert_eq!((receipt.stored, receipt.repeated), (0, 30), "once more");
    exactly(store, 60).await;
}

async fn a_page_prepared_elsewhere_adds_only_what_is_new(bench: Bench) {
    let rows: Vec<_> = (0..40).map(|n| row(n, i64::from(n))).collect();
    let other = bench.another("first", None).await;
    let page = prepare(&other, &rows);
    write(&bench, &bench.store, &rows[..30]).await;
    // The other one does not know what was stored meanwhile; the key does.
    let receipt = commit_page(&bench, &other, &page).await;
    assert_eq!((receipt.stored, receipt.repeated), (10, 30));
    exactly(&other, 40).await;
}

/// So many rows are stored and counted.
async fn exactly(store: &Store, rows: i64) {
    assert_eq!(store.log_row_count().await.expect("a count"), rows);
    let totals = store.event_totals().await.expect("totals");
    let counted: i64 = totals.iter().map(|total| total.count).sum();
    assert_eq!(counted, rows, "each is counted once");
}
