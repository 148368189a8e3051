use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::sync_server::{
    DeletionStop, Part, Pending, PendingExports, Run, Runs, Scheduler,
};

use super::kit::{DAY, Host, Tenant, connect, connector, healthy, run, runs, scheduler, tenant};
use crate::detect::testing::{assert_told, minute};

const RUNS: [Rule; 2] = [Rule::RunFailed, Rule::RunWithErrors];

fn server(read: i64, runs: &Runs) -> Host {
    connect("SYNC01", read, &scheduler(read + 20)).with(Part::Runs, runs)
}

fn of(ad: Vec<Run>) -> Tenant {
    tenant([server(10, &runs(ad, vec![run("Export", "success", 5)]))])
}

#[test]
fn a_run_that_failed_is_told_once_per_connector() {
    let twice = Run {
        bad_in_a_row: 2,
        ..run("Delta Import", "no-start-connection", 5)
    };
    let told = of(vec![run("Delta Synchronization", "success", 4), twice]).holding(&RUNS);
    assert_eq!(told.len(), 1);
    assert_told!("run_failed", told);
    let both = of(vec![
        run("Full Import", "stopped-server-down", 1),
        run("Delta Synchronization", "stopped-error-limit", 5),
    ]);
    assert_eq!(both.holding(&RUNS).len(), 1, "the worst of them speaks");
}

#[test]
fn runs_with_errors_are_another_rule_and_carry_their_numbers() {
    let export = Run {
        export_failures: 3,
        export_failures_before: 1,
        bad_in_a_row: 4,
        ..run("Export", "completed-export-errors", 5)
    };
    let tenant = of(vec![export]);
    let told = tenant.holding(&RUNS);
    assert_eq!(
        (told[0].rule, told[0].severity),
        (Rule::RunWithErrors, Severity::Critical)
    );
    assert_told!("run_with_errors", told);
}

#[test]
fn every_trouble_has_its_advice() {
    let told: Vec<_> = [
        "completed-sync-errors",
        "no-start-connection",
        "no-start-credentials",
        "stopped-database-disk-full",
        "stopped-extension-dll-exception",
        "no-start-ma-already-running",
        "no-start-unknown-profile-name",
        "aborted",
        "stopped-of-tomorrow",
    ]
    .into_iter()
    .flat_map(|result| of(vec![run("Delta Import", result, 5)]).holding(&RUNS))
    .collect();
    assert_told!("run_troubles", told);
}

#[test]
fn the_newest_run_of_a_kind_counts() {
    let over = of(vec![
        run("Full Import", "no-start-connection", 1),
        run("Delta Import", "success", 5),
    ]);
    assert_eq!(over.holding(&RUNS), []);
    assert_told!("runs_good_again", over.over(&RUNS)[..2]);
    let not_over = of(vec![
        run("Full Import", "success", 1),
        run("Delta Import", "no-start-connection", 5),
    ]);
    assert_eq!(
        not_over.standing(Rule::RunFailed),
        [Some(Severity::Warning), None]
    );
}

#[test]
fn a_connector_that_is_gone_ends_its_alert() {
    let before = of(vec![run("Delta Import", "no-start-credentials", 5)]).found();
    let only_cloud = Runs {
        connectors: vec![connector("orchard.example - AAD", true, Vec::new())],
        last_success_at: None,
    };
    let after = tenant([server(20, &only_cloud)]).firing(&before);
    assert_told!("connector_gone", after.over(&[Rule::RunFailed])[..1]);
}

#[test]
fn on_a_staging_server_runs_are_a_step_less_urgent() {
    let staging = healthy("SYNC02", true).with(
        Part::Runs,
        &runs(
            vec![run("Delta Import", "no-start-credentials", -5)],
            Vec::new(),
        ),
    );
    assert_eq!(
        tenant([staging]).holding(&RUNS)[0].severity,
        Severity::Warning
    );
}

fn purge(read: i64, sync_cycle_enabled: bool, staging_mode: bool) -> Tenant {
    let scheduler = Scheduler {
        sync_cycle_enabled,
        staging_mode,
        ..scheduler(read + 20)
    };
    let host = connect("SYNC01", read, &scheduler).with(Part::Runs, &runs(Vec::new(), Vec::new()));
    tenant([host])
}

