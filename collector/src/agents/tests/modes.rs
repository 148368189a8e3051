//! Batches that were held up while a server went into staging mode, or out of it.

use super::*;

/// Sections, each with how many minutes before the batch was sent they were read.
async fn backlog(desk: &Desk, host: &str, sections: &[(u64, (&str, Value))]) {
    let sent_at = desk.clock.now();
    let records = sections
        .iter()
        .zip(1..)
        .map(|((ago, (section, data)), seq)| {
            json!({
                "seq": seq, "section": section, "collected_at": sent_at - minutes(*ago),
                "elapsed": {"run": "another run", "ms": 9000}, "outcome": "read", "data": data,
            })
        });
    desk.take(host, sent_at, records.collect()).await;
}

fn runs(all: &[(u32, &str)]) -> (&'static str, Value) {
    let runs = all.iter();
    let runs = runs.map(|(number, ended)| import(*number, "success", ended));
    ("runs", Value::Array(runs.collect()))
}

async fn cycles(desk: &Desk) -> i64 {
    let totals = desk.store.cycle_totals().await.unwrap();
    totals.iter().map(|total| total.count).sum()
}

#[tokio::test]
async fn what_a_copy_did_before_it_was_promoted_is_no_success_of_a_lane() {
    let desk = Desk::new().await;
    let before = (1, "2026-11-17T08:05:00Z");
    let after = (2, "2026-11-17T08:35:00Z");
    let sections = [
        (52, scheduler(true, true)),
        (51, runs(&[before])),
        (30, scheduler(false, true)),
        (24, runs(&[before, after])),
    ];
    backlog(&desk, "SYNC02", &sections).await;
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(lane.facts.last_success_at, Timestamp::parse(after.1));
    assert!(!lane.facts.paused);
    assert_eq!(cycles(&desk).await, 1);
    let known: sync_server::Scheduler = desk.part("SYNC02", Part::Scheduler).await.unwrap();
    assert!(!known.staging_mode);
}

#[tokio::test]
async fn what_a_server_did_before_it_was_made_a_copy_still_counts() {
    let desk = Desk::new().await;
    let before = (1, "2026-11-17T08:05:00Z");
    let after = (2, "2026-11-17T08:35:00Z");
    let sections = [
        (52, scheduler(false, true)),
        (51, runs(&[before])),
        (51, password_state("2026-11-17T08:04:00Z")),
        (30, scheduler(true, true)),
        (24, runs(&[before, after])),
        (24, password_state("2026-11-17T08:34:00Z")),
    ];
    backlog(&desk, "SYNC01", &sections).await;
    for (kind, ended) in [
        (LaneKind::Objects, before.1),
        (LaneKind::PasswordHash, "2026-11-17T08:04:00Z"),
    ] {
        let lane = desk.lane(kind, FOREST).await.unwrap();
        assert_eq!(lane.facts.last_success_at, Timestamp::parse(ended));
        assert!(lane.facts.paused, "{kind}: the copy has no windows to meet");
    }
    assert_eq!(cycles(&desk).await, 2);
}

#[tokio::test]
async fn a_sign_of_life_after_a_promotion_is_not_used_up_before_it() {
    let desk = Desk::new().await;
    let state = password_state("2026-11-17T08:00:00Z");
    let ping = json!([{
        "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": 654, "Level": 4,
        "RecordId": 4654, "TimeCreated": "2026-11-17T08:40:00Z",
        "Message": "Provision credentials ping end. TrackingID : x",
    }]);
    let sections = [
        (52, scheduler(true, true)),
        (51, state.clone()),
        (30, scheduler(false, true)),
        (19, ("events", ping)),
        (18, state),
    ];
    backlog(&desk, "SYNC02", &sections).await;
    let lane = desk.lane(LaneKind::PasswordHash, FOREST).await.unwrap();
    assert_eq!(
        lane.facts.last_success_at,
        Timestamp::parse("2026-11-17T08:40:00Z")
    );
    let known: sync_server::PasswordSync = desk.part("SYNC02", Part::PasswordSync).await.unwrap();
    assert_eq!(
        known.domains[0].alive_at,
        Timestamp::parse("2026-11-17T08:40:00Z")
    );
}

#[tokio::test]
async fn a_promotion_that_was_stored_before_judges_what_comes_after() {
    let desk = Desk::new().await;
    desk.report("SYNC02", 1, &[scheduler(true, true)]).await;
    let before = (1, "2026-11-17T08:05:00Z");
    let after = (2, "2026-11-17T08:35:00Z");
    // The first record comes before any word of a scheduler in this batch: the stored one counts.
    let sent_at = desk.clock.now();
    let sections = [
        (2, runs(&[before])),
        (3, scheduler(false, true)),
        (4, runs(&[before, after])),
    ];
    let records = sections.iter().map(|(seq, (section, data))| {
        json!({
            "seq": seq, "section": section, "collected_at": sent_at - Duration::from_secs(1),
            "elapsed": {"run": "r", "ms": 9000}, "outcome": "read", "data": data,
        })
    });
    desk.take("SYNC02", sent_at, records.collect()).await;
    assert_eq!(cycles(&desk).await, 1);
    let lane = desk.lane(LaneKind::Objects, FOREST).await.unwrap();
    assert_eq!(lane.facts.last_success_at, Timestamp::parse(after.1));
}
