use super::*;

#[test]
fn every_known_result_has_its_grade() {
    for (result, grade) in [
        ("success", Grade::Ok),
        ("in-progress", Grade::Ok),
        ("success-can-resume", Grade::Warning),
        ("completed-warnings", Grade::Info),
        ("completed-sync-warnings", Grade::Info),
        ("completed-discovery-errors", Grade::Warning),
        ("completed-sync-errors", Grade::Warning),
        ("completed-export-errors", Grade::Warning),
        ("completed-transient-objects", Grade::Info),
        ("completed-skipped-already-completed", Grade::Ok),
        ("aborted", Grade::Warning),
        ("stopped-user-termination", Grade::Info),
        ("stopped-user-termination-from-wmi-or-ui", Grade::Info),
        ("stopped-error-limit", Grade::Critical),
        ("stopped-deletion-threshold-exceeded", Grade::Critical),
        ("stopped-extension-dll-exception", Grade::Critical),
        ("stopped-extension-dll-load", Grade::Critical),
        ("stopped-server-down", Grade::Warning),
        ("stopped-database-disk-full", Grade::Critical),
        ("stopped-database-connection-lost", Grade::Critical),
        ("no-start-connection", Grade::Warning),
        ("no-start-credentials", Grade::Critical),
        ("no-start-ma-already-running", Grade::Info),
        ("no-start-ma-working-directory", Grade::Critical),
        ("no-start-no-steps-in-profile", Grade::Warning),
        ("no-start-resume-not-possible", Grade::Warning),
    ] {
        assert_eq!(of(result), grade, "{result}");
    }
}

#[test]
fn results_of_later_builds_are_graded_by_their_beginning() {
    for (result, grade) in [
        ("success-with-a-new-word", Grade::Ok),
        ("completed-with-a-new-word", Grade::Warning),
        ("stopped-for-a-new-reason", Grade::Critical),
        ("no-start-for-a-new-reason", Grade::Critical),
        ("postponed", Grade::Warning),
        ("", Grade::Warning),
        ("Stopped-Error-Limit", Grade::Critical),
    ] {
        assert_eq!(of(result), grade, "{result}");
    }
}

#[test]
fn gone_twice_in_a_row_is_critical() {
    for result in [
        "stopped-server-down",
        "stopped-server",
        "stopped-connectivity",
        "no-start-connection",
    ] {
        let seen = |in_a_row| Repetition {
            in_a_row,
            ..Repetition::default()
        };
        assert_eq!(among(result, &seen(1)), Grade::Warning, "{result}");
        assert_eq!(among(result, &seen(2)), Grade::Critical, "{result}");
    }
}

#[test]
fn collisions_are_worth_a_word_from_the_fourth_on() {
    let seen = |in_a_row| Repetition {
        in_a_row,
        ..Repetition::default()
    };
    assert_eq!(among("no-start-ma-already-running", &seen(3)), Grade::Info);
    assert_eq!(
        among("no-start-ma-already-running", &seen(4)),
        Grade::Warning
    );
}

#[test]
fn export_errors_that_grow_or_last_are_critical() {
    let steady = Repetition {
        in_a_row: 40,
        lasts: Duration::from_hours(23),
        more_failures: false,
    };
    let result = "completed-export-errors";
    assert_eq!(among(result, &steady), Grade::Warning);
    let grows = Repetition {
        more_failures: true,
        ..steady
    };
    assert_eq!(among(result, &grows), Grade::Critical);
    let lasts = Repetition {
        lasts: Duration::from_hours(24),
        ..steady
    };
    assert_eq!(among(result, &lasts), Grade::Critical);
}

#[test]
fn what_is_good_stays_good_however_often_it_comes() {
    let often = Repetition {
        in_a_row: 1000,
        lasts: Duration::from_hours(1000),
        more_failures: true,
    };
    assert_eq!(among("success", &often), Grade::Ok);
}

#[test]
fn grades_compare_by_how_bad_they_are() {
    assert!(Grade::Ok < Grade::Info);
    assert!(Grade::Info < Grade::Warning);
    assert!(Grade::Warning < Grade::Critical);
}
