//! Sources: the things that are polled, each with its own success, age and error.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lane::words;
use crate::time::Timestamp;

words! {
    /// What is asked of Microsoft Graph, and what agents on sync servers report.
    Poll {
        /// Which Cloud Sync configurations exist.
        ServicePrincipals = "service_principals",
        /// Synchronization jobs of one configuration and their status.
        Jobs = "jobs",
        /// Scopes of the jobs of one configuration.
        JobSchemas = "job_schemas",
        /// Provisioning logs.
        ProvisioningLogs = "provisioning_logs",
        /// Directory audits.
        DirectoryAudits = "directory_audits",
        /// Tenant-wide sync time stamps.
        Organization = "organization",
        /// Tenant-wide password sync time stamp (beta).
        OrganizationBeta = "organization_beta",
        /// Provisioning agents (beta, best effort).
        Agents = "agents",
        /// Credentials of the own application.
        Credentials = "credentials",
        /// Users, for their owners.
        Users = "users",
        /// Groups, for their owners.
        Groups = "groups",
        /// Users whose source of authority was moved to Entra ID.
        CloudManaged = "cloud_managed",
        /// Direct members of the groups that scopes name.
        GroupMembers = "group_members",
        /// Reports of an agent, whatever they say; fails when none comes.
        AgentReports = "agent_reports",
        /// One section of an agent's reports.
        AgentSection = "agent_section",
    }
}

/// The identity of a source: tenant x poll x instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceKey {
    /// Name of the tenant in the config.
    pub tenant: String,
    /// What is asked.
    pub poll: Poll,
    /// Which one, where there are several: the service principal of a poll of jobs or their schemas, the host of an
    /// agent, host and section (`SYNC01/scheduler`); else empty.
    pub instance: String,
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.poll)?;
        if self.instance.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.instance)
    }
}

words! {
    /// Why a read failed; a closed set, fit for a metric label.
    ReadFailure {
        /// No connection, reset, DNS, TLS.
        Network = "network",
        /// No answer in time.
        Timeout = "timeout",
        /// 429.
        Throttled = "throttled",
        /// 5xx.
        ServerError = "server_error",
        /// The login service refused the credential.
        SignInRefused = "sign_in_refused",
        /// 401 although the token is fresh.
        TokenRefused = "token_refused",
        /// 403: a right is missing.
        RightMissing = "right_missing",
        /// 403: the tenant lacks the licence.
        LicenceMissing = "licence_missing",
        /// 404 or 501: not in this tenant or cloud.
        NotAvailable = "not_available",
        /// 400 and other refusals of the request itself.
        Refused = "refused",
        /// The answer could not be read: HTML, cut off, wrong types.
        BadAnswer = "bad_answer",
    }
}

impl ReadFailure {
    /// Whether the failure means that the source cannot be seen at present.
    ///
    /// A missing right, licence or feature is a finding of its own and not an outage.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        !matches!(
            self,
            Self::RightMissing | Self::LicenceMissing | Self::NotAvailable
        )
    }
}

/// What is known of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Which source.
    pub key: SourceKey,
    /// First known.
    pub first_seen_at: Timestamp,
    /// Start of the newest attempt.
    pub attempted_at: Option<Timestamp>,
    /// Start of the newest read that succeeded.
    pub read_at: Option<Timestamp>,
    /// Start of the first failed attempt since the last success; `None` while it answers.
    pub failing_since: Option<Timestamp>,
    /// Failed attempts since the last success.
    pub failures: i64,
    /// Why the newest attempt failed.
    pub failure: Option<ReadFailure>,
    /// The same for people: what failed on what, without secrets.
    pub failure_text: Option<String>,
    /// Length of the newest attempt in milliseconds.
    pub took_ms: Option<i64>,
    /// The poll is over for good: its subject is gone. Kept for the record.
    pub retired: bool,
}

/// A right of the application, and what stands still without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// Microsoft Graph application permission.
    pub permission: &'static str,
    /// What is lost without it.
    pub lost: &'static str,
    /// The product works without it.
    pub optional: bool,
}

impl Poll {
    /// What is asked of Microsoft Graph.
    pub const GRAPH: &'static [Self] = &[
        Self::ServicePrincipals,
        Self::Jobs,
        Self::JobSchemas,
        Self::ProvisioningLogs,
        Self::DirectoryAudits,
        Self::Organization,
        Self::OrganizationBeta,
        Self::Agents,
        Self::Credentials,
        Self::Users,
        Self::Groups,
        Self::CloudManaged,
        Self::GroupMembers,
    ];

    /// What is asked of each Cloud Sync configuration: sources named after its service principal.
    pub const PER_CONFIGURATION: [Self; 2] = [Self::Jobs, Self::JobSchemas];

    /// Whether Microsoft Graph is asked.
    #[must_use]
    pub const fn is_graph(self) -> bool {
        !matches!(self, Self::AgentReports | Self::AgentSection)
    }

    /// The application permission a poll of Microsoft Graph needs (Microsoft Graph permissions
    /// reference) and what is lost without it; `None` where Graph is not asked.
    #[must_use]
    pub const fn right(self) -> Option<Right> {
        let (permission, lost, optional) = match self {
            Self::ServicePrincipals => (
                "Application.Read.All",
                "Cloud Sync configurations are not found by themselves",
                false,
            ),
            Self::Jobs => (
                "Synchronization.Read.All",
                "Cloud Sync lanes are not watched: job status, quarantine and missed windows",
                false,
            ),
            Self::JobSchemas => (
                "Synchronization.Read.All",
                "the scope of Cloud Sync: containers that were renamed or deleted",
                true,
            ),
            Self::ProvisioningLogs => (
                "AuditLog.Read.All",
                "per-object provisioning errors and the reading back of missed cycles",
                false,
            ),
            Self::DirectoryAudits => (
                "AuditLog.Read.All",
                "which engine wrote what, and proof of life of Connect Sync from the cloud side",
                false,
            ),
            Self::Organization => (
                "Organization.Read.All",
                "the tenant-wide sync time stamps",
                false,
            ),
            Self::OrganizationBeta => (
                "Organization.Read.All",
                "the tenant-wide password sync time stamp",
                true,
            ),
            Self::Agents => (
                "OnPremisesPublishingProfiles.ReadWrite.All",
                "the cloud's view of provisioning agents (documented for signed-in users only)",
                true,
            ),
            Self::Credentials => (
                "Application.Read.All",
                "the warning before the own credential expires",
                true,
            ),
            Self::Users => ("User.Read.All", "which engine owns each user", true),
            Self::Groups => ("Group.Read.All", "which groups are synced", true),
            Self::CloudManaged => ("User.Read.All", "which users are managed in Entra ID", true),
            Self::GroupMembers => ("Group.Read.All", "who is in scope by a group", true),
            Self::AgentReports | Self::AgentSection => return None,
        };
        Some(Right {
            permission,
            lost,
            optional,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graph_is_asked_for_everything_that_needs_a_right() {
        for poll in Poll::ALL {
            assert_eq!(poll.is_graph(), Poll::GRAPH.contains(poll), "{poll}");
            assert_eq!(poll.is_graph(), poll.right().is_some(), "{poll}");
        }
    }
}
