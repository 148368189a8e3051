//! A small fleet that has one of everything: two tenants, both engines, every kind of gap in what is known.

use std::time::Duration;

use prometheus::{CounterVec, Gauge, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use syncwatch_domain::alert::{AlertState, Rule, Severity};
use syncwatch_domain::cadence::{Intervals, Levels, Timing};
use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::job::{ErrorGroup, Job, JobStatus, ScheduleState};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus};
use syncwatch_domain::owner::{ObjectType, Owner};
use syncwatch_domain::report::{AgentIdentity, Role};
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey, SourceState};
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::LaneFacts;
use syncwatch_store::{
    AlertTotal, CycleTotal, EventTotal, LaneId, LaneView, OutboxDepth, OwnerCount, SpoolProgress,
    StoredAgent,
};

use crate::fleet::{LocalAgent, ProvisioningAgent, Snapshot};

/// 2026-11-02 08:00 UTC.
const MORNING: i64 = 1_793_606_400_000;

fn at(after_ms: i64) -> Timestamp {
    Timestamp::from_millis(MORNING + after_ms)
}

fn key(tenant: &str, engine: Engine, kind: LaneKind, partition: &str) -> LaneKey {
    LaneKey {
        tenant: tenant.into(),
        engine,
        kind,
        partition: partition.into(),
    }
}

pub(super) fn lane(
    id: i64,
    key: LaneKey,
    status: LaneStatus,
    last_success_at: Option<Timestamp>,
) -> LaneView {
    let intervals = Intervals {
        promised: Some(Duration::from_secs(1200)),
        ..Intervals::default()
    };
    let timing = Timing::of(
        &intervals,
        &Levels::documented(key.engine, key.kind),
        key.engine,
        key.kind,
    );
    let paused = status == LaneStatus::Paused;
    let facts = LaneFacts {
        last_success_at,
        read_at: Some(at(0)),
        paused,
        ..LaneFacts::default()
    };
    LaneView {
        id: LaneId(id),
        job_id: None,
        source_key: source_key(&key.tenant, Poll::Jobs, "sp-1"),
        key,
        status,
        status_at: last_success_at,
        facts: if paused {
            facts
        } else {
            facts.with_window(&timing)
        },
        intervals,
        timing,
        idle_reason: None,
        missed_windows: 0,
    }
}

fn lanes() -> Vec<LaneView> {
    let cloud = |kind| key("hauser", Engine::Cloud, kind, "ad.hauser.example");
    let connect = key("hauser", Engine::Connect, LaneKind::Objects, "tenant");
    let odd = key(
        "back\\slash",
        Engine::Connect,
        LaneKind::PasswordHash,
        "say \"no\"\nmore",
    );
    let mut lanes = vec![
        lane(
            1,
            cloud(LaneKind::Objects),
            LaneStatus::OnTime,
            Some(at(-61_250)),
        ),
        lane(
            2,
            cloud(LaneKind::PasswordHash),
            LaneStatus::Missed,
            Some(at(-7_200_000)),
        ),
        lane(3, connect, LaneStatus::Paused, Some(at(-900_000))),
        lane(4, odd, LaneStatus::Unknown, None),
    ];
    lanes[0].intervals.learned = Some(Duration::from_millis(120_500));
    lanes[1].intervals.configured = Some(Duration::from_secs(600));
    lanes[1].missed_windows = 3;
    lanes[3].intervals = Intervals::default();
    lanes
}

fn cycles() -> Vec<CycleTotal> {
    let total = |kind, outcome, count, timed, duration_ms| CycleTotal {
        key: key("hauser", Engine::Cloud, kind, "ad.hauser.example"),
        outcome,
        count,
        timed,
        duration_ms,
    };
    // Not in the order of the lanes: the page must not depend on it.
    vec![
        total(LaneKind::Objects, CycleOutcome::ObjectErrors, 2, 2, 8_004),
        total(LaneKind::PasswordHash, CycleOutcome::Succeeded, 40, 0, 0),
        total(
            LaneKind::Objects,
            CycleOutcome::Succeeded,
            210,
            200,
            412_345,
        ),
    ]
}

