//! Section `scheduler`: Connect's scheduler (`Get-ADSyncScheduler`).
//!
//! One object with the cmdlet's own properties. What the agent's scripts print:
//!
//! ```json
//! {
//!   "AllowedSyncCycleInterval": "00:30:00",
//!   "CurrentlyEffectiveSyncCycleInterval": "00:30:00",
//!   "CustomizedSyncCycleInterval": null,
//!   "NextSyncCyclePolicyType": "Delta",
//!   "NextSyncCycleStartTimeInUTC": "2026-11-17T09:41:12.4130000Z",
//!   "PurgeRunHistoryInterval": "7.00:00:00",
//!   "SyncCycleEnabled": true,
//!   "MaintenanceEnabled": true,
//!   "StagingModeEnabled": false,
//!   "SchedulerSuspended": false,
//!   "SyncCycleInProgress": false
//! }
//! ```
//!
//! Required is everything but `CustomizedSyncCycleInterval`, `NextSyncCycleStartTimeInUTC` and
//! `PurgeRunHistoryInterval`. The kind of the next start is not known ([`super::forms`]): raw
//! milliseconds are read only from a server whose local time is UTC.

use serde_json::Value;

use super::forms::{Forms, Kind, Numbered, ShapeError, only_row};
use crate::sync_server::{CyclePolicy, Scheduler};
use crate::time::millis;

impl Numbered for CyclePolicy {
    const NAMES: &'static [(i64, &'static str, Self)] = &[
        (0, "Unspecified", Self::Unspecified),
        (1, "Delta", Self::Delta),
        (2, "Initial", Self::Initial),
    ];
}

/// Reads the section; since when the scheduler is suspended or busy is for the reader of several
/// reports to know.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Scheduler, ShapeError> {
    let row = only_row(data, forms, "the scheduler")?;
    let policy = row.member::<CyclePolicy>("NextSyncCyclePolicyType")?;
    Ok(Scheduler {
        effective_interval_ms: millis(row.span("CurrentlyEffectiveSyncCycleInterval")?),
        allowed_interval_ms: millis(row.span("AllowedSyncCycleInterval")?),
        customized_interval_ms: row
            .optional_span("CustomizedSyncCycleInterval")?
            .map(millis),
        // A policy nobody has heard of says nothing about the next cycle.
        next_policy: policy.known().unwrap_or(CyclePolicy::Unspecified),
        next_start_at: row.optional_instant("NextSyncCycleStartTimeInUTC", Kind::Unsure)?,
        sync_cycle_enabled: row.flag("SyncCycleEnabled")?,
        maintenance_enabled: row.flag("MaintenanceEnabled")?,
        staging_mode: row.flag("StagingModeEnabled")?,
        suspended: row.flag("SchedulerSuspended")?,
        suspended_since: None,
        in_progress: row.flag("SyncCycleInProgress")?,
        in_progress_since: None,
    })
}
