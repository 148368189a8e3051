use syncwatch_domain::alert::Finding;

use super::*;
use crate::detect::testing::{assert_told, job, job_error, quarantined};

fn of(job: Job) -> Vec<Condition> {
    told(job, false, false)
}

fn told(job: Job, gone: bool, was_quarantined: bool) -> Vec<Condition> {
    let stored = StoredJob {
        job,
        gone,
        version: 1,
    };
    conditions(&stored, was_quarantined, &AlertSettings::default())
}

fn disabled() -> Job {
    Job {
        status: JobStatus::Paused,
        schedule: ScheduleState::Disabled,
        interval: None,
        ..job()
    }
}

#[test]
fn every_reason_of_quarantine_has_words_and_advice() {
    let found: Vec<Condition> = [
        ("TooManyDeletes", Some("TooManyDeletes")),
        ("EncounteredBaseEscrowThreshold", None),
        ("EncounteredTotalEscrowThreshold", None),
        (
            "EncounteredEscrowProportionThreshold",
            Some("AttributeValueMustBeUnique"),
        ),
        (
            "EncounteredQuarantineException",
            Some("HybridIdentityServiceNoActiveAgents"),
        ),
        ("EncounteredQuarantineException", None),
        ("QuarantinedOnDemand", None),
        ("IngestionInterrupted", Some("TimeOut")),
        ("Unknown", None),
        ("somethingOfTomorrow", None),
    ]
    .into_iter()
    .flat_map(|(reason, code)| of(quarantined(reason, code)))
    .collect();
    assert_told!("job_quarantined", found);
}

#[test]
fn a_quarantine_without_details_is_still_one() {
    let mut bare = quarantined("", None);
    bare.quarantine = None;
    assert_told!("job_quarantined_bare", of(bare));
}

#[test]
fn a_paused_job_is_a_warning() {
    assert_told!(
        "job_paused",
        of(Job {
            status: JobStatus::Paused,
            ..job()
        })
    );
    let by_schedule = of(Job {
        schedule: ScheduleState::Paused,
        ..job()
    });
    assert_eq!(by_schedule[0].rule, Rule::JobPaused);
}

#[test]
fn a_disabled_job_is_a_warning_and_critical_after_a_quarantine() {
    assert_told!("job_disabled", of(disabled()));
    assert_told!(
        "job_disabled_after_quarantine",
        told(disabled(), false, true)
    );
    let by_its_facts = of(Job {
        quarantine: quarantined("Unknown", None).quarantine,
        ..disabled()
    });
    assert_eq!(by_its_facts[0].severity, Severity::Critical);
}

#[test]
fn a_disabled_job_that_never_ran_is_not_in_use() {
    let found = of(Job {
        steady_first_at: None,
        ..disabled()
    });
    assert!(
        found
            .iter()
            .all(|condition| condition.finding == Finding::Clear),
        "{found:?}"
    );
    let held_back = told(
        Job {
            steady_first_at: None,
            ..disabled()
        },
        false,
        true,
    );
    assert_eq!(held_back[0].rule, Rule::JobDisabled);
}

#[test]
fn a_job_fails_after_two_executions_in_a_row() {
    let failing = |failures, code: &str| Job {
        successive_failures: failures,
        error: job_error(code),
        ..job()
    };
    let found: Vec<Condition> = [
        "HybridIdentityServiceNoActiveAgents",
        "HybridSynchronizationUnableToFindDomainController",
        "AzureActiveDirectoryExpiredCredentials",
        "AzureDirectoryServiceServerBusy",
        "SchemaInvalid",
        "None",
    ]
    .into_iter()
    .flat_map(|code| of(failing(2, code)))
    .collect();
    assert_told!("job_failing", found);
    let once = of(failing(1, "TimeOut"));
    assert!(
        once.iter()
            .all(|condition| condition.finding == Finding::Clear)
    );
    assert!(
        once.iter()
            .all(|condition| condition.rule != Rule::JobFailing),
        "one failure ends no series"
    );
}

#[test]
fn a_job_that_runs_well_or_is_gone_ends_all_alerts_about_it() {
    assert_told!("job_well", of(job()));
    assert_told!("job_gone", told(quarantined("Unknown", None), true, true));
}

#[test]
fn a_job_in_a_state_that_tells_nothing_ends_nothing() {
    for status in [
        JobStatus::Unknown,
        JobStatus::NotRun,
        JobStatus::NotConfigured,
    ] {
        assert_eq!(of(Job { status, ..job() }), [], "{status}");
    }
    assert_eq!(
        of(Job {
            schedule: ScheduleState::Unknown,
            ..job()
        }),
        []
    );
}

#[test]
fn at_most_one_state_of_a_job_holds() {
    for status in JobStatus::ALL {
        for schedule in ScheduleState::ALL {
            for failures in [0, 1, 2] {
                let found = of(Job {
                    status: *status,
                    schedule: *schedule,
                    successive_failures: failures,
                    ..quarantined("Unknown", None)
                });
                let holding = found
                    .iter()
                    .filter(|condition| condition.finding == Finding::Holds)
                    .count();
                assert!(holding <= 1, "{status} {schedule} {failures}: {found:?}");
            }
        }
    }
}
