//! What reports make of the lanes of Connect Sync.

use super::*;

#[tokio::test]
async fn runs_become_lanes_of_objects_and_a_failed_import_is_no_success() {
    let desk = Desk::new().await;
    let runs = json!([
        import(1, "success", "2026-11-17T08:21:00Z"),
        export(1, "completed-export-errors", "2026-11-17T08:23:00Z"),
        import(2, "no-start-connection", "2026-11-17T08:51:00Z"),
        export(2, "success", "2026-11-17T08:53:00Z"),
    ]);
    let reached = desk
        .report("SYNC01", 1, &[("runs", runs), scheduler(false, true)])
        .await;
    assert_eq!(reached, 2);
    let forest = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(
        forest.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:21:00Z")
    );
    assert_eq!(forest.intervals.promised, Some(minutes(30)));
    assert_eq!(forest.source_key.instance, "SYNC01/runs");
    let cloud = desk
        .lane(LaneKind::Objects, "hauser.onmicrosoft.com - AAD")
        .await
        .unwrap();
    assert_eq!(
        cloud.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:53:00Z")
    );
    let runs: sync_server::Runs = desk.part("SYNC01", Part::Runs).await.unwrap();
    // The newest import failed: no whole cycle is known.
    assert_eq!(runs.last_success_at, None);
    let newest = &runs.connectors[0].newest[0];
    assert_eq!(
        (newest.bad_in_a_row, newest.result.as_str()),
        (1, "no-start-connection")
    );
}

#[tokio::test]
async fn runs_that_come_again_are_counted_once() {
    let desk = Desk::new().await;
    for (seq, count) in [(1, 1), (2, 1), (3, 2)] {
        // Each report is on its way for another while: its instants are corrected a little otherwise.
        desk.clock.advance(Duration::from_millis(700 * seq));
        let mut runs = vec![import(1, "stopped-server-down", "2026-11-17T08:21:00Z")];
        if seq == 3 {
            runs.push(import(2, "stopped-server-down", "2026-11-17T08:51:00Z"));
        }
        let (_, state) = scheduler(false, true);
        let sent_at = start() + Duration::from_secs(seq);
        let record = |seq: u64, section: &str, data: Value| {
            json!({
                "seq": seq, "section": section, "collected_at": sent_at, "elapsed": {"run": "r", "ms": 10_000},
                "outcome": "read", "data": data,
            })
        };
        let records = vec![
            record(2 * seq - 1, "scheduler", state),
            record(2 * seq, "runs", Value::Array(runs)),
        ];
        desk.take("SYNC01", sent_at, records).await;
        let runs: sync_server::Runs = desk.part("SYNC01", Part::Runs).await.unwrap();
        assert_eq!(runs.connectors[0].newest[0].bad_in_a_row, count);
        let cycles: i64 = desk
            .store
            .cycle_totals()
            .await
            .unwrap()
            .iter()
            .map(|total| total.count)
            .sum();
        assert_eq!(cycles, i64::from(count));
    }
}

#[tokio::test]
async fn a_state_that_comes_again_is_no_new_success() {
    let desk = Desk::new().await;
    for round in 1..4 {
        desk.clock.advance(Duration::from_millis(1300));
        let (_, state) = scheduler(false, true);
        let record = |seq: u64, section: &str, data: &Value| {
            json!({
                "seq": seq, "section": section, "collected_at": start(), "elapsed": {"run": "r", "ms": 10_000},
                "outcome": "read", "data": data,
            })
        };
        let records = vec![
            record(2 * round - 1, "scheduler", &state),
            record(
                2 * round,
                "password_sync",
                &password_state("2026-11-17T08:40:00Z").1,
            ),
        ];
        desk.take("SYNC01", start(), records).await;
        let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
        let first = Timestamp::parse("2026-11-17T08:40:00Z").unwrap();
        assert_eq!(
            lane.facts.last_success_at,
            Some(first + Duration::from_millis(1300))
        );
    }
}

