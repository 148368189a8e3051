//! What befalls a server in a story.

use serde::{Deserialize, Serialize};

/// One thing that is not as it should be, or changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trouble {
    /// The configuration wizard is open: the scheduler is suspended and starts nothing.
    WizardOpen,
    /// The scheduler is switched off by an administrator.
    SchedulerDisabled,
    /// A cycle that begins meanwhile does not end.
    CycleHung,
    /// Out of staging mode, from now on or for a while.
    Active,
    /// Into staging mode, from now on or for a while.
    Staging,
    /// Password hash sync of one domain fails; the others go on.
    PasswordSyncLost {
        /// DNS name of the domain.
        domain: String,
    },
    /// Password hash sync is switched off in the tenant.
    CloudFlagOff,
    /// The domain controllers of a forest do not answer.
    ForestUnreachable {
        /// Name of the connector.
        forest: String,
    },
    /// Objects fail to export to Entra ID.
    ExportErrors {
        /// How many.
        count: u32,
    },
    /// More deletes than the guard lets through.
    TooManyDeletes {
        /// Deletes that wait.
        pending: u32,
        /// What the guard lets through.
        limit: u32,
    },
    /// The database grows to this size.
    DatabaseFull {
        /// Space in use, in megabytes.
        used_mb: f64,
    },
    /// A Windows service is stopped. With that of Connect nothing of it answers.
    ServiceStopped {
        /// Name of the service.
        name: String,
    },
    /// A container is renamed or moved.
    ContainerRenamed {
        /// Its distinguished name in the beginning.
        dn: String,
        /// Its new one.
        to: String,
    },
    /// A container is deleted.
    ContainerDeleted {
        /// Its distinguished name.
        dn: String,
    },
    /// The certificate that Connect signs in with ends soon.
    CertificateEnding,
    /// It has ended.
    CertificateExpired,
    /// An administrator changes a sync rule.
    RuleChanged,
    /// An administrator changes the filter by containers.
    FilterChanged,
    /// An event log is cleared and counts anew.
    LogCleared {
        /// Name of the log.
        log: String,
    },
}
