#![expect(clippy::unwrap_used, reason = "tests")]
//! Facts for tests of detectors, and conditions as text.

pub(crate) mod servers;

use std::fmt::Write as _;
use std::time::Duration;

use syncwatch_domain::alert::Condition;
use syncwatch_domain::cadence::{Intervals, Timing};
use syncwatch_domain::job::{Job, JobError, JobStatus, Quarantine, ScheduleState};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::LaneFacts;
use syncwatch_store::{DueLane, LaneId};

/// 2026-09-14T06:00:00Z, and so many minutes later.
pub(crate) const fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_789_365_600_000 + minutes * 60_000)
}

pub(crate) fn lane_key(engine: Engine, kind: LaneKind) -> LaneKey {
    LaneKey {
        tenant: "orchard".into(),
        engine,
        kind,
        partition: "ad.orchard.example".into(),
    }
}

pub(crate) fn source_key(poll: Poll, instance: &str) -> SourceKey {
    SourceKey {
        tenant: "orchard".into(),
        poll,
        instance: instance.into(),
    }
}

/// A lane with its last success at minute 0, late at 60 and closed at 120.
pub(crate) fn due_lane() -> DueLane {
    let timing = Timing {
        interval: Duration::from_secs(20 * 60),
        late_after: Duration::from_secs(60 * 60),
        missed_after: Duration::from_secs(120 * 60),
    };
    let facts = LaneFacts {
        last_success_at: Some(minute(0)),
        ..LaneFacts::default()
    };
    DueLane {
        id: LaneId(1),
        key: lane_key(Engine::Cloud, LaneKind::Objects),
        job_id: Some("AD2AADProvisioning.5f0c.01".into()),
        source_key: source_key(Poll::Jobs, "3f1d0a52"),
        first_seen_at: minute(-1_000),
        status: LaneStatus::OnTime,
        version: 1,
        facts: facts.with_window(&timing),
        timing,
        intervals: Intervals {
            promised: Some(Duration::from_secs(20 * 60)),
            learned: Some(Duration::from_secs(2 * 60)),
            configured: None,
        },
        idle_reason: None,
    }
}

/// A job that runs well.
pub(crate) fn job() -> Job {
    Job {
        tenant: "orchard".into(),
        service_principal_id: "3f1d0a52".into(),
        job_id: "AD2AADProvisioning.5f0c.01".into(),
        template: "AD2AADProvisioning".into(),
        domain: "ad.orchard.example".into(),
        status: JobStatus::Active,
        schedule: ScheduleState::Active,
        interval: Some(Duration::from_secs(20 * 60)),
        quarantine: None,
        error: None,
        successive_failures: 0,
        steady_first_at: Some(minute(-10_000)),
        steady_last_at: Some(minute(-3)),
        read_at: minute(0),
    }
}

pub(crate) fn job_error(code: &str) -> Option<JobError> {
    Some(JobError {
        code: code.into(),
        message: "Something went\n wrong.".into(),
    })
}

/// A job in quarantine for `reason`.
pub(crate) fn quarantined(reason: &str, code: Option<&str>) -> Job {
    Job {
        status: JobStatus::Quarantine,
        quarantine: Some(Quarantine {
            reason: reason.into(),
            began_at: Some(minute(-90)),
            next_attempt_at: Some(minute(270)),
            series_began_at: Some(minute(-2_880)),
        }),
        error: code.and_then(job_error),
        successive_failures: 3,
        ..job()
    }
}

/// A source that was read at minute `read`.
pub(crate) fn read_source(poll: Poll, instance: &str, read: i64) -> SourceState {
    SourceState {
        key: source_key(poll, instance),
        first_seen_at: minute(-1_000),
        attempted_at: Some(minute(read)),
        read_at: Some(minute(read)),
        failing_since: None,
        failures: 0,
        failure: None,
        failure_text: None,
        took_ms: Some(80),
        retired: false,
    }
}

/// A source that was read at minute `read` and fails from minute `since` on; its newest attempt
/// was at minute `newest`.
pub(crate) fn failing_source(
    poll: Poll,
    instance: &str,
    (read, since, newest): (i64, i64, i64),
    failures: i64,
    failure: ReadFailure,
) -> SourceState {
    SourceState {
        attempted_at: Some(minute(newest)),
        failing_since: Some(minute(since)),
        failures,
        failure: Some(failure),
        failure_text: Some("GET /v1.0/organization: no answer within 30s".into()),
        ..read_source(poll, instance, read)
    }
}

/// Everything a condition says, as text for snapshots.
pub(crate) fn told(conditions: &[Condition]) -> String {
    let mut text = String::new();
    for condition in conditions {
        let Condition {
            finding,
            rule,
            subject,
            severity,
            occurred_at,
            ..
        } = condition;
        writeln!(
            text,
            "{finding} {rule} {severity} {}/{}",
            subject.tenant, subject.path
        )
        .unwrap();
        writeln!(text, "  subject: {}", subject.title).unwrap();
        writeln!(text, "  since:   {occurred_at}").unwrap();
        writeln!(text, "  summary: {}", condition.summary).unwrap();
        writeln!(text, "  mend:    {}", condition.mend).unwrap();
        for fact in &condition.evidence {
            writeln!(text, "  - {}: {}", fact.name, fact.value).unwrap();
        }
        let labels: Vec<_> = condition
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        writeln!(text, "  labels:  {}", labels.join(" ")).unwrap();
        let causes: Vec<_> = condition
            .causes
            .iter()
            .map(|(rule, path)| format!("{rule} {path}"))
            .collect();
        writeln!(text, "  causes:  {}", causes.join(", ")).unwrap();
    }
    text
}

/// Compares with `snapshots/detect_<name>.snap`.
macro_rules! assert_told {
    ($name:expr, $conditions:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("detect_{}", $name), $crate::detect::testing::told(&$conditions));
        });
    };
}
pub(crate) use assert_told;
