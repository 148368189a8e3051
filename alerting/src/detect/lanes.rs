//! Late lanes and missed windows.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Condition, Evidence, Respite, Rule, Severity, Subject};
use syncwatch_domain::cadence::IntervalBasis;
use syncwatch_domain::lane::{Engine, LaneKind, LaneStatus};
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::Verdict;
use syncwatch_store::DueLane;

use super::sources::agent_host;
use super::words::{clear, evidence, holds, known, named};

/// What a lane's verdict means for its alerts.
///
/// A blind or unknown lane says nothing: its alerts stay what they are.
#[must_use]
pub fn conditions(lane: &DueLane, verdict: &Verdict, now: Timestamp) -> Vec<Condition> {
    match verdict.status {
        LaneStatus::Late => vec![late(lane, verdict, now)],
        LaneStatus::Missed => vec![missed(lane, verdict, now)],
        LaneStatus::OnTime => recovered(lane),
        LaneStatus::Paused => paused(lane, now),
        LaneStatus::Blind | LaneStatus::Unknown => Vec::new(),
    }
}

fn late(lane: &DueLane, verdict: &Verdict, now: Timestamp) -> Condition {
    let subject = Subject::lane(&lane.key);
    let since = verdict.occurred_at.unwrap_or(now);
    let summary = format!(
        "{} are late: {}, {}",
        named(&subject),
        no_success(lane),
        expected(lane)
    );
    Condition {
        summary,
        mend: mend(lane).to_owned(),
        evidence: facts(lane),
        labels: labels(lane),
        causes: causes(lane, Rule::LaneLate, &subject),
        respite: respite(lane),
        ..holds(Rule::LaneLate, subject, Severity::Warning, since)
    }
}

fn missed(lane: &DueLane, verdict: &Verdict, now: Timestamp) -> Condition {
    let subject = Subject::lane(&lane.key);
    let deadline = verdict.occurred_at.unwrap_or(now);
    let summary = format!(
        "{} missed their window, which closed at {deadline}: {}",
        named(&subject),
        no_success(lane)
    );
    Condition {
        summary,
        mend: mend(lane).to_owned(),
        evidence: facts(lane),
        labels: labels(lane),
        causes: causes(lane, Rule::WindowMissed, &subject),
        respite: respite(lane),
        ..holds(Rule::WindowMissed, subject, Severity::Critical, deadline)
    }
}

/// Over, because a success was seen. A window that merely began anew because cycles are expected
/// again proves nothing.
fn recovered(lane: &DueLane) -> Vec<Condition> {
    let Some(success_at) = success_behind(lane) else {
        return Vec::new();
    };
    let summary = format!(
        "{} are on time again: the newest success was at {success_at}",
        named(&Subject::lane(&lane.key))
    );
    let facts = vec![evidence("newest success", success_at)];
    over(lane, success_at, &summary, &facts)
}

/// Over, because nothing is expected any more. Not a recovery, and it says so.
fn paused(lane: &DueLane, now: Timestamp) -> Vec<Condition> {
    let reason = lane.idle_reason.as_deref().unwrap_or("no reason is given");
    let summary = format!(
        "{} are not expected to run any more ({reason}); they did not recover, they are not watched",
        named(&Subject::lane(&lane.key))
    );
    over(lane, now, &summary, &[evidence("paused because", reason)])
}

/// The success that the lane's window began with; `None` if it began without one.
#[must_use]
pub fn success_behind(lane: &DueLane) -> Option<Timestamp> {
    let success_at = lane.facts.last_success_at?;
    (lane.facts.late_at == Some(success_at + lane.timing.late_after)).then_some(success_at)
}

fn over(lane: &DueLane, at: Timestamp, summary: &str, facts: &[Evidence]) -> Vec<Condition> {
    [Rule::LaneLate, Rule::WindowMissed]
        .map(|rule| Condition {
            evidence: facts.to_vec(),
            labels: labels(lane),
            ..clear(rule, Subject::lane(&lane.key), at, summary.to_owned())
        })
        .into()
}

fn no_success(lane: &DueLane) -> String {
    lane.facts.last_success_at.map_or_else(
        || "no success was seen yet".to_owned(),
        |at| format!("no success since {at}"),
    )
}

