//! Cloud Sync jobs and the grouping of their errors.

use std::hash::Hash;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lane::{LaneKind, words};
use crate::time::Timestamp;

words! {
    /// State of a job (Microsoft Graph `synchronizationStatusCode`).
    JobStatus {
        /// Set up is not finished.
        NotConfigured = "not_configured",
        /// Started, but no cycle ran yet.
        NotRun = "not_run",
        /// Runs.
        Active = "active",
        /// Stopped by a person, or disabled.
        Paused = "paused",
        /// Held back by the service because of errors or deletes.
        Quarantine = "quarantine",
        /// A state this version does not know.
        Unknown = "unknown",
    }
}

words! {
    /// State of a job's schedule (Microsoft Graph `synchronizationScheduleState`).
    ScheduleState {
        /// Cycles are planned.
        Active = "active",
        /// Switched off, also by the service after 28 days of quarantine.
        Disabled = "disabled",
        /// Paused by a person.
        Paused = "paused",
        /// A state this version does not know.
        Unknown = "unknown",
    }
}

/// Why and since when a job is held back (Microsoft Graph `synchronizationQuarantine`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quarantine {
    /// Reason as Graph spells it; unknown members are kept verbatim.
    pub reason: String,
    /// Start of the present quarantine.
    pub began_at: Option<Timestamp>,
    /// When the service will try again.
    pub next_attempt_at: Option<Timestamp>,
    /// Start of the series; the service disables the job 28 days later.
    pub series_began_at: Option<Timestamp>,
}

/// An error of a job, not of a single object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobError {
    /// Code as Graph spells it.
    pub code: String,
    /// Text of the service, cut to a readable length.
    pub message: String,
}

/// What is known of one synchronization job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Name of the tenant in the config.
    pub tenant: String,
    /// Object id of the service principal that owns the job.
    pub service_principal_id: String,
    /// Job id; its prefix before the first dot is the job template.
    pub job_id: String,
    /// Template word, e.g. `AD2AADProvisioning`.
    pub template: String,
    /// AD domain the job serves; the configuration's name where the settings do not tell.
    pub domain: String,
    /// State of the job.
    pub status: JobStatus,
    /// State of its schedule.
    pub schedule: ScheduleState,
    /// Promised interval; `None` for "never".
    pub interval: Option<Duration>,
    /// Set while the job is held back.
    pub quarantine: Option<Quarantine>,
    /// Error of the newest execution or of the quarantine.
    pub error: Option<JobError>,
    /// Consecutive executions that failed completely.
    pub successive_failures: i64,
    /// End of the initial cycle; `None` while it runs.
    pub steady_first_at: Option<Timestamp>,
    /// Last time without backlog.
    pub steady_last_at: Option<Timestamp>,
    /// Start of the read these facts come from.
    pub read_at: Timestamp,
}

impl Job {
    /// The lane kind this job's cycles belong to; `None` for jobs that make no lane here
    /// (writeback, group provisioning, other applications).
    #[must_use]
    pub fn lane_kind(&self) -> Option<LaneKind> {
        lane_kind_of_template(&self.template)
    }

    /// What of the job matters to rules, for comparing: all but the instants that move with every
    /// cycle or read.
    #[must_use]
    pub fn lasting(&self) -> impl Hash + Eq {
        let Self {
            tenant,
            service_principal_id,
            job_id,
            template,
            domain,
            status,
            schedule,
            interval,
            quarantine,
            error,
            successive_failures,
            steady_first_at,
            steady_last_at: _,
            read_at: _,
        } = self;
        (
            (tenant, service_principal_id, job_id, template, domain),
            (status, schedule, interval),
            (quarantine, error, successive_failures, steady_first_at),
        )
    }

    /// Whether cycles are expected of the job.
    #[must_use]
    pub const fn is_expected_to_run(&self) -> bool {
        matches!(
            self.schedule,
            ScheduleState::Active | ScheduleState::Unknown
        ) && !matches!(self.status, JobStatus::Paused | JobStatus::NotConfigured)
    }
}

/// The lane kind of a job template of Cloud Sync that reads from AD (Cloud Sync job templates).
#[must_use]
pub fn lane_kind_of_template(template: &str) -> Option<LaneKind> {
    match template {
        "AD2AADProvisioning" => Some(LaneKind::Objects),
        "AD2AADPasswordHash" => Some(LaneKind::PasswordHash),
        _ => None,
    }
}

