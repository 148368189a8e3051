//! When each poll runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::schedule::Schedule;
use syncwatch_domain::source::Poll;
use syncwatch_domain::span::Span;

/// When each poll runs. Every poll has its own schedule, success, age and error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollsSection {
    /// Which Cloud Sync configurations exist. Default schedule `15m`.
    pub service_principals: PollSection,
    /// Jobs of each configuration and their status. Default schedule `60s` (polling budget: cheap reads).
    pub jobs: PollSection,
    /// Scopes of the jobs of each configuration. Default schedule `1h` (polling budget: a schema is large and
    /// seldom changed).
    pub job_schemas: PollSection,
    /// Provisioning logs. Default schedule `2m` (polling budget: 5 requests per 10 s for all logs).
    pub provisioning_logs: PollSection,
    /// Directory audits. Default schedule `2m` (polling budget: 5 requests per 10 s for all logs).
    pub directory_audits: PollSection,
    /// Tenant-wide sync time stamp. Default schedule `60s`.
    pub organization: PollSection,
    /// Tenant-wide password sync time stamp (beta). Default schedule `60s`.
    pub organization_beta: PollSection,
    /// Provisioning agents as the cloud sees them (beta, best effort). Default schedule `10m`
    /// (agents report every 10 minutes).
    pub agents: PollSection,
    /// End of the application's own credentials. Default schedule `1d`.
    pub credentials: PollSection,
    /// Users by delta queries, for their owners. Default schedule `15m` (polling budget).
    pub users: PollSection,
    /// Groups by delta queries, for their owners. Default schedule `15m` (polling budget).
    pub groups: PollSection,
    /// Users whose source of authority was moved to Entra ID. Default schedule `15m`.
    pub cloud_managed: PollSection,
    /// Direct members of the groups that scopes name. Default schedule `15m`.
    pub group_members: PollSection,
}

impl PollsSection {
    /// What is said about a poll; `None` where Microsoft Graph is not asked.
    #[must_use]
    pub const fn of(&self, poll: Poll) -> Option<&PollSection> {
        Some(match poll {
            Poll::ServicePrincipals => &self.service_principals,
            Poll::Jobs => &self.jobs,
            Poll::JobSchemas => &self.job_schemas,
            Poll::ProvisioningLogs => &self.provisioning_logs,
            Poll::DirectoryAudits => &self.directory_audits,
            Poll::Organization => &self.organization,
            Poll::OrganizationBeta => &self.organization_beta,
            Poll::Agents => &self.agents,
            Poll::Credentials => &self.credentials,
            Poll::Users => &self.users,
            Poll::Groups => &self.groups,
            Poll::CloudManaged => &self.cloud_managed,
            Poll::GroupMembers => &self.group_members,
            Poll::AgentReports | Poll::AgentSection => return None,
        })
    }
}

/// One poll: when, and whether at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PollSection {
    /// A duration such as `60s`, or a cron expression such as `"0 */15 * * * *"` (seconds first)
    /// with an optional `TZ=Europe/Berlin ` in front.
    #[schemars(with = "Option<String>")]
    pub schedule: Option<Schedule>,
    /// `false` switches the poll off.
    pub enabled: bool,
}

impl Default for PollSection {
    fn default() -> Self {
        Self {
            schedule: None,
            enabled: true,
        }
    }
}

/// When a poll runs, and whether at all.
#[derive(Clone, Debug, PartialEq)]
pub struct PollSettings {
    /// When.
    pub schedule: Schedule,
    /// Whether at all.
    pub enabled: bool,
}

impl PollSettings {
    /// What holds when the config does not say.
    #[must_use]
    pub fn documented(poll: Poll) -> Self {
        Self {
            schedule: default_schedule(poll),
            enabled: poll.is_graph(),
        }
    }
}

/// The polling budget of a tenant: fast where it is cheap, slow where the service is.
///
/// Jobs and organization cost next to nothing (directory budget); logs share 5 requests per 10 s;
/// agents report every 10 minutes at most; credentials change by hand.
#[must_use]
pub const fn default_schedule(poll: Poll) -> Schedule {
    Schedule::Every(match poll {
        Poll::Jobs
        | Poll::Organization
        | Poll::OrganizationBeta
        | Poll::AgentReports
        | Poll::AgentSection => Span::secs(60),
        Poll::ProvisioningLogs | Poll::DirectoryAudits => Span::secs(120),
        Poll::Agents => Span::minutes(10),
        Poll::ServicePrincipals
        | Poll::Users
        | Poll::Groups
        | Poll::CloudManaged
        | Poll::GroupMembers => Span::minutes(15),
        Poll::JobSchemas => Span::minutes(60),
        Poll::Credentials => Span::minutes(24 * 60),
    })
}
