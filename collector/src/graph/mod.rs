//! Talking to Microsoft Graph: who may be asked, how often, and what its refusals mean.

mod budget;
mod client;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use client::{GraphClient, Parts};
pub(crate) use error::{GraphError, Next};

/// What is asked; a closed set, fit for a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    /// `/servicePrincipals`
    ServicePrincipals,
    /// `/servicePrincipals(appId=..)/appRoleAssignedTo`
    AppRoleAssignments,
    /// `/servicePrincipals/{id}/synchronization/jobs`
    Jobs,
    /// `/servicePrincipals/{id}/synchronization/jobs/{id}`
    Job,
    /// `/servicePrincipals/{id}/synchronization/jobs/{id}/schema`, and that of a template
    Schema,
    /// `/auditLogs/provisioning`
    Provisioning,
    /// `/auditLogs/directoryAudits`
    DirectoryAudits,
    /// `/organization`
    Organization,
    /// beta `/organization`
    OrganizationBeta,
    /// beta `/onPremisesPublishingProfiles/provisioning/agents`
    Agents,
    /// `/applications`
    Applications,
    /// `/users/delta`
    Users,
    /// `/groups/delta`
    Groups,
    /// `/users` whose source of authority was moved
    CloudManaged,
    /// `/groups` of a name
    GroupNames,
    /// `/groups/{id}/members`
    GroupMembers,
}

/// Requests that share a budget of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// Reporting: 5 requests per 10 s for one application and tenant.
    Reports,
    /// The synchronization service: no published limit.
    Synchronization,
    /// The directory: resource units, far above what is used here.
    Directory,
}

impl Endpoint {
    /// The word for metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ServicePrincipals => "service_principals",
            Self::AppRoleAssignments => "app_role_assignments",
            Self::Jobs => "jobs",
            Self::Job => "job",
            Self::Schema => "schema",
            Self::Provisioning => "provisioning",
            Self::DirectoryAudits => "directory_audits",
            Self::Organization => "organization",
            Self::OrganizationBeta => "organization_beta",
            Self::Agents => "agents",
            Self::Applications => "applications",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::CloudManaged => "cloud_managed",
            Self::GroupNames => "group_names",
            Self::GroupMembers => "group_members",
        }
    }

    const fn family(self) -> Family {
        match self {
            Self::Provisioning | Self::DirectoryAudits => Family::Reports,
            Self::Jobs | Self::Job | Self::Schema => Family::Synchronization,
            Self::ServicePrincipals
            | Self::AppRoleAssignments
            | Self::Organization
            | Self::OrganizationBeta
            | Self::Agents
            | Self::Applications
            | Self::Users
            | Self::Groups
            | Self::CloudManaged
            | Self::GroupNames
            | Self::GroupMembers => Family::Directory,
        }
    }

    /// Whether the query needs `ConsistencyLevel: eventual`, which every page must repeat.
    const fn is_advanced(self) -> bool {
        matches!(
            self,
            Self::ServicePrincipals
                | Self::AppRoleAssignments
                | Self::Applications
                | Self::CloudManaged
                | Self::GroupNames
        )
    }
}
