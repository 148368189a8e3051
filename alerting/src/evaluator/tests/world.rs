//! A real store in a temporary folder, polls into it, and what receivers would be told.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::alert::{Alert, Rule};
use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::delivery::{AttemptResult, Delivery};
use syncwatch_domain::job::Job;
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::log::{ProvisioningAction, ProvisioningStatus, RowId};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure};
use syncwatch_domain::sync_server::{Part, fact_name};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{
    AttemptRecord, Expectation, Fact, LaneFilter, LaneUpdate, LogRow, LogStream, PollCommit,
    PollOutcome, SourceId, Store, StoreError, StoreOptions, Want,
};
use tokio::sync::watch;

use super::super::{Evaluator, EvaluatorReport, Terms};
use crate::config::{AlertSettings, Notifications};
use crate::detect::testing::{job, minute, source_key};
use crate::router::Router;
use crate::testing::webhook_receiver;

/// The only receiver.
pub(super) const NOC: &str = "noc";

pub(super) struct World {
    /// Holds the database.
    _folder: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) terms: watch::Sender<Arc<Terms>>,
    pub(super) evaluator: Evaluator,
}

pub(super) fn terms(settings: AlertSettings) -> Arc<Terms> {
    let config = Notifications {
        receivers: vec![webhook_receiver(NOC, "http://127.0.0.1:9/")],
        routes: Vec::new(),
    };
    Arc::new(Terms {
        settings,
        router: Router::new(&config),
    })
}

pub(super) fn options(folder: &tempfile::TempDir) -> StoreOptions {
    StoreOptions::new(
        format!("sqlite:{}", folder.path().join("t.db").display()),
        "test",
    )
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(AlertSettings::default()).await
    }

    pub(super) async fn with(settings: AlertSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_and_migrate(&options(&folder)).await.unwrap();
        let (terms, receiver) = watch::channel(terms(settings));
        let evaluator = Evaluator::new(store.clone(), receiver);
        Self {
            _folder: folder,
            store,
            terms,
            evaluator,
        }
    }

    /// A second evaluator on the same store.
    pub(super) fn rival(&self) -> Evaluator {
        Evaluator::new(self.store.clone(), self.terms.subscribe())
    }

    /// Judges at a minute.
    pub(super) async fn judge(&mut self, minutes: i64) -> EvaluatorReport {
        self.evaluator.run_once(minute(minutes)).await.unwrap()
    }

    /// Judges at a minute and gives what is told by it: `event rule path`.
    pub(super) async fn told(&mut self, minutes: i64) -> Vec<String> {
        self.judge(minutes).await;
        self.news(minutes).await.iter().map(said).collect()
    }

    /// Deliveries that were not acknowledged before, in the order in which they may be sent.
    pub(super) async fn news(&mut self, minutes: i64) -> Vec<Delivery> {
        deliver(&self.store, minute(minutes)).await
    }

    pub(super) async fn statuses(&self) -> Vec<LaneStatus> {
        let lanes = self.store.lanes(&LaneFilter::default()).await.unwrap();
        lanes.into_iter().map(|lane| lane.status).collect()
    }

    pub(super) async fn firing(&self, rule: Rule) -> Vec<Alert> {
        let firing = self.store.firing_alerts().await.unwrap();
        firing
            .into_iter()
            .filter(|alert| alert.rule == rule)
            .collect()
    }
}

/// Takes everything that is to be sent and acknowledges it.
pub(super) async fn deliver(store: &Store, now: Timestamp) -> Vec<Delivery> {
    let wants = [Want {
        receiver: NOC.into(),
        limit: 10_000,
    }];
    let mut all = Vec::new();
    loop {
        let lease = Duration::from_secs(60);
        let claimed = store
            .claim_deliveries(now, lease, &wants, &HashSet::new())
            .await
            .unwrap();
        if claimed.is_empty() {
            return all;
        }
        let attempts: Vec<AttemptRecord> = claimed
            .iter()
            .map(|delivery| AttemptRecord {
                delivery_id: delivery.id,
                began_at: now,
                ended_at: now,
                result: AttemptResult::Delivered,
                next_due_at: None,
                fallback: None,
            })
            .collect();
        store.finish_attempts(&attempts, now).await.unwrap();
        all.extend(claimed);
    }
}

pub(super) fn said(delivery: &Delivery) -> String {
    let alert = &delivery.notification.alert;
    format!(
        "{} {} {}",
        delivery.notification.event, alert.rule, alert.subject.path
    )
}

/// One poll to be committed.
pub(super) struct Read<'a> {
    poll: Poll,
    instance: &'a str,
    at: i64,
    outcome: PollOutcome,
    pub(super) lanes: Vec<LaneUpdate>,
    pub(super) jobs: Vec<Job>,
    pub(super) jobs_complete: bool,
    pub(super) facts: Vec<Fact>,
    /// Failing and recovered objects: object, error code or `None` for a success.
    pub(super) objects: Vec<(&'a str, Option<&'a str>)>,
}

