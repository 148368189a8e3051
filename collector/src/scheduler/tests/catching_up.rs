use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::ledger::LedgerProof;
use syncwatch_domain::window::judge;

use super::*;

/// The log of a job that runs every 4 minutes from an hour before the start, but for `silent` minutes.
fn cycles_in_log(world: &World, silent: std::ops::Range<i64>) {
    world.graph.on(PROVISIONING, move |asked| {
        let mut rows = Vec::new();
        for minute in (-60..200)
            .step_by(4)
            .filter(|minute| !silent.contains(minute))
        {
            let at = Timestamp::from_millis(START.as_millis() + minute * 60_000);
            if wanted(asked, at) {
                rows.push(row(u32::try_from(minute + 100).unwrap(), OBJECTS, at));
            }
        }
        page(&rows)
    });
}

/// Down from minute 2 to `until`, then all is well and both jobs succeeded a minute before.
async fn outage(world: &mut World, until: u32) {
    world.run_to(1).await;
    let log = world.graph.answer(PROVISIONING);
    let jobs = world.graph.answer(JOBS);
    for path in world.all_down() {
        world
            .graph
            .on(path, |_| refusal(503, "serviceNotAvailable", "busy"));
    }
    world.run_to(until).await;
    let success = START + MINUTE * (until - 1);
    world.succeed(OBJECTS, success);
    world.succeed(HASHES, success);
    world.graph.set(PROVISIONING, log);
    world.graph.set(JOBS, jobs);
}

#[tokio::test]
async fn an_outage_is_recorded_once_and_lanes_past_their_window_are_blind() {
    let mut world = world(|_| ()).await;
    cycles_in_log(&world, 0..0);
    outage(&mut world, 31).await;
    let source = world.source(Poll::Jobs).await;
    assert_eq!(source.failing_since, Some(START + 2 * MINUTE));
    assert!(
        source.failures > 20,
        "it is tried again about every minute: {}",
        source.failures
    );
    let lane = world.lane(Engine::Cloud, LaneKind::Objects).await.unwrap();
    assert_eq!(
        judge(&lane.facts, world.clock.now()).status,
        LaneStatus::Blind
    );
}

#[tokio::test]
async fn the_logs_are_read_back_before_regained_sight_counts() {
    let mut world = world(|_| ()).await;
    cycles_in_log(&world, 0..0);
    outage(&mut world, 31).await;
    world.graph.take_asked();
    let did = world.run_to(34).await;
    let first = |poll, end| {
        did.iter()
            .position(|did| did.source.poll == poll && did.end == end)
            .unwrap()
    };
    let held = first(Poll::Jobs, RunEnd::AwaitsLogs);
    let log = first(Poll::ProvisioningLogs, RunEnd::Read);
    let read = first(Poll::Jobs, RunEnd::Read);
    assert!(held < log && log < read, "{did:?}");
    let lane = world.lane(Engine::Cloud, LaneKind::Objects).await.unwrap();
    assert_eq!(
        judge(&lane.facts, world.clock.now()).status,
        LaneStatus::OnTime
    );
}

#[tokio::test]
async fn windows_met_during_an_outage_are_not_entered_and_missed_ones_are_with_their_time() {
    for (silent, entries) in [(0..0, 0), (6..24, 1)] {
        let mut world = world(|_| ()).await;
        cycles_in_log(&world, silent);
        outage(&mut world, 31).await;
        world.run_to(45).await;
        assert_eq!(
            world.store.ledger(10).await.unwrap().len(),
            0,
            "late rows may still arrive"
        );
        // From here on the jobs keep their cadence.
        world.graph.on(JOBS, {
            let clock = Arc::clone(&world.clock);
            move |_| {
                page(&[
                    job(OBJECTS, clock.now() - MINUTE),
                    job(HASHES, clock.now() - MINUTE),
                ])
            }
        });
        world.run_to(70).await;
        let ledger = world.store.ledger(10).await.unwrap();
        assert_eq!(ledger.len(), entries, "{ledger:?}");
        for (key, entry) in ledger {
            assert_eq!(
                (key.kind, entry.proof),
                (LaneKind::Objects, LedgerProof::Logs),
                "a log without rows proves nothing"
            );
            assert_eq!(entry.from_at, START + 4 * MINUTE);
            assert_eq!(entry.caught_up_at, Some(START + 24 * MINUTE));
        }
        assert!(
            world.store.sources(None).await.unwrap().iter().all(|s| !s
                .resume
                .as_deref()
                .unwrap_or_default()
                .contains("from_ms"))
        );
    }
}

#[tokio::test]
async fn what_is_unsettled_survives_a_restart() {
    let mut world = world(|_| ()).await;
    cycles_in_log(&world, 6..24);
    outage(&mut world, 31).await;
    world.run_to(40).await;
    world.restart();
    world.run_to(70).await;
    assert_eq!(world.store.ledger(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_process_that_was_down_reads_the_logs_back_first() {
    let mut world = world(|_| ()).await;
    cycles_in_log(&world, 6..24);
    world.run_to(1).await;
    world.clock.set(START + 50 * MINUTE);
    world.succeed(OBJECTS, START + 48 * MINUTE);
    world.succeed(HASHES, START + 48 * MINUTE);
    world.restart();
    let did = world.run_to(50).await;
    let last = |poll| {
        did.iter()
            .rposition(|did| did.source.poll == poll && did.end == RunEnd::Read)
            .unwrap()
    };
    assert!(last(Poll::ProvisioningLogs) < last(Poll::Jobs), "{did:?}");
    assert!(*world.collector.caught_up().borrow());
    world.run_to(90).await;
    let ledger = world.store.ledger(10).await.unwrap();
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    assert_eq!(ledger[0].1.caught_up_at, Some(START + 24 * MINUTE));
}

#[tokio::test]
async fn logs_that_cannot_be_read_hold_nobody_up() {
    for refused in [403, 503] {
        let mut world = world(|_| ()).await;
        world.run_to(1).await;
        world.all_down();
        world.run_to(31).await;
        world
            .graph
            .on(PROVISIONING, move |_| refusal(refused, "x", "y"));
        world.graph.on(JOBS, |_| page(&[job(OBJECTS, START)]));
        world.run_to(34).await;
        let lane = world.lane(Engine::Cloud, LaneKind::Objects).await.unwrap();
        assert_eq!(
            judge(&lane.facts, world.clock.now()).status,
            LaneStatus::Missed,
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_store_that_refuses_loses_nothing_that_is_on_record() {
    let mut world = world(|_| ()).await;
    world.run_to(1).await;
    world.store.close().await;
    world.clock.advance(2 * MINUTE);
    world
        .collector
        .run_once(world.clock.now())
        .await
        .unwrap_err();
}
