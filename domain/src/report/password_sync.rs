//! Section `password_sync`: password hash sync of Connect.
//!
//! Two kinds of objects: the state of each domain (`Get-ADSyncPartitionPasswordSyncState`) and
//! whether the sync is on for a connector (`Get-ADSyncAADPasswordSyncConfiguration`, once per
//! connector to a forest). What the agent's scripts print:
//!
//! ```json
//! {
//!   "Kind": "Partition",
//!   "ConnectorId": "5d1c6f0e-3a57-4b0e-9c41-7b7d5a0f1a11",
//!   "DN": "DC=ad,DC=hauser,DC=example",
//!   "PasswordSyncLastSuccessfulCycleStartTimestamp": "2026-11-17T09:38:23.9370000Z",
//!   "PasswordSyncLastSuccessfulCycleEndTimestamp": "2026-11-17T09:38:24.2030000Z",
//!   "PasswordSyncLastCycleStartTimestamp": "2026-11-17T09:38:23.9370000Z",
//!   "PasswordSyncLastCycleEndTimestamp": "2026-11-17T09:38:24.2030000Z",
//!   "PasswordSyncLastCycleStatus": "Successful"
//! }
//! {
//!   "Kind": "Configuration",
//!   "SourceConnector": "ad.hauser.example",
//!   "TargetConnector": "hauser.onmicrosoft.com - AAD",
//!   "Enabled": true
//! }
//! ```
//!
//! Without `Kind` an object with `SourceConnector` is a configuration, any other one a partition.
//! Objects of another kind are left out, and so are partitions that are no domain (`default` of
//! the connector to Entra ID). Both ends of the last successful cycle must be there, `null` or
//! year 1 for "never". The kind of the instants is not known ([`super::forms`]): raw milliseconds
//! are read only from a server whose local time is UTC.

use serde_json::Value;

use super::forms::{Forms, Kind, Member, Row, ShapeError, domain_of, numbered, rows};
use crate::time::Timestamp;

numbered! {
    /// How a cycle of password hash sync ended.
    CycleStatus {
        /// There was none.
        None = 0 "None",
        /// It worked.
        Successful = 1 "Successful",
        /// It failed.
        Failed = 2 "Failed",
        /// It runs.
        InProgress = 3 "InProgress",
        /// It was cut short.
        Interrupted = 4 "Interrupted",
    }
}

/// Password hash sync of Connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordSync {
    /// State per domain.
    pub partitions: Vec<PartitionState>,
    /// Whether it is on, per connector to a forest.
    pub configurations: Vec<Configuration>,
}

/// State of password hash sync of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    /// Id of the connector.
    pub connector_id: String,
    /// Distinguished name of the domain.
    pub dn: String,
    /// DNS name of the domain, in lower case.
    pub domain: String,
    /// Start of the last cycle that worked.
    pub success_began_at: Option<Timestamp>,
    /// End of the last cycle that worked.
    pub success_ended_at: Option<Timestamp>,
    /// Start of the last cycle.
    pub cycle_began_at: Option<Timestamp>,
    /// End of the last cycle.
    pub cycle_ended_at: Option<Timestamp>,
    /// How the last cycle ended.
    pub cycle: Member<CycleStatus>,
}

/// Whether password hash sync is on for a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Name of the connector to the forest.
    pub source: String,
    /// Name of the connector to Entra ID.
    pub target: Option<String>,
    /// It is on.
    pub enabled: bool,
}

impl PasswordSync {
    /// Whether it is on for a connector; `None` when nobody said so.
    #[must_use]
    pub fn enabled(&self, connector: &str) -> Option<bool> {
        self.configurations
            .iter()
            .find(|configuration| configuration.source.eq_ignore_ascii_case(connector))
            .map(|configuration| configuration.enabled)
    }
}

/// Reads the section.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<PasswordSync, ShapeError> {
    let mut all = PasswordSync::default();
    for row in rows(data, forms)? {
        match row.optional_text("Kind")?.as_deref() {
            Some("Configuration") => all.configurations.push(configuration(&row)?),
            None if row.has("SourceConnector") => all.configurations.push(configuration(&row)?),
            Some("Partition") | None => all.partitions.extend(partition(&row)?),
            Some(_) => {}
        }
    }
    Ok(all)
}

fn configuration(row: &Row<'_>) -> Result<Configuration, ShapeError> {
    Ok(Configuration {
        source: row.text("SourceConnector")?,
        target: row.optional_text("TargetConnector")?,
        enabled: row.flag("Enabled")?,
    })
}

/// The state of a domain; `None` for a partition that is none.
fn partition(row: &Row<'_>) -> Result<Option<PartitionState>, ShapeError> {
    row.demand("DN", "a distinguished name")?;
    let Some(dn) = row.optional_text("DN")? else {
        return Ok(None);
    };
    let Some(domain) = domain_of(&dn) else {
        return Ok(None);
    };
    for name in [
        "PasswordSyncLastSuccessfulCycleStartTimestamp",
        "PasswordSyncLastSuccessfulCycleEndTimestamp",
    ] {
        row.demand(name, "an instant")?;
    }
    let at = |name: &str| row.optional_instant(name, Kind::Unsure);
    Ok(Some(PartitionState {
        connector_id: row.id("ConnectorId")?,
        dn,
        domain,
        success_began_at: at("PasswordSyncLastSuccessfulCycleStartTimestamp")?,
        success_ended_at: at("PasswordSyncLastSuccessfulCycleEndTimestamp")?,
        cycle_began_at: at("PasswordSyncLastCycleStartTimestamp")?,
        cycle_ended_at: at("PasswordSyncLastCycleEndTimestamp")?,
        cycle: row.member("PasswordSyncLastCycleStatus")?,
    }))
}
