//! Lanes: windows that move forward, sight, and judgements guarded by versions.

use std::time::Duration;

use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::job::{Job, JobStatus};
use syncwatch_domain::lane::LaneStatus::{Blind, Late, Missed, OnTime, Paused, Unknown};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_store::{Expectation, LaneUpdate, PollOutcome};

use crate::bench::{Bench, at, bare_judgement, job, jobs_source, judgement_of, success, update};

crate::on_both!(
    a_lane_goes_from_unknown_over_late_to_missed_and_back,
    successes_in_any_order_never_move_a_deadline_back,
    a_lane_is_not_due_before_its_source_was_read,
    an_unreadable_source_makes_lanes_blind_and_sight_wakes_them,
    a_read_of_one_lane_covers_that_lane_alone,
    a_lane_that_changed_while_it_was_judged_is_judged_again,
    a_paused_lane_has_no_window_and_begins_anew_when_resumed,
    a_masked_lane_is_unknown_and_keeps_its_last_success,
    a_success_from_the_future_counts_as_now,
    failed_cycles_are_counted_but_keep_no_cadence,
    the_nearest_instants_are_found,
    many_lanes_are_taken_in_at_once,
    a_changed_config_retimes_every_lane,
    a_lane_moves_to_a_new_source_with_its_record,
    a_lane_of_a_job_that_is_gone_is_paused,
    a_list_that_ends_late_takes_back_nothing_that_was_confirmed_meanwhile,
);

async fn a_lane_goes_from_unknown_over_late_to_missed_and_back(bench: Bench) {
    bench.read(1, vec![update("a", &[])]).await;
    assert_eq!(bench.judge(1).await, [("a".into(), Unknown)]);
    bench.read(2, vec![update("a", &[0])]).await;
    assert_eq!(bench.judge(2).await, [("a".into(), OnTime)]);
    assert_eq!(bench.judge(59).await, []);
    bench.read(60, vec![]).await;
    assert_eq!(bench.judge(60).await, [("a".into(), Late)]);
    bench.read(100, vec![]).await;
    assert_eq!(bench.judge(100).await, [("a".into(), Missed)]);
    let lane = bench.lane("a").await;
    assert_eq!((lane.status, lane.status_at), (Missed, Some(at(100))));
    bench.read(150, vec![update("a", &[145])]).await;
    assert_eq!(bench.judge(150).await, [("a".into(), OnTime)]);
    assert_eq!(bench.lane("a").await.facts.deadline_at, Some(at(245)));
}

async fn successes_in_any_order_never_move_a_deadline_back(bench: Bench) {
    bench.read(50, vec![update("a", &[40, 10, 30])]).await;
    assert_eq!(bench.lane("a").await.facts.deadline_at, Some(at(140)));
    bench.read(51, vec![update("a", &[20])]).await;
    let lane = bench.lane("a").await;
    assert_eq!(lane.facts.last_success_at, Some(at(40)));
    assert_eq!(lane.facts.deadline_at, Some(at(140)));
}

async fn a_lane_is_not_due_before_its_source_was_read(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    assert_eq!(bench.due(75).await, [], "late, but nobody looked since");
    assert_eq!(bench.due(120).await, [], "over, but nobody looked since");
    assert_eq!(
        bench.judge(160).await,
        [("a".into(), Blind)],
        "and patience has an end"
    );
}

async fn an_unreadable_source_makes_lanes_blind_and_sight_wakes_them(bench: Bench) {
    bench
        .read(1, vec![update("a", &[0]), update("b", &[0])])
        .await;
    bench.judge(1).await;
    bench.fail(65).await;
    assert_eq!(bench.judge(70).await, [], "no window closed yet");
    let mut judged = bench.judge(100).await;
    judged.sort();
    assert_eq!(judged, [("a".into(), Blind), ("b".into(), Blind)]);
    assert_eq!(bench.lane("a").await.status_at, Some(at(100)));
    bench.fail(130).await;
    assert_eq!(bench.judge(131).await, []);
    bench.read(140, vec![update("a", &[135])]).await;
    let mut judged = bench.judge(140).await;
    judged.sort();
    assert_eq!(judged, [("a".into(), OnTime), ("b".into(), Missed)]);
}

async fn a_read_of_one_lane_covers_that_lane_alone(bench: Bench) {
    bench
        .read(1, vec![update("a", &[0]), update("b", &[0])])
        .await;
    bench.judge(1).await;
    let crossing = bench
        .store
        .lanes_crossing(bench.source, at(1), at(100))
        .await
        .expect("lanes");
    assert_eq!(crossing.len(), 2);
    let mut commit = bench.commit(100, vec![]);
    commit.outcome = PollOutcome::Partial;
    let mut confirmed = update("a", &[]);
    confirmed.confirmed = true;
    commit.lanes = vec![confirmed];
    bench.write(&commit).await;
    assert_eq!(bench.judge(100).await, [("a".into(), Missed)]);
    let crossing = bench
        .store
        .lanes_crossing(bench.source, at(1), at(100))
        .await
        .expect("lanes");
    assert_eq!(crossing.len(), 1, "a is confirmed");
    assert_eq!(crossing[0].key.partition, "b");
}

