//! What is known of a sync server: the reports of its agent, reduced to what can be judged.
//!
//! The collector keeps each part as a fact of the tenant, named `server/<agent id>/<part>`; the
//! detectors read them. Instants are true ones: the server's clock is corrected before
//! ([`crate::report::Correction`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::lane::words;
use crate::report::Role;
use crate::time::Timestamp;

/// First part of the names of facts about sync servers.
pub const PREFIX: &str = "server/";

words! {
    /// A part of what is known of a server; last part of the fact's name.
    Part {
        /// [`Agent`].
        Agent = "agent",
        /// [`Scheduler`].
        Scheduler = "scheduler",
        /// [`Runs`].
        Runs = "runs",
        /// [`PasswordSync`].
        PasswordSync = "password_sync",
        /// [`CloudFeatures`].
        CloudFeatures = "cloud_features",
        /// [`Database`].
        Database = "database",
        /// [`Reachability`].
        Reachability = "reachability",
        /// [`Services`].
        Services = "services",
        /// [`Versions`].
        Versions = "versions",
        /// [`DeletionStop`].
        DeletionStop = "deletion_stop",
        /// [`CertificateNotice`].
        Certificate = "certificate",
        /// [`PendingExports`].
        PendingExports = "pending_exports",
        /// [`Containers`].
        Containers = "containers",
    }
}

/// Name of the fact that keeps a part of a server.
#[must_use]
pub fn fact_name(agent_id: &str, part: Part) -> String {
    format!("{PREFIX}{agent_id}/{part}")
}

/// The agent and the part that a fact is about; `None` for other facts.
#[must_use]
pub fn of_fact_name(name: &str) -> Option<(&str, Part)> {
    let (agent_id, part) = name.strip_prefix(PREFIX)?.rsplit_once('/')?;
    Some((agent_id, Part::from_word(part)?))
}

/// The agent itself, and how its reports come home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Name of the host.
    pub host: String,
    /// Version of the agent.
    pub version: String,
    /// Operating system, for people.
    #[serde(default)]
    pub system: String,
    /// What the server does.
    #[serde(default)]
    pub roles: BTreeSet<Role>,
    /// How far the server's clock is ahead, in milliseconds; negative when it is behind.
    pub clock_ahead_ms: i64,
    /// The newest records that were dropped before they came home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_gap: Option<LostRecords>,
}

/// Records that were dropped on the server because the line was down for too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostRecords {
    /// How many.
    pub records: u64,
    /// When the first of them was read.
    pub from: Timestamp,
    /// When the last of them was read.
    pub to: Timestamp,
}

words! {
    /// What the next cycle of Connect's scheduler will be (`NextSyncCyclePolicyType`).
    CyclePolicy {
        /// The scheduler says nothing.
        Unspecified = "unspecified",
        /// Changes only.
        Delta = "delta",
        /// Everything.
        Initial = "initial",
    }
}

/// Connect's scheduler (`Get-ADSyncScheduler`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduler {
    /// Interval in force, in milliseconds.
    pub effective_interval_ms: i64,
    /// Shortest interval that Entra ID permits, in milliseconds.
    pub allowed_interval_ms: i64,
    /// Interval set by an administrator, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customized_interval_ms: Option<i64>,
    /// What the next cycle will be.
    pub next_policy: CyclePolicy,
    /// Planned start of the next cycle.
    pub next_start_at: Option<Timestamp>,
    /// Cycles run.
    pub sync_cycle_enabled: bool,
    /// Maintenance runs.
    pub maintenance_enabled: bool,
    /// The server is in staging mode.
    pub staging_mode: bool,
    /// Held by the configuration wizard.
    pub suspended: bool,
    /// Since when reports say so without a break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_since: Option<Timestamp>,
    /// A cycle is running.
    pub in_progress: bool,
    /// Since when reports say so without a break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_progress_since: Option<Timestamp>,
}

/// The newest runs of every connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// Connectors, by name.
    pub connectors: Vec<ConnectorRuns>,
    /// End of the newest delta cycle, or full one, of which every step worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Timestamp>,
}

/// The newest runs of one connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorRuns {
    /// Id of the connector.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// It is the connector to Entra ID.
    pub cloud: bool,
    /// The newest run that ended, of each run profile.
    pub newest: Vec<Run>,
    /// Number of the newest run that was taken in (`RunNumber`, which grows per connector). The
    /// history comes again with every reading, its instants corrected a little differently each
    /// time: the number alone tells a run that is new.
    #[serde(default)]
    pub counted_to: i64,
    /// The run that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Running>,
}

/// A run that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Run profile, e.g. `Delta Import`.
    pub profile: String,
    /// Result as it came, e.g. `completed-export-errors`.
    pub result: String,
    /// Start.
    pub began_at: Timestamp,
    /// End.
    pub ended_at: Timestamp,
    /// Runs of this profile with a result of the same grade or worse, one after the other up to
    /// this one; 0 when it is good.
    pub bad_in_a_row: u32,
    /// Start of the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad_since: Option<Timestamp>,
    /// Objects that failed to export.
    pub export_failures: i64,
    /// The same of the run before.
    pub export_failures_before: i64,
}

/// A run under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Run profile.
    pub profile: String,
    /// Start.
    pub began_at: Timestamp,
    /// Median length of the profile's runs on record, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_ms: Option<i64>,
}

/// Password hash sync of Connect, per domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordSync {
    /// Domains, by name.
    pub domains: Vec<PasswordDomain>,
}

