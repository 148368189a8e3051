use std::time::Duration;

use super::*;
use crate::config::AlertSettings;
use crate::detect::testing::minute;

fn run(result: &str, in_a_row: u32) -> Run {
    Run {
        profile: "Delta Import".into(),
        result: result.into(),
        began_at: minute(0),
        ended_at: minute(2),
        bad_in_a_row: in_a_row,
        bad_since: Some(minute(0)),
        export_failures: 3,
        export_failures_before: 3,
    }
}

fn severity(run: &Run) -> Option<Severity> {
    grade(run, &AlertSettings::default().servers).map(|grade| grade.severity)
}

#[test]
fn every_documented_result_has_its_level() {
    use Severity::{Critical, Info, Warning};
    for (result, expected) in [
        ("success", None),
        ("in-progress", None),
        ("success-can-resume", Some(Warning)),
        ("completed-warnings", Some(Info)),
        ("completed-sync-warnings", Some(Info)),
        ("completed-discovery-errors", Some(Warning)),
        ("completed-sync-errors", Some(Warning)),
        ("completed-export-errors", Some(Warning)),
        ("completed-transient-objects", Some(Info)),
        ("completed-skipped-already-completed", None),
        ("aborted", Some(Warning)),
        ("stopped-user-termination", Some(Info)),
        ("stopped-error-limit", Some(Critical)),
        ("stopped-deletion-threshold-exceeded", Some(Critical)),
        ("stopped-extension-dll-exception", Some(Critical)),
        ("stopped-extension-dll-load", Some(Critical)),
        ("stopped-server-down", Some(Warning)),
        ("stopped-server", Some(Warning)),
        ("stopped-connectivity", Some(Warning)),
        ("stopped-database-disk-full", Some(Critical)),
        ("stopped-database-connection-lost", Some(Critical)),
        ("no-start-connection", Some(Warning)),
        ("no-start-credentials", Some(Critical)),
        ("no-start-ma-already-running", Some(Info)),
        ("no-start-ma-concurrent-operation-disallowed", Some(Info)),
        ("no-start-ma-update-in-progress", Some(Info)),
        ("no-start-ma-working-directory", Some(Critical)),
        ("no-start-no-steps-in-profile", Some(Warning)),
        ("no-start-unknown-profile-name", Some(Warning)),
        ("no-start-resume-something", Some(Warning)),
    ] {
        assert_eq!(severity(&run(result, 1)), expected, "{result}");
    }
}

#[test]
fn unknown_results_are_graded_by_their_beginning() {
    for (result, expected) in [
        ("success-of-tomorrow", None),
        ("completed-of-tomorrow", Some(Severity::Warning)),
        ("stopped-of-tomorrow", Some(Severity::Critical)),
        ("no-start-of-tomorrow", Some(Severity::Critical)),
        ("of-tomorrow", Some(Severity::Warning)),
        ("", Some(Severity::Warning)),
    ] {
        assert_eq!(severity(&run(result, 1)), expected, "{result}");
    }
}

#[test]
fn some_results_are_graver_when_they_repeat() {
    for (result, in_a_row, expected) in [
        ("no-start-connection", 2, Severity::Critical),
        ("stopped-server-down", 2, Severity::Critical),
        ("no-start-ma-already-running", 3, Severity::Info),
        ("no-start-ma-already-running", 4, Severity::Warning),
    ] {
        assert_eq!(severity(&run(result, in_a_row)), Some(expected), "{result}");
    }
}

#[test]
fn export_errors_are_critical_when_they_rise_or_last_a_day() {
    let export = |in_a_row, before, hours: u64| Run {
        export_failures_before: before,
        ended_at: minute(0) + Duration::from_secs(hours * 3_600),
        ..run("completed-export-errors", in_a_row)
    };
    for (run, expected) in [
        (export(1, 0, 1), Severity::Warning),
        (export(2, 3, 1), Severity::Warning),
        (export(2, 2, 1), Severity::Critical),
        (export(30, 3, 23), Severity::Warning),
        (export(40, 3, 24), Severity::Critical),
    ] {
        assert_eq!(severity(&run), Some(expected), "{run:?}");
    }
}
