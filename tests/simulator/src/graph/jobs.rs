//! Synchronization jobs with all the dates, nulls and sparse objects of the real answers.

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::odata::{Field, Op, plain};
use crate::graph::{Answer, Ask, Outcome, Scene};
use crate::times::{self, MAX_INTERVAL, ZERO_DATE};
use crate::world::job::{Execution, JobState, Mode, Status};
use crate::world::tenant::{App, TenantState};

pub(super) fn app<'a>(tenant: &'a TenantState, id: &str) -> Result<&'a App, GraphError> {
    tenant
        .apps
        .iter()
        .find(|app| app.service_principal.eq_ignore_ascii_case(id))
        .ok_or_else(|| GraphError::not_found(id))
}

/// The job of an app by its id.
pub(crate) fn find_job<'a>(
    tenant: &'a TenantState,
    id: &str,
    job: &str,
) -> Result<(&'a App, u16), GraphError> {
    let app = app(tenant, id)?;
    app.jobs
        .iter()
        .copied()
        .find(|index| tenant.jobs[usize::from(*index)].id == job)
        .map(|index| (app, index))
        .ok_or_else(|| GraphError::not_found(job))
}

/// `GET /servicePrincipals/{id}/synchronization/jobs`.
pub(crate) fn list(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    ask.query.only(&["filter"])?;
    let filter = ask.query.filter()?;
    if let Some(expr) = &filter {
        expr.check(&[plain("templateId", &[Op::Eq])])?;
    }
    let stale = scene.tenant.faults.take_stale_read();
    let app = app(scene.tenant, id)?;
    let values: Vec<Value> = app
        .jobs
        .iter()
        .map(|index| &scene.tenant.jobs[usize::from(*index)])
        .filter(|job| {
            filter
                .as_ref()
                .is_none_or(|expr| expr.holds(true, &|_| Field::text(&job.spec.template)))
        })
        .map(|job| job_json(scene.tenant, app, job, stale))
        .collect();
    let context = ask.context(&format!(
        "servicePrincipals('{}')/synchronization/jobs",
        app.service_principal
    ));
    Ok(Answer::json(
        json!({"@odata.context": context, "value": values}),
    ))
}

/// `GET /servicePrincipals/{id}/synchronization/jobs/{job}`.
pub(crate) fn single(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str, job: &str) -> Outcome {
    ask.query.only(&[])?;
    let stale = scene.tenant.faults.take_stale_read();
    let (app, index) = find_job(scene.tenant, id, job)?;
    let mut value = job_json(
        scene.tenant,
        app,
        &scene.tenant.jobs[usize::from(index)],
        stale,
    );
    let entity = format!(
        "servicePrincipals('{}')/synchronization/jobs/$entity",
        app.service_principal
    );
    value["@odata.context"] = json!(ask.context(&entity));
    Ok(Answer::json(value))
}

/// `GET /servicePrincipals/{id}/synchronization/templates`.
pub(crate) fn templates(scene: &mut Scene<'_>, ask: &Ask<'_>, id: &str) -> Outcome {
    ask.query.only(&[])?;
    let app = app(scene.tenant, id)?;
    let values: Vec<Value> = (0_u32..)
        .zip(&app.jobs)
        .map(|(n, index)| {
            let tag = &scene.tenant.jobs[usize::from(*index)].spec.template;
            json!({
                "id": tag,
                "applicationId": app.app_id,
                "default": n == 0,
                "description": null,
                "discoverable": true,
                "factoryTag": tag,
                "metadata": [],
            })
        })
        .collect();
    let context = ask.context(&format!(
        "servicePrincipals('{}')/synchronization/templates",
        app.service_principal
    ));
    Ok(Answer::json(
        json!({"@odata.context": context, "value": values}),
    ))
}

fn job_json(tenant: &TenantState, app: &App, job: &JobState, stale: bool) -> Value {
    let status = if stale {
        job.earlier(tenant.faults.stale_cycles)
    } else {
        &job.status
    };
    let (state, interval) = match job.mode {
        Mode::Disabled => ("Disabled", MAX_INTERVAL.to_owned()),
        Mode::Paused => ("Paused", times::iso_duration(job.interval_ms)),
        _ => ("Active", times::iso_duration(job.interval_ms)),
    };
    let mut value = json!({
        "id": job.id,
        "templateId": job.spec.template,
        "schedule": {"expiration": null, "interval": interval, "state": state},
        "status": status_json(tenant, app, job, status),
        "synchronizationJobSettings": settings(tenant, app, job),
    });
    // One published job names another template than its id: classify by the id.
    if app.shape.is_some()
        && tenant
            .seed
            .corner("odd template")
            .corner(&job.id)
            .happens(0.1)
    {
        value["templateId"] = json!("ADDCInPassthrough");
    }
    value
}

fn date(at: Option<i64>) -> String {
    at.map_or_else(
        || ZERO_DATE.to_owned(),
        |at| times::ticks(at, at.unsigned_abs().wrapping_mul(2_654_435_761) >> 8),
    )
}

