#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::config::Problem;

fn read(text: &str) -> (ServerSettings, Vec<Problem>) {
    let mut problems = Vec::new();
    let raw: RawServerAlerts = toml::from_str(text).unwrap();
    (raw.check(&mut problems), problems)
}

#[test]
fn the_defaults_are_good_and_those_of_the_reference() {
    const HOUR: u64 = 3_600;
    let (settings, problems) = read("");
    assert_eq!(problems, []);
    let spans = [
        (settings.suspended_after, HOUR),
        (settings.hung_after, 2 * HOUR),
        (settings.purge_critical, 5 * 24 * HOUR),
        (settings.purge_full, 7 * 24 * HOUR),
        (settings.export_errors_critical, 24 * HOUR),
        (settings.support_warning, 60 * 24 * HOUR),
        (settings.agent_build_age, 180 * 24 * HOUR),
        (settings.builds_differ_after, 14 * 24 * HOUR),
        (settings.password_settled_after, 600),
        (settings.clock_off, 300),
    ];
    for (span, seconds) in spans {
        assert_eq!(span, Duration::from_secs(seconds));
    }
    assert_eq!(
        (settings.database_warning_mb, settings.database_critical_mb),
        (8_000.0, 9_500.0)
    );
    assert_eq!(
        (settings.stalled_intervals, settings.hung_factor),
        (1.0, 3.0)
    );
    assert_eq!((settings.connection_failures, settings.collisions), (2, 3));
    assert_eq!(settings.password_failures, 5);
}

#[test]
fn every_mistake_is_reported_at_once_with_place_and_hint() {
    let (_, problems) = read(
        "suspended_after = 'long'\nstalled_intervals = -1.0\nhung_factor = nan\n\
         purge_critical = '8d'\nconnection_failures = 0\npassword_failures = 0\n\
         database_warning_mb = 9600\nagents_at_least = 0\nclock_off = '9000d'",
    );
    let lines: String = problems
        .iter()
        .map(|problem| format!("{}: {} ({})\n", problem.path, problem.message, problem.hint))
        .collect();
    insta::with_settings!({ snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"), prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("server_alerts_problems", lines);
    });
}
