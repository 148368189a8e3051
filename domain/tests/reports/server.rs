//! The server itself: scheduler, password hash sync, services, versions, database.

use std::time::Duration;

use syncwatch_domain::report::forms::{Forms, Member, ShapeError, Version};
use syncwatch_domain::report::password_sync::CycleStatus;
use syncwatch_domain::report::settings::names;
use syncwatch_domain::report::{
    company_features, connector_status, database, password_sync, pending_exports, reachability,
    scheduler, services, settings, versions,
};
use syncwatch_domain::sync_server::{CyclePolicy, Scheduler, ServiceKind, ServiceState, StartType};

use super::{HAUSER, NORDWALL, ahead, at, data, utc};

const HALF_AN_HOUR: i64 = 1_800_000;

fn active() -> Scheduler {
    Scheduler {
        effective_interval_ms: HALF_AN_HOUR,
        allowed_interval_ms: HALF_AN_HOUR,
        customized_interval_ms: None,
        next_policy: CyclePolicy::Delta,
        next_start_at: Some(at("2026-12-03T07:44:31.205Z")),
        sync_cycle_enabled: true,
        maintenance_enabled: true,
        staging_mode: false,
        suspended: false,
        suspended_since: None,
        in_progress: false,
        in_progress_since: None,
    }
}

fn scheduler_of(file: &str) -> Scheduler {
    scheduler::read(&data(file), &utc()).unwrap()
}

#[test]
fn three_forms_of_the_scheduler_are_the_same_value() {
    for form in ["ps51", "ps7", "normalised"] {
        let file = format!("scheduler.active.{form}");
        assert_eq!(scheduler_of(&file), active(), "{file}");
    }
}

#[test]
fn next_start_is_read_without_an_offset_where_the_text_has_its_zone() {
    for form in ["ps7", "normalised"] {
        for forms in [Forms::without_offset(), ahead(60), ahead(-300)] {
            let file = format!("scheduler.active.{form}");
            assert_eq!(
                scheduler::read(&data(&file), &forms),
                Ok(active()),
                "{file}"
            );
        }
    }
}

/// The kind of the next start is not known: it may be true or an hour early.
#[test]
fn raw_next_start_of_another_zone_is_refused() {
    for forms in [Forms::without_offset(), ahead(60)] {
        let error = scheduler::read(&data("scheduler.active.ps51"), &forms).unwrap_err();
        assert!(matches!(error, ShapeError::Ambiguous { .. }), "{error}");
        assert!(
            error
                .to_string()
                .starts_with("data[0].NextSyncCycleStartTimeInUTC is "),
            "{error}"
        );
    }
}

#[test]
fn states_of_the_scheduler_are_told_apart() {
    let staging = scheduler_of("scheduler.staging.ps51");
    assert!(staging.staging_mode && staging.sync_cycle_enabled);
    let disabled = scheduler_of("scheduler.disabled.ps51");
    assert!(!disabled.sync_cycle_enabled);
    assert_eq!(disabled.next_start_at, Some(at("2026-11-26T05:12:44.019Z")));
    let open = scheduler_of("scheduler.wizard-open.ps51");
    assert!(open.suspended && open.sync_cycle_enabled && !open.in_progress);
    assert_eq!(open.next_start_at, Some(at("2026-12-03T00:14:30.900Z")));
    let initial = scheduler_of("scheduler.custom-interval-initial.ps51");
    assert_eq!(initial.next_policy, CyclePolicy::Initial);
    assert_eq!(initial.effective_interval_ms, 8 * HALF_AN_HOUR);
    assert_eq!(initial.customized_interval_ms, Some(8 * HALF_AN_HOUR));
    assert!(initial.in_progress);
}

#[test]
fn scheduler_that_is_not_told_is_missing() {
    for nothing in [vec![], vec![serde_json::Value::Null]] {
        let error = scheduler::read(&nothing, &utc()).unwrap_err();
        assert_eq!(error.to_string(), "data is missing, expected the scheduler");
    }
}

#[test]
fn idle_connectors_are_no_output_and_a_busy_one_is_named() {
    assert_eq!(connector_status::read(&[], &utc()), Ok(vec![]));
    let busy = connector_status::read(&data("connector-status.busy.ps51"), &utc()).unwrap();
    assert_eq!(busy.len(), 1);
    assert_eq!(busy[0].name, "ad.hauser.example");
    assert!(busy[0].state.is(connector_status::RunState::Busy));
}

#[test]
fn state_of_every_domain_is_read_raw_and_normalised() {
    let raw = password_sync::read(&data("partition-password-sync-state.ps51"), &utc()).unwrap();
    let cast = password_sync::read(&data("password-sync.normalised"), &ahead(60)).unwrap();
    assert_eq!(raw.partitions, cast.partitions);
    let domains: Vec<_> = raw
        .partitions
        .iter()
        .map(|state| (state.domain.as_str(), state.connector_id.as_str()))
        .collect();
    assert_eq!(
        domains,
        [
            ("ad.hauser.example", HAUSER),
            ("nord.ad.hauser.example", HAUSER),
            ("ad.nordwall.example", NORDWALL),
        ]
    );
    let failing = &raw.partitions[2];
    assert_eq!(failing.cycle, Member::Known(CycleStatus::Failed));
    assert_eq!(
        failing.success_ended_at,
        Some(at("2026-12-03T03:40:00.700Z"))
    );
}

