//! A store on an empty database, and the few things every test of the contract says.

use std::time::Duration;

use syncwatch_domain::cycle::{Cycle, CycleEvidence, CycleOutcome};
use syncwatch_domain::job::{Job, JobStatus, ScheduleState};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind, LaneStatus};
use syncwatch_domain::policy::{LanePolicy, LaneRule};
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;
use syncwatch_domain::window::judge;
use syncwatch_store::{
    CommitProbe, DueLane, Expectation, Judgement, LaneFilter, LaneJudgement, LaneUpdate, LaneView,
    PollCommit, PollOutcome, PollReceipt, Seen, SourceId, Store, StoreOptions,
};
use syncwatch_tests::peers::TestDatabase;

/// Where the database lives; kept so that it outlives the store.
enum Place {
    Folder(tempfile::TempDir),
    Server(TestDatabase),
}

/// A store under test. Lanes get an interval of 60 s, are late after 60 s and missed after 100 s.
pub(crate) struct Bench {
    place: Place,
    pub(crate) store: Store,
    pub(crate) policy: LanePolicy,
    pub(crate) source: SourceId,
}

pub(crate) const TENANT: &str = "hauser";

/// An instant so many seconds into the test; the test begins far from zero.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000)
}

pub(crate) fn lane_key(partition: &str) -> LaneKey {
    LaneKey {
        tenant: TENANT.into(),
        engine: Engine::Cloud,
        kind: LaneKind::Objects,
        partition: partition.into(),
    }
}

pub(crate) fn jobs_source(instance: &str) -> SourceKey {
    SourceKey {
        tenant: TENANT.into(),
        poll: Poll::Jobs,
        instance: instance.into(),
    }
}

pub(crate) fn success(ended_at: Timestamp) -> Cycle {
    Cycle {
        began_at: Some(ended_at - Duration::from_secs(2)),
        ended_at,
        outcome: CycleOutcome::Succeeded,
        evidence: CycleEvidence::Status,
        exported: Some(3),
        escrowed: None,
    }
}

pub(crate) fn update(partition: &str, successes: &[i64]) -> LaneUpdate {
    LaneUpdate {
        key: lane_key(partition),
        job_id: Some(format!("AD2AADProvisioning.{partition}")),
        cycles: successes
            .iter()
            .map(|seconds| success(at(*seconds)))
            .collect(),
        promised: Some(Duration::from_secs(20)),
        expectation: Expectation::Expected,
        confirmed: false,
        gaps_between: None,
    }
}

/// The job behind the lane of `update`.
pub(crate) fn job(partition: &str) -> Job {
    Job {
        tenant: TENANT.into(),
        service_principal_id: "sp".into(),
        job_id: format!("AD2AADProvisioning.{partition}"),
        template: "AD2AADProvisioning".into(),
        domain: partition.into(),
        status: JobStatus::Active,
        schedule: ScheduleState::Active,
        interval: Some(Duration::from_secs(20)),
        quarantine: None,
        error: None,
        successive_failures: 0,
        steady_first_at: Some(at(-100)),
        steady_last_at: Some(at(1)),
        read_at: at(2),
    }
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        Self::on(Place::Folder(tempfile::tempdir().expect("a folder"))).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(Place::Server(
            TestDatabase::create().await.expect("a database"),
        ))
        .await
    }

    async fn on(place: Place) -> Self {
        let store = Store::open_and_migrate(&options(&place, "first", None))
            .await
            .expect("a store");
        let policy = LanePolicy {
            rules: vec![LaneRule {
                interval: Some(Span::secs(60)),
                late_after: Some(Span::secs(60)),
                grace: Some(Span::secs(40)),
                ..LaneRule::default()
            }],
        };
        let source = store
            .ensure_source(&jobs_source("sp"), at(0))
            .await
            .expect("a source")
            .id;
        Self {
            place,
            store,
            policy,
            source,
        }
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self, instance: &str, probe: Option<CommitProbe>) -> Store {
        Store::open(&options(&self.place, instance, probe))
            .await
            .expect("the same database")
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    pub(crate) fn url(&self) -> String {
        options(&self.place, "", None).url
    }

    pub(crate) fn commit(&self, started: i64, lanes: Vec<LaneUpdate>) -> PollCommit<'static> {
        let mut commit = PollCommit::bare(self.source, at(started), at(started), PollOutcome::Read);
        commit.lanes = lanes;
        commit
    }

    pub(crate) async fn write(&self, commit: &PollCommit<'_>) -> PollReceipt {
        self.store
            .commit_poll(commit, &self.policy)
            .await
            .expect("a commit")
    }

    pub(crate) async fn read(&self, started: i64, lanes: Vec<LaneUpdate>) {
        self.write(&self.commit(started, lanes)).await;
    }

    pub(crate) async fn fail(&self, started: i64) {
        let outcome = PollOutcome::Failed {
            failure: ReadFailure::ServerError,
            text: "graph answered 503".to_owned(),
        };
        let commit = PollCommit::bare(self.source, at(started), at(started), outcome);
        self.store
            .commit_poll(&commit, &self.policy)
            .await
            .expect("a commit");
    }

    pub(crate) async fn due(&self, now: i64) -> Vec<DueLane> {
        self.store
            .due_lanes(at(now), 1_000)
            .await
            .expect("due lanes")
    }

    /// Judges all due lanes as the evaluator does, and gives their new status.
    pub(crate) async fn judge(&self, now: i64) -> Vec<(String, LaneStatus)> {
        let due = self.due(now).await;
        let lanes: Vec<LaneJudgement> =
            due.iter().map(|lane| judgement_of(lane, at(now))).collect();
        let judged = due
            .iter()
            .zip(&lanes)
            .map(|(lane, judged)| (lane.key.partition.clone(), judged.to))
            .collect();
        let receipt = self
            .store
            .commit_judgement(&bare_judgement(now, lanes))
            .await
            .expect("a judgement");
        assert!(receipt.committed);
        judged
    }

    pub(crate) async fn lane(&self, partition: &str) -> LaneView {
        let lanes = self
            .store
            .lanes(&LaneFilter::default())
            .await
            .expect("lanes");
        lanes
            .into_iter()
            .find(|lane| lane.key.partition == partition)
            .expect("the lane")
    }
}

pub(crate) fn judgement_of(lane: &DueLane, now: Timestamp) -> LaneJudgement {
    let verdict = judge(&lane.facts, now);
    let due_at = match verdict.status {
        LaneStatus::OnTime => lane.facts.late_at,
        LaneStatus::Late | LaneStatus::Blind => lane.facts.deadline_at,
        _ => None,
    };
    LaneJudgement {
        id: lane.id,
        version: lane.version,
        from: lane.status,
        to: verdict.status,
        occurred_at: verdict.occurred_at,
        due_at,
    }
}

pub(crate) fn bare_judgement(now: i64, lanes: Vec<LaneJudgement>) -> Judgement {
    Judgement {
        now: at(now),
        lanes,
        alerts: Vec::new(),
        deliveries: Vec::new(),
        seen: Seen::default(),
    }
}

fn options(place: &Place, instance: &str, probe: Option<CommitProbe>) -> StoreOptions {
    let url = match place {
        Place::Folder(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
        Place::Server(database) => database.url().to_owned(),
    };
    StoreOptions {
        url,
        instance: instance.to_owned(),
        probe,
    }
}
