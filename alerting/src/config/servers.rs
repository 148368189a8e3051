//! The section `[alerts.servers]`: from when on something about a sync server is worth an alert.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::span::Span;

use super::problem::Inspection;

/// From when on something about a sync server is worth an alert. On a Connect server in staging
/// mode every level is one step lower.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "ServerAlerts")]
pub struct RawServerAlerts {
    /// The scheduler was suspended for this long: somebody left the configuration wizard open.
    /// Source of the default: the wizard suspends the scheduler while it is open (Connect Sync
    /// scheduler documentation); an hour is longer than any change takes.
    pub suspended_after: String,
    /// The scheduler stalls when the planned start of a cycle has passed by this many intervals in
    /// force and none runs. Source of the default: lateness rule of the Connect Sync scheduler.
    pub stalled_intervals: f64,
    /// A run hangs when it takes longer than this ... Source of the default: lateness rule of the
    /// Connect Sync scheduler, the larger of 2 h and 3 times the usual.
    pub hung_after: String,
    /// ... and than this many times the median of its run profile.
    pub hung_factor: f64,
    /// It is critical when no cycle succeeded for this long: soon a full synchronization will be
    /// needed. Source of the default: lateness rule of the Connect Sync scheduler, two days before
    /// `purge_full`.
    pub purge_critical: String,
    /// From this long without a successful cycle on, Connect needs a full import and a full
    /// synchronization (Connect Sync scheduler documentation: 7 days).
    pub purge_full: String,
    /// Runs that lost their connection are critical from this many in a row on. Source of the
    /// default: run results of Connect Sync, critical if repeated twice.
    pub connection_failures: u32,
    /// Runs that found their connector busy are a warning beyond this many in a row. Source of the
    /// default: run results of Connect Sync, warning if more than 3 in a row.
    pub collisions: u32,
    /// Objects that fail to export are critical when they do for this long. Source of the default:
    /// run results of Connect Sync, critical if it lasts 24 h.
    pub export_errors_critical: String,
    /// Password hashes of a domain fail persistently from this many failures within two hours on
    /// (events 611, 662 and 667), 1 to 10. Source of the default: Connect Sync's own diagnosis.
    pub password_failures: u32,
    /// They are well again this long after the newest failure, when a sign of life came since.
    /// Source of the default: five cycles of password hash sync, which runs every two minutes.
    pub password_settled_after: String,
    /// LocalDB is a warning from this many megabytes on. Source of the default: LocalDB ends at
    /// 10 GB (Connect Sync documentation); 80 % of it.
    pub database_warning_mb: u32,
    /// LocalDB is critical from this many megabytes on. Source of the default: 95 % of 10 GB.
    pub database_critical_mb: u32,
    /// Warn this long before the support of an installed version of Connect Sync ends. Source of
    /// the default: version history of Connect Sync; a version retires 12 months after its successor
    /// appeared.
    pub support_warning: String,
    /// A Cloud Sync agent is too old when its build appeared this long before the newest one.
    /// Source of the default: modern lifecycle of Cloud Sync agents; the newest build is the
    /// supported one.
    pub agent_build_age: String,
    /// Cloud Sync agents of a tenant may run different builds for this long; then it is told for
    /// information. Source of the default: the rule for versions of agents; an update reaches all
    /// of them within days.
    pub builds_differ_after: String,
    /// A service is stopped when it does not run for this long. Source of the default: longer than
    /// a restart, and shorter than what hangs on the service takes to fail.
    pub service_stopped_after: String,
    /// A domain is unreachable when its server says so for this long. Source of the default:
    /// longer than a single failed try.
    pub domain_unreachable_after: String,
    /// A container of a Cloud Sync configuration that is not there is a warning, and critical after
    /// this long. Source of the default: objects that nobody updates are an error after 24 h.
    pub container_critical_after: String,
    /// Least number of servers with a Cloud Sync agent. Source of the default: availability of
    /// Cloud Sync agents; 3 are recommended, below 2 nothing takes over.
    pub agents_at_least: u32,
    /// The clock of a server is wrong when it is off by more than this. Its times are corrected
    /// all the same. Source of the default: a sixth of the shortest interval of Connect Sync.
    pub clock_off: String,
    /// The loss of records is over when none was lost for this long. What was lost stays lost.
    pub gap_over_after: String,
}

impl Default for RawServerAlerts {
    fn default() -> Self {
        Self {
            suspended_after: "1h".into(),
            stalled_intervals: 1.0,
            hung_after: "2h".into(),
            hung_factor: 3.0,
            purge_critical: "5d".into(),
            purge_full: "7d".into(),
            connection_failures: 2,
            collisions: 3,
            export_errors_critical: "24h".into(),
            password_failures: 5,
            password_settled_after: "10m".into(),
            database_warning_mb: 8_000,
            database_critical_mb: 9_500,
            support_warning: "60d".into(),
            agent_build_age: "180d".into(),
            builds_differ_after: "14d".into(),
            service_stopped_after: "2m".into(),
            domain_unreachable_after: "2m".into(),
            container_critical_after: "24h".into(),
            agents_at_least: 2,
            clock_off: "5m".into(),
            gap_over_after: "1d".into(),
        }
    }
}