fn source_key(tenant: &str, poll: Poll, instance: &str) -> SourceKey {
    SourceKey {
        tenant: tenant.into(),
        poll,
        instance: instance.into(),
    }
}

fn source(
    poll: Poll,
    instance: &str,
    read_at: Option<Timestamp>,
    failure: Option<ReadFailure>,
) -> SourceState {
    SourceState {
        key: source_key("hauser", poll, instance),
        first_seen_at: at(-86_400_000),
        attempted_at: Some(at(0)),
        read_at,
        failing_since: failure.map(|_| at(-60_000)),
        failures: i64::from(failure.is_some()),
        failure,
        failure_text: failure.map(|_| "text of no concern".into()),
        took_ms: Some(80),
        retired: false,
    }
}

fn sources() -> Vec<SourceState> {
    let mut retired = source(Poll::Jobs, "sp-gone", Some(at(-1000)), None);
    retired.retired = true;
    vec![
        source(Poll::Jobs, "sp-1", Some(at(-1000)), None),
        source(
            Poll::ProvisioningLogs,
            "",
            Some(at(-600_000)),
            Some(ReadFailure::ServerError),
        ),
        source(
            Poll::OrganizationBeta,
            "",
            None,
            Some(ReadFailure::RightMissing),
        ),
        source(Poll::Credentials, "", None, None),
        retired,
    ]
}

fn jobs() -> Vec<Job> {
    vec![Job {
        tenant: "hauser".into(),
        service_principal_id: "sp-1".into(),
        job_id: "AD2AADProvisioning.0011".into(),
        template: "AD2AADProvisioning".into(),
        domain: "ad.hauser.example".into(),
        status: JobStatus::Quarantine,
        schedule: ScheduleState::Active,
        interval: Some(Duration::from_secs(1200)),
        quarantine: None,
        error: None,
        successive_failures: 4,
        steady_first_at: Some(at(-86_400_000)),
        steady_last_at: Some(at(-7_200_000)),
        read_at: at(0),
    }]
}

fn events() -> Vec<EventTotal> {
    let total = |status, error_group, count| EventTotal {
        tenant: "hauser".into(),
        job_id: "AD2AADProvisioning.0011".into(),
        action: ProvisioningAction::Update,
        status,
        error_group,
        count,
    };
    vec![
        total(ProvisioningStatus::Success, None, 91_204),
        total(ProvisioningStatus::Failure, Some(ErrorGroup::Data), 17),
    ]
}

fn provisioning_agents() -> Vec<ProvisioningAgent> {
    let agent = |id: &str, machine: &str, active| ProvisioningAgent {
        tenant: "hauser".into(),
        id: id.into(),
        machine: machine.into(),
        active,
    };
    vec![
        agent("7c1e", "sync1.hauser.example", false),
        agent("9f00", "sync1.hauser.example", true),
        agent("a120", "sync2.hauser.example", false),
    ]
}

/// One that reports, one that fell silent, one that never reported.
fn local_agents() -> Vec<LocalAgent> {
    let known = |host: &str, version: &str, roles: &[Role]| StoredAgent {
        tenant: "hauser".into(),
        identity: AgentIdentity {
            id: format!("id of {host}"),
            host: host.into(),
            version: version.into(),
            system: "Windows Server 2022".into(),
            roles: roles.iter().copied().collect(),
        },
        first_seen_at: at(-86_400_000),
        reported_at: at(-30_000),
        clock_ahead_ms: -1_250,
        spool: Some(SpoolProgress {
            spool: "spool-1".into(),
            acknowledged: 4_711,
            waiting: 12,
            lost: 40,
        }),
    };
    let agent = |host: &str, reported_at, known| LocalAgent {
        tenant: "hauser".into(),
        host: host.into(),
        reported_at,
        silent: false,
        known,
        database_bytes: None,
    };
    let roles = [Role::ConnectActive, Role::CloudAgent];
    vec![
        LocalAgent {
            database_bytes: Some(3_221_225_472.0),
            ..agent(
                "SYNC01",
                Some(at(-30_000)),
                Some(known("sync01", "0.1.0", &roles)),
            )
        },
        LocalAgent {
            silent: true,
            ..agent(
                "SYNC02",
                Some(at(-900_000)),
                Some(known("SYNC02", &"9".repeat(65), &[])),
            )
        },
        LocalAgent {
            silent: true,
            ..agent("SYNC03", None, None)
        },
    ]
}