#[test]
fn five_days_without_a_cycle_are_critical_and_seven_need_everything_anew() {
    const RULE: Rule = Rule::PurgeRisk;
    for (read, expected) in [
        (5 * DAY - 1, None),
        (5 * DAY, Some(Severity::Critical)),
        (9 * DAY, Some(Severity::Critical)),
    ] {
        let told = purge(read, true, false).standing(RULE);
        assert_eq!(told, [expected], "read at {read}");
    }
    let disabled = purge(9 * DAY, false, false).standing(RULE);
    assert_eq!(disabled, [Some(Severity::Info)], "disabled on purpose");
    let staging = purge(9 * DAY, true, true).standing(RULE);
    assert_eq!(staging, [Some(Severity::Warning)]);
    let mut told = purge(5 * DAY, true, false).holding(&[RULE]);
    told.extend(purge(7 * DAY, true, false).holding(&[RULE]));
    told.extend(purge(100, true, false).over(&[RULE]));
    assert_told!("purge_risk", told);
}

#[test]
fn without_a_success_on_record_nothing_is_said_about_purging() {
    let never = Runs {
        last_success_at: None,
        ..runs(Vec::new(), Vec::new())
    };
    assert_eq!(
        tenant([server(9 * DAY, &never)]).standing(Rule::PurgeRisk),
        []
    );
}

const STOPPED: &str = "stopped-deletion-threshold-exceeded";

/// The export at minute 5 ended as given; the guard spoke at `stop`.
fn deletions(result: &str, stop: Option<i64>) -> Tenant {
    let mut host = server(10, &runs(Vec::new(), vec![run("Export", result, 5)]));
    if let Some(at) = stop {
        let stop = DeletionStop {
            at: minute(at),
            pending: Some(1_204),
            limit: Some(500),
        };
        host = host.with_at(Part::DeletionStop, &stop, at);
    }
    tenant([host])
}

#[test]
fn a_stop_by_the_guard_is_told_with_its_numbers_and_only_by_its_own_rule() {
    const RULE: Rule = Rule::DeletionsStopped;
    let stopped = deletions(STOPPED, Some(5));
    assert_eq!(stopped.holding(&RUNS), []);
    assert_told!("deletions_stopped", stopped.holding(&[RULE]));
    let pending = PendingExports {
        connectors: vec![Pending {
            connector: "orchard.example - AAD".into(),
            adds: 3,
            updates: 9,
            deletes: 1_204,
        }],
    };
    let mut with_pending = stopped;
    with_pending.hosts[0] = with_pending.hosts[0]
        .clone()
        .with(Part::PendingExports, &pending);
    let told = with_pending.holding(&[RULE]);
    assert!(told[0].evidence.iter().any(|fact| fact.value == "1204"));
    assert_told!(
        "deletions_stopped_without_the_event",
        deletions(STOPPED, None).holding(&[RULE])
    );
}

#[test]
fn a_stop_is_over_with_the_next_export_that_goes_through() {
    const RULE: Rule = Rule::DeletionsStopped;
    for (result, stop, holds) in [
        ("success", Some(4), false),
        ("completed-export-errors", Some(4), false),
        ("success", Some(5), true),
        ("success", Some(6), true),
        ("no-start-connection", Some(4), true),
        ("success", None, false),
    ] {
        let told = deletions(result, stop).holding(&[RULE]);
        assert_eq!(!told.is_empty(), holds, "{result} {stop:?}");
    }
    assert_told!(
        "deletions_over",
        deletions("success", Some(4)).over(&[RULE])
    );
}

#[test]
fn the_event_of_a_stop_is_awaited_where_it_will_come() {
    let late = |host: Host| {
        let mut tenant = deletions(STOPPED, None);
        tenant.hosts = vec![host];
        tenant.standing(Rule::DeletionsStopped)
    };
    let history = runs(Vec::new(), vec![run("Export", STOPPED, 15)]);
    let host = server(10, &history);
    assert_eq!(late(host.clone()), [], "events were not read since");
    let blind = host.failing(syncwatch_domain::report::Section::Events);
    assert_eq!(late(blind), [Some(Severity::Critical)]);
}
