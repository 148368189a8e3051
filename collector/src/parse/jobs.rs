//! Synchronization jobs (Microsoft Graph reference: synchronizationJob, synchronizationStatus).

mod raw;

use std::time::Duration;

use serde::Deserialize;
use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::job::{JobError, JobStatus, Quarantine, ScheduleState};
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;

use self::raw::{RawError, RawExecution, RawJob, RawSetting, RawStatus};
use super::page::Page;
use super::principals::Listed;
use super::values::{filled, is, owned};
use super::{ParseError, object, text_of};
use crate::http::cut;

const WHAT: &str = "synchronization jobs";
/// Templates of Cloud Sync. Other provisioning applications own jobs too; those are none of ours.
const TEMPLATES: [&str; 7] = [
    "AD2AADProvisioning",
    "AD2AADPasswordHash",
    "AD2AADDeviceSync",
    "AAD2ADGroupProvisioning",
    "AAD2ADExchangeHybridWriteback",
    "Entra2ADExchangeOnlineAttributeWriteback",
    "AAD2ADProvisioning",
];
/// Steady-state times this close to the end of an execution are that execution.
const SAME_RUN: Duration = Duration::from_secs(1);

/// A job as read, still without knowing whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobFacts {
    pub(crate) job_id: String,
    pub(crate) template: String,
    pub(crate) domain: Option<String>,
    pub(crate) status: JobStatus,
    pub(crate) schedule: ScheduleState,
    pub(crate) interval: Option<Duration>,
    pub(crate) quarantine: Option<Quarantine>,
    pub(crate) error: Option<JobError>,
    pub(crate) successive_failures: i64,
    pub(crate) steady_first_at: Option<Timestamp>,
    pub(crate) steady_last_at: Option<Timestamp>,
    /// Cycles the status names, oldest first.
    pub(crate) cycles: Vec<Cycle>,
}

/// Reads a list of jobs.
pub(crate) fn jobs(body: &[u8]) -> Result<Listed<JobFacts>, ParseError> {
    let page = Page::split(WHAT, body)?;
    let mut items = Vec::new();
    for (index, raw) in page.all::<RawJob<'_>>()?.into_iter().enumerate() {
        items.push(checked(raw).map_err(|error| error.in_row(index))?);
    }
    Ok(Listed {
        items,
        next_link: page.next_link().map(str::to_owned),
    })
}

/// Reads a single job.
pub(crate) fn job(body: &[u8]) -> Result<JobFacts, ParseError> {
    checked(object(WHAT, text_of(WHAT, body)?)?)
}

/// The template of a job id: the part before the first dot, if Cloud Sync knows it.
pub(crate) fn template_of(job_id: &str) -> Option<&'static str> {
    let prefix = job_id.split('.').next().unwrap_or_default();
    TEMPLATES.into_iter().find(|template| is(prefix, template))
}

fn checked(raw: RawJob<'_>) -> Result<JobFacts, ParseError> {
    let job_id = owned(raw.id).ok_or_else(|| ParseError::new(WHAT, "the job has no id"))?;
    let named = owned(raw.template_id).unwrap_or_default();
    // Published records show template ids that contradict the id: the id decides.
    let template = template_of(&job_id)
        .or_else(|| template_of(&named))
        .map_or(named, str::to_owned);
    let schedule = raw.schedule.unwrap_or_default();
    let status = raw.status.unwrap_or_default();
    let code = status_code(status.code.as_ref().map_or("", |text| &text.0));
    Ok(JobFacts {
        domain: domain(
            raw.synchronization_job_settings
                .as_deref()
                .unwrap_or_default(),
        ),
        status: code,
        schedule: schedule_state(schedule.state.as_ref().map_or("", |text| &text.0)),
        interval: filled(schedule.interval)
            .and_then(|text| Span::parse_iso(&text))
            .map(|span| span.0)
            .filter(|interval| !interval.is_zero()),
        error: newest_error(&status),
        successive_failures: status.count_successive_complete_failures.unwrap_or(0),
        steady_first_at: status.steady_state_first_achieved_time.0,
        steady_last_at: status.steady_state_last_achieved_time.0,
        cycles: cycles(&status, code),
        quarantine: status.quarantine.map(|quarantine| Quarantine {
            reason: owned(quarantine.reason).unwrap_or_else(|| "Unknown".to_owned()),
            began_at: quarantine.current_began.0,
            next_attempt_at: quarantine.next_attempt.0,
            series_began_at: quarantine.series_began.0,
        }),
        job_id,
        template,
    })
}

