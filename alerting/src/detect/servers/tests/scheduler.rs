use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::sync_server::{Part, Running, Runs, Scheduler};

use super::kit::{DAY, Tenant, connect, connector, healthy, host, scheduler, tenant};
use crate::detect::testing::{assert_told, minute};

const STALL: [Rule; 2] = [Rule::SchedulerStalled, Rule::SchedulerSuspended];

fn one(read: i64, scheduler: &Scheduler) -> Tenant {
    tenant([connect("SYNC01", read, scheduler)])
}

/// Suspended at minute 5, with the next cycle planned for minute 30.
fn wizard() -> Scheduler {
    Scheduler {
        suspended: true,
        suspended_since: Some(minute(5)),
        ..scheduler(30)
    }
}

#[test]
fn a_scheduler_stalls_one_interval_after_the_start_that_did_not_come() {
    let over = [None];
    let warning = [Some(Severity::Warning)];
    for (read, expected) in [
        (29, &over[..]),
        (31, &[][..]),
        (59, &[][..]),
        (60, &warning[..]),
        (500, &warning[..]),
    ] {
        let told = one(read, &scheduler(30)).standing(Rule::SchedulerStalled);
        assert_eq!(told, expected, "read at {read}");
    }
    let progress = Scheduler {
        in_progress: true,
        ..scheduler(30)
    };
    assert_eq!(one(500, &progress).standing(Rule::SchedulerStalled), over);
    let unknown = Scheduler {
        next_start_at: None,
        ..scheduler(30)
    };
    assert_eq!(one(500, &unknown).standing(Rule::SchedulerStalled), []);
}

#[test]
fn a_longer_interval_in_force_gives_more_patience() {
    let every_three_hours = Scheduler {
        effective_interval_ms: 3 * 3_600_000,
        customized_interval_ms: Some(3 * 3_600_000),
        ..scheduler(30)
    };
    for (read, holds) in [(209, false), (210, true)] {
        let told = one(read, &every_three_hours).holding(&STALL);
        assert_eq!(!told.is_empty(), holds, "read at {read}");
    }
}

#[test]
fn an_open_wizard_is_named_as_the_likely_cause_of_a_stall() {
    let told = one(60, &wizard()).holding(&STALL);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_told!("scheduler_stalled_by_the_wizard", told);
    assert_told!("scheduler_stalled", one(60, &scheduler(30)).holding(&STALL));
}

#[test]
fn a_wizard_is_left_open_after_an_hour() {
    let patient = Scheduler {
        effective_interval_ms: 12 * 3_600_000,
        ..wizard()
    };
    for (read, expected) in [(64, Vec::new()), (65, vec![Some(Severity::Warning)])] {
        let told = one(read, &patient).standing(Rule::SchedulerSuspended);
        assert_eq!(told, expected, "read at {read}");
    }
    assert_told!("scheduler_suspended", one(65, &patient).holding(&STALL));
    assert_told!("scheduler_goes_on", one(65, &scheduler(70)).over(&STALL));
}

#[test]
fn a_scheduler_that_was_disabled_a_week_ago_neither_stalls_nor_is_late() {
    let disabled = Scheduler {
        sync_cycle_enabled: false,
        ..scheduler(-7 * DAY)
    };
    let cut_over = one(0, &disabled);
    assert_eq!(cut_over.holding(&STALL), []);
    assert_eq!(cut_over.over(&STALL).len(), 2);
}

#[test]
fn a_disabled_scheduler_is_as_grave_as_what_else_is_there() {
    let disabled = |staging_mode| {
        let scheduler = Scheduler {
            sync_cycle_enabled: false,
            staging_mode,
            ..scheduler(20)
        };
        connect("SYNC01", 0, &scheduler)
    };
    let severity = |mut tenant: Tenant, cloud_runs| {
        tenant.beyond.cloud_runs = cloud_runs;
        tenant.holding(&[Rule::SchedulerDisabled])[0].severity
    };
    let other = || healthy("SYNC02", false);
    let staging = || healthy("SYNC02", true);
    for (tenant, cloud_runs, expected) in [
        (tenant([disabled(false)]), false, Severity::Critical),
        (
            tenant([disabled(false), staging()]),
            false,
            Severity::Critical,
        ),
        (tenant([disabled(false)]), true, Severity::Warning),
        (tenant([disabled(false), other()]), false, Severity::Info),
        (tenant([disabled(true), other()]), false, Severity::Warning),
        (tenant([disabled(true)]), true, Severity::Info),
    ] {
        assert_eq!(severity(tenant, cloud_runs), expected);
    }
    let told: Vec<_> = [
        tenant([disabled(false)]),
        tenant([disabled(false), other()]),
        tenant([disabled(true), other()]),
    ]
    .iter()
    .flat_map(|tenant| tenant.holding(&[Rule::SchedulerDisabled]))
    .collect();
    assert_told!("scheduler_disabled", told);
    assert_told!(
        "scheduler_enabled",
        one(0, &scheduler(20)).over(&[Rule::SchedulerDisabled])
    );
}

