//! Section `services`: Windows services of Connect and the agents (`Get-Service`).
//!
//! One object per service that is installed. A service that is not there is not in the list: it is
//! absent, which is not the same as stopped. What the agent's scripts print:
//!
//! ```json
//! {
//!   "Name": "ADSync",
//!   "DisplayName": "Microsoft Entra ID Sync",
//!   "Status": "Running",
//!   "StartType": "Automatic"
//! }
//! ```
//!
//! `Name` and `Status` must be there. Services are told by name, never by the name that is shown;
//! those that are not known are left out.

use serde_json::Value;

use super::forms::{Forms, Member, Numbered, Row, ShapeError, rows};
use crate::sync_server::{ServiceKind, ServiceState, StartType};

impl Numbered for ServiceState {
    const NAMES: &'static [(i64, &'static str, Self)] = &[
        (1, "Stopped", Self::Stopped),
        (2, "StartPending", Self::StartPending),
        (3, "StopPending", Self::StopPending),
        (4, "Running", Self::Running),
        (5, "ContinuePending", Self::ContinuePending),
        (6, "PausePending", Self::PausePending),
        (7, "Paused", Self::Paused),
    ];
}

impl Numbered for StartType {
    const NAMES: &'static [(i64, &'static str, Self)] = &[
        (0, "Boot", Self::Boot),
        (1, "System", Self::System),
        (2, "Automatic", Self::Automatic),
        (3, "Manual", Self::Manual),
        (4, "Disabled", Self::Disabled),
    ];
}

/// Names of services, and what they are. The pass-through agent and the Health agent go by
/// several names, depending on the build.
pub const KNOWN: &[(&str, ServiceKind)] = &[
    ("ADSync", ServiceKind::Connect),
    ("AzureADConnectAgentUpdater", ServiceKind::Updater),
    ("AzureADConnectHealthAgent", ServiceKind::Health),
    ("AzureADConnectHealthSyncInsights", ServiceKind::Health),
    ("AzureADConnectHealthSyncMonitor", ServiceKind::Health),
    (
        "AzureADConnectAuthenticationAgent",
        ServiceKind::PassThrough,
    ),
    (
        "AzureADConnectAuthenticationAgentService",
        ServiceKind::PassThrough,
    ),
    (
        "Microsoft Azure AD Connect Authentication Agent",
        ServiceKind::PassThrough,
    ),
    ("AADConnectProvisioningAgent", ServiceKind::Provisioning),
];

/// A service that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is.
    pub kind: ServiceKind,
    /// Name of the service.
    pub name: String,
    /// Name as shown to people; the other one where there is none.
    pub display_name: String,
    /// State.
    pub state: Member<ServiceState>,
    /// How it starts.
    pub start_type: Option<Member<StartType>>,
}

/// What a service of this name is.
#[must_use]
pub fn kind_of(name: &str) -> Option<ServiceKind> {
    KNOWN
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name.trim()))
        .map(|(_, kind)| *kind)
}

/// Reads the section: services that are known here.
///
/// # Errors
/// When the data has not the shape of the section.
pub fn read(data: &[Value], forms: &Forms) -> Result<Vec<Service>, ShapeError> {
    let mut all = Vec::new();
    for row in rows(data, forms)? {
        let name = row.text("Name")?;
        if let Some(kind) = kind_of(&name) {
            all.push(service(&row, kind, name)?);
        }
    }
    Ok(all)
}

fn service(row: &Row<'_>, kind: ServiceKind, name: String) -> Result<Service, ShapeError> {
    Ok(Service {
        kind,
        display_name: row
            .optional_text("DisplayName")?
            .unwrap_or_else(|| name.clone()),
        name,
        state: row.member("Status")?,
        start_type: row.optional_member("StartType")?,
    })
}
