//! Log rows before rendering: small, because there may be a hundred thousand.

use crate::bulk::RowKind;

/// One row of the provisioning log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProvisioningRow {
    /// Unique per job; its id derives from it.
    pub(crate) key: u64,
    pub(crate) cycle: u64,
    pub(crate) at: i64,
    pub(crate) visible: i64,
    pub(crate) person: u32,
    /// Index of the job in the tenant.
    pub(crate) job: u16,
    /// Index of the error code in the tenant.
    pub(crate) code: u16,
    pub(crate) kind: RowKind,
}

/// Who wrote an audited change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    Connect,
    CloudSync,
    ProvisioningService,
    Admin,
    Nobody,
}

/// What an audit row tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    UpdateUser,
    ChangePassword,
    UpdateTokensValidFrom,
    DeleteUser { hard: bool },
    CloudManaged,
    Export { job: u16 },
    Skip { job: u16 },
    Quarantine { job: u16, code: String },
    JobPaused { job: u16 },
    JobStarted { job: u16 },
    ScopeChanged { job: u16 },
    DomainRecalculation,
}

/// One row of the directory audit log.
#[derive(Debug, Clone)]
pub(crate) struct AuditRow {
    pub(crate) key: u64,
    pub(crate) at: i64,
    pub(crate) visible: i64,
    pub(crate) person: u32,
    pub(crate) actor: Actor,
    pub(crate) deed: Deed,
}

/// Both logs of a tenant, in the order of writing.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    pub(crate) provisioning: Vec<ProvisioningRow>,
    pub(crate) audits: Vec<AuditRow>,
    pub(crate) codes: Vec<String>,
    pub(crate) next_key: u64,
}

impl Logs {
    pub(crate) fn code_index(&mut self, code: &str) -> u16 {
        let found = self.codes.iter().position(|known| known == code);
        let index = found.unwrap_or_else(|| {
            self.codes.push(code.to_owned());
            self.codes.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    pub(crate) fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// Forgets old rows and tells whether there were any.
    pub(crate) fn forget_before(&mut self, instant: i64) -> bool {
        let before = self.provisioning.len() + self.audits.len();
        self.provisioning.retain(|row| row.at >= instant);
        self.audits.retain(|row| row.at >= instant);
        before != self.provisioning.len() + self.audits.len()
    }
}
