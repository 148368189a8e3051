//! Run history as rows: runs with the counters and errors of their steps.

use serde_json::{Value, json};

use super::at::At;
use super::cycles::Cycles;
use super::forms::Forms;
use super::model::{ConnectSync, Domain};
use super::runs::{Outcome, Profile, Run, runs};

/// The newest runs, the newest first.
pub(super) fn rows(
    at: &At<'_>,
    forms: Forms,
    connect: &ConnectSync,
    most: usize,
    user_names: bool,
) -> Vec<Value> {
    let all = runs(at, connect, &Cycles::of(at, connect));
    let newest = all.iter().rev().take(most);
    newest
        .map(|run| row(at, forms, connect, run, user_names))
        .collect()
}

fn row(at: &At<'_>, forms: Forms, connect: &ConnectSync, run: &Run<'_>, user_names: bool) -> Value {
    let connector = run.connector_name(connect);
    let chance = at.chance("run").corner(&connector).nth(run.number);
    let profile = at.chance("profile").corner(&connector);
    let partitions = partitions(run);
    let count = partitions.len();
    let steps = partitions
        .into_iter()
        .enumerate()
        .map(|(place, partition)| {
            let id = chance.nth(u64::try_from(place).unwrap_or(0)).guid();
            step(at, forms, run, &partition, place + 1, &id, user_names)
        });
    json!({
        "RunHistoryId": chance.guid(),
        "ConnectorId": run.connector_id(at),
        "ConnectorName": connector,
        "RunProfileId": profile.corner(run.profile.name()).guid(),
        "RunProfileName": run.profile.name(),
        "RunNumber": run.number,
        "Username": "NT SERVICE\\ADSync",
        "IsRunComplete": run.end.is_some(),
        "Result": run.outcome.word(),
        "CurrentStepNumber": if run.end.is_some() { count } else { 1 },
        "TotalSteps": count,
        "StartDate": forms.reading(run.start),
        "EndDate": forms.reading_or_never(run.end),
        "RunStepResults": steps.collect::<Vec<_>>(),
    })
}

/// A step for each partition that is selected.
fn partitions(run: &Run<'_>) -> Vec<String> {
    match run.forest {
        Some(forest) => forest.domains.iter().map(Domain::dn).collect(),
        None => vec!["default".to_owned()],
    }
}

fn step(
    at: &At<'_>,
    forms: Forms,
    run: &Run<'_>,
    partition: &str,
    number: usize,
    id: &str,
    user_names: bool,
) -> Value {
    let errors = match run.outcome {
        Outcome::ExportErrors(count) => object_errors(at, forms, run, count, user_names),
        _ => Vec::new(),
    };
    let step_type = run.profile.step_type();
    let mut row = json!({
        "StepHistoryId": id,
        "StepNumber": number,
        "StepResult": run.outcome.word(),
        "StartDate": forms.reading(run.start),
        "EndDate": forms.reading_or_never(run.end),
        "ConnectorConnectionInformationXml": connection(run),
        "StepXml": format!("<step-type type=\"{step_type}\"></step-type><partition>{partition}</partition>"),
        "ConnectorDiscoveryErrors": { "ConnectorDiscoveryErrorsList": [] },
        "SyncErrors": { "SyncErrorsList": errors },
        "MvRetryErrors": { "MvRetryErrorsList": [] },
    });
    if let (Some(row), Value::Object(counters)) = (row.as_object_mut(), counters(at, run)) {
        row.extend(counters);
    }
    row
}

/// Counters; others than those of exports are left out where they are 0.
fn counters(at: &At<'_>, run: &Run<'_>) -> Value {
    let changes = at.chance_at("changes", run.start).below(6);
    let worked = matches!(run.outcome, Outcome::Success | Outcome::ExportErrors(_));
    let exports = worked && run.is_cloud_export();
    let failed = match run.outcome {
        Outcome::ExportErrors(count) => count,
        _ => 0,
    };
    let mut row = json!({
        "ExportAdd": 0,
        "ExportUpdate": if exports { changes } else { 0 },
        "ExportRename": 0,
        "ExportDelete": 0,
        "ExportDeleteAdd": 0,
        "ExportFailure": failed,
    });
    let name = match run.profile {
        Profile::Import => "StageUpdate",
        Profile::Synchronization => "ConnectorFlow",
        Profile::Export => return row,
    };
    if worked && changes > 0 {
        row[name] = changes.into();
    }
    row
}

fn connection(run: &Run<'_>) -> String {
    match (run.outcome, run.forest) {
        (Outcome::NoConnection, Some(forest)) => {
            let server = format!("<server>dc01.{}:389</server>", forest.name);
            format!(
                "<connection-result>failed-connection</connection-result>{server}<connection-log><incident><connection-result>failed-connection</connection-result>{server}<cd-error><error-code>0x51</error-code><error-literal>Server Down</error-literal></cd-error></incident></connection-log>"
            )
        }
        (Outcome::Running, _) => String::new(),
        _ => "<connection-result>success</connection-result>".to_owned(),
    }
}

fn object_errors(
    at: &At<'_>,
    forms: Forms,
    run: &Run<'_>,
    count: u32,
    user_names: bool,
) -> Vec<Value> {
    let one = |n: u32| {
        let chance = at.chance("object").nth(n.into());
        let mut row = json!({
            "CsGuid": chance.guid(),
            "MvGuid": chance.nth(1).guid(),
            "FirstOccurred": forms.reading(run.start - 3_600_000),
            "RetryCount": 2,
            "DateOccurred": forms.reading(run.start),
            "ErrorType": "AttributeValueMustBeUnique",
            "AlgorithmStep": "",
        });
        if user_names {
            row["ObjectDisplayName"] = format!("Nora Lind {n}").into();
            row["ObjectDn"] = format!("CN={{{}}}", chance.hex(16)).into();
        }
        row
    };
    (0..count.min(25)).map(one).collect()
}
