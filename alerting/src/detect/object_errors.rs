//! Objects that fail one by one, per job and error group.
//!
//! Errors that concern the whole job are reported at once, after 2 occurrences; errors of single
//! objects are listed daily. In between, growth is reported. (Cloud Sync error code reference.)

use syncwatch_domain::alert::{Alert, Condition, Respite, Rule, Severity, Subject};
use syncwatch_domain::cadence::{Levels, documented_interval};
use syncwatch_domain::job::{ErrorGroup, Job};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::schedule::Schedule;
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_domain::time::{Timestamp, millis};
use syncwatch_store::ObjectErrorSummary;

use super::words::{clear, counted, cut, evidence, holds, known, labels, named};
use super::{LAST_REPORTED, OBJECTS_REPORTED};
use crate::config::AlertSettings;

/// How many codes are named.
const CODES_NAMED: usize = 5;

/// What was last reported of a group of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// How many objects.
    pub objects: i64,
    /// As of when.
    pub at: Timestamp,
}

impl Reported {
    /// What an alert on record told.
    #[must_use]
    pub fn of(alert: &Alert) -> Option<Self> {
        let value = |name: &str| {
            let found = alert.evidence.iter().find(|fact| fact.name == name)?;
            Some(found.value.as_str())
        };
        Some(Self {
            objects: value(OBJECTS_REPORTED)?.parse().ok()?,
            at: Timestamp::parse(value(LAST_REPORTED)?)?,
        })
    }
}

/// What a summary means. `reported` is what the alert on record told, `None` without one.
/// A group that stays below its threshold gives nothing.
#[must_use]
pub fn condition(
    summary: &ObjectErrorSummary,
    job: Option<&Job>,
    reported: Option<Reported>,
    settings: &AlertSettings,
    now: Timestamp,
) -> Option<Condition> {
    let subject = subject(summary, job);
    if summary.objects == 0 {
        let what = format!("{}: no object fails any more", named(&subject));
        return Some(Condition {
            labels: error_labels(summary, job),
            ..clear(Rule::ObjectErrors, subject, now, what)
        });
    }
    let as_of = news(summary, reported, settings, now).or(reported.map(|reported| reported.at))?;
    Some(told(summary, job, subject, as_of))
}

/// The instant as of which there is something to tell, if there is.
fn news(
    summary: &ObjectErrorSummary,
    reported: Option<Reported>,
    settings: &AlertSettings,
    now: Timestamp,
) -> Option<Timestamp> {
    let newest = summary.last_at.unwrap_or(now);
    let grown = reported.map_or(summary.objects >= settings.growth_at_least, |reported| {
        has_grown(reported.objects, summary.objects, settings)
    });
    let first = reported.is_none()
        && match summary.group {
            ErrorGroup::Data => false,
            ErrorGroup::ServiceLoad => {
                let lasted = newest.since(summary.first_at.unwrap_or(newest));
                summary.objects >= settings.object_errors_from
                    && lasted >= settings.service_load_after
            }
            _ => summary.objects >= settings.object_errors_from,
        };
    let grown = grown && (summary.group == ErrorGroup::Data || reported.is_some());
    if grown || first {
        return Some(newest);
    }
    digest_due(summary, reported, settings, now)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of objects are far below 2^53"
)]
fn has_grown(before: i64, now: i64, settings: &AlertSettings) -> bool {
    now >= before.saturating_add(settings.growth_at_least)
        && now as f64 >= before as f64 * settings.growth_factor
}

/// The newest digest instant, if it has something to tell that was not told yet.
fn digest_due(
    summary: &ObjectErrorSummary,
    reported: Option<Reported>,
    settings: &AlertSettings,
    now: Timestamp,
) -> Option<Timestamp> {
    if summary.group != ErrorGroup::Data {
        return None;
    }
    let digest_at = latest(settings.digest.as_ref()?, now)?;
    let told_until = reported.map(|reported| reported.at);
    let has_content = summary
        .first_at
        .is_some_and(|first_at| first_at <= digest_at);
    (has_content && told_until.is_none_or(|told| told < digest_at)).then_some(digest_at)
}

/// The newest instant of a schedule that is not after `now`.
fn latest(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    use std::time::Duration;
    const DAY: u64 = 86_400;
    if let Schedule::Every(span) = schedule {
        let step = millis(span.0).max(1);
        return Some(Timestamp::from_millis(
            now.as_millis().div_euclid(step) * step,
        ));
    }
    [60, 3_600, DAY + 7_200, 8 * DAY, 32 * DAY, 367 * DAY]
        .into_iter()
        .find_map(|back| {
            let mut found = schedule
                .next_after(now - Duration::from_secs(back))
                .filter(|at| *at <= now)?;
            while let Some(next) = schedule.next_after(found).filter(|at| *at <= now) {
                found = next;
            }
            Some(found)
        })
}