async fn a_lane_that_changed_while_it_was_judged_is_judged_again(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    bench.read(100, vec![]).await;
    let due = bench.due(100).await;
    let judged = judgement_of(&due[0], at(100));
    assert_eq!(judged.to, Missed);
    bench.read(101, vec![update("a", &[99])]).await;
    let receipt = bench
        .store
        .commit_judgement(&bare_judgement(101, vec![judged]))
        .await
        .expect("an answer");
    assert!(!receipt.committed);
    assert_eq!(bench.lane("a").await.status, OnTime);
    assert_eq!(bench.store.ledger(10).await.expect("the ledger"), []);
}

async fn a_paused_lane_has_no_window_and_begins_anew_when_resumed(bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    let mut paused = update("a", &[]);
    paused.expectation = Expectation::Paused {
        reason: "the job is paused".to_owned(),
    };
    bench.read(50, vec![paused]).await;
    assert_eq!(bench.judge(50).await, [("a".into(), Paused)]);
    bench.read(500, vec![]).await;
    assert_eq!(bench.judge(500).await, []);
    bench.read(600, vec![update("a", &[])]).await;
    assert_eq!(
        bench.judge(600).await,
        [("a".into(), OnTime)],
        "not missed: it was not expected to run"
    );
    assert_eq!(bench.lane("a").await.facts.deadline_at, Some(at(700)));
}

async fn a_masked_lane_is_unknown_and_keeps_its_last_success(bench: Bench) {
    let mut masked = update("tenant", &[0]);
    masked.expectation = Expectation::Masked {
        reason: "Cloud Sync moves the same time stamp".to_owned(),
    };
    bench.read(1, vec![masked]).await;
    assert_eq!(bench.judge(1).await, [("tenant".into(), Unknown)]);
    let lane = bench.lane("tenant").await;
    assert_eq!(
        (lane.facts.last_success_at, lane.facts.deadline_at),
        (Some(at(0)), None)
    );
    assert_eq!(bench.judge(9_000).await, []);
}

async fn a_success_from_the_future_counts_as_now(bench: Bench) {
    bench.read(10, vec![update("a", &[900])]).await;
    assert_eq!(bench.lane("a").await.facts.last_success_at, Some(at(10)));
}

async fn failed_cycles_are_counted_but_keep_no_cadence(bench: Bench) {
    let mut failed = success(at(30));
    failed.outcome = CycleOutcome::Failed;
    let mut lane = update("a", &[10, 20]);
    lane.cycles.push(failed);
    bench.read(40, vec![lane.clone()]).await;
    bench.read(41, vec![lane]).await;
    assert_eq!(bench.lane("a").await.facts.last_success_at, Some(at(20)));
    let totals = bench.store.cycle_totals().await.expect("totals");
    let of = |outcome| {
        totals
            .iter()
            .find(|total| total.outcome == outcome)
            .expect("a total")
    };
    let succeeded = of(CycleOutcome::Succeeded);
    assert_eq!(
        (succeeded.count, succeeded.timed, succeeded.duration_ms),
        (2, 2, 4_000)
    );
    assert_eq!(
        of(CycleOutcome::Failed).count,
        1,
        "told twice, counted once"
    );
}

async fn the_nearest_instants_are_found(bench: Bench) {
    bench
        .read(1, vec![update("a", &[0]), update("b", &[1])])
        .await;
    bench.judge(1).await;
    let next = |after: i64| bench.store.next_lane_instant(bench.source, at(after));
    assert_eq!(next(1).await.expect("an instant"), Some(at(60)));
    assert_eq!(next(60).await.expect("an instant"), Some(at(61)));
    assert_eq!(next(61).await.expect("an instant"), Some(at(100)));
    assert_eq!(next(101).await.expect("an instant"), None);
    let due = |now: i64| bench.store.next_lane_due(at(now));
    for now in [1, 70, 120] {
        assert_eq!(
            due(now).await.expect("an instant"),
            Some(at(160)),
            "a read announces itself, and until then there is patience"
        );
    }
    bench.fail(70).await;
    assert_eq!(
        due(70).await.expect("an instant"),
        Some(at(100)),
        "no read can be hoped for"
    );
}

async fn many_lanes_are_taken_in_at_once(bench: Bench) {
    let lanes: Vec<_> = (0..450)
        .map(|n| update(&format!("p{n:03}"), &[n % 50]))
        .collect();
    bench.read(55, lanes.clone()).await;
    assert_eq!(bench.judge(55).await.len(), 450);
    bench.read(56, lanes).await;
    assert_eq!(bench.due(56).await, [], "nothing new, nothing to judge");
    bench.read(200, vec![]).await;
    let judged = bench.judge(200).await;
    assert_eq!(
        judged
            .iter()
            .filter(|(_, status)| *status == Missed)
            .count(),
        450
    );
    assert_eq!(
        bench.store.ledger(1_000).await.expect("the ledger").len(),
        450
    );
    assert_eq!(
        bench.lane("p449").await.facts.last_success_at,
        Some(at(449 % 50))
    );
}