#[test]
fn maintenance_that_is_disabled_is_told() {
    let off = |staging_mode, sync_cycle_enabled| Scheduler {
        maintenance_enabled: false,
        staging_mode,
        sync_cycle_enabled,
        ..scheduler(20)
    };
    for (scheduler, severity) in [
        (off(false, true), Severity::Warning),
        (off(true, true), Severity::Info),
        (off(false, false), Severity::Info),
    ] {
        let told = one(0, &scheduler).standing(Rule::MaintenanceDisabled);
        assert_eq!(told, [Some(severity)]);
    }
    let mut told = one(0, &off(false, true)).holding(&[Rule::MaintenanceDisabled]);
    told.extend(one(0, &scheduler(20)).over(&[Rule::MaintenanceDisabled]));
    assert_told!("maintenance_disabled", told);
}

#[test]
fn on_a_staging_server_every_level_is_a_step_lower() {
    let staging = Scheduler {
        staging_mode: true,
        ..wizard()
    };
    let told = one(60, &staging).holding(&STALL);
    assert_eq!(told[0].severity, Severity::Info);
}

/// A cycle in progress with one run since minute 0.
fn running(read: i64, median_minutes: Option<i64>) -> Tenant {
    let progress = Scheduler {
        in_progress: true,
        in_progress_since: Some(minute(0)),
        ..scheduler(30)
    };
    let mut ad = connector("ad.orchard.example", false, Vec::new());
    ad.running = Some(Running {
        profile: "Full Synchronization".into(),
        began_at: minute(0),
        median_ms: median_minutes.map(|minutes| minutes * 60_000),
    });
    let runs = Runs {
        connectors: vec![ad],
        last_success_at: None,
    };
    tenant([connect("SYNC01", read, &progress).with(Part::Runs, &runs)])
}

#[test]
fn a_run_hangs_after_two_hours_or_three_times_its_median() {
    const RULE: Rule = Rule::SchedulerHung;
    for (read, median, holds) in [
        (119, Some(3), false),
        (120, Some(3), true),
        (179, Some(60), false),
        (180, Some(60), true),
        (359, None, false),
        (360, None, true),
    ] {
        let told = running(read, median).holding(&[RULE]);
        assert_eq!(!told.is_empty(), holds, "{read} {median:?}");
    }
    assert_told!("scheduler_hung", running(200, Some(60)).holding(&[RULE]));
    let idle = one(200, &scheduler(210));
    assert_told!("scheduler_hung_no_more", idle.over(&[RULE]));
}

#[test]
fn of_a_run_that_cannot_be_seen_nothing_is_said() {
    let progress = Scheduler {
        in_progress: true,
        ..scheduler(30)
    };
    assert_eq!(one(900, &progress).standing(Rule::SchedulerHung), []);
}

#[test]
fn connect_that_was_removed_ends_what_was_said_about_its_scheduler() {
    let before = one(60, &wizard()).found();
    let removed = tenant([host("SYNC01", 70).with(Part::Scheduler, &Option::<Scheduler>::None)]);
    let removed = removed.firing(&before);
    assert_told!("scheduler_removed", removed.over(&STALL));
}

#[test]
fn an_instant_that_was_not_read_yet_is_looked_at_again() {
    let suspended = one(50, &wizard());
    let due = suspended.look(50).next_due;
    assert_eq!(due, Some(minute(60)), "then the stall is due");
    let due = suspended.look(60).next_due;
    assert_eq!(due, Some(minute(61)), "a read is expected any minute");
}
