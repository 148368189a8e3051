use std::time::Duration;

use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::job::{JobStatus, ScheduleState};

use super::*;
use crate::parse::jobs::{JobFacts, job, jobs, template_of};

const ZERO: &str = "0001-01-01T00:00:00Z";

fn execution(state: &str, began: &str, ended: &str, error: &Value) -> Value {
    json!({"activityIdentifier": null, "state": state, "timeBegan": began, "timeEnded": ended, "error": error,
        "countExported": 3, "countExports": 3, "countEscrowed": 1, "countEscrowedRaw": 4, "countImported": 0})
}

/// A job as the service sends it, with `status` in place of its status.
fn raw(status: &Value) -> Value {
    json!({
        "id": "AD2AADPasswordHash.0123456789abcdef0123456789abcdef.77", "templateId": "AD2AADPasswordHash",
        "schedule": {"expiration": null, "interval": "PT20M", "state": "Active"},
        "status": status,
        "synchronizationJobSettings": [{"name": "LookaheadQueryEnabled", "value": "False"}, {"name": "DomainFQDN", "value": "AD.Linden.example"}]
    })
}

fn read(status: &Value) -> JobFacts {
    job(&bytes(&raw(status))).unwrap()
}

fn told(facts: &JobFacts) -> Vec<(Timestamp, CycleOutcome)> {
    facts
        .cycles
        .iter()
        .map(|cycle| (cycle.ended_at, cycle.outcome))
        .collect()
}

#[test]
fn a_healthy_job_tells_its_newest_cycle_once() {
    let ended = "2026-10-03T07:41:09.1083345Z";
    let facts = read(&json!({
        "code": "Active", "countSuccessiveCompleteFailures": 0, "quarantine": null, "progress": [],
        "steadyStateFirstAchievedTime": "2026-06-01T00:00:00Z", "steadyStateLastAchievedTime": ended,
        "lastExecution": execution("Succeeded", "2026-10-03T07:41:08.2Z", ended, &json!(null)),
        "lastSuccessfulExecution": execution("Succeeded", ZERO, ended, &json!(null)),
        "lastSuccessfulExecutionWithExports": execution("Succeeded", ZERO, "2026-10-03T06:00:00Z", &json!(null)),
    }));
    assert_eq!(facts.status, JobStatus::Active);
    assert_eq!(facts.schedule, ScheduleState::Active);
    assert_eq!(facts.interval, Some(Duration::from_secs(1200)));
    assert_eq!(facts.domain.as_deref(), Some("ad.linden.example"));
    assert_eq!(
        told(&facts),
        [
            (at("2026-10-03T06:00:00Z"), CycleOutcome::Succeeded),
            (at("2026-10-03T07:41:09.108Z"), CycleOutcome::Succeeded)
        ]
    );
    let newest = facts.cycles.last().unwrap();
    assert_eq!(
        (newest.began_at, newest.exported, newest.escrowed),
        (Some(at("2026-10-03T07:41:08.2Z")), Some(3), Some(1))
    );
    assert_eq!(
        (facts.cycles[0].began_at, facts.cycles[0].exported),
        (None, None),
        "a zero date is no start"
    );
}

#[test]
fn success_is_the_newest_of_steady_state_and_finished_executions() {
    let steady = "2026-10-03T07:00:00Z";
    for (state, error, status, steady_at, expected) in [
        (
            "Succeeded",
            json!(null),
            "Active",
            steady,
            Some("2026-10-03T07:30:00Z"),
        ),
        (
            "EntryLevelErrors",
            json!(null),
            "Active",
            steady,
            Some("2026-10-03T07:30:00Z"),
        ),
        (
            "EntryLevelErrors",
            json!({"code": "SomeObjects", "message": ""}),
            "Active",
            steady,
            Some("2026-10-03T07:30:00Z"),
        ),
        (
            "EntryLevelErrors",
            json!({"code": "TooManyDeletes", "message": "m"}),
            "Quarantine",
            steady,
            Some(steady),
        ),
        (
            "Failed",
            json!({"code": "TimeOut"}),
            "Active",
            steady,
            Some(steady),
        ),
        ("Tomorrow", json!(null), "Active", steady, Some(steady)),
        ("Failed", json!(null), "Active", ZERO, None),
        (
            "Failed",
            json!({"code": "TimeOut"}),
            "Active",
            "2026-10-03T07:40:00Z",
            Some("2026-10-03T07:40:00Z"),
        ),
    ] {
        let facts = read(&json!({
            "code": status, "steadyStateLastAchievedTime": steady_at,
            "lastExecution": execution(state, "2026-10-03T07:29:00Z", "2026-10-03T07:30:00Z", &error),
        }));
        let success = facts
            .cycles
            .iter()
            .filter(|cycle| cycle.outcome.keeps_cadence())
            .map(|cycle| cycle.ended_at)
            .max();
        assert_eq!(
            success,
            expected.map(at),
            "{state} {error} {status} {steady_at}"
        );
    }
}

