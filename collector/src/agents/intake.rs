//! From a batch to what is committed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use syncwatch_domain::clock::Clock;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::report::{Answer, Batch, BatchError, Correction, SCHEMA, Wishes};
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{AgentRecord, PollCommit, PollOutcome, ReportCommit, Store, StoreError};
use thiserror::Error;
use tokio::sync::watch;

use super::Enrolled;
use super::access::{Access, AccessError, Who};
use super::learn::{Known, agent, learn};
use super::trouble::{Trouble, Troubles};
use super::wishes::wishes;
use crate::http::chain;

/// A spool that moved while its batch was looked at is looked at again; more often is a fault of ours.
const LOOKS_MOST: usize = 5;

/// Held by whoever takes in a batch of an agent.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// Takes in the reports of all agents. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct Intake {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    policy: watch::Receiver<Arc<LanePolicy>>,
    access: Access,
    /// One batch of an agent at a time: what one says depends on the one before.
    turns: Mutex<HashMap<Who, Turn>>,
    troubles: Troubles,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Intake")
    }
}

/// Why a batch is not taken; nothing of it is stored.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// It is no batch.
    #[error("the body is not a report of an agent: {0}")]
    Unreadable(serde_json::Error),
    /// It is none that can be taken.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The token is that of another server.
    #[error(
        "the token belongs to the agent on {expected}, the report comes from {found}: give every server a token of its own, and [[tenant.agent]] the name the server has"
    )]
    OtherHost {
        /// Whose token it is.
        expected: String,
        /// Who reports.
        found: String,
    },
    /// The store refused.
    #[error("the report cannot be kept at present")]
    Store(#[from] StoreError),
}

impl IntakeError {
    /// How the agent is at fault; `None` when the store is.
    const fn failure(&self) -> Option<ReadFailure> {
        match self {
            Self::Unreadable(_) | Self::Batch(_) => Some(ReadFailure::BadAnswer),
            Self::OtherHost { .. } => Some(ReadFailure::Refused),
            Self::Store(_) => None,
        }
    }
}

