//! Connect's scheduler: disabled, suspended, stalled; its maintenance (`Get-ADSyncScheduler`).
//!
//! A scheduler that is disabled on purpose has its next start in the past for ever: it neither
//! stalls nor is it late. A stall and the wizard that causes it are one message.

use std::collections::BTreeSet;
use std::time::Duration;

use syncwatch_domain::alert::{Condition, Evidence, Respite, Rule, Severity};
use syncwatch_domain::report::Section;
use syncwatch_domain::span::Span;
use syncwatch_domain::sync_server::{Part, Scheduler};
use syncwatch_domain::time::{Timestamp, span_of_millis};

use super::super::causes;
use super::super::words::{evidence, holds, known, named};
use super::look::{Look, connect_labels, level, over, subject};
use super::view::Server;

const RULES: [Rule; 5] = [
    Rule::SchedulerStalled,
    Rule::SchedulerSuspended,
    Rule::SchedulerDisabled,
    Rule::SchedulerHung,
    Rule::MaintenanceDisabled,
];

/// A scheduler and when it was read.
#[derive(Clone, Copy)]
struct At<'a> {
    server: &'a Server<'a>,
    scheduler: &'a Scheduler,
    read_at: Timestamp,
}

pub(super) fn conditions(
    look: &mut Look<'_>,
    server: &Server<'_>,
    servers: &[Server<'_>],
) -> Vec<Condition> {
    let Some(seen) = server.part::<Scheduler>(Part::Scheduler) else {
        return Vec::new();
    };
    let Some(scheduler) = &seen.value else {
        return look.gone(server, &RULES, &BTreeSet::new(), seen.read_at);
    };
    let at = At {
        server,
        scheduler,
        read_at: seen.read_at,
    };
    let mut found = Vec::new();
    if scheduler.sync_cycle_enabled {
        found.push(at.over(Rule::SchedulerDisabled, "its scheduler is enabled again"));
        found.extend(at.stalled(look));
        found.extend(at.suspended(look));
    } else {
        found.push(at.disabled(look, servers));
        let what = "its scheduler is disabled, no cycle is expected any more; it did not recover";
        found.extend(RULES[..2].iter().map(|rule| at.over(*rule, what)));
    }
    found.push(at.maintenance());
    found
}

impl At<'_> {
    fn over(self, rule: Rule, what: &str) -> Condition {
        over(self.server, rule, self.read_at, what)
    }

    fn holds(self, rule: Rule, severity: Severity, since: Timestamp, what: &str) -> Condition {
        let subject = subject(self.server);
        let labels = connect_labels(self.server);
        Condition {
            summary: format!("{}: {what}", named(&subject)),
            evidence: self.facts(),
            causes: causes::of(rule, &subject.path, &labels),
            labels,
            ..holds(rule, subject, severity, since)
        }
    }

    fn facts(self) -> Vec<Evidence> {
        let interval = span_of_millis(self.scheduler.effective_interval_ms);
        [
            Some(evidence(
                "cycles enabled",
                self.scheduler.sync_cycle_enabled,
            )),
            Some(evidence("staging mode", self.scheduler.staging_mode)),
            Some(evidence("interval in force", Span(interval))),
            known("next cycle planned for", self.scheduler.next_start_at),
            known("suspended since", self.scheduler.suspended_since),
            known("cycle in progress since", self.scheduler.in_progress_since),
            Some(evidence("scheduler last read", self.read_at)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn interval(self) -> Duration {
        span_of_millis(self.scheduler.effective_interval_ms)
    }

    fn stalled(self, look: &mut Look<'_>) -> Option<Condition> {
        let planned_at = self.scheduler.next_start_at?;
        if self.scheduler.in_progress || planned_at > self.read_at {
            return Some(self.over(Rule::SchedulerStalled, "its cycles start again"));
        }
        let patience = self
            .interval()
            .mul_f64(look.settings().stalled_intervals.max(0.0));
        if !look.reached(self.read_at, planned_at + patience) {
            return None;
        }
        let mut what = format!("the cycle planned for {planned_at} has not started");
        let host = self.server.host;
        let mend = if self.scheduler.suspended {
            let since = self
                .scheduler
                .suspended_since
                .map_or_else(String::new, |since| format!(" since {since}"));
            what += &format!(
                "; likely cause: the configuration wizard is open and has held the scheduler{since}"
            );
            close_the_wizard(host)
        } else {
            format!(
                "On {host} run Get-ADSyncConnectorRunStatus: a connector that stays busy holds every cycle back. If none is, restart the service ADSync."
            )
        };
        let lasts = self.interval().max(Duration::from_secs(600));
        Some(Condition {
            mend,
            respite: Some(Respite::new(
                lasts,
                self.server.section_key(Section::Scheduler),
            )),
            ..self.holds(
                Rule::SchedulerStalled,
                level(self.server, Severity::Warning),
                planned_at,
                &what,
            )
        })
    }

    fn suspended(self, look: &mut Look<'_>) -> Option<Condition> {
        if !self.scheduler.suspended {
            return Some(self.over(
                Rule::SchedulerSuspended,
                "the configuration wizard does not hold its scheduler any more",
            ));
        }
        let since = self.scheduler.suspended_since.unwrap_or(self.read_at);
        if !look.reached(self.read_at, since + look.settings().suspended_after) {
            return None;
        }
        let what = format!(
            "the configuration wizard has held its scheduler since {since}; no cycle starts until it is closed"
        );
        Some(Condition {
            mend: close_the_wizard(self.server.host),
            ..self.holds(
                Rule::SchedulerSuspended,
                level(self.server, Severity::Warning),
                since,
                &what,
            )
        })
    }

    fn disabled(self, look: &Look<'_>, servers: &[Server<'_>]) -> Condition {
        let host = self.server.host;
        let other = servers.iter().find(|other| {
            let scheduler = other.part::<Scheduler>(Part::Scheduler);
            let scheduler = scheduler.and_then(|seen| seen.value);
            other.host != host
                && scheduler.is_some_and(|other| other.sync_cycle_enabled && !other.staging_mode)
        });
        let enable = format!(
            "If this was not meant, run Set-ADSyncScheduler -SyncCycleEnabled $true on {host}."
        );
        let (severity, more) = match (other, self.scheduler.staging_mode) {
            (Some(other), true) => (
                Severity::Warning,
                format!(
                    "it could not take over from {}: what it knows grows old",
                    other.host
                ),
            ),
            (Some(other), false) => (Severity::Info, format!("{} is active", other.host)),
            (None, true) => (Severity::Info, "it is in staging mode".to_owned()),
            (None, false) if look.beyond.cloud_runs => (
                Severity::Warning,
                "no other Connect server is active, Cloud Sync runs".to_owned(),
            ),
            (None, false) => (
                Severity::Critical,
                "no other Connect server is active".to_owned(),
            ),
        };
        let what = format!(
            "its scheduler is disabled: objects are neither imported nor exported ({more}); password hashes have a scheduler of their own"
        );
        Condition {
            mend: format!(
                "{enable} If it was taken out of service, nothing is to be done; after 7 days without a cycle it needs a full synchronization before it can return."
            ),
            ..self.holds(Rule::SchedulerDisabled, severity, self.read_at, &what)
        }
    }

    fn maintenance(self) -> Condition {
        const RULE: Rule = Rule::MaintenanceDisabled;
        if self.scheduler.maintenance_enabled {
            return self.over(RULE, "the maintenance of its scheduler is enabled again");
        }
        let severity = if self.scheduler.sync_cycle_enabled {
            level(self.server, Severity::Warning)
        } else {
            Severity::Info
        };
        let what = "the maintenance of its scheduler is disabled: keys and certificates are not renewed, and the history of runs grows until the database is full";
        Condition {
            mend: format!(
                "On {} run Set-ADSyncScheduler -MaintenanceEnabled $true.",
                self.server.host
            ),
            ..self.holds(RULE, severity, self.read_at, what)
        }
    }
}

fn close_the_wizard(host: &str) -> String {
    format!(
        "Close the Connect configuration wizard on {host}; look for it in disconnected remote sessions too, and sign those off. The next cycle then starts by itself."
    )
}
