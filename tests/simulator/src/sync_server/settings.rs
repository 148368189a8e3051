//! Global settings of Connect, as names and values.

use serde_json::{Value, json};

use super::at::At;
use super::cycles::{Block, Cycles};
use super::forms::{constant, rfc1123};
use super::model::ConnectSync;
use super::trouble::Trouble;

/// What no trouble of a story changes.
const FEATURES: [(&str, &str); 17] = [
    ("OptionalFeature.DeviceWriteUp", "False"),
    ("OptionalFeature.DeviceWriteBack", "False"),
    ("OptionalFeature.UserWriteBack", "False"),
    ("OptionalFeature.GroupWriteBack", "False"),
    ("OptionalFeature.GroupFiltering", "False"),
    ("OptionalFeature.DirectoryExtension", "True"),
    (
        "OptionalFeature.DirectoryExtensionAttributes",
        "costCenter.user",
    ),
    ("OptionalFeature.HybridExchange", "True"),
    ("OptionalFeature.ExchangeMailPublicFolder", "False"),
    ("OptionalFeature.FilterAAD", "False"),
    ("OptionalFeature.AutoUpgradeState", "Enabled"),
    ("UserSignIn.SignOnMethod", "PasswordHashSynchronization"),
    ("UserSignIn.DesktopSsoEnabled", "True"),
    (
        "SynchronizationOption.AnchorAttribute",
        "mS-DS-ConsistencyGuid",
    ),
    ("SynchronizationOption.UPNAttribute", "userPrincipalName"),
    ("SynchronizationOption.JoinCriteria", "AlwaysProvision"),
    ("SystemInformation.MachineRole", "RoleMemberServer"),
];

/// One row per parameter; a careful script leaves the object around them out.
pub(super) fn rows(at: &At<'_>, connect: &ConnectSync) -> Vec<Value> {
    let cycles = Cycles::of(at, connect);
    let blocked = cycles.blocked.last();
    let is_blocked = |why| {
        blocked.is_some_and(|one| one.why == why && one.until.is_none_or(|until| until > at.now))
    };
    let limit = at.trouble(at.now, |one| match one {
        Trouble::TooManyDeletes { limit, .. } => Some(*limit),
        _ => None,
    });
    let rows = [
        (
            "Synchronize.TimeInterval",
            constant(connect.interval.as_ms()),
        ),
        (
            "Synchronize.StagingMode",
            truth(at.is_staging(connect, at.now)),
        ),
        ("Synchronize.NextStartTime", rfc1123(cycles.next_start)),
        ("Synchronize.SynchronizationPolicy", "Delta".to_owned()),
        (
            "Synchronize.SynchronizationSchedule",
            truth(!is_blocked(Block::Disabled)),
        ),
        ("Synchronize.MaintenanceEnabled", truth(true)),
        (
            "Synchronize.SchedulerSuspended",
            truth(is_blocked(Block::Wizard)),
        ),
        (
            "Synchronize.RunHistoryPurgeInterval",
            constant(7 * 86_400_000),
        ),
        (
            "Synchronize.ServerConfigurationVersion",
            connect.version.clone(),
        ),
        ("OptionalFeature.ExportDeletionThreshold", truth(true)),
        (
            "OptionalFeature.ExportDeletionThresholdValue",
            limit.unwrap_or(500).to_string(),
        ),
    ];
    let rows = rows
        .into_iter()
        .chain(FEATURES.map(|(name, value)| (name, value.to_owned())));
    rows.map(|(name, value)| json!({ "Name": format!("Microsoft.{name}"), "Value": value }))
        .collect()
}

/// Truth values are texts among the settings.
fn truth(flag: bool) -> String {
    if flag { "True" } else { "False" }.to_owned()
}