/// The section `[alerts.servers]`, checked. The keys are those of [`RawServerAlerts`].
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// How long the scheduler may be suspended.
    pub suspended_after: Duration,
    /// How many intervals the start of a cycle may be overdue.
    pub stalled_intervals: f64,
    /// How long a run may take at least ...
    pub hung_after: Duration,
    /// ... and how many times its median.
    pub hung_factor: f64,
    /// How long no cycle may succeed before it is critical.
    pub purge_critical: Duration,
    /// How long no cycle may succeed before everything must be read anew.
    pub purge_full: Duration,
    /// From how many lost connections in a row on it is critical.
    pub connection_failures: u32,
    /// Beyond how many collisions in a row it is a warning.
    pub collisions: u32,
    /// How long objects may fail to export.
    pub export_errors_critical: Duration,
    /// From how many failures on password hashes fail persistently.
    pub password_failures: usize,
    /// How long after the newest failure they are well again.
    pub password_settled_after: Duration,
    /// Megabytes of LocalDB that are a warning.
    pub database_warning_mb: f64,
    /// Megabytes of LocalDB that are critical.
    pub database_critical_mb: f64,
    /// How long before the end of support.
    pub support_warning: Duration,
    /// How much older than the newest the build of a Cloud Sync agent may be.
    pub agent_build_age: Duration,
    /// How long the builds of a tenant's Cloud Sync agents may differ.
    pub builds_differ_after: Duration,
    /// How long a service may be stopped.
    pub service_stopped_after: Duration,
    /// How long a domain may be unreachable.
    pub domain_unreachable_after: Duration,
    /// How long a container may be gone before it is critical.
    pub container_critical_after: Duration,
    /// How many servers must have a Cloud Sync agent.
    pub agents_at_least: usize,
    /// How far a clock may be off.
    pub clock_off: Duration,
    /// After how long without a loss a loss is over.
    pub gap_over_after: Duration,
}

const DAY: u64 = 24 * 60;

/// No setting of this section is longer.
const LONGEST: Span = Span::minutes(2 * 365 * DAY);

impl RawServerAlerts {
    pub(super) fn check(&self, problems: &mut Vec<super::Problem>) -> ServerSettings {
        let mut look = Inspection::of("alerts.servers".into(), problems);
        let look = &mut look;
        let (purge_critical, purge_full) = self.purge(look);
        let (database_warning_mb, database_critical_mb) = self.database(look);
        ServerSettings {
            suspended_after: span(look, "suspended_after", &self.suspended_after, 60),
            stalled_intervals: factor(look, "stalled_intervals", self.stalled_intervals),
            hung_after: span(look, "hung_after", &self.hung_after, 120),
            hung_factor: factor(look, "hung_factor", self.hung_factor),
            purge_critical,
            purge_full,
            connection_failures: count(look, "connection_failures", self.connection_failures),
            collisions: self.collisions,
            export_errors_critical: span(
                look,
                "export_errors_critical",
                &self.export_errors_critical,
                DAY,
            ),
            password_failures: self.failures(look),
            password_settled_after: span(
                look,
                "password_settled_after",
                &self.password_settled_after,
                10,
            ),
            database_warning_mb,
            database_critical_mb,
            support_warning: span(look, "support_warning", &self.support_warning, 60 * DAY),
            agent_build_age: span(look, "agent_build_age", &self.agent_build_age, 180 * DAY),
            builds_differ_after: span(
                look,
                "builds_differ_after",
                &self.builds_differ_after,
                14 * DAY,
            ),
            service_stopped_after: span(
                look,
                "service_stopped_after",
                &self.service_stopped_after,
                2,
            ),
            domain_unreachable_after: span(
                look,
                "domain_unreachable_after",
                &self.domain_unreachable_after,
                2,
            ),
            container_critical_after: span(
                look,
                "container_critical_after",
                &self.container_critical_after,
                DAY,
            ),
            agents_at_least: usize::try_from(count(look, "agents_at_least", self.agents_at_least))
                .unwrap_or(usize::MAX),
            clock_off: span(look, "clock_off", &self.clock_off, 5),
            gap_over_after: span(look, "gap_over_after", &self.gap_over_after, DAY),
        }
    }

    /// No more than ten failures are remembered.
    fn failures(&self, look: &mut Inspection<'_>) -> usize {
        const MOST: u32 = 10;
        if self.password_failures == 0 || self.password_failures > MOST {
            look.refuse(
                "password_failures",
                format!("{} is out of range", self.password_failures),
                format!("write 1 to {MOST}"),
            );
        }
        usize::try_from(self.password_failures).unwrap_or(usize::MAX)
    }

    fn purge(&self, look: &mut Inspection<'_>) -> (Duration, Duration) {
        let warning = span(look, "purge_critical", &self.purge_critical, 5 * DAY);
        let full = span(look, "purge_full", &self.purge_full, 7 * DAY);
        if warning > full {
            look.refuse(
                "purge_critical",
                "the alert would come after what it warns of",
                "make it shorter than purge_full",
            );
        }
        (warning, full)
    }

    fn database(&self, look: &mut Inspection<'_>) -> (f64, f64) {
        if self.database_warning_mb > self.database_critical_mb {
            look.refuse(
                "database_warning_mb",
                "it would be critical before it is a warning",
                "make it smaller than database_critical_mb",
            );
        }
        (
            f64::from(self.database_warning_mb),
            f64::from(self.database_critical_mb),
        )
    }
}

fn span(look: &mut Inspection<'_>, key: &str, text: &str, default_minutes: u64) -> Duration {
    look.span(
        key,
        Some(text),
        Span::minutes(default_minutes),
        (Span::secs(0), LONGEST),
    )
}

fn factor(look: &mut Inspection<'_>, key: &str, factor: f64) -> f64 {
    // Larger ones could not be multiplied with a duration.
    const MOST: f64 = 1_000.0;
    if !(0.0..=MOST).contains(&factor) {
        look.refuse(
            key,
            format!("{factor} is out of range"),
            format!("use a number from 0 to {MOST}"),
        );
    }
    factor
}

fn count(look: &mut Inspection<'_>, key: &str, count: u32) -> u32 {
    if count == 0 {
        look.refuse(key, "0 would report what never happened", "write 1 or more");
    }
    count
}

#[cfg(test)]
mod tests;