fn status_code(word: &str) -> JobStatus {
    let members = [
        ("NotConfigured", JobStatus::NotConfigured),
        ("NotRun", JobStatus::NotRun),
        ("Active", JobStatus::Active),
        ("Paused", JobStatus::Paused),
        ("Quarantine", JobStatus::Quarantine),
    ];
    let known = members.into_iter().find(|(member, _)| is(word, member));
    known.map_or(JobStatus::Unknown, |(_, status)| status)
}

fn schedule_state(word: &str) -> ScheduleState {
    let members = [
        ("Active", ScheduleState::Active),
        ("Disabled", ScheduleState::Disabled),
        ("Paused", ScheduleState::Paused),
    ];
    let known = members.into_iter().find(|(member, _)| is(word, member));
    known.map_or(ScheduleState::Unknown, |(_, state)| state)
}

/// An error that is one: a job that never ran names "None".
fn real(error: Option<&RawError<'_>>) -> Option<JobError> {
    let error = error?;
    let code = error.code.as_ref().map_or("", |text| text.0.trim());
    if code.is_empty() || is(code, "None") {
        return None;
    }
    let message = error.message.as_ref().map_or("", |text| &text.0);
    Some(JobError {
        code: cut(code, 200),
        message: cut(message, 500),
    })
}

fn newest_error(status: &RawStatus<'_>) -> Option<JobError> {
    let held = status
        .quarantine
        .as_ref()
        .and_then(|quarantine| real(quarantine.error.as_ref()));
    held.or_else(|| real(status.last_execution.as_ref()?.error.as_ref()))
}

/// The cycles a status tells of: its executions, and the last time without backlog where no
/// execution says the same.
fn cycles(status: &RawStatus<'_>, code: JobStatus) -> Vec<Cycle> {
    let executions = [
        &status.last_successful_execution_with_exports,
        &status.last_successful_execution,
        &status.last_execution,
    ];
    let mut cycles: Vec<Cycle> = Vec::new();
    for execution in executions.into_iter().flatten() {
        let Some(cycle) = cycle_of(execution, code) else {
            continue;
        };
        // The successful execution is often the last one, told with less detail.
        cycles.retain(|known| known.ended_at != cycle.ended_at);
        cycles.push(cycle);
    }
    let newest = cycles
        .iter()
        .filter(|cycle| cycle.outcome.keeps_cadence())
        .map(|cycle| cycle.ended_at)
        .max();
    if let Some(steady) = status.steady_state_last_achieved_time.0
        && newest.is_none_or(|newest| steady > newest + SAME_RUN)
    {
        cycles.retain(|known| known.ended_at != steady);
        cycles.push(Cycle {
            began_at: None,
            ended_at: steady,
            outcome: CycleOutcome::Succeeded,
            evidence: CycleEvidence::Status,
            exported: None,
            escrowed: None,
        });
    }
    cycles.sort_unstable_by_key(|cycle| cycle.ended_at);
    cycles
}

fn cycle_of(execution: &RawExecution<'_>, code: JobStatus) -> Option<Cycle> {
    let ended_at = execution.time_ended.0?;
    let state = execution.state.as_ref().map_or("", |text| &text.0);
    let outcome = if is(state, "Succeeded") {
        CycleOutcome::Succeeded
    } else if is(state, "EntryLevelErrors") {
        // A run that ended in quarantine was stopped, whatever its state says.
        match real(execution.error.as_ref()) {
            Some(_) if code == JobStatus::Quarantine => CycleOutcome::Failed,
            _ => CycleOutcome::ObjectErrors,
        }
    } else if is(state, "Failed") {
        CycleOutcome::Failed
    } else {
        // A state of tomorrow proves neither success nor failure.
        return None;
    };
    let known = |count: Option<i64>| count.filter(|_| execution.time_began.0.is_some());
    Some(Cycle {
        began_at: execution
            .time_began
            .0
            .filter(|began_at| *began_at <= ended_at),
        ended_at,
        outcome,
        evidence: CycleEvidence::Status,
        exported: known(execution.count_exported),
        escrowed: known(execution.count_escrowed),
    })
}

/// The AD domain: a setting of its own, or inside the JSON text of another.
fn domain(settings: &[RawSetting<'_>]) -> Option<String> {
    #[derive(Deserialize)]
    struct Domain {
        #[serde(rename = "DomainFQDN")]
        fqdn: Option<String>,
    }
    let value = |name: &str| {
        settings
            .iter()
            .find(|setting| setting.name.as_ref().is_some_and(|text| is(&text.0, name)))
            .and_then(|setting| setting.value.as_ref())
            .map(|text| text.0.trim())
            .filter(|text| !text.is_empty())
    };
    value("DomainFQDN")
        .map(str::to_owned)
        .or_else(|| serde_json::from_str::<Domain>(value("Domain")?).ok()?.fqdn)
        .filter(|fqdn| !fqdn.is_empty())
        .map(|fqdn| fqdn.to_ascii_lowercase())
}