async fn a_changed_config_retimes_every_lane(mut bench: Bench) {
    bench.read(1, vec![update("a", &[0])]).await;
    bench.judge(1).await;
    bench.policy.rules[0].grace = Some(syncwatch_domain::span::Span::secs(10));
    bench
        .store
        .apply_policy(&bench.policy, at(2))
        .await
        .expect("applied");
    assert_eq!(bench.lane("a").await.facts.deadline_at, Some(at(70)));
    bench.policy.rules[0].paused = Some(true);
    bench
        .store
        .apply_policy(&bench.policy, at(3))
        .await
        .expect("applied");
    assert_eq!(bench.judge(3).await, [("a".into(), Paused)]);
    bench.policy = LanePolicy::default();
    bench
        .store
        .apply_policy(&bench.policy, at(4))
        .await
        .expect("applied");
    assert_eq!(bench.judge(4).await, [("a".into(), OnTime)]);
    let lane = bench.lane("a").await;
    assert_eq!(
        lane.timing.interval,
        Duration::from_secs(20),
        "the promised one again"
    );
}

async fn a_lane_moves_to_a_new_source_with_its_record(mut bench: Bench) {
    let lanes: Vec<_> = (0..9).map(|n| update(&format!("p{n}"), &[10])).collect();
    bench.read(11, lanes).await;
    bench.judge(11).await;
    let mut commit = bench.commit(12, vec![]);
    commit.retired = vec![jobs_source("sp")];
    commit.discovered = vec![jobs_source("recreated")];
    bench.source = bench.write(&commit).await.discovered[0].id;
    bench.judge(12).await;
    let lanes: Vec<_> = (0..9).map(|n| update(&format!("p{n}"), &[])).collect();
    bench.read(20, lanes).await;
    assert_eq!(bench.judge(20).await.len(), 9);
    let lane = bench.lane("p3").await;
    assert_eq!(
        (lane.status, lane.facts.last_success_at),
        (OnTime, Some(at(10)))
    );
    assert_eq!(lane.source_key, jobs_source("recreated"));
}

async fn a_lane_of_a_job_that_is_gone_is_paused(bench: Bench) {
    let mut commit = bench.commit(10, vec![update("a", &[5]), update("b", &[5])]);
    commit.jobs = vec![job("a"), job("b")];
    commit.jobs_complete = true;
    bench.write(&commit).await;
    bench.judge(10).await;
    assert_eq!(bench.store.jobs().await.expect("jobs").len(), 2);
    let mut commit = bench.commit(20, vec![]);
    commit.jobs = vec![job("b")];
    commit.jobs_complete = true;
    bench.write(&commit).await;
    assert_eq!(bench.judge(20).await, [("a".into(), Paused)]);
    assert_eq!(
        bench.lane("a").await.idle_reason.as_deref(),
        Some("its job is gone")
    );
    assert_eq!(bench.store.jobs().await.expect("jobs"), [job("b")]);
    let gone: Vec<_> = bench
        .store
        .unseen()
        .await
        .expect("unseen")
        .jobs
        .into_iter()
        .filter(|job| job.gone)
        .collect();
    assert_eq!(gone.len(), 1);
}

async fn a_list_that_ends_late_takes_back_nothing_that_was_confirmed_meanwhile(bench: Bench) {
    let told = |seconds: i64, status, lane| {
        let mut commit = bench.commit(seconds, vec![lane]);
        commit.jobs = vec![Job {
            status,
            read_at: at(seconds),
            ..job("a")
        }];
        commit
    };
    let paused = LaneUpdate {
        expectation: Expectation::Paused {
            reason: "the job is paused".to_owned(),
        },
        confirmed: true,
        ..update("a", &[])
    };
    let mut alone = told(50, JobStatus::Paused, paused);
    alone.outcome = PollOutcome::Partial;
    let mut list = told(40, JobStatus::Active, update("a", &[35]));
    list.jobs_complete = true;
    list.finished_at = at(55);
    bench
        .write(&told(10, JobStatus::Active, update("a", &[5])))
        .await;
    bench.write(&alone).await;
    bench.write(&list).await;
    let lane = bench.lane("a").await;
    assert_eq!(lane.idle_reason.as_deref(), Some("the job is paused"));
    assert_eq!(
        lane.facts.last_success_at,
        Some(at(35)),
        "it is no less true"
    );
    let status = |jobs: Vec<Job>| jobs.first().map(|job| job.status);
    let jobs = bench.store.jobs().await.expect("jobs");
    assert_eq!(status(jobs), Some(JobStatus::Paused));
    let mut next = told(60, JobStatus::Active, update("a", &[35]));
    next.jobs_complete = true;
    bench.write(&next).await;
    assert_eq!(bench.lane("a").await.idle_reason, None);
    let jobs = bench.store.jobs().await.expect("jobs");
    assert_eq!(status(jobs), Some(JobStatus::Active));
}
