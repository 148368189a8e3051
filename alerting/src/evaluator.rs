//! The evaluator: judges lanes, holds conditions against alerts, commits what follows.
//!
//! A thin loop around [`Evaluator::run_once`]. Transition, alert and outgoing message are one
//! transaction, guarded by what was read; a lost race is judged again. Lanes come first: their
//! deadlines are exact. What is not about lanes follows in a transaction of its own.

mod book;
mod error;
mod firing;
mod group;
mod judge;
mod servers;
mod settle;
mod shell;
mod snapshot;
mod wait;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_domain::alert::{Condition, Notification, NotificationEvent, Respite};
use syncwatch_domain::delivery::{DeliveryState, NewDelivery};
use syncwatch_domain::lane::Engine;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{DueLane, Judgement, LaneJudgement, Seen, Store, StoreError, StoredJob};
use tokio::sync::watch;

pub use self::error::EvaluatorError;
use self::firing::{Firing, Key};
use self::servers::Looks;
use self::settle::{Settled, settle};
use self::snapshot::Snapshot;
use crate::config::AlertSettings;
use crate::detect;
use crate::router::Router;

/// Lanes judged in one transaction. When more are due, they are judged in turns.
const LANES_AT_ONCE: u32 = 1_000;

/// Turns in one run; what is left then is judged in the next one.
const TURNS: u32 = 1_000;

/// How often a lost race is tried again before the run gives up.
const RACES: u32 = 8;

/// Everything is looked at anew this often, whether it changed or not.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// What the operator wants of alerts; replaced as a whole when the config is read anew.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// From when on something is worth an alert.
    pub settings: AlertSettings,
    /// Who is told.
    pub router: Router,
}

/// What one run did, and when the next one is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvaluatorReport {
    /// Judgements committed.
    pub did: u64,
    /// Lanes whose status changed.
    pub transitions: u64,
    /// Alerts that began, changed or ended.
    pub alerts: u64,
    /// Deliveries written.
    pub deliveries: u64,
    /// The next instant at which time alone needs a run.
    pub next_due: Option<Timestamp>,
}

/// Judges what the store knows. One per store.
#[derive(Debug)]
pub struct Evaluator {
    store: Store,
    terms: watch::Receiver<Arc<Terms>>,
    /// `None` before it was read from the store, and after a lost race.
    firing: Option<Firing>,
    /// When to look at everything anew; `None` for at once.
    sweep_at: Option<Timestamp>,
    /// When to look at the sync servers of tenants again.
    looks: Looks,
}

/// One judgement before it is committed.
struct Draft {
    now: Timestamp,
    lanes: Vec<LaneJudgement>,
    conditions: Vec<Condition>,
    /// Alerts that waited long enough after the end of their cause.
    waited: BTreeSet<Key>,
    seen: Seen,
    /// It holds nothing but looks: worth a commit only if something follows from it.
    idle: bool,
}

impl Evaluator {
    /// An evaluator on `store` that follows the newest `terms`.
    #[must_use]
    pub fn new(store: Store, terms: watch::Receiver<Arc<Terms>>) -> Self {
        Self {
            store,
            terms,
            firing: None,
            sweep_at: None,
            looks: Looks::default(),
        }
    }

    /// Judges everything that is due at `now`: lanes first, then the rest.
    ///
    /// # Errors
    /// When the store refuses, or another evaluator keeps getting in between.
    pub async fn run_once(&mut self, now: Timestamp) -> Result<EvaluatorReport, EvaluatorError> {
        let mut report = EvaluatorReport::default();
        if self.terms.has_changed().unwrap_or(false) {
            self.terms.mark_unchanged();
            self.sweep_at = None;
        }
        let terms = Arc::clone(&self.terms.borrow());
        let outcome = self.run_with(&terms, now, &mut report).await;
        if outcome.is_err() {
            // A commit may have taken place even though its answer was lost.
            self.firing = None;
            self.sweep_at = None;
        }
        outcome.map(|()| report)
    }

    async fn run_with(
        &mut self,
        terms: &Terms,
        now: Timestamp,
        report: &mut EvaluatorReport,
    ) -> Result<(), EvaluatorError> {
        self.firing(now).await?;
        let waited = match &self.firing {
            Some(firing) => wait::over(&self.store, firing, now).await?,
            None => BTreeSet::new(),
        };
        self.judge_lanes(terms, now, report).await?;
        self.judge_rest(terms, &waited, now, report).await?;
        let lane_due = self.store.next_lane_due(now).await?;
        let word_due = wait::next_due(self.firing(now).await?, now);
        report.next_due = [lane_due, word_due, self.sweep_at, self.looks.next()]
            .into_iter()
            .flatten()
            .min();
        Ok(())
    }