#[tokio::test]
async fn what_a_complete_list_does_not_name_any_more_is_over() {
    let desk = Desk::new().await;
    let runs = json!([import(1, "success", "2026-11-17T08:51:00Z")]);
    desk.report(
        "SYNC01",
        1,
        &[
            scheduler(false, true),
            ("runs", runs),
            password_state("2026-11-17T08:58:00Z"),
        ],
    )
    .await;
    assert!(
        !desk
            .lane(LaneKind::Objects, FOREST)
            .await
            .unwrap()
            .facts
            .paused
    );
    let connectors = json!([{
        "Name": "hauser.onmicrosoft.com - AAD", "Identifier": CLOUD, "Type": "Extensible2",
        "Subtype": "Windows Azure Active Directory (Microsoft)", "Partitions": [],
    }]);
    let states = json!([]);
    desk.report(
        "SYNC01",
        4,
        &[("connectors", connectors), ("password_sync", states)],
    )
    .await;
    for kind in [LaneKind::Objects, LaneKind::PasswordHash] {
        let lane = desk.lane(kind, FOREST).await.unwrap();
        assert!(lane.facts.paused, "{kind}");
    }
    let runs: sync_server::Runs = desk.part("SYNC01", Part::Runs).await.unwrap();
    assert_eq!(runs.connectors, []);
}

#[tokio::test]
async fn a_server_whose_scheduler_was_not_read_claims_no_lanes() {
    let desk = Desk::new().await;
    let runs = json!([import(1, "success", "2026-11-17T08:51:00Z")]);
    let sections = [("runs", runs), password_state("2026-11-17T08:58:00Z")];
    desk.report("SYNC02", 1, &sections).await;
    assert!(desk.lane(LaneKind::Objects, FOREST).await.is_none());
    assert!(desk.lane(LaneKind::PasswordHash, FOREST).await.is_none());
}

#[tokio::test]
async fn a_server_that_goes_into_staging_hands_its_lanes_to_the_next() {
    let desk = Desk::new().await;
    let runs = |ended: &str| ("runs", json!([import(1, "success", ended)]));
    desk.report(
        "SYNC01",
        1,
        &[scheduler(false, true), runs("2026-11-17T08:51:00Z")],
    )
    .await;
    desk.report(
        "SYNC02",
        1,
        &[scheduler(true, true), runs("2026-11-17T08:55:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(
        lane.source_key.instance, "SYNC01/runs",
        "a copy has no lanes"
    );
    assert!(!lane.facts.paused);
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:51:00Z")
    );
    desk.report(
        "SYNC01",
        3,
        &[scheduler(true, true), runs("2026-11-17T08:51:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert!(lane.facts.paused);
    desk.report(
        "SYNC02",
        3,
        &[scheduler(false, true), runs("2026-11-17T08:57:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(lane.source_key.instance, "SYNC02/runs");
    assert!(!lane.facts.paused);
    // What the old one says of its past does not take the lane back.
    desk.report(
        "SYNC01",
        5,
        &[scheduler(true, true), runs("2026-11-17T08:51:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(lane.source_key.instance, "SYNC02/runs");
    assert!(!lane.facts.paused);
}

#[tokio::test]
async fn password_hashes_live_by_state_and_events_alike() {
    let desk = Desk::new().await;
    desk.report(
        "SYNC01",
        1,
        &[
            password_state("2026-11-17T08:40:00Z"),
            scheduler(false, true),
        ],
    )
    .await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:40:00Z")
    );
    let event = |id: u32, at: &str, message: &str| {
        json!({
            "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": id, "Level": 4,
            "RecordId": 4000 + id, "TimeCreated": at, "Message": message,
        })
    };
    let events = json!([
        event(
            654,
            "2026-11-17T08:58:00Z",
            "Provision credentials ping end. TrackingID : x"
        ),
        event(
            611,
            "2026-11-17T08:50:00Z",
            "Password hash synchronization failed for domain: ad.hauser.example, domain controller hostname: dc1. Details: System.Exception: RPC Error 1722"
        ),
    ]);
    desk.report(
        "SYNC01",
        3,
        &[("events", events), password_state("2026-11-17T08:40:00Z")],
    )
    .await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:58:00Z")
    );
    let state: sync_server::PasswordSync = desk.part("SYNC01", Part::PasswordSync).await.unwrap();
    assert_eq!(
        state.domains[0].failed_at,
        [Timestamp::parse("2026-11-17T08:50:00Z").unwrap()]
    );
    assert_eq!(state.domains[0].enabled, Some(true));
}
