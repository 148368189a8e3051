#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::host::Bookmarks;

fn asked(bookmarks: &[(&str, u64)]) -> Asked {
    let all = bookmarks.iter().map(|(log, record_id)| {
        let bookmark = Bookmark {
            record_id: *record_id,
            at: None,
        };
        ((*log).to_owned(), bookmark)
    });
    Asked {
        timeout: Duration::from_secs(60),
        containers: Vec::new(),
        bookmarks: Bookmarks(BTreeMap::from_iter(all)),
        most_events: 100,
        user_names: false,
    }
}

fn answer(data: &Value, errors: &Value) -> Vec<u8> {
    let envelope = json!({
        "schema": 1, "id": 4, "host": "SYNC01", "collectedAt": "2026-11-17T09:40:00.0000000Z",
        "utcOffsetMinutes": 60, "psVersion": "5.1.20348.2849", "moduleVersion": "2.6.92.0",
        "data": data, "errors": errors,
    });
    envelope.to_string().into_bytes()
}

fn reading(section: Section, data: &Value, errors: &Value) -> Reading {
    let envelope = Envelope::read(&answer(data, errors), 4).unwrap();
    envelope.reading(section, &asked(&[]))
}

#[test]
fn an_answer_brings_its_rows_and_what_is_known_of_the_server() {
    let rows = json!([{ "RunState": "Busy", "ConnectorName": "ad.hauser.example" }]);
    let reading = reading(Section::ConnectorStatus, &rows, &json!([]));
    assert_eq!(reading.outcome, Outcome::Read);
    assert_eq!(Value::from(reading.data), rows);
    assert_eq!(reading.utc_offset_minutes, Some(60));
    assert_eq!(
        reading.interpreter_version.as_deref(),
        Some("5.1.20348.2849")
    );
    assert_eq!(reading.module_version.as_deref(), Some("2.6.92.0"));
    assert_eq!(reading.failure_text, None);
}

#[test]
fn idle_connectors_are_read_and_none() {
    let reading = reading(Section::ConnectorStatus, &json!([]), &json!([]));
    assert_eq!((reading.outcome, reading.data.len()), (Outcome::Read, 0));
}

#[test]
fn lines_that_are_no_answer_are_refused() {
    let other = answer(&json!([]), &json!([]));
    for line in [
        &b"WARNING: something"[..],
        b"",
        b"[]",
        b"{\"id\":4}",
        b"{\"schema\":1,\"id\":4,\"data\":{}}",
    ] {
        assert!(Envelope::read(line, 4).is_err(), "{line:?}");
    }
    let error = Envelope::read(&other, 5).unwrap_err();
    assert!(error.to_string().contains("request 4"), "{error}");
    let newer = br#"{"schema":2,"id":4}"#;
    assert!(Envelope::read(newer, 4).is_err());
    assert!(Envelope::read(br#"{"schema":1,"id":-1}"#, u64::MAX).is_err());
}

#[test]
fn a_part_that_failed_hides_no_other() {
    let rows = json!([{ "ConnectorName": "ad.hauser.example", "ExportAdds": 0 }]);
    let errors =
        json!([{ "Step": "nordwall.example", "Message": "gone", "Category": "PermissionDenied" }]);
    let reading = reading(Section::PendingExports, &rows, &errors);
    assert_eq!(reading.outcome, Outcome::Read);
    assert_eq!(reading.failure, None);
    assert_eq!(
        reading.failure_text.as_deref(),
        Some("nordwall.example: gone")
    );
}

#[test]
fn a_section_without_rows_and_with_errors_was_not_read() {
    let denied = json!([{ "Step": "section", "Message": "no", "Category": "PermissionDenied" }]);
    let reading = reading(Section::Scheduler, &json!([]), &denied);
    assert_eq!(reading.outcome, Outcome::Failed);
    assert_eq!(reading.failure, Some(SectionFailure::AccessDenied));
    assert_eq!(reading.failure_text.as_deref(), Some("no"));
}

#[test]
fn without_the_module_there_is_no_connect_here() {
    let absent = json!([{ "Step": "section", "Message": "Connect Sync is not installed", "ErrorId": "SyncwatchAbsent" }]);
    let reading = reading(Section::Scheduler, &json!([]), &absent);
    assert_eq!((reading.outcome, reading.failure), (Outcome::Absent, None));
}

#[test]
fn what_a_depth_limit_cut_off_is_never_read() {
    let scope = "Microsoft.IdentityManagement.PowerShell.ObjectModel.ConnectorPartitionScope";
    let rows = json!([{ "Name": "ad.hauser.example", "Partitions": [{ "ConnectorPartitionScope": scope }] }]);
    let cut = reading(Section::Connectors, &rows, &json!([]));
    assert_eq!(cut.failure, Some(SectionFailure::Unreadable));
    assert!(cut.data.is_empty());
    let collapsed = json!([{ "RunStepResults": ["System.Object[]"] }]);
    let cut = reading(Section::Runs, &collapsed, &json!([]));
    assert_eq!(cut.failure, Some(SectionFailure::Unreadable));
    // A text of an exception is no name of a type.
    let message = json!([{ "FullName": "nordwall.example", "ExceptionMessage": "System.DirectoryServices: the server is not operational." }]);
    assert_eq!(
        reading(Section::Reachability, &message, &json!([])).outcome,
        Outcome::Read
    );
    let event = json!([{ "Message": "System.TimeoutException" }]);
    assert_eq!(
        reading(Section::Events, &event, &json!([])).outcome,
        Outcome::Read
    );
}

#[test]
fn bookmarks_are_kept_beside_the_events_and_not_among_them() {
    let rows = json!([
        { "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": 654, "RecordId": 20 },
        { "Kind": "Count", "LogName": "Application", "ProviderName": "Directory Synchronization", "Id": 656, "Count": 3 },
        { "Kind": "Bookmark", "LogName": "Application", "RecordId": 21, "TimeCreated": "2026-11-17T09:40:00.0000000Z", "More": true },
    ]);
    let errors = json!([{ "Step": "System", "Message": "no", "Category": "PermissionDenied" }]);
    let envelope = Envelope::read(&answer(&rows, &errors), 4).unwrap();
    let reading = envelope.reading(
        Section::Events,
        &asked(&[("System", 7), ("Application", 3)]),
    );
    assert_eq!(
        (reading.outcome, reading.data.len(), reading.more),
        (Outcome::Read, 2, true)
    );
    let bookmarks = reading.bookmarks.unwrap();
    assert_eq!(bookmarks.0["Application"].record_id, 21);
    assert_eq!(
        bookmarks.0["Application"].at,
        Timestamp::parse("2026-11-17T09:40:00Z")
    );
    assert_eq!(
        bookmarks.0["System"].record_id, 7,
        "a log that was not read keeps its place"
    );
}

#[test]
fn events_that_were_not_read_move_no_bookmark() {
    let errors =
        json!([{ "Step": "Application", "Message": "no", "Category": "PermissionDenied" }]);
    let reading = reading(Section::Events, &json!([]), &errors);
    assert_eq!(
        (reading.outcome, reading.bookmarks),
        (Outcome::Failed, None)
    );
}