fn expected(lane: &DueLane) -> String {
    format!("expected every {}", Span(lane.timing.interval))
}

/// The facts behind a late lane or a missed window.
fn facts(lane: &DueLane) -> Vec<Evidence> {
    let (_, basis) = lane.intervals.effective(lane.key.engine, lane.key.kind);
    let basis = match basis {
        Some(IntervalBasis::Configured) => "configured",
        Some(IntervalBasis::Promised) => "promised by the source",
        Some(IntervalBasis::Learned) => "learned",
        None => "documented for the engine",
    };
    let interval = format!("{} ({basis})", Span(lane.timing.interval));
    [
        known("last success", lane.facts.last_success_at),
        Some(evidence("interval", interval)),
        Some(evidence("grace", Span(lane.timing.grace()))),
        known("learned interval", lane.intervals.learned.map(Span)),
        known("late since", lane.facts.late_at),
        known("deadline", lane.facts.deadline_at),
        Some(evidence("source", &lane.source_key)),
        known("source last read", lane.facts.read_at),
        known("job", lane.job_id.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn labels(lane: &DueLane) -> BTreeMap<String, String> {
    let mut labels = super::words::labels([
        ("engine", lane.key.engine.as_str()),
        ("kind", lane.key.kind.as_str()),
        ("partition", &lane.key.partition),
        ("source", lane.source_key.poll.as_str()),
    ]);
    if let Some(job) = &lane.job_id {
        labels.insert("job".to_owned(), job.clone());
    }
    if let Some(host) = agent_host(&lane.source_key) {
        labels.insert(SERVER.to_owned(), host.to_owned());
    }
    labels
}

/// The label that names the sync server a lane belongs to.
const SERVER: &str = "server";

/// A lane of Connect that names no server, because Microsoft Graph tells of it, belongs to `host`.
pub fn belongs_to(condition: &mut Condition, host: &str) {
    let is_of_connect = condition.labels.get("engine").map(String::as_str)
        == Some(Engine::Connect.as_str())
        && condition.subject.path.starts_with("lane/");
    if is_of_connect && !condition.labels.contains_key(SERVER) {
        condition.labels.insert(SERVER.to_owned(), host.to_owned());
        let causes = super::causes::of(condition.rule, &condition.subject.path, &condition.labels);
        condition.causes = causes;
    }
}

fn causes(lane: &DueLane, rule: Rule, subject: &Subject) -> Vec<(Rule, String)> {
    super::causes::of(rule, &subject.path, &labels(lane))
}

/// Once what held its job or its server up is over, a lane gets as long as any lane may take before
/// it is called late: a cycle that keeps the interval exactly needs that to be seen. Lanes with
/// neither hang under nothing that lingers.
fn respite(lane: &DueLane) -> Option<Respite> {
    let lasts = lane.timing.late_after.max(lane.timing.interval);
    let source = lane.source_key.clone();
    let lingers = lane.job_id.is_some() || lane.key.engine == Engine::Connect;
    lingers.then(|| Respite::new(lasts, source))
}

/// What to check first (scheduler settings and partition state of Connect Sync; job status,
/// agents and service account of Cloud Sync).
const fn mend(lane: &DueLane) -> &'static str {
    match (lane.key.engine, lane.key.kind) {
        (Engine::Cloud, LaneKind::Objects) => {
            "Look at the job's status and last error, then at the provisioning agents of the domain: at least one must be active and reach a domain controller."
        }
        (Engine::Cloud, LaneKind::PasswordHash) => {
            "Look at the job's status and last error, then at the provisioning agents of the domain: at least one must be active, and its service account needs Replicating Directory Changes and Replicating Directory Changes All."
        }
        (Engine::Connect, LaneKind::Objects) => {
            "On the Connect server run Get-ADSyncScheduler: SyncCycleEnabled must be true, SchedulerSuspended false (a wizard left open suspends it); then look at the service ADSync and its newest run results."
        }
        (Engine::Connect, LaneKind::PasswordHash) => {
            "On the Connect server run Get-ADSyncPartitionPasswordSyncState for the domain; then look at the service ADSync and at the way to the domain controllers. Password hashes have a scheduler of their own: switching the object scheduler off does not stop them."
        }
    }
}

#[cfg(test)]
mod tests;