/// A read of the jobs of one configuration that began at a minute.
pub(super) fn jobs_read(at: i64) -> Read<'static> {
    read_of(Poll::Jobs, at)
}

pub(super) fn read_of(poll: Poll, at: i64) -> Read<'static> {
    let instance = if poll == Poll::Jobs { "3f1d0a52" } else { "" };
    read_from(poll, instance, at)
}

/// A report of the agent on a host (`SYNC01`), or one of its sections (`SYNC01/scheduler`).
pub(super) fn agent_read(instance: &str, at: i64) -> Read<'_> {
    let poll = if instance.contains('/') {
        Poll::AgentSection
    } else {
        Poll::AgentReports
    };
    read_from(poll, instance, at)
}

fn read_from(poll: Poll, instance: &str, at: i64) -> Read<'_> {
    Read {
        poll,
        instance,
        at,
        outcome: PollOutcome::Read,
        lanes: Vec::new(),
        jobs: Vec::new(),
        jobs_complete: false,
        facts: Vec::new(),
        objects: Vec::new(),
    }
}

impl<'a> Read<'a> {
    pub(super) fn failed(mut self, failure: ReadFailure) -> Self {
        self.outcome = PollOutcome::Failed {
            failure,
            text: format!("GET: {failure}"),
        };
        self
    }

    /// A part of what is known of the server.
    pub(super) fn part<T: serde::Serialize>(mut self, host: &str, part: Part, value: &T) -> Self {
        self.facts.push(Fact {
            name: fact_name(&format!("id-of-{host}"), part),
            value: serde_json::to_value(value).unwrap(),
        });
        self
    }

    pub(super) fn lane(mut self, lane: LaneUpdate) -> Self {
        self.lanes.push(lane);
        self
    }

    pub(super) fn job(mut self, job: Job) -> Self {
        self.jobs.push(Job {
            read_at: minute(self.at),
            ..job
        });
        self
    }

    pub(super) fn objects<'b>(self, objects: &[(&'b str, Option<&'b str>)]) -> Read<'b>
    where
        'a: 'b,
    {
        Read {
            objects: objects.to_vec(),
            ..self
        }
    }

    pub(super) async fn commit(self, store: &Store) -> Result<(), StoreError> {
        let source = self.source(store).await?;
        let rows: Vec<LogRow<'_>> = self
            .objects
            .iter()
            .map(|object| row(*object, self.at))
            .collect();
        let page = store.prepare_log(LogStream::Provisioning, &rows)?;
        let at = minute(self.at);
        let commit = PollCommit {
            lanes: self.lanes,
            jobs: self.jobs,
            jobs_complete: self.jobs_complete,
            facts: self.facts,
            log: (!page.is_empty()).then_some(&page),
            ..PollCommit::bare(source, at, at, self.outcome)
        };
        store.commit_poll(&commit, &LanePolicy::default()).await?;
        Ok(())
    }

    async fn source(&self, store: &Store) -> Result<SourceId, StoreError> {
        let key = source_key(self.poll, self.instance);
        let known = store.sources(Some("orchard")).await?;
        if let Some(source) = known.into_iter().find(|source| source.state.key == key) {
            return Ok(source.id);
        }
        Ok(store.ensure_source(&key, minute(self.at)).await?.id)
    }
}

fn row<'a>((object, error): (&'a str, Option<&'a str>), at: i64) -> LogRow<'a> {
    static JOB: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    LogRow {
        id: RowId::of(&format!("{object} {at}")),
        occurred_at: minute(at),
        job_id: JOB.get_or_init(|| job().job_id).as_str().into(),
        action: ProvisioningAction::Update,
        status: error.map_or(ProvisioningStatus::Success, |_| ProvisioningStatus::Failure),
        error_code: error.map(Into::into),
        object_id: Some(object.into()),
        cycle_id: None,
        raw: b"{}",
    }
}

/// A Cloud Sync object lane of the job `AD2AADProvisioning.5f0c.01` with a success at a minute.
/// With its promise of 20 min it is late after 60 min, its window closes after 120 min.
pub(super) fn lane(partition: &str, success: i64) -> LaneUpdate {
    LaneUpdate {
        key: LaneKey {
            tenant: "orchard".into(),
            engine: Engine::Cloud,
            kind: LaneKind::Objects,
            partition: partition.into(),
        },
        job_id: Some(job().job_id),
        cycles: vec![cycle(minute(success))],
        promised: Some(Duration::from_secs(20 * 60)),
        expectation: Expectation::Expected,
        confirmed: true,
        gaps_between: None,
    }
}

fn cycle(ended_at: Timestamp) -> Cycle {
    Cycle {
        began_at: None,
        ended_at,
        outcome: CycleOutcome::Succeeded,
        evidence: CycleEvidence::Status,
        exported: None,
        escrowed: None,
    }
}