fn alerts() -> Vec<AlertTotal> {
    let total = |rule, severity, state, count| AlertTotal {
        tenant: "hauser".into(),
        rule,
        severity,
        state,
        count,
    };
    vec![
        total(
            Rule::WindowMissed,
            Severity::Critical,
            AlertState::Firing,
            1,
        ),
        total(Rule::LaneLate, Severity::Warning, AlertState::Resolved, 12),
    ]
}

/// One of everything.
fn owners(domain: &str, kind: ObjectType, owner: Owner, objects: i64) -> OwnerCount {
    OwnerCount {
        tenant: "contoso".into(),
        domain: domain.into(),
        kind,
        owner,
        objects,
    }
}

pub(super) fn snapshot() -> Snapshot {
    Snapshot {
        owners: vec![
            owners(
                "ad.contoso.example",
                ObjectType::User,
                Owner::Connect,
                4_000,
            ),
            owners("", ObjectType::Group, Owner::Unknown, 60),
        ],
        lanes: lanes(),
        cycles: cycles(),
        sources: sources(),
        jobs: jobs(),
        events: events(),
        provisioning_agents: provisioning_agents(),
        local_agents: local_agents(),
        alerts: alerts(),
        outbox: OutboxDepth {
            depth: 2,
            oldest_created_at: Some(at(-1_500)),
        },
    }
}

/// What other parts register, with the names, types and labels of the catalogue.
pub(super) fn registry() -> Registry {
    let registry = Registry::new();
    let counter = |name: &str, labels: &[&str]| {
        let counter =
            IntCounterVec::new(Opts::new(name, "their own words"), labels).expect("a valid name");
        registry
            .register(Box::new(counter.clone()))
            .expect("registered once");
        counter
    };
    let histogram = |name: &str, labels: &[&str], buckets: &[f64]| {
        let options = HistogramOpts::new(name, "their own words").buckets(buckets.to_vec());
        let histogram = HistogramVec::new(options, labels).expect("a valid name");
        registry
            .register(Box::new(histogram.clone()))
            .expect("registered once");
        histogram
    };
    let requests = counter(
        "syncwatch_graph_requests_total",
        &["tenant", "endpoint", "code"],
    );
    requests
        .with_label_values(&["hauser", "jobs", "200"])
        .inc_by(1_234);
    requests
        .with_label_values(&["hauser", "jobs", "timeout"])
        .inc();
    let outcomes = counter("syncwatch_notifications_total", &["receiver", "outcome"]);
    outcomes
        .with_label_values(&["noc mail", "delivered"])
        .inc_by(7);
    let polls = histogram(
        "syncwatch_poll_duration_seconds",
        &["tenant", "poll"],
        &[0.25, 1.0, 5.0],
    );
    for seconds in [0.125, 0.5, 8.0] {
        polls
            .with_label_values(&["hauser", "jobs"])
            .observe(seconds);
    }
    let latency = histogram("syncwatch_notification_latency_seconds", &[], &[0.01, 0.1]);
    latency.with_label_values::<&str>(&[]).observe(0.005);
    let throttled = Opts::new("syncwatch_graph_throttled_seconds_total", "their own words");
    let throttled = CounterVec::new(throttled, &["tenant"]).expect("a valid name");
    throttled.with_label_values(&["hauser"]).inc_by(10.5);
    registry
        .register(Box::new(throttled))
        .expect("registered once");
    let reload = Gauge::new("syncwatch_config_last_reload_successful", "their own words")
        .expect("a valid name");
    reload.set(1.0);
    registry
        .register(Box::new(reload))
        .expect("registered once");
    registry
}
