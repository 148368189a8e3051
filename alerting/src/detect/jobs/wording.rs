//! What is said about jobs.

use syncwatch_domain::alert::{Condition, Evidence, Rule, Severity};
use syncwatch_domain::job::{ErrorGroup, Job};

use super::super::words::{counted, cut, day, evidence, holds, known, named};
use super::{disabled_on, error_group, failing_severity, job_labels, subject};

pub(super) fn quarantined(job: &Job) -> Condition {
    let subject = subject(job);
    let reason = reason(job);
    let began_at = job
        .quarantine
        .as_ref()
        .and_then(|quarantine| quarantine.began_at);
    let mut summary = match began_at {
        Some(began_at) => format!(
            "{} has been in quarantine since {began_at}",
            named(&subject)
        ),
        None => format!("{} is in quarantine", named(&subject)),
    };
    summary += &format!(": {}", reason.words);
    if let Some(disabled_on) = disabled_on(job) {
        summary += &format!(
            "; after 28 days, on {}, the service disables the job",
            day(disabled_on)
        );
    }
    Condition {
        summary,
        mend: reason.mend,
        evidence: facts(job),
        labels: job_labels(job),
        ..holds(
            Rule::JobQuarantined,
            subject,
            Severity::Critical,
            began_at.unwrap_or(job.read_at),
        )
    }
}

pub(super) fn disabled(job: &Job, after_quarantine: bool) -> Condition {
    let subject = subject(job);
    let (what, severity, mend) = if after_quarantine {
        (
            "was disabled after its quarantine: no cycles run until it is started again",
            Severity::Critical,
            "The service disables a job after 28 days in quarantine. Mend what held it back, then restart the job.",
        )
    } else {
        (
            "is disabled: no cycles run until it is enabled again",
            Severity::Warning,
            "If this was not meant, enable the configuration again; the audit log names who disabled it.",
        )
    };
    Condition {
        summary: format!("{} {what}", named(&subject)),
        mend: mend.to_owned(),
        evidence: facts(job),
        labels: job_labels(job),
        ..holds(Rule::JobDisabled, subject, severity, job.read_at)
    }
}

pub(super) fn paused(job: &Job) -> Condition {
    let subject = subject(job);
    Condition {
        summary: format!(
            "{} is paused: no cycles run until it is resumed",
            named(&subject)
        ),
        mend: "If this was not meant, resume the job; the audit log names who paused it."
            .to_owned(),
        evidence: facts(job),
        labels: job_labels(job),
        ..holds(Rule::JobPaused, subject, Severity::Warning, job.read_at)
    }
}

pub(super) fn failing(job: &Job) -> Condition {
    let subject = subject(job);
    let failures = counted(job.successive_failures, "execution");
    let mut summary = format!("{} fails as a whole: {failures} in a row", named(&subject));
    if let (Some(_), Some(error)) = (error_group(job), &job.error) {
        summary += &format!(", newest error {}", error.code);
    }
    let mend = match error_group(job) {
        Some(group) if group.is_job_level() => group.first_check(),
        Some(_) => {
            "Look at the error of the newest execution: it concerns the job as a whole, often its mapping or its configuration."
        }
        None => {
            "Look at the newest execution of the job in the admin center; it names no error code."
        }
    };
    Condition {
        summary,
        mend: mend.to_owned(),
        evidence: facts(job),
        labels: job_labels(job),
        ..holds(
            Rule::JobFailing,
            subject,
            failing_severity(job),
            job.read_at,
        )
    }
}

fn facts(job: &Job) -> Vec<Evidence> {
    let quarantine = job.quarantine.as_ref();
    let error = job.error.as_ref().filter(|_| error_group(job).is_some());
    [
        Some(evidence("job", &job.job_id)),
        Some(evidence("configuration", &job.service_principal_id)),
        Some(evidence("status", job.status)),
        Some(evidence("schedule", job.schedule)),
        known(
            "reason",
            quarantine.map(|quarantine| cut(&quarantine.reason)),
        ),
        known(
            "in quarantine since",
            quarantine.and_then(|quarantine| quarantine.began_at),
        ),
        known(
            "next attempt",
            quarantine.and_then(|quarantine| quarantine.next_attempt_at),
        ),
        known("disabled by the service on", disabled_on(job)),
        known("error code", error.map(|error| cut(&error.code))),
        known(
            "error",
            error
                .map(|error| cut(&error.message))
                .filter(|text| !text.is_empty()),
        ),
        known("error group", error_group(job)),
        (job.successive_failures > 0)
            .then(|| evidence("failed executions in a row", job.successive_failures)),
        known("last time without backlog", job.steady_last_at),
        Some(evidence("job last read", job.read_at)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

struct Reason {
    words: String,
    mend: String,
}

/// A reason of quarantine in words, and what to do about it (Microsoft Graph
/// `synchronizationQuarantine`; Cloud Sync quarantine and accidental-deletion documentation).
fn reason(job: &Job) -> Reason {
    const ERRORS: &str = "Look at the most frequent error codes of this job in the provisioning log and mend their cause; the job leaves quarantine by itself once the errors fall under the limit, or by a restart.";
    let (spelled, code) = job.quarantine.as_ref().map_or(("", None), |quarantine| {
        (quarantine.reason.trim(), error_group(job))
    });
    let fatal = code.map_or(
        "Look at the job's error: refused credentials, a lost way to the agent, or a broken mapping. Restart the job when it is mended.",
        ErrorGroup::first_check,
    );
    let (words, mend) = match spelled.to_ascii_lowercase().as_str() {
        "encounteredbaseescrowthreshold" => ("too many of its objects fail", ERRORS),
        "encounteredtotalescrowthreshold" => ("the ceiling of failing objects is reached", ERRORS),
        "encounteredescrowproportionthreshold" => {
            ("too large a share of its objects fails", ERRORS)
        }
        "encounteredquarantineexception" => (
            "a fatal error, such as a refused credential or a lost connection",
            fatal,
        ),
        "quarantinedondemand" | "quarantineondemand" => (
            "a person or the service asked for it",
            "Ask who held the job back; the audit log has an entry with the activity Quarantine. Restart the job when the reason is gone.",
        ),
        "toomanydeletes" => (
            "it would delete more objects than the accidental-deletion guard allows",
            "Look at the staged deletes in the provisioning log. If they are meant, allow the deletes and restart the job; if not, correct the scope or restore the objects in AD, then restart it.",
        ),
        "ingestioninterrupted" => ("the intake of its objects was interrupted", fatal),
        "" | "unknown" => ("the service names no reason", fatal),
        _ => {
            return Reason {
                words: format!("reason {}", cut(spelled)),
                mend: fatal.to_owned(),
            };
        }
    };
    Reason {
        words: words.to_owned(),
        mend: mend.to_owned(),
    }
}
