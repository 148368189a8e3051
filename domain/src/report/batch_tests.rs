#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;

fn batch(change: impl FnOnce(&mut Value)) -> Batch {
    let mut batch = json!({
        "schema": SCHEMA,
        "agent": {"id": "agent-1", "host": "SYNC01", "version": "0.1.0"},
        "sent_at": "2026-11-17T09:30:00Z", "elapsed": {"run": "r", "ms": 600_000},
        "spool": {"id": "spool-1", "first": 1, "next": 3},
        "records": [record(1, "scheduler"), record(2, "of_tomorrow")],
    });
    change(&mut batch);
    serde_json::from_value(batch).unwrap()
}

fn record(seq: u64, section: &str) -> Value {
    json!({
        "seq": seq, "section": section, "collected_at": "2026-11-17T09:25:00Z",
        "elapsed": {"run": "r", "ms": 420_000}, "outcome": "read",
    })
}

#[test]
fn a_batch_is_taken_or_refused_as_a_whole() {
    assert_eq!(batch(|_| {}).check(), Ok(()));
    let long = "x".repeat(256);
    for (change, said) in [
        (json!({"schema": SCHEMA + 1}), "update syncwatch"),
        (
            json!({"agent": {"id": " ", "host": "SYNC01", "version": ""}}),
            "the id",
        ),
        (
            json!({"agent": {"id": "a\u{0}", "host": "SYNC01", "version": ""}}),
            "the id",
        ),
        (
            json!({"agent": {"id": "a", "host": long, "version": ""}}),
            "the host",
        ),
        (
            json!({"spool": {"id": "", "first": 1, "next": 1}}),
            "the spool",
        ),
        (json!({"records": [record(0, "runs")]}), "record 0"),
        (
            json!({"records": [record(2, "runs"), record(2, "runs")]}),
            "record 2",
        ),
        (
            json!({"records": [record(u64::MAX, "runs")]}),
            "out of order",
        ),
        (json!({"records": [record(1, "Runs")]}), "small letters"),
        (json!({"records": [record(1, "a\u{0}b")]}), "small letters"),
        (
            json!({"records": [record(1, &"x".repeat(65))]}),
            "small letters",
        ),
    ] {
        let refused = batch(|batch| {
            let (key, value) = change.as_object().unwrap().iter().next().unwrap();
            batch[key.as_str()] = value.clone();
        });
        let error = refused.check().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let many = (1..=MOST_RECORDS as u64 + 1).map(|seq| record(seq, "runs"));
    let many: Vec<Value> = many.collect();
    let error = batch(|batch| batch["records"] = json!(many)).check();
    assert!(matches!(error, Err(BatchError::TooMany { .. })));
}

#[test]
fn the_count_of_one_run_tells_the_age_whatever_was_done_to_the_clock() {
    let received_at = Timestamp::parse("2026-11-17T10:30:00Z").unwrap();
    let batch = batch(|_| {});
    let whole = Correction::of_batch(&batch, received_at);
    assert_eq!(whole.ahead_ms(), -3_600_000);
    // Three minutes old by the count, five by the clock, which was set in between.
    let counted = whole.of_record(&batch, &batch.records[0], received_at);
    assert_eq!(
        counted.apply(batch.records[0].collected_at),
        Timestamp::parse("2026-11-17T10:27:00Z").unwrap()
    );
    // Another run of the agent counts otherwise: then only the clock is left.
    let mut other = batch.records[0].clone();
    other.elapsed.run = "before".into();
    let by_clock = whole.of_record(&batch, &other, received_at);
    assert_eq!(
        by_clock.apply(other.collected_at),
        Timestamp::parse("2026-11-17T10:25:00Z").unwrap()
    );
}

#[test]
fn records_that_were_dropped_count_once_as_the_spool_passes_them() {
    let gap = |from: u64, to: u64| json!({"from": from, "to": to, "oldest_at": "2026-11-17T09:00:00Z", "newest_at": "2026-11-17T09:10:00Z"});
    let batch = |gaps: Value| batch(|batch| batch["spool"]["gaps"] = gaps);
    let two = batch(json!([gap(11, 20), gap(31, 31)]));
    for (from, to, dropped) in [
        (0, 10, 0),
        (0, 40, 11),
        (10, 15, 5),
        (15, 30, 5),
        (20, 30, 0),
        (30, 31, 1),
        (40, 10, 0),
    ] {
        assert_eq!(two.dropped(from, to), dropped, "{from} to {to}");
    }
    let odd = batch(json!([gap(20, 11), gap(1, u64::MAX), gap(1, 5)]));
    assert_eq!(odd.dropped(0, 9), 9);
    assert_eq!(odd.dropped(u64::MAX, u64::MAX), 0);
}

#[test]
fn what_waits_is_what_the_spool_holds_behind_the_batch() {
    let one = batch(|batch| batch["spool"]["next"] = json!(100));
    for (to, waits) in [(0, 99), (98, 1), (99, 0), (150, 0)] {
        assert_eq!(one.waiting_after(to), waits, "{to}");
    }
}