impl Intake {
    pub(super) fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        policy: watch::Receiver<Arc<LanePolicy>>,
        agents: Arc<[Enrolled]>,
    ) -> Result<Self, ring::error::Unspecified> {
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                clock,
                policy,
                access: Access::new(agents)?,
                turns: Mutex::default(),
                troubles: Troubles::default(),
            }),
        })
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// When it is nobody's, or the tokens cannot be read.
    pub fn who(&self, token: &str) -> Result<Who, AccessError> {
        self.inner.access.who(token)
    }

    /// Whose certificate it is, by the DNS names in it. The caller has checked its authority.
    ///
    /// # Errors
    /// When it is nobody's.
    pub fn named(&self, names: &[String]) -> Result<Who, AccessError> {
        self.inner.access.named(names)
    }

    /// Why agents are silent, as far as it is known.
    pub(super) fn troubles(&self) -> &Troubles {
        &self.inner.troubles
    }

    /// What the agents of a tenant are asked to look up.
    pub(super) async fn wishes(&self, who: &Who) -> Result<Wishes, StoreError> {
        wishes(&self.inner.store, &who.tenant).await
    }

    /// Takes a batch in: when the answer is given, every record it names is committed.
    ///
    /// # Errors
    /// When the batch is refused or cannot be kept; then nothing of it is stored.
    pub async fn take(&self, who: &Who, body: &[u8]) -> Result<Answer, IntakeError> {
        let taken = self.try_take(who, body).await;
        match &taken {
            Ok(_) => self.troubles().over(who),
            Err(error) => {
                if let Some(failure) = error.failure() {
                    let text = chain(error);
                    self.troubles().note(who, Trouble { failure, text });
                }
            }
        }
        taken
    }

    async fn try_take(&self, who: &Who, body: &[u8]) -> Result<Answer, IntakeError> {
        let received_at = self.inner.clock.now();
        let batch: Batch = serde_json::from_slice(body).map_err(IntakeError::Unreadable)?;
        batch.check()?;
        if !batch.agent.host.eq_ignore_ascii_case(&who.host) {
            return Err(IntakeError::OtherHost {
                expected: who.host.clone(),
                found: batch.agent.host,
            });
        }
        let turn = self.turn(who);
        let _turn = turn.lock().await;
        let acknowledged = self.commit(who, &batch, received_at).await?;
        Ok(Answer {
            schema: SCHEMA,
            spool: Some(batch.spool.id),
            acknowledged,
            now: received_at,
            wishes: self.wishes(who).await?,
        })
    }

    fn turn(&self, who: &Who) -> Turn {
        let turns = self.inner.turns.lock();
        let mut turns = turns.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(who.clone()).or_default())
    }

    /// Commits what is new in a batch; gives how far the spool has come.
    async fn commit(
        &self,
        who: &Who,
        batch: &Batch,
        received_at: Timestamp,
    ) -> Result<u64, StoreError> {
        let store = &self.inner.store;
        let policy = Arc::clone(&self.inner.policy.borrow());
        let mut acknowledged = 0;
        for _ in 0..LOOKS_MOST {
            acknowledged = store
                .acknowledged(&who.tenant, &batch.agent.id, &batch.spool.id)
                .await?;
            let report = self.report(who, batch, acknowledged, received_at).await?;
            let reached = report.acknowledges;
            if store.commit_report(&report, &policy).await? {
                return Ok(reached);
            }
        }
        // Somebody else keeps moving it on: what they committed is committed.
        Ok(acknowledged)
    }

    async fn report<'a>(
        &self,
        who: &'a Who,
        batch: &'a Batch,
        acknowledged: u64,
        received_at: Timestamp,
    ) -> Result<ReportCommit<'a>, StoreError> {
        let correction = Correction::of_batch(batch, received_at);
        let records: Vec<AgentRecord<'_>> = batch
            .records
            .iter()
            .filter(|record| record.seq > acknowledged)
            .map(|record| AgentRecord {
                record,
                read_at: correction
                    .of_record(batch, record, received_at)
                    .apply(record.collected_at),
            })
            .collect();
        let mut known = Known::load(&self.inner.store, who, &batch.agent.id).await?;
        let mut heard = self.heard(who, received_at).await?;
        heard
            .facts
            .push(agent(batch, acknowledged, &mut known, correction));
        let mut polls = vec![heard];
        for lesson in learn(who, batch, &records, &mut known, received_at) {
            let source = self
                .source(who, Poll::AgentSection, &lesson.section, received_at)
                .await?;
            polls.extend(lesson.into_polls(source, received_at));
        }
        let acknowledges = records
            .last()
            .map_or(acknowledged, |record| record.record.seq);
        Ok(ReportCommit {
            tenant: &who.tenant,
            agent: &batch.agent,
            spool: &batch.spool.id,
            acknowledged,
            acknowledges,
            lost: batch.dropped(acknowledged, acknowledges),
            waiting: batch.waiting_after(acknowledges),
            received_at,
            clock_ahead_ms: correction.ahead_ms(),
            records,
            polls,
        })
    }

    /// A batch came: the agent is not silent, whatever its sections say.
    async fn heard<'a>(
        &self,
        who: &Who,
        received_at: Timestamp,
    ) -> Result<PollCommit<'a>, StoreError> {
        let source = self
            .source(who, Poll::AgentReports, "", received_at)
            .await?;
        Ok(PollCommit::bare(
            source,
            received_at,
            received_at,
            PollOutcome::Read,
        ))
    }

    async fn source(
        &self,
        who: &Who,
        poll: Poll,
        section: &str,
        now: Timestamp,
    ) -> Result<syncwatch_store::SourceId, StoreError> {
        let key = SourceKey {
            tenant: who.tenant.clone(),
            poll,
            instance: instance(&who.host, section),
        };
        self.inner
            .store
            .ensure_source(&key, now)
            .await
            .map(|source| source.id)
    }
}

/// Which one of the agents, or of its sections.
pub(super) fn instance(host: &str, section: &str) -> String {
    if section.is_empty() {
        host.to_owned()
    } else {
        format!("{host}/{section}")
    }
}