#[test]
fn raw_state_of_another_zone_is_refused() {
    let raw = data("partition-password-sync-state.ps51");
    assert!(matches!(
        password_sync::read(&raw, &ahead(60)),
        Err(ShapeError::Ambiguous { .. })
    ));
}

#[test]
fn password_sync_is_on_for_one_connector_only() {
    for file in [
        "password-sync-configuration.ps51",
        "password-sync.normalised",
    ] {
        let read = password_sync::read(&data(file), &utc()).unwrap();
        assert_eq!(read.enabled("ad.hauser.example"), Some(true), "{file}");
        assert_eq!(read.enabled("AD.Nordwall.Example"), Some(false), "{file}");
        assert_eq!(read.enabled("elsewhere.example"), None, "{file}");
    }
}

#[test]
fn features_database_and_reachability_are_read() {
    let features = company_features::read(&data("company-feature.ps51"), &utc()).unwrap();
    assert_eq!(features.password_hash_sync, Some(true));
    assert_eq!(features.device_writeback, Some(false));
    let database = database::read(&data("database.ps51"), &utc()).unwrap();
    assert!(database.local_db);
    assert!((database.used_mb - 7345.81).abs() < 1e-9);
    let reach = reachability::read(&data("reachability.ps51"), &utc()).unwrap();
    assert!(reach[0].reachable && reach[0].message.is_none());
    assert_eq!(reach[1].domain, "ad.nordwall.example");
    assert!(!reach[1].reachable);
    assert_eq!(
        reach[1].message.as_deref(),
        Some("The server is not operational.")
    );
}

#[test]
fn settings_are_read_by_name_from_both_layouts() {
    let raw = settings::read(&data("global-settings.ps51"), &utc()).unwrap();
    let cast = settings::read(&data("settings.normalised"), &utc()).unwrap();
    assert_eq!(raw, cast);
    assert_eq!(raw.flag(names::EXTENSIONS), Some(true));
    assert_eq!(
        raw.list(names::EXTENSION_ATTRIBUTES),
        ["badgeNumber.user", "costUnit.user"]
    );
    assert_eq!(raw.flag(names::HYBRID_EXCHANGE), Some(true));
    assert_eq!(raw.flag(names::DEVICE_SYNC), Some(false));
    assert_eq!(raw.number(names::DELETION_LIMIT), Some(350));
    assert_eq!(raw.span(names::INTERVAL), Some(Duration::from_secs(1800)));
    assert_eq!(
        raw.version(names::CONFIGURATION_VERSION),
        Some(Version([2, 6, 91, 0]))
    );
    assert_eq!(
        raw.text("microsoft.usersignin.signonmethod"),
        Some("PasswordHashSynchronization")
    );
    assert_eq!(raw.text("Microsoft.DeviceWriteBack.Forest"), None);
}

#[test]
fn state_of_automatic_upgrades_is_kept_as_it_came() {
    let read = settings::read(&data("auto-upgrade.ps51"), &utc()).unwrap();
    assert_eq!(read.auto_upgrade.as_deref(), Some("1"));
    assert_eq!(read.auto_upgrade_suspended, None);
}

#[test]
fn pending_exports_of_a_staging_server_are_counted() {
    for file in [
        "connector-statistics.staging.ps51",
        "pending-exports.normalised",
    ] {
        let read = pending_exports::read(&data(file), &utc()).unwrap();
        assert_eq!((read[0].updates, read[0].deletes), (9, 3), "{file}");
        assert_eq!(read[0].total(), 12, "{file}");
        assert_eq!(read[1].total(), 0, "{file}");
    }
}

#[test]
fn services_of_every_form_are_read() {
    let states = |file: &str| -> Vec<(ServiceKind, Option<ServiceState>)> {
        services::read(&data(file), &utc())
            .unwrap()
            .iter()
            .map(|service| (service.kind, service.state.known()))
            .collect()
    };
    let running = Some(ServiceState::Running);
    let stopped = Some(ServiceState::Stopped);
    assert_eq!(
        states("services.connect-server.ps51"),
        [
            (ServiceKind::Connect, running),
            (ServiceKind::Updater, running),
            (ServiceKind::Health, stopped),
        ]
    );
    assert_eq!(
        states("services.cloudsync-agent.ps51"),
        [
            (ServiceKind::Provisioning, running),
            (ServiceKind::Updater, running),
        ]
    );
    assert_eq!(
        states("services.single-collapsed.ps51"),
        [(ServiceKind::Provisioning, stopped)]
    );
    assert_eq!(
        states("services.value-count-wrapper.ps51"),
        [
            (ServiceKind::Connect, running),
            (ServiceKind::Updater, running),
        ]
    );
    // The print spooler is nobody's business.
    assert_eq!(
        states("services.normalised"),
        [
            (ServiceKind::Connect, running),
            (ServiceKind::Health, stopped),
        ]
    );
}

#[test]
fn service_tells_its_name_and_how_it_starts() {
    let read = services::read(&data("services.normalised"), &utc()).unwrap();
    assert_eq!(read[0].name, "ADSync");
    assert_eq!(read[0].display_name, "Microsoft Entra ID Sync");
    assert_eq!(read[1].start_type, Some(Member::Known(StartType::Manual)));
}

#[test]
fn versions_are_read_as_text_and_as_object() {
    let read = versions::read(&data("versions.normalised"), &utc()).unwrap();
    assert_eq!(read.connect, Some(Version([2, 6, 91, 0])));
    assert_eq!(read.updater, Some(Version([1, 5, 3500, 0])));
    assert_eq!(
        (read.provisioning_agent, read.pass_through_agent),
        (None, None)
    );
}
