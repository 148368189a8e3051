//! Run history.

use syncwatch_domain::report::forms::{Forms, ShapeError};
use syncwatch_domain::report::runs::grade::Grade;
use syncwatch_domain::report::runs::{ErrorSource, RunResult, SCHEDULER_ACCOUNT, read};

use super::{ahead, at, data, utc};

fn runs(file: &str, forms: &Forms) -> Vec<RunResult> {
    read(&data(file), forms).unwrap()
}

#[test]
fn newest_runs_have_results_steps_and_counters() {
    let all = runs("runs.ps51", &utc());
    let told: Vec<_> = all
        .iter()
        .map(|run| {
            (
                run.connector.as_str(),
                run.profile.as_str(),
                run.result.as_str(),
                run.grade(),
                run.steps.as_ref().map(Vec::len),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "hauser.onmicrosoft.com - AAD",
                "Export",
                "completed-export-errors",
                Grade::Warning,
                Some(1)
            ),
            (
                "ad.nordwall.example",
                "Delta Import",
                "no-start-connection",
                Grade::Warning,
                Some(1)
            ),
            (
                "ad.hauser.example",
                "Delta Import",
                "success",
                Grade::Ok,
                Some(2)
            ),
        ]
    );
    assert!(all[0].is_cloud() && !all[1].is_cloud());
    assert_eq!(all[0].exported(), Some(8));
    assert_eq!(all[0].export_failures(), Some(1));
    assert_eq!(all[0].account.as_deref(), Some(SCHEDULER_ACCOUNT));
    assert_eq!(all[2].began_at, at("2026-12-03T07:14:33.125Z"));
    assert_eq!(all[2].ended_at, Some(at("2026-12-03T07:14:47.750Z")));
}

#[test]
fn steps_tell_partition_counters_and_connection() {
    let all = runs("runs.ps51", &utc());
    let steps = all[2].steps.as_deref().unwrap();
    assert_eq!(steps[0].kind.as_deref(), Some("delta-import"));
    assert_eq!(
        steps[1].partition.as_deref(),
        Some("DC=nord,DC=ad,DC=hauser,DC=example")
    );
    assert_eq!(
        (
            steps[0].counters.stage_add,
            steps[0].counters.stage_update,
            steps[1].counters.stage_delete
        ),
        (2, 7, 1)
    );
    let down = all[1].steps.as_deref().unwrap()[0].connection.clone();
    let down = down.unwrap();
    assert_eq!(down.result, "failed-connection");
    assert_eq!(down.server.as_deref(), Some("dc1.ad.nordwall.example:389"));
    assert_eq!(down.error_code.as_deref(), Some("0x51"));
    assert_eq!(down.error.as_deref(), Some("Server Down"));
}

#[test]
fn error_of_an_object_has_type_and_instants() {
    let all = runs("runs.ps51", &utc());
    let errors = &all[0].steps.as_deref().unwrap()[0].errors;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].source, ErrorSource::Sync);
    assert_eq!(errors[0].kind, "InvalidSoftMatch");
    assert_eq!(errors[0].retries, Some(41));
    assert_eq!(errors[0].first_at, Some(at("2026-12-02T11:03:20.750Z")));
    assert!(errors[0].dn.is_some());
}

/// PowerShell 7 writes neither `Z` nor offset, which is UTC here; the scripts leave out names.
#[test]
fn other_forms_say_the_same_whatever_the_zone() {
    let raw = runs("runs.ps51", &utc());
    for forms in [utc(), ahead(60), Forms::without_offset()] {
        assert_eq!(runs("runs.ps7", &forms), raw);
        let mut cast = runs("runs.normalised", &forms);
        for run in &mut cast {
            for step in run.steps.iter_mut().flatten() {
                for error in &mut step.errors {
                    assert_eq!(error.dn, None);
                    error.dn = Some("CN={6a7364666a3432397a38}".to_owned());
                }
            }
        }
        assert_eq!(cast, raw);
    }
}

#[test]
fn single_run_under_way_is_not_complete_and_has_no_end() {
    let all = runs("run.single-in-progress.ps51", &utc());
    assert_eq!(all.len(), 1);
    assert!(!all[0].complete);
    assert_eq!(all[0].ended_at, None);
    assert_eq!(all[0].steps, None);
    assert_eq!(all[0].exported(), None);
    assert_eq!(all[0].grade(), Grade::Ok);
    // West of Greenwich year 1 is written a few hours later, east of it not earlier.
    for forms in [ahead(-300), ahead(60)] {
        assert_eq!(
            runs("run.single-in-progress.ps51", &forms)[0].ended_at,
            None
        );
    }
}

#[test]
fn shifted_run_is_put_right_by_the_offset_of_its_server() {
    let right = &runs("runs.ps51", &utc())[2];
    let shifted = &runs("run.kind-shift-utc-plus-1.ps51", &ahead(60))[0];
    assert_eq!(shifted.id, right.id);
    assert_eq!(shifted.began_at, right.began_at);
    assert_eq!(shifted.ended_at, right.ended_at);
}

#[test]
fn shifted_run_is_refused_where_the_offset_is_not_known() {
    let file = data("run.kind-shift-utc-plus-1.ps51");
    let error = read(&file, &Forms::without_offset()).unwrap_err();
    assert!(matches!(error, ShapeError::Ambiguous { .. }), "{error}");
    assert!(error.to_string().contains("data[0].StartDate"), "{error}");
    // Read in summer, the offset of that server says nothing about December.
    let summer = Forms::with_offset(120, at("2027-07-01T00:00:00Z"));
    assert!(read(&file, &summer).is_err());
}

/// Nobody knows the kind of the dates in error lists: the list is read without them.
#[test]
fn doubtful_dates_of_errors_do_not_cost_the_runs() {
    let all = runs("runs.ps51", &ahead(60));
    let errors = &all[0].steps.as_deref().unwrap()[0].errors;
    assert_eq!((errors[0].first_at, errors[0].last_at), (None, None));
    assert_eq!(errors[0].kind, "InvalidSoftMatch");
}

#[test]
fn missing_property_is_named_with_its_place() {
    let mut file = data("runs.normalised");
    let step = file[0]["RunStepResults"][0].as_object_mut().unwrap();
    step.remove("ExportFailure");
    assert_eq!(
        read(&file, &utc()).unwrap_err().to_string(),
        "data[0].RunStepResults[0].ExportFailure is missing, expected a whole number"
    );
}

/// A step that has only begun has neither result nor end.
#[test]
fn step_under_way_does_not_cost_the_runs() {
    let mut file = data("runs.normalised");
    let step = &mut file[0]["RunStepResults"][0];
    step["StepResult"] = "".into();
    step["EndDate"] = serde_json::Value::Null;
    let all = read(&file, &utc()).unwrap();
    let step = &all[0].steps.as_deref().unwrap()[0];
    assert_eq!((&step.result, step.ended_at), (&None, None));
    assert!(step.began_at.is_some());
}

#[test]
fn unheard_of_result_and_properties_are_no_reason_to_refuse() {
    let mut file = data("run.single-in-progress.ps51");
    file[0]["Result"] = "stopped-for-a-new-reason".into();
    file[0]["Novelty"] = serde_json::json!({"Deep": ["er"]});
    let all = read(&file, &utc()).unwrap();
    assert_eq!(all[0].result, "stopped-for-a-new-reason");
    assert_eq!(all[0].grade(), Grade::Critical);
}