    /// Lanes, batch by batch, until none is due.
    async fn judge_lanes(
        &mut self,
        terms: &Terms,
        now: Timestamp,
        report: &mut EvaluatorReport,
    ) -> Result<(), EvaluatorError> {
        let mut lost = 0;
        for _ in 0..TURNS {
            let due = self.store.due_lanes(now, LANES_AT_ONCE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let count = due.len();
            let draft = self.draft_lanes(terms, due, now).await?;
            if !self.commit(terms, draft, report).await? {
                lost += 1;
                if lost == RACES {
                    return Err(EvaluatorError::Contended { races: RACES });
                }
            } else if count < LANES_AT_ONCE as usize {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn draft_lanes(
        &mut self,
        terms: &Terms,
        due: Vec<DueLane>,
        now: Timestamp,
    ) -> Result<Draft, EvaluatorError> {
        self.firing(now).await?;
        let known = Firing::default();
        let firing = self.firing.as_ref().unwrap_or(&known);
        let mut conditions = Vec::new();
        let mut lanes = Vec::with_capacity(due.len());
        let mut jobs = Vec::new();
        let mut tenants = BTreeSet::new();
        for lane in &due {
            let (judgement, verdict) = judge::judge_lane(lane, firing, now);
            // Most lanes recover from nothing: only a change of status has consequences.
            if judgement.from != judgement.to {
                conditions.extend(detect::lanes::conditions(lane, &verdict, now));
                if judge::begins_to_fail(&judgement) {
                    let job_id = lane.job_id.as_deref();
                    jobs.extend(job_id.map(|job_id| (lane.key.tenant.as_str(), job_id)));
                    if lane.key.engine == Engine::Connect {
                        tenants.insert(lane.key.tenant.clone());
                    }
                }
            }
            lanes.push(judgement);
        }
        conditions.retain(|condition| judge::matters(condition, firing));
        let found = &mut conditions;
        servers::explain(&self.store, &tenants, found, firing, &terms.settings, now).await?;
        let mut seen = Seen::default();
        if !jobs.is_empty() {
            // What a job is up to must be known before its lanes are: one cause, one message.
            let jobs: Vec<StoredJob> = self.store.unseen_jobs_of(&jobs).await?;
            let firing = self.firing(now).await?;
            conditions.extend(snapshot::job_conditions(&jobs, firing, &terms.settings));
            seen.jobs = snapshot::seen_jobs(&jobs);
        }
        Ok(Draft {
            now,
            lanes,
            conditions,
            waited: BTreeSet::new(),
            seen,
            idle: false,
        })
    }

    /// Sources, rights, jobs, object errors, credentials and sync servers.
    async fn judge_rest(
        &mut self,
        terms: &Terms,
        waited: &BTreeSet<Key>,
        now: Timestamp,
        report: &mut EvaluatorReport,
    ) -> Result<(), EvaluatorError> {
        let mut lost = 0;
        for _ in 0..TURNS {
            let sweep = self.sweep_at.is_none_or(|at| at <= now);
            self.firing(now).await?;
            let Some(firing) = self.firing.as_ref() else {
                continue;
            };
            let due = self.looks.due(now);
            let snapshot = Snapshot::load(&self.store, sweep, &due).await?;
            let said = snapshot
                .said(&self.store, firing, &terms.settings, now)
                .await?;
            let next = next_sweep(&snapshot, &terms.settings, now, sweep);
            let more = snapshot.more;
            let draft = Draft {
                now,
                lanes: Vec::new(),
                conditions: said.conditions,
                waited: waited.clone(),
                idle: !snapshot.has_news,
                seen: snapshot.seen,
            };
            if !self.commit(terms, draft, report).await? {
                lost += 1;
                if lost == RACES {
                    return Err(EvaluatorError::Contended { races: RACES });
                }
                continue;
            }
            self.looks.note(said.looks);
            self.sweep_at = [next, self.sweep_at.filter(|at| *at > now)]
                .into_iter()
                .flatten()
                .min();
            if !more {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Commits what follows from a draft; `false` when the race was lost and nothing was written.
    async fn commit(
        &mut self,
        terms: &Terms,
        draft: Draft,
        report: &mut EvaluatorReport,
    ) -> Result<bool, EvaluatorError> {
        let firing = self.firing(draft.now).await?;
        let mut settled = settle(
            draft.conditions,
            &draft.waited,
            firing,
            &terms.settings,
            draft.now,
        );
        if draft.idle && settled.alerts.is_empty() {
            return Ok(true);
        }
        self.begin_anew(&mut settled).await?;
        let deliveries = self.deliveries(terms, &settled, draft.now).await?;
        let judgement = Judgement {
            now: draft.now,
            lanes: draft.lanes,
            alerts: settled.alerts,
            deliveries,
            seen: draft.seen,
        };
        let receipt = self.store.commit_judgement(&judgement).await?;
        if !receipt.committed {
            self.firing = None;
            return Ok(false);
        }
        let changed = judgement
            .lanes
            .iter()
            .filter(|lane| lane.from != lane.to)
            .count();
        report.did += 1;
        report.transitions += changed as u64;
        report.alerts += judgement.alerts.len() as u64;
        report.deliveries += receipt.deliveries;
        if let Some(firing) = &mut self.firing {
            firing.apply(judgement.alerts);
        }
        Ok(true)
    }

    /// What begins again at the very instant of an alert that is over is another alert.
    async fn begin_anew(&self, settled: &mut Settled) -> Result<(), StoreError> {
        for mut id in settled.begun.clone() {
            while let Some(over) = self.store.alert(&id.0).await? {
                let at = over
                    .resolved_at
                    .unwrap_or(over.occurred_at)
                    .max(over.occurred_at + TICK);
                let Some(fresh) = settled.begin_at(&id, at) else {
                    break;
                };
                id = fresh;
            }
        }
        Ok(())
    }

    async fn deliveries(
        &self,
        terms: &Terms,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<Vec<NewDelivery>, StoreError> {
        let mut deliveries = Vec::new();
        for message in &settled.messages {
            let told = match message.event {
                NotificationEvent::Firing => None,
                NotificationEvent::Changed | NotificationEvent::Resolved => {
                    Some(self.told(&message.alert.id.0).await?)
                }
            };
            let receivers = terms
                .router
                .receivers(message.event, &message.alert, told.as_ref());
            deliveries.extend(receivers.into_iter().map(|receiver| NewDelivery {
                receiver: receiver.to_owned(),
                notification: Notification {
                    event: message.event,
                    alert: message.alert.clone(),
                    children: message.children.clone(),
                    decided_at: now,
                },
                due_at: now,
            }));
        }
        Ok(deliveries)
    }

    /// Who was told about an alert, or will be: also those told in place of another.
    async fn told(&self, alert: &str) -> Result<BTreeSet<String>, StoreError> {
        let deliveries = self.store.deliveries_of(alert).await?;
        let alive = deliveries
            .into_iter()
            .filter(|delivery| delivery.state != DeliveryState::Dead);
        Ok(alive.map(|delivery| delivery.receiver).collect())
    }

    async fn firing(&mut self, now: Timestamp) -> Result<&Firing, StoreError> {
        let known = match self.firing.take() {
            Some(firing) => firing,
            None => {
                let mut ended = Vec::new();
                for rule in detect::causes::lingering() {
                    let since = now - Respite::LONGEST;
                    ended.extend(self.store.lately_resolved(rule, since).await?);
                }
                Firing::new(self.store.firing_alerts().await?, ended)
            }
        };
        Ok(self.firing.insert(known))
    }
}

/// The least step of time.
const TICK: Duration = Duration::from_millis(1);

/// When to look at everything again. Between sweeps only what was looked at can bring one nearer.
fn next_sweep(
    snapshot: &Snapshot,
    settings: &AlertSettings,
    now: Timestamp,
    swept: bool,
) -> Option<Timestamp> {
    let credentials = snapshot.next_due(settings, now);
    let regular = swept.then(|| now + SWEEP_EVERY);
    let digest = settings
        .digest
        .as_ref()
        .filter(|_| swept)
        .and_then(|digest| digest.next_after(now));
    [credentials, regular, digest].into_iter().flatten().min()
}

#[cfg(test)]
mod tests;
