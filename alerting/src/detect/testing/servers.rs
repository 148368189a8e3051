//! Facts of sync servers for tests.

use syncwatch_domain::sync_server::{
    CyclePolicy, Scheduler, Service, ServiceKind, ServiceState, StartType,
};

use super::minute;

const HALF_HOUR: i64 = 30 * 60 * 1_000;

/// An active scheduler whose next cycle is planned for a minute.
pub(crate) fn scheduler(next: i64) -> Scheduler {
    Scheduler {
        effective_interval_ms: HALF_HOUR,
        allowed_interval_ms: HALF_HOUR,
        customized_interval_ms: None,
        next_policy: CyclePolicy::Delta,
        next_start_at: Some(minute(next)),
        sync_cycle_enabled: true,
        maintenance_enabled: true,
        staging_mode: false,
        suspended: false,
        suspended_since: None,
        in_progress: false,
        in_progress_since: None,
    }
}

pub(crate) fn service(kind: ServiceKind, state: ServiceState, since: i64) -> Service {
    let (name, display) = match kind {
        ServiceKind::Connect => ("ADSync", "Microsoft Entra ID Sync"),
        ServiceKind::Updater => (
            "AzureADConnectAgentUpdater",
            "Microsoft Entra Connect Agent Updater",
        ),
        ServiceKind::Health => (
            "AzureADConnectHealthAgent",
            "Microsoft Entra Connect Health Agent",
        ),
        ServiceKind::PassThrough => (
            "AzureADConnectAuthenticationAgent",
            "Microsoft Entra Connect Authentication Agent",
        ),
        ServiceKind::Provisioning => (
            "AADConnectProvisioningAgent",
            "Microsoft Entra Provisioning Agent",
        ),
    };
    Service {
        kind,
        name: name.into(),
        display_name: display.into(),
        state,
        since: minute(since),
        start_type: Some(StartType::Automatic),
    }
}