#[test]
fn a_job_that_never_ran_has_neither_cycle_nor_error() {
    let facts = read(&json!({
        "code": "NotRun", "steadyStateFirstAchievedTime": ZERO, "steadyStateLastAchievedTime": "",
        "lastExecution": execution("Failed", ZERO, ZERO, &json!({"code": "None", "message": "", "tenantActionable": false})),
        "lastSuccessfulExecution": null,
    }));
    assert_eq!(
        (facts.status, facts.error, facts.steady_first_at),
        (JobStatus::NotRun, None, None)
    );
    assert!(facts.cycles.is_empty());
}

#[test]
fn a_quarantined_job_tells_why_since_when_and_until_when() {
    let error =
        json!({"code": "HybridIdentityServiceNoActiveAgents", "message": "No agent\r\nanswers."});
    let facts = read(&json!({
        "code": "Quarantine", "countSuccessiveCompleteFailures": 9,
        "lastExecution": execution("Failed", "2026-10-03T07:00:00Z", "2026-10-03T07:10:00Z", &error),
        "quarantine": {"currentBegan": "2026-10-03T07:10:01Z", "nextAttempt": "2026-10-03T13:10:01Z", "reason": "EncounteredQuarantineException",
            "seriesBegan": "2026-10-02T07:10:01Z", "seriesCount": 3, "error": error}
    }));
    let quarantine = facts.quarantine.unwrap();
    assert_eq!(quarantine.reason, "EncounteredQuarantineException");
    assert_eq!(quarantine.began_at, Some(at("2026-10-03T07:10:01Z")));
    assert_eq!(quarantine.series_began_at, Some(at("2026-10-02T07:10:01Z")));
    assert_eq!(facts.error.unwrap().message, "No agent  answers.");
    assert_eq!(facts.successive_failures, 9);
}

#[test]
fn words_of_tomorrow_and_absent_parts_are_tolerated() {
    let facts = job(&bytes(&json!({"id": "AD2AADProvisioning.x.y"}))).unwrap();
    assert_eq!(
        (facts.status, facts.schedule, facts.interval),
        (JobStatus::Unknown, ScheduleState::Unknown, None)
    );
    let facts = job(&bytes(&json!({
        "id": "AD2AADProvisioning.x.y", "schedule": {"interval": "P10675199DT2H48M5.4775807S", "state": "Disabled"},
        "status": {"code": "Hibernating", "lastExecution": null, "progress": null, "synchronizedEntryCountByType": "odd"},
        "synchronizationJobSettings": null
    })))
    .unwrap();
    assert_eq!(
        (facts.status, facts.schedule, facts.interval),
        (JobStatus::Unknown, ScheduleState::Disabled, None)
    );
}

#[test]
fn the_id_classifies_a_job_and_the_template_only_where_it_cannot() {
    for (id, template, expected) in [
        (
            "AD2AADProvisioning.t.g",
            "ADDCInPassthrough",
            "AD2AADProvisioning",
        ),
        ("ad2aadpasswordhash.t.g", "", "AD2AADPasswordHash"),
        ("4f9c", "AD2AADProvisioning", "AD2AADProvisioning"),
        ("scim.t.g", "scim", "scim"),
        ("Workday.t.g", "", ""),
    ] {
        let facts = job(&bytes(&json!({"id": id, "templateId": template}))).unwrap();
        assert_eq!(facts.template, expected, "{id} {template}");
    }
    assert_eq!(
        template_of("AAD2ADGroupProvisioning.x"),
        Some("AAD2ADGroupProvisioning")
    );
    assert_eq!(template_of("scim.AD2AADProvisioning"), None);
}

#[test]
fn the_domain_is_found_also_inside_the_json_text() {
    for (settings, expected) in [
        (
            json!([{"name": "Domain", "value": "{\"DomainFQDN\":\"Forest.Linden.example\"}"}]),
            Some("forest.linden.example"),
        ),
        (json!([{"name": "Domain", "value": "not json"}]), None),
        (
            json!([{"name": "DomainFQDN", "value": ""}, {"name": "Domain", "value": null}]),
            None,
        ),
        (json!([]), None),
    ] {
        let facts = job(&bytes(
            &json!({"id": "x", "synchronizationJobSettings": settings}),
        ))
        .unwrap();
        assert_eq!(facts.domain.as_deref(), expected, "{settings}");
    }
}

#[test]
fn wrong_types_and_huge_numbers_fail_with_the_row_named() {
    for wrong in [
        json!({"code": 5}),
        json!({"countSuccessiveCompleteFailures": 1e300}),
        json!({"countSuccessiveCompleteFailures": "9"}),
        json!({"lastExecution": [5]}),
        json!({"steadyStateLastAchievedTime": "soon"}),
        json!("Active"),
    ] {
        let page = json!({"value": [raw(&json!(null)), raw(&wrong)]});
        let sentence = jobs(&bytes(&page)).unwrap_err().to_string();
        assert!(sentence.starts_with("row 2: "), "{wrong}: {sentence}");
    }
    assert!(jobs(b"{\"value\": [{\"id\": \"a\", \"status\": {\"countSuccessiveCompleteFailures\": 99999999999999999999}}]}").is_err());
}