words! {
    /// Groups of provisioning errors, by where to look first (Cloud Sync error code reference).
    ErrorGroup {
        /// The agent or its way to the cloud.
        AgentPath = "agent_path",
        /// Active Directory, seen from the agent.
        AdPath = "ad_path",
        /// The service account in the cloud.
        CloudCredentials = "cloud_credentials",
        /// The service is busy.
        ServiceLoad = "service_load",
        /// A single object's data.
        Data = "data",
    }
}

impl ErrorGroup {
    /// The group of an error code of a job or a provisioning log row. Codes that name no path
    /// concern single objects.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        let starts = |prefix: &str| {
            code.get(..prefix.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
        };
        let is = |word: &str| code.eq_ignore_ascii_case(word);
        if starts("HybridIdentityService")
            || starts("HybridSynchronizationTimeout")
            || is("HybridSynchronizationInvalidResponse")
        {
            Self::AgentPath
        } else if is_object_write_error(code) {
            Self::Data
        } else if starts("HybridSynchronizationActiveDirectory")
            || starts("HybridSynchronizationUnableToFind")
        {
            Self::AdPath
        } else if starts("AzureActiveDirectory") {
            Self::CloudCredentials
        } else if is("AzureDirectoryServiceServerBusy")
            || is("TimeOut")
            || is("TooManyRequests")
            || is("81")
        {
            Self::ServiceLoad
        } else {
            Self::Data
        }
    }

    /// Whether one error of this group concerns the whole job.
    #[must_use]
    pub const fn is_job_level(self) -> bool {
        !matches!(self, Self::Data)
    }

    /// Where to look first, as one sentence for people.
    #[must_use]
    pub const fn first_check(self) -> &'static str {
        match self {
            Self::AgentPath => {
                "Check the provisioning agent: its service, outbound 443 with WebSockets, CRL access on port 80, and its load."
            }
            Self::AdPath => {
                "Check the domain controllers as the agent sees them: LDAP 389, global catalog 3268, DNS, and the rights of the agent's service account."
            }
            Self::CloudCredentials => {
                "Check the cloud service account of the configuration: missing, expired or blocked by a Conditional Access policy."
            }
            Self::ServiceLoad => {
                "The service is busy; wait. Ask Microsoft support when it lasts longer than 24 hours."
            }
            Self::Data => {
                "Look at the objects named: duplicate values, anchors, or attributes that fail validation."
            }
        }
    }
}

/// Codes with the prefix of the AD path that still concern a single object being written.
fn is_object_write_error(code: &str) -> bool {
    [
        "DistinguishedNameBadSyntax",
        "ObjectNameAlreadyExists",
        "DirectoryObjectNotFound",
        "InexistentAccount",
    ]
    .iter()
    .any(|tail| code.ends_with(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_fall_into_the_documented_groups() {
        use ErrorGroup::{AdPath, AgentPath, CloudCredentials, Data, ServiceLoad};
        for (code, group) in [
            ("HybridIdentityServiceAgentTimeout", AgentPath),
            ("HybridIdentityServiceNoActiveAgents", AgentPath),
            ("HybridSynchronizationTimeoutError", AgentPath),
            ("HybridSynchronizationInvalidResponse", AgentPath),
            (
                "HybridSynchronizationActiveDirectoryInternalServerError",
                AdPath,
            ),
            ("HybridSynchronizationUnableToFindDomainController", AdPath),
            (
                "HybridSynchronizationActiveDirectoryObjectNameAlreadyExists",
                Data,
            ),
            ("AzureActiveDirectoryInvalidCredential", CloudCredentials),
            ("AzureActiveDirectoryExpiredCredentials", CloudCredentials),
            ("AzureDirectoryServiceServerBusy", ServiceLoad),
            ("TimeOut", ServiceLoad),
            ("timeout", ServiceLoad),
            ("AttributeValueMustBeUnique", Data),
            ("SomethingOfTomorrow", Data),
            ("", Data),
        ] {
            assert_eq!(ErrorGroup::of_code(code), group, "{code:?}");
        }
    }
}
