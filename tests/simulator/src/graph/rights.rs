//! Which permission each path needs, and the different ways in which Graph says that it is missing.

use crate::graph::error::GraphError;
use crate::story::Settings;

/// Refuses a call whose token lacks every one of the permissions that would do.
pub(crate) fn check(
    segments: &[&str],
    roles: &[String],
    settings: &Settings,
) -> Result<(), GraphError> {
    let has = |any: &[&str]| roles.iter().any(|role| any.contains(&role.as_str()));
    let directory = |any: &[&str]| {
        if has(any) {
            Ok(())
        } else {
            Err(GraphError::denied())
        }
    };
    match segments {
        [_, _, "synchronization", ..] => {
            directory(&["Synchronization.Read.All", "Synchronization.ReadWrite.All"])
        }
        ["auditLogs", "provisioning"] => reports(
            has(&[
                "ProvisioningLog.Read.All",
                "AuditLog.Read.All",
                "Directory.Read.All",
            ]),
            "ProvisioningLog.Read.All,AuditLog.Read.All",
        ),
        ["auditLogs", ..] => reports(
            has(&["AuditLog.Read.All", "Directory.Read.All"]),
            "AuditLog.Read.All",
        ),
        ["users", _, "sendMail"] => directory(&["Mail.Send"]),
        ["users", _, "onPremisesSyncBehavior"] => {
            directory(&["User-OnPremisesSyncBehavior.ReadWrite.All"])
        }
        ["users", ..] | ["directory", "deletedItems", "microsoft.graph.user"] => {
            directory(&["User.Read.All", "Directory.Read.All"])
        }
        ["groups", ..] | ["directory", "deletedItems", "microsoft.graph.group"] => directory(&[
            "Group.Read.All",
            "GroupMember.Read.All",
            "Directory.Read.All",
        ]),
        ["organization", ..] => directory(&[
            "Organization.Read.All",
            "User.Read.All",
            "Directory.Read.All",
        ]),
        ["directory", "onPremisesSynchronization", ..] => {
            if settings.connect_settings_for_apps {
                directory(&["OnPremDirectorySynchronization.Read.All"])
            } else {
                Err(GraphError::denied())
            }
        }
        ["onPremisesPublishingProfiles", ..] => {
            if settings.agents_for_apps && has(&["OnPremisesPublishingProfiles.ReadWrite.All"]) {
                Ok(())
            } else {
                Err(publishing_refusal())
            }
        }
        ["admin", "serviceAnnouncement", ..] => directory(&["ServiceHealth.Read.All"]),
        ["reports", "healthMonitoring", ..] => directory(&["HealthMonitoringAlert.Read.All"]),
        [first, ..] if first.starts_with("servicePrincipals") || *first == "applications" => {
            directory(&["Application.Read.All", "Directory.Read.All"])
        }
        _ => Ok(()),
    }
}

fn reports(granted: bool, names: &str) -> Result<(), GraphError> {
    if granted {
        return Ok(());
    }
    Err(GraphError::new(
        403,
        "Authentication_MSGraphPermissionMissing",
        format!("Calling principal does not have required MSGraph permissions {names}"),
    ))
}

fn publishing_refusal() -> GraphError {
    GraphError::new(
        403,
        "NotAdminRoleNoEnoughCustomPermission_UnauthorizedAccess",
        "The caller is not in an allowed role and lacks the custom permission.",
    )
}

/// The licence check of the provisioning log.
pub(crate) fn premium_refusal() -> GraphError {
    GraphError::new(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )
}
