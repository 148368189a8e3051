//! How Connect stands at an instant: scheduler, busy connectors, password hash sync, database,
//! domains, what waits to be exported, and what the tenant says.

use serde_json::{Value, json};

use super::at::{At, CLOUD_CONNECTOR};
use super::cycles::{Block, Cycles};
use super::forms::Forms;
use super::model::ConnectSync;
use super::passwords::{Pass, state};
use super::runs::runs_of;
use super::trouble::Trouble;

pub(super) fn scheduler(at: &At<'_>, forms: Forms, connect: &ConnectSync) -> Value {
    let cycles = Cycles::of(at, connect);
    let blocked = cycles.blocked.last();
    let is_blocked = |why| {
        blocked.is_some_and(|one| one.why == why && one.until.is_none_or(|until| until > at.now))
    };
    // A trouble counts from the moment it begins, not from the next cycle that it prevents.
    let suspended = is_blocked(Block::Wizard) || at.has(at.now, &Trouble::WizardOpen);
    let disabled = is_blocked(Block::Disabled) || at.has(at.now, &Trouble::SchedulerDisabled);
    let interval = connect.interval.as_ms();
    json!({
        "AllowedSyncCycleInterval": forms.span(interval),
        "CurrentlyEffectiveSyncCycleInterval": forms.span(interval),
        "CustomizedSyncCycleInterval": null,
        "NextSyncCyclePolicyType": forms.member("Delta", 1),
        "NextSyncCycleStartTimeInUTC": forms.reading(cycles.next_start),
        "PurgeRunHistoryInterval": forms.span(7 * 86_400_000),
        "SyncCycleEnabled": !disabled,
        "MaintenanceEnabled": true,
        "StagingModeEnabled": at.is_staging(connect, at.now),
        "SchedulerSuspended": suspended,
        "SyncCycleInProgress": cycles.running(at.now).is_some(),
    })
}

pub(super) fn busy_connectors(at: &At<'_>, forms: Forms, connect: &ConnectSync) -> Vec<Value> {
    let cycles = Cycles::of(at, connect);
    let running = cycles.running(at.now);
    let runs = running.map(|cycle| runs_of(at, connect, cycle));
    let runs = runs.unwrap_or_default();
    let busy = runs.iter().filter(|run| run.end.is_none());
    busy.map(|run| {
        json!({ "RunState": forms.member("Busy", 0), "ConnectorName": run.connector_name(connect) })
    })
    .collect()
}

pub(super) fn password_sync(at: &At<'_>, forms: Forms, connect: &ConnectSync) -> Vec<Value> {
    let mut rows = Vec::new();
    for forest in &connect.forests {
        for domain in &forest.domains {
            let state = state(at, connect, forest, domain);
            rows.push(partition(
                forms,
                &at.connector_id(forest),
                &domain.dn(),
                state.last_that_worked,
                state.last,
            ));
        }
    }
    // The connector to Entra ID has a row too, which says nothing.
    rows.push(partition(forms, CLOUD_CONNECTOR, "default", None, None));
    let configurations = connect.forests.iter().map(|forest| {
        json!({
            "Kind": "Configuration",
            "SourceConnector": forest.name,
            "TargetConnector": connect.cloud_connector(),
            "Enabled": forest.password_sync,
        })
    });
    rows.extend(configurations);
    rows
}

fn partition(
    forms: Forms,
    connector: &str,
    dn: &str,
    worked: Option<Pass>,
    last: Option<Pass>,
) -> Value {
    let start = |pass: Option<Pass>| forms.reading_or_never(pass.map(|pass| pass.start));
    let end = |pass: Option<Pass>| forms.reading_or_never(pass.map(|pass| pass.end));
    let status = match last {
        None => forms.member("None", 0),
        Some(pass) if pass.worked => forms.member("Successful", 1),
        Some(_) => forms.member("Failed", 2),
    };
    json!({
        "Kind": "Partition",
        "ConnectorId": connector,
        "DN": dn,
        "PasswordSyncLastSuccessfulCycleStartTimestamp": start(worked),
        "PasswordSyncLastSuccessfulCycleEndTimestamp": end(worked),
        "PasswordSyncLastCycleStartTimestamp": start(last),
        "PasswordSyncLastCycleEndTimestamp": end(last),
        "PasswordSyncLastCycleStatus": status,
    })
}

pub(super) fn company_features(at: &At<'_>) -> Value {
    json!({
        "PasswordHashSync": !at.has(at.now, &Trouble::CloudFlagOff),
        "ForcePasswordChangeOnLogOn": false,
        "UserWriteback": false,
        "DeviceWriteback": false,
        "UnifiedGroupWriteback": false,
        "GroupWritebackV2": false,
    })
}

pub(super) fn database(at: &At<'_>, connect: &ConnectSync) -> Value {
    let grown = at.trouble(at.now, |one| match one {
        Trouble::DatabaseFull { used_mb } => Some(*used_mb),
        _ => None,
    });
    json!({
        "IsLocalDBInstalled": true,
        "UsedSpaceInMb": grown.unwrap_or(connect.database_mb),
        "SqlServerName": "(localdb)",
        "SqlServerInstanceName": ".\\ADSync2022",
        "SqlServerDBName": "ADSync",
        "SqlFullVersion": "16.0.4135.4",
        "SqlProductVersion": "16.0.4135.4",
        "SqlEdition": "Express Edition (64-bit)",
    })
}

pub(super) fn reachability(at: &At<'_>, connect: &ConnectSync) -> Vec<Value> {
    let mut rows = Vec::new();
    for forest in &connect.forests {
        let lost = at.is_unreachable(at.now, forest);
        for domain in &forest.domains {
            rows.push(json!({
                "FullName": domain.name,
                "IsReachable": !lost,
                "ExceptionMessage": if lost { "The server is not operational." } else { "" },
            }));
        }
    }
    rows
}

pub(super) fn pending_exports(at: &At<'_>, connect: &ConnectSync) -> Vec<Value> {
    let held = at.trouble(at.now, |one| match one {
        Trouble::TooManyDeletes { pending, .. } => Some(*pending),
        _ => None,
    });
    let staging = at.is_staging(connect, at.now);
    let row = |name: &str, id: &str, updates: u32, deletes: u32| {
        json!({
            "ConnectorName": name,
            "ConnectorId": id,
            "ExportAdds": 0,
            "ExportUpdates": updates,
            "ExportDeletes": deletes,
            "ImportAdds": 0,
            "ImportUpdates": 0,
            "ImportDeletes": 0,
            "ImportNoChange": 0,
            "TotalConnectors": 18_210,
        })
    };
    let forests = connect.forests.iter();
    let mut rows: Vec<_> = forests
        .map(|forest| row(&forest.name, &at.connector_id(forest), 0, 0))
        .collect();
    let (updates, deletes) = if staging { (14, 2) } else { (0, 0) };
    rows.push(row(
        &connect.cloud_connector(),
        CLOUD_CONNECTOR,
        updates,
        held.unwrap_or(deletes),
    ));
    rows
}