fn status_json(tenant: &TenantState, app: &App, job: &JobState, status: &Status) -> Value {
    let url = match status.code {
        "Quarantine" => json!("https://go.microsoft.com/fwlink/?linkid=0000000"),
        "Active" => json!(""),
        _ => Value::Null,
    };
    let never_ran = status.code == "NotRun";
    json!({
        "code": status.code,
        "countSuccessiveCompleteFailures": status.failures,
        "escrowsPruned": false,
        "steadyStateFirstAchievedTime": date(status.first_steady),
        "steadyStateLastAchievedTime": date(status.last_steady),
        "troubleshootingUrl": url,
        "lastExecution": match (&status.last, never_ran) {
            (Some(execution), _) => execution_json(tenant, app, job, execution),
            (None, true) => never_ran_json(),
            (None, false) => Value::Null,
        },
        "lastSuccessfulExecution": status.success_ended.map_or(Value::Null, |at| sparse(at, 0)),
        "lastSuccessfulExecutionWithExports": status.export.map_or(Value::Null, |(at, count)| sparse(at, count)),
        "progress": status.progress.map_or(json!([]), |(done, total, at)| json!([{
            "completedUnits": done,
            "totalUnits": total,
            "progressObservationDateTime": date(Some(at)),
            "units": "users",
        }])),
        "quarantine": status.quarantine.as_ref().map_or(Value::Null, |quarantine| json!({
            "currentBegan": date(Some(quarantine.current_began + job.skew_ms)),
            "nextAttempt": date(Some(quarantine.next_attempt + job.skew_ms)),
            "reason": quarantine.reason,
            "seriesBegan": date(Some(quarantine.series_began + job.skew_ms)),
            "seriesCount": quarantine.series_count,
            "error": error_json(app, &quarantine.code),
        })),
        "synchronizedEntryCountByType": counts(tenant, job, status),
    })
}

fn counts(tenant: &TenantState, job: &JobState, status: &Status) -> Value {
    if status.last.is_none() && status.progress.is_none() {
        return json!([]);
    }
    let users = status
        .progress
        .map_or(job.total_objects, |(done, _, _)| done);
    if job.is_password_hash() {
        return json!([{"key": "user to User", "value": users}]);
    }
    json!([
        {"key": "group to Group", "value": tenant.directory.groups.len()},
        {"key": "user to User", "value": users},
    ])
}

fn counters(imported: u32, exported: u32, escrowed: u32) -> Value {
    json!({
        "countEntitled": 0,
        "countEntitledForProvisioning": 0,
        "countEscrowed": escrowed,
        "countEscrowedRaw": escrowed + 2,
        "countExported": exported,
        "countExports": exported + escrowed,
        "countImported": imported,
        "countImportedDeltas": imported,
        "countImportedReferenceDeltas": 0,
    })
}

fn execution_json(tenant: &TenantState, app: &App, job: &JobState, execution: &Execution) -> Value {
    let mut value = counters(
        execution.objects + execution.failed_objects,
        execution.objects,
        execution.failed_objects,
    );
    let activity = tenant
        .seed
        .corner("activity")
        .corner(&job.id)
        .nth(execution.cycle)
        .guid();
    value["activityIdentifier"] = json!(activity);
    value["error"] = execution
        .error
        .as_ref()
        .map_or(Value::Null, |code| error_json(app, code));
    value["state"] = json!(execution.state);
    value["timeBegan"] = json!(date(Some(execution.began)));
    value["timeEnded"] = json!(date(Some(execution.ended)));
    value
}

/// Success is remembered without an id and without a beginning.
fn sparse(ended: i64, exported: u32) -> Value {
    let mut value = counters(0, 0, 0);
    value["countEscrowedRaw"] = json!(0);
    value["countExported"] = json!(exported);
    value["activityIdentifier"] = Value::Null;
    value["error"] = Value::Null;
    value["state"] = json!("Succeeded");
    value["timeBegan"] = json!(ZERO_DATE);
    value["timeEnded"] = json!(date(Some(ended)));
    value
}

/// A job that never ran looks failed and is not.
fn never_ran_json() -> Value {
    let mut value = counters(0, 0, 0);
    value["countEscrowedRaw"] = json!(0);
    value["activityIdentifier"] = Value::Null;
    value["error"] = json!({"code": "None", "message": "", "tenantActionable": false});
    value["state"] = json!("Failed");
    value["timeBegan"] = json!(ZERO_DATE);
    value["timeEnded"] = json!(ZERO_DATE);
    value
}

fn error_json(app: &App, code: &str) -> Value {
    let message = match code {
        "HybridIdentityServiceNoActiveAgents" => format!(
            "No active provisioning agent is available for the domain '{}'. Check that the agent service is running and can reach the internet.",
            app.name
        ),
        "HybridIdentityServiceNoAgentsAssigned" => format!(
            "No provisioning agent is assigned to the domain '{}'.",
            app.name
        ),
        "TooManyDeletes" => {
            "The number of deletions in this cycle is above the configured threshold of 500."
                .to_owned()
        }
        "TimeOut" => "The agent did not answer within 10 minutes.".to_owned(),
        other => format!("The cycle ended with error {other}."),
    };
    let actionable = code != "AzureDirectoryServiceServerBusy";
    json!({"code": code, "message": message, "tenantActionable": actionable})
}

fn settings(tenant: &TenantState, app: &App, job: &JobState) -> Value {
    let mut list = vec![
        json!({"name": "AzureIngestionAttributeOptimization", "value": "False"}),
        json!({"name": "LookaheadQueryEnabled", "value": "False"}),
    ];
    if app.shape.is_some() && job.is_cloud_sync() {
        let discovered = times::ticks(tenant.origin_ms - 100 * 86_400_000, 1234);
        let domain = json!({
            "DomainDiscoveredAt": discovered,
            "DomainFQDN": app.name,
            "DomainNetBios": app.netbios,
            "ForestFQDN": app.name,
            "ForestNetBios": app.netbios,
        });
        list.push(json!({"name": "Domain", "value": domain.to_string()}));
        for (name, value) in [
            ("DomainFQDN", app.name.as_str()),
            ("DomainNetBios", app.netbios.as_str()),
            ("ForestFQDN", app.name.as_str()),
            ("ForestNetBios", app.netbios.as_str()),
            ("QuarantineTooManyDeletesThreshold", "500"),
        ] {
            list.push(json!({"name": name, "value": value}));
        }
    }
    Value::Array(list)
}