/// Password hash sync of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordDomain {
    /// DNS name of the domain.
    pub domain: String,
    /// Id of its connector.
    pub connector_id: String,
    /// Switched on for this connector; `None` when nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The newest sign of life: end of a successful cycle, or event 651, 654 or 657.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive_at: Option<Timestamp>,
    /// End of the last cycle that worked, as the server's clock had it: a state that comes again
    /// is known by it, however its clock is corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_as_told: Option<Timestamp>,
    /// The newest sign of life that was counted as a cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// Failures (events 611, 662 and 667) within the two hours before the newest of them, oldest
    /// first; at most the newest ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_at: Vec<Timestamp>,
    /// The text of the newest one, without names of users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_text: Option<String>,
    /// Event 665: the state of the domain could not be stored, so it looks older than it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_not_stored_at: Option<Timestamp>,
}

/// What the tenant says about Connect's features (`Get-ADSyncAADCompanyFeature`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudFeatures {
    /// Password hash sync is on in the tenant.
    pub password_hash_sync: Option<bool>,
}

/// Connect's database (`Get-ADSyncDatabaseConfiguration`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// It is LocalDB, which ends at 10 GB.
    pub local_db: bool,
    /// Space in use, in megabytes.
    pub used_mb: f64,
}

/// Which domains can be reached (`Get-ADSyncDomainReachabilityStatus`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reachability {
    /// Domains, by name.
    pub domains: Vec<DomainReach>,
}

/// Whether one domain can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainReach {
    /// DNS name.
    pub domain: String,
    /// It can.
    pub reachable: bool,
    /// Since when reports say so without a break.
    pub since: Timestamp,
    /// What the server says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

words! {
    /// State of a Windows service.
    ServiceState {
        /// It does not run.
        Stopped = "stopped",
        /// It is starting.
        StartPending = "start_pending",
        /// It is stopping.
        StopPending = "stop_pending",
        /// It runs.
        Running = "running",
        /// It goes on after a pause.
        ContinuePending = "continue_pending",
        /// It is about to pause.
        PausePending = "pause_pending",
        /// It pauses.
        Paused = "paused",
    }
}

words! {
    /// How a Windows service starts.
    StartType {
        /// Driver of the boot loader.
        Boot = "boot",
        /// Driver of the system.
        System = "system",
        /// By itself.
        Automatic = "automatic",
        /// When somebody starts it.
        Manual = "manual",
        /// Not at all.
        Disabled = "disabled",
    }
}

words! {
    /// A service that matters, whatever it is called on the server.
    ServiceKind {
        /// Connect Sync itself.
        Connect = "connect",
        /// Updater that Connect and the agents share.
        Updater = "updater",
        /// Connect Health agent.
        Health = "health",
        /// Pass-through authentication agent.
        PassThrough = "pass_through",
        /// Agent of Cloud Sync.
        Provisioning = "provisioning",
    }
}

/// Windows services of Connect and the agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    /// Services that are installed.
    pub services: Vec<Service>,
}

/// One Windows service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What it is.
    pub kind: ServiceKind,
    /// Name of the service.
    pub name: String,
    /// Name as shown to people.
    pub display_name: String,
    /// State.
    pub state: ServiceState,
    /// Since when reports say so without a break.
    pub since: Timestamp,
    /// How it starts.
    pub start_type: Option<StartType>,
}

/// Versions of what is installed; four numbers with dots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Connect Sync (`miiserver.exe`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<String>,
    /// Agent of Cloud Sync (`AADConnectProvisioningAgent.exe`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_agent: Option<String>,
    /// Since when reports say so without a break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_agent_since: Option<Timestamp>,
}

/// The guard against accidental deletes stopped an export (event 116).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionStop {
    /// When.
    pub at: Timestamp,
    /// Deletes that wait.
    pub pending: Option<i64>,
    /// Deletes that are let through at a time.
    pub limit: Option<i64>,
}

words! {
    /// What Connect says about its certificate.
    CertificateWord {
        /// It ends within 150 days (event 1011).
        Ending = "ending",
        /// It has ended (event 1012).
        Expired = "expired",
    }
}

/// The newest word of Connect about the certificate it signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateNotice {
    /// When it was said.
    pub at: Timestamp,
    /// What was said.
    pub word: CertificateWord,
}

/// What waits to be exported (`Get-ADSyncConnectorStatistics`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingExports {
    /// Connectors, by name.
    pub connectors: Vec<Pending>,
}

/// What waits to be exported by one connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Name of the connector.
    pub connector: String,
    /// New objects.
    pub adds: i64,
    /// Changed objects.
    pub updates: i64,
    /// Deleted objects.
    pub deletes: i64,
}

/// Containers that Cloud Sync configurations name, looked up in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containers {
    /// Containers, by name.
    pub containers: Vec<Container>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Distinguished name as the configuration has it.
    pub dn: String,
    /// Something of this name is there.
    pub exists: bool,
    /// Since when reports say so without a break.
    pub since: Timestamp,
    /// `objectGUID` of what is there, or was there last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_guid: Option<String>,
    /// Where the object with that id is now, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_facts_read_back() {
        for part in Part::ALL {
            let name = fact_name("a/b", *part);
            assert_eq!(of_fact_name(&name), Some(("a/b", *part)));
        }
        for other in ["credential/x", "server/x", "server/x/unheard", "server/"] {
            assert_eq!(of_fact_name(other), None, "{other}");
        }
    }
}
