//! The missed-window ledger: opened by a judgement, closed by a success, mended by logs.

use syncwatch_domain::cycle::CycleEvidence;
use syncwatch_domain::lane::LaneStatus::Missed;
use syncwatch_domain::ledger::LedgerProof;
use syncwatch_store::LaneUpdate;

use crate::bench::{Bench, at, update};

crate::on_both!(
    a_miss_is_open_until_the_success_that_ends_it,
    a_success_published_late_withdraws_the_miss,
    gaps_in_logs_are_entered_with_event_times_and_only_there,
    late_rows_take_a_gap_back,
    a_gap_already_on_record_is_not_entered_twice,
);

async fn a_miss_is_open_until_the_success_that_ends_it(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    bench.read(100, vec![]).await;
    bench.judge(100).await;
    let (key, entry) = bench.store.ledger(10).await.expect("the ledger").remove(0);
    assert_eq!(key.partition, "a");
    assert_eq!(
        (entry.from_at, entry.deadline_at, entry.caught_up_at),
        (at(0), at(100), None)
    );
    assert_eq!((entry.windows, entry.proof), (1, LedgerProof::Observed));
    assert_eq!(bench.lane("a").await.missed_windows, 1);
    bench.read(400, vec![update("a", &[390, 320])]).await;
    bench.judge(400).await;
    let (_, entry) = bench.store.ledger(10).await.expect("the ledger").remove(0);
    assert_eq!((entry.caught_up_at, entry.windows), (Some(at(320)), 5));
    assert_eq!(bench.lane("a").await.missed_windows, 5);
}

async fn a_success_published_late_withdraws_the_miss(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    bench.read(100, vec![]).await;
    assert_eq!(bench.judge(100).await, [("a".into(), Missed)]);
    bench.read(130, vec![update("a", &[90])]).await;
    bench.judge(130).await;
    assert_eq!(
        bench.store.ledger(10).await.expect("the ledger"),
        [],
        "the window was met"
    );
}

fn from_logs(successes: &[i64], span: (i64, i64)) -> LaneUpdate {
    let mut lane = update("a", successes);
    for cycle in &mut lane.cycles {
        cycle.evidence = CycleEvidence::Log;
    }
    lane.gaps_between = Some((at(span.0), at(span.1)));
    lane
}

async fn gaps_in_logs_are_entered_with_event_times_and_only_there(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    bench.fail(50).await;
    bench
        .read(
            1_000,
            vec![from_logs(
                &[
                    60, 120, 180, 420, 480, 540, 600, 660, 720, 780, 840, 900, 960,
                ],
                (0, 1_000),
            )],
        )
        .await;
    bench.judge(1_000).await;
    let ledger = bench.store.ledger(10).await.expect("the ledger");
    assert_eq!(ledger.len(), 1);
    let entry = &ledger[0].1;
    assert_eq!(
        (entry.from_at, entry.deadline_at, entry.caught_up_at),
        (at(180), at(280), Some(at(420)))
    );
    assert_eq!((entry.windows, entry.proof), (4, LedgerProof::Logs));
    assert_eq!(bench.lane("a").await.missed_windows, 4);
}

async fn late_rows_take_a_gap_back(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench
        .read(500, vec![from_logs(&[60, 300, 360, 420, 480], (0, 500))])
        .await;
    assert_eq!(bench.store.ledger(10).await.expect("the ledger").len(), 1);
    bench
        .read(510, vec![from_logs(&[120, 180, 240], (0, 510))])
        .await;
    assert_eq!(bench.store.ledger(10).await.expect("the ledger"), []);
}

async fn a_gap_already_on_record_is_not_entered_twice(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    bench.read(100, vec![]).await;
    bench.judge(100).await;
    bench.read(300, vec![update("a", &[290])]).await;
    bench.read(310, vec![from_logs(&[290], (0, 310))]).await;
    bench.read(311, vec![from_logs(&[290], (0, 311))]).await;
    let ledger = bench.store.ledger(10).await.expect("the ledger");
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].1.proof, LedgerProof::Observed);
    assert_eq!(bench.lane("a").await.missed_windows, 4);
}
