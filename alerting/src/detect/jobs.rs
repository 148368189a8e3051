//! Cloud Sync jobs that do not run as they should: quarantined, disabled, paused, failing.

mod wording;

use syncwatch_domain::alert::{Condition, Rule, Severity, Subject};
use syncwatch_domain::job::{ErrorGroup, Job, JobStatus, ScheduleState};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoredJob;

use super::words::{clear, labels, named};
use crate::config::AlertSettings;

/// The rules about a job's state; at most one holds at a time.
pub const RULES: [Rule; 4] = [
    Rule::JobQuarantined,
    Rule::JobDisabled,
    Rule::JobPaused,
    Rule::JobFailing,
];

/// What a job is up to, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is no longer listed.
    Gone,
    /// Disabled, and it never ran: being set up, or not in use.
    NotInUse,
    Disabled,
    Quarantined,
    Paused,
    Failing,
    /// The newest execution failed, but that is no series yet: neither well nor failing.
    Stumbled,
    Well,
    /// Being set up, about to run for the first time, or in a state this version does not know.
    Unclear,
}

/// What a job means for the alerts about it. `was_quarantined`: its quarantine is on record.
#[must_use]
pub fn conditions(
    stored: &StoredJob,
    was_quarantined: bool,
    settings: &AlertSettings,
) -> Vec<Condition> {
    let job = &stored.job;
    let after_quarantine = was_quarantined || job.quarantine.is_some();
    match standing(stored, after_quarantine, settings) {
        Standing::Gone => over(
            job,
            &RULES,
            "is no longer listed by Microsoft Graph: its configuration or the job was deleted",
        ),
        Standing::NotInUse => over(
            job,
            &RULES,
            "is disabled and has never run: it is not in use",
        ),
        Standing::Disabled => vec![wording::disabled(job, after_quarantine)],
        Standing::Quarantined => vec![wording::quarantined(job)],
        Standing::Paused => vec![wording::paused(job)],
        Standing::Failing => vec![wording::failing(job)],
        Standing::Stumbled => over(
            job,
            &RULES[..3],
            "runs again, but its newest execution failed",
        ),
        Standing::Well => over(job, &RULES, "is active again"),
        Standing::Unclear => Vec::new(),
    }
}

fn standing(stored: &StoredJob, after_quarantine: bool, settings: &AlertSettings) -> Standing {
    let job = &stored.job;
    if stored.gone {
        return Standing::Gone;
    }
    if job.schedule == ScheduleState::Disabled {
        let never_ran = job.steady_first_at.is_none() && !after_quarantine;
        return if never_ran {
            Standing::NotInUse
        } else {
            Standing::Disabled
        };
    }
    if job.status == JobStatus::Quarantine {
        return Standing::Quarantined;
    }
    if job.status == JobStatus::Paused || job.schedule == ScheduleState::Paused {
        return Standing::Paused;
    }
    match job.successive_failures {
        _ if job.status != JobStatus::Active || job.schedule == ScheduleState::Unknown => {
            Standing::Unclear
        }
        failures if failures >= settings.job_failures => Standing::Failing,
        1.. => Standing::Stumbled,
        _ => Standing::Well,
    }
}

/// The subject of alerts about a job.
#[must_use]
pub fn subject(job: &Job) -> Subject {
    Subject::job(&job.tenant, &job.job_id, &job.template, &job.domain)
}

fn over(job: &Job, rules: &[Rule], what: &str) -> Vec<Condition> {
    let subject = subject(job);
    let summary = format!("{} {what}", named(&subject));
    rules
        .iter()
        .map(|rule| Condition {
            labels: job_labels(job),
            ..clear(*rule, subject.clone(), job.read_at, summary.clone())
        })
        .collect()
}

fn job_labels(job: &Job) -> std::collections::BTreeMap<String, String> {
    let mut labels = labels([
        ("engine", "cloud"),
        ("job", &job.job_id),
        ("partition", &job.domain),
        ("source", "jobs"),
    ]);
    if let Some(kind) = job.lane_kind() {
        labels.insert("kind".into(), kind.to_string());
    }
    if let Some(group) = error_group(job) {
        labels.insert("error_group".into(), group.to_string());
    }
    labels
}

/// The group of the job's error. Graph writes `None` as the code of a job that never ran.
fn error_group(job: &Job) -> Option<ErrorGroup> {
    let code = job.error.as_ref()?.code.trim();
    let none = code.is_empty() || code.eq_ignore_ascii_case("none");
    (!none).then(|| ErrorGroup::of_code(code))
}

/// A job that fails as a whole stands still, unless the service is merely busy or only its
/// objects are to blame: those two are looked at in working hours.
fn failing_severity(job: &Job) -> Severity {
    match error_group(job) {
        Some(ErrorGroup::AgentPath | ErrorGroup::AdPath | ErrorGroup::CloudCredentials) => {
            Severity::Critical
        }
        Some(ErrorGroup::ServiceLoad | ErrorGroup::Data) | None => Severity::Warning,
    }
}

/// After this long in quarantine the service disables a job (Cloud Sync quarantine documentation).
const DISABLED_AFTER_DAYS: u64 = 28;

/// When the service will disable a quarantined job.
fn disabled_on(job: &Job) -> Option<Timestamp> {
    let quarantine = job.quarantine.as_ref()?;
    let began_at = quarantine.series_began_at.or(quarantine.began_at)?;
    Some(began_at + std::time::Duration::from_secs(DISABLED_AFTER_DAYS * 86_400))
}

#[cfg(test)]
mod tests;