fn told(
    summary: &ObjectErrorSummary,
    job: Option<&Job>,
    subject: Subject,
    as_of: Timestamp,
) -> Condition {
    let codes: Vec<String> = summary
        .codes
        .iter()
        .map(|(code, count)| {
            format!(
                "{} {count}",
                if code.is_empty() { "(no code)" } else { code }
            )
        })
        .collect();
    let fail = if summary.objects == 1 {
        "fails"
    } else {
        "fail"
    };
    let text = format!(
        "{} {fail} in {} as of {as_of}: {}",
        counted(summary.objects, "object"),
        of_job(summary, job),
        cut(&super::words::few(&codes, CODES_NAMED))
    );
    let labels = error_labels(summary, job);
    let facts = [
        Some(evidence(OBJECTS_REPORTED, summary.objects)),
        Some(evidence("error group", summary.group)),
        Some(evidence(
            "most frequent codes",
            super::words::few(&codes, CODES_NAMED),
        )),
        known("first failure", summary.first_at),
        known("newest failure", summary.last_at),
        Some(evidence("job", &summary.job_id)),
        Some(evidence(LAST_REPORTED, as_of)),
    ];
    Condition {
        summary: text,
        mend: summary.group.first_check().to_owned(),
        evidence: facts.into_iter().flatten().collect(),
        causes: super::causes::of(Rule::ObjectErrors, &subject.path, &labels),
        respite: Some(respite(&summary.tenant, job)),
        labels,
        ..holds(
            Rule::ObjectErrors,
            subject,
            Severity::Warning,
            summary.first_at.unwrap_or(as_of),
        )
    }
}

/// Objects that failed are tried again with each cycle: once their job runs again, they get what
/// one of its lanes may take before it is called late.
fn respite(tenant: &str, job: Option<&Job>) -> Respite {
    let kind = job.and_then(Job::lane_kind).unwrap_or(LaneKind::Objects);
    let interval = job
        .and_then(|job| job.interval)
        .unwrap_or_else(|| documented_interval(Engine::Cloud, kind));
    let source = SourceKey {
        tenant: tenant.to_owned(),
        poll: Poll::ProvisioningLogs,
        instance: String::new(),
    };
    let lasts = Levels::documented(Engine::Cloud, kind).late.of(interval);
    Respite::new(lasts, source)
}

fn of_job(summary: &ObjectErrorSummary, job: Option<&Job>) -> String {
    job.map_or_else(
        || format!("job {} (tenant {})", summary.job_id, summary.tenant),
        |job| named(&super::jobs::subject(job)),
    )
}

/// Path of the subject of alerts about a summary.
#[must_use]
pub fn path(summary: &ObjectErrorSummary) -> String {
    path_of(&summary.job_id, summary.group)
}

fn path_of(job_id: &str, group: ErrorGroup) -> String {
    format!("job/{job_id}/errors/{group}")
}

/// What becomes of the errors of a job that is gone: nobody tries those objects again.
#[must_use]
pub fn gone(job: &Job) -> Vec<Condition> {
    ErrorGroup::ALL
        .iter()
        .map(|group| {
            let subject = Subject {
                tenant: job.tenant.clone(),
                path: path_of(&job.job_id, *group),
                title: title(*group, &super::jobs::subject(job).title),
            };
            let summary = format!(
                "{}: the job is gone, its objects are not tried again",
                named(&subject)
            );
            clear(Rule::ObjectErrors, subject, job.read_at, summary)
        })
        .collect()
}

fn subject(summary: &ObjectErrorSummary, job: Option<&Job>) -> Subject {
    let of = job.map_or_else(
        || format!("job {}", summary.job_id),
        |job| super::jobs::subject(job).title,
    );
    Subject {
        tenant: summary.tenant.clone(),
        path: path(summary),
        title: title(summary.group, &of),
    }
}

fn title(group: ErrorGroup, of: &str) -> String {
    let group = match group {
        ErrorGroup::AgentPath => "agent path",
        ErrorGroup::AdPath => "AD path",
        ErrorGroup::CloudCredentials => "cloud credentials",
        ErrorGroup::ServiceLoad => "service load",
        ErrorGroup::Data => "data",
    };
    format!("Object errors ({group}) in {of}")
}

fn error_labels(
    summary: &ObjectErrorSummary,
    job: Option<&Job>,
) -> std::collections::BTreeMap<String, String> {
    let mut labels = labels([
        ("engine", "cloud"),
        ("job", &summary.job_id),
        ("error_group", summary.group.as_str()),
        ("source", "provisioning_logs"),
    ]);
    if let Some(job) = job {
        labels.insert("partition".into(), job.domain.clone());
        if let Some(kind) = job.lane_kind() {
            labels.insert("kind".into(), kind.to_string());
        }
    }
    labels
}

#[cfg(test)]
mod tests;
