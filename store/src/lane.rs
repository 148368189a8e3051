//! Lanes: what a poll learned of them becomes their window.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use syncwatch_domain::cadence::{CadenceLearner, Intervals, Timing};
use syncwatch_domain::cycle::CycleEvidence;
use syncwatch_domain::lane::{LaneKey, LaneStatus};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::time::{Timestamp, millis, span_of_millis};

use crate::error::{During, StoreError, word};
use crate::model::{Expectation, LaneUpdate, SourceId};
use crate::pools::{Tx, fetch_in};
use crate::source::lane_key;

/// A lane's row, complete.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub(crate) struct LaneRow {
    pub(crate) id: i64,
    pub(crate) tenant: String,
    pub(crate) engine: String,
    pub(crate) kind: String,
    pub(crate) partition: String,
    pub(crate) source_id: i64,
    pub(crate) job_id: Option<String>,
    pub(crate) first_seen_at: i64,
    pub(crate) last_success_at: Option<i64>,
    pub(crate) configured_ms: Option<i64>,
    pub(crate) promised_ms: Option<i64>,
    pub(crate) learned_ms: Option<i64>,
    pub(crate) learner: String,
    pub(crate) interval_ms: i64,
    pub(crate) late_after_ms: i64,
    pub(crate) missed_after_ms: i64,
    pub(crate) late_at: Option<i64>,
    pub(crate) deadline_at: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) expected_since: Option<i64>,
    pub(crate) idle: Option<String>,
    pub(crate) idle_reason: Option<String>,
    pub(crate) status: String,
    pub(crate) due_at: Option<i64>,
    pub(crate) version: i64,
}

const COLUMNS: &str = "id, tenant, engine, kind, partition, source_id, job_id, first_seen_at, last_success_at, \
     configured_ms, promised_ms, learned_ms, learner, interval_ms, late_after_ms, missed_after_ms, late_at, \
     deadline_at, confirmed_at, expected_since, idle, idle_reason, status, due_at, version";

/// Columns written by an upsert, and how many they are.
const WRITTEN: &str = "tenant, engine, kind, partition, source_id, job_id, first_seen_at, last_success_at, \
     configured_ms, promised_ms, learned_ms, learner, interval_ms, late_after_ms, missed_after_ms, late_at, \
     deadline_at, confirmed_at, expected_since, idle, idle_reason, status, due_at, version";
const WRITTEN_COUNT: usize = 24;

/// Rows per upsert: far below the 32,766 values that SQLite takes in a statement.
const CHUNK: usize = 200;

/// Reason of lanes that the operator paused.
const PAUSED_IN_CONFIG: &str = "paused in the config";

impl LaneRow {
    pub(crate) fn key(&self) -> Result<LaneKey, StoreError> {
        lane_key(
            self.tenant.clone(),
            &self.engine,
            &self.kind,
            self.partition.clone(),
        )
    }

    pub(crate) fn status(&self) -> Result<LaneStatus, StoreError> {
        word(LaneStatus::from_word, &self.status, "lane", "status")
    }

    pub(crate) fn intervals(&self) -> Intervals {
        let span = |ms: Option<i64>| ms.map(span_of_millis);
        Intervals {
            configured: span(self.configured_ms),
            promised: span(self.promised_ms),
            learned: span(self.learned_ms),
        }
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            interval: span_of_millis(self.interval_ms),
            late_after: span_of_millis(self.late_after_ms),
            missed_after: span_of_millis(self.missed_after_ms),
        }
    }

    /// Where the window begins: the last success, or the instant cycles became expected again.
    pub(crate) fn window_from(&self) -> Option<i64> {
        self.last_success_at.max(self.expected_since)
    }

    fn new(key: &LaneKey, source: SourceId, now: Timestamp) -> Self {
        Self {
            id: 0,
            tenant: key.tenant.clone(),
            engine: key.engine.as_str().to_owned(),
            kind: key.kind.as_str().to_owned(),
            partition: key.partition.clone(),
            source_id: source.0,
            job_id: None,
            first_seen_at: now.as_millis(),
            last_success_at: None,
            configured_ms: None,
            promised_ms: None,
            learned_ms: None,
            learner: "[]".to_owned(),
            interval_ms: 0,
            late_after_ms: 0,
            missed_after_ms: 0,
            late_at: None,
            deadline_at: None,
            confirmed_at: None,
            expected_since: None,
            idle: None,
            idle_reason: None,
            status: LaneStatus::Unknown.as_str().to_owned(),
            due_at: Some(0),
            version: 0,
        }
    }

    /// Takes in what a poll learned at `now`; `started_at` is the start of its read.
    fn absorb(
        &mut self,
        update: &LaneUpdate,
        policy: &LanePolicy,
        started_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let before = self.clone();
        if update.job_id.is_some() {
            self.job_id.clone_from(&update.job_id);
        }
        self.take_successes(update, now)?;
        // A list may end after a lane was read alone that it read before: then only its
        // successes are still of use.
        let alone = self.confirmed_at.map(Timestamp::from_millis);
        if !alone.is_some_and(|alone| overtakes(alone, started_at, now)) {
            if update.promised.is_some() {
                self.promised_ms = update.promised.map(millis);
            }
            self.expect(&update.expectation, policy, &update.key, now);
        }
        if update.confirmed {
            self.confirmed_at = self.confirmed_at.max(Some(started_at.as_millis()));
        }
        self.retime(policy, &update.key);
        self.reschedule(&before, update.confirmed);
        Ok(())
    }

    /// Moves the last success forward, never back, whatever the order of arrival, and learns the cadence.
    fn take_successes(&mut self, update: &LaneUpdate, now: Timestamp) -> Result<(), StoreError> {
        let mut successes: Vec<(i64, CycleEvidence)> = update
            .cycles
            .iter()
            .filter(|cycle| cycle.outcome.keeps_cadence())
            // A success we know of cannot lie in our future: the source's clock runs ahead.
            .map(|cycle| (cycle.ended_at.min(now).as_millis(), cycle.evidence))
            .filter(|(at, _)| self.last_success_at.is_none_or(|last| *at > last))
            .collect();
        successes.sort_unstable_by_key(|(at, _)| *at);
        if successes.is_empty() {
            return Ok(());
        }
        let mut learner: CadenceLearner = serde_json::from_str(&self.learner).unwrap_or_default();
        for (at, evidence) in successes {
            if let Some(last) = self.last_success_at
                && evidence == CycleEvidence::Status
            {
                learner.observe(Timestamp::from_millis(last), Timestamp::from_millis(at));
            }
            self.last_success_at = Some(at);
        }
        self.learned_ms = learner.learned().map(millis);
        self.learner = serde_json::to_string(&learner).during("write a cadence")?;
        Ok(())
    }

    fn expect(
        &mut self,
        expectation: &Expectation,
        policy: &LanePolicy,
        key: &LaneKey,
        now: Timestamp,
    ) {
        let (idle, reason) = match expectation {
            _ if policy.terms(key).paused => (Some("paused"), Some(PAUSED_IN_CONFIG.to_owned())),
            Expectation::Expected => (None, None),
            Expectation::Paused { reason } => (Some("paused"), Some(reason.clone())),
            Expectation::Masked { reason } => (Some("masked"), Some(reason.clone())),
        };
        if idle.is_none() && self.idle.is_some() {
            self.expected_since = Some(now.as_millis());
        }
        self.idle = idle.map(str::to_owned);
        self.idle_reason = reason;
    }

    /// Works out timing and window anew.
    pub(crate) fn retime(&mut self, policy: &LanePolicy, key: &LaneKey) {
        let terms = policy.terms(key);
        let timing = terms.timing(&self.intervals(), key.engine, key.kind);
        self.configured_ms = terms.configured.map(millis);
        self.interval_ms = millis(timing.interval);
        self.late_after_ms = millis(timing.late_after);
        self.missed_after_ms = millis(timing.missed_after);
        let from = if self.idle.is_some() {
            None
        } else {
            self.window_from()
        };
        let at =
            |after: Duration| from.map(|from| (Timestamp::from_millis(from) + after).as_millis());
        self.late_at = at(timing.late_after);
        self.deadline_at = at(timing.missed_after);
    }

    /// Decides when the evaluator must look, and marks the row changed if it did.
    pub(crate) fn reschedule(&mut self, before: &Self, confirmed: bool) {
        let window_moved = (self.late_at, self.deadline_at) != (before.late_at, before.deadline_at);
        let idle_changed = self.idle != before.idle;
        let on_time = self.status == LaneStatus::OnTime.as_str();
        if self.id == 0 || idle_changed || (!on_time && (window_moved || confirmed)) {
            self.due_at = Some(0);
        } else if on_time && window_moved {
            self.due_at = self.late_at;
        }
        if *self != *before {
            self.version += 1;
        }
    }
}

/// Whether a read that began at `other` knows better than one that began at `started_at` and ended
/// at `now`. One from the future does not: the clock was put back.
pub(crate) fn overtakes(other: Timestamp, started_at: Timestamp, now: Timestamp) -> bool {
    other > started_at && other <= now
}

/// Loads the rows of the lanes; lanes that are new have none. By key: a lane may have moved here
/// from a source that is gone.
async fn load(
    tx: &mut Tx,
    updates: &[LaneUpdate],
) -> Result<HashMap<LaneKey, LaneRow>, StoreError> {
    let mut known = HashMap::with_capacity(updates.len());
    let keys: Vec<&LaneKey> = updates.iter().map(|update| &update.key).collect();
    for chunk in keys.chunks(CHUNK) {
        for row in load_keys(tx, chunk).await? {
            known.insert(row.key()?, row);
        }
    }
    Ok(known)
}

async fn load_keys(tx: &mut Tx, keys: &[&LaneKey]) -> Result<Vec<LaneRow>, StoreError> {
    let sql = format!(
        "select {COLUMNS} from (values {}) as v join lane on tenant = v.column1 and engine = v.column2 \
         and kind = v.column3 and partition = v.column4",
        tx.places(keys.len(), 4)
    );
    fetch_in!(tx, "load lanes by key", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
        for key in keys {
            query = query
                .bind(key.tenant.as_str())
                .bind(key.engine.as_str())
                .bind(key.kind.as_str())
                .bind(key.partition.as_str());
        }
        query.persistent(keys.len() == 1)
    })
}

/// A lane before and after a poll.
pub(crate) struct Absorbed {
    pub(crate) before: Option<LaneRow>,
    pub(crate) after: LaneRow,
}

/// Brings the lanes of a poll up to date; the result is in the order of `updates`.
pub(crate) async fn absorb_all(
    tx: &mut Tx,
    source: SourceId,
    updates: &[LaneUpdate],
    policy: &LanePolicy,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<Vec<Absorbed>, StoreError> {
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = load(tx, updates).await?;
    let mut absorbed = Vec::with_capacity(updates.len());
    for update in updates {
        let before = known.get(&update.key).cloned();
        let mut after = before
            .clone()
            .unwrap_or_else(|| LaneRow::new(&update.key, source, now));
        after.source_id = source.0;
        after.absorb(update, policy, started_at, now)?;
        known.insert(update.key.clone(), after.clone());
        absorbed.push(Absorbed { before, after });
    }
    write_changed(tx, &mut absorbed).await?;
    Ok(absorbed)
}

/// Upserts the rows that changed and fills in the numbers of new ones.
async fn write_changed(tx: &mut Tx, absorbed: &mut [Absorbed]) -> Result<(), StoreError> {
    let mut changed: Vec<&mut LaneRow> = absorbed
        .iter_mut()
        .filter(|lane| lane.before.as_ref() != Some(&lane.after))
        .map(|lane| &mut lane.after)
        .collect();
    for chunk in changed.chunks_mut(CHUNK) {
        let ids = upsert(tx, chunk).await?;
        for (row, id) in chunk.iter_mut().zip(ids) {
            row.id = id;
        }
    }
    Ok(())
}

/// Writes whole rows; gives their numbers in the same order.
pub(crate) async fn upsert(tx: &mut Tx, rows: &[&mut LaneRow]) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "insert into lane ({WRITTEN}) values {} on conflict (tenant, engine, kind, partition) do update set \
         source_id = excluded.source_id, job_id = excluded.job_id, last_success_at = excluded.last_success_at, \
         configured_ms = excluded.configured_ms, promised_ms = excluded.promised_ms, \
         learned_ms = excluded.learned_ms, learner = excluded.learner, interval_ms = excluded.interval_ms, \
         late_after_ms = excluded.late_after_ms, missed_after_ms = excluded.missed_after_ms, \
         late_at = excluded.late_at, deadline_at = excluded.deadline_at, confirmed_at = excluded.confirmed_at, \
         expected_since = excluded.expected_since, idle = excluded.idle, idle_reason = excluded.idle_reason, \
         due_at = excluded.due_at, version = excluded.version \
         returning id, tenant, engine, kind, partition",
        tx.places(rows.len(), WRITTEN_COUNT)
    );
    type Returned = (i64, String, String, String, String);
    let returned: Vec<Returned> = fetch_in!(tx, "write lanes", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
        for row in rows {
            query = query
                .bind(row.tenant.as_str())
                .bind(row.engine.as_str())
                .bind(row.kind.as_str())
                .bind(row.partition.as_str())
                .bind(row.source_id)
                .bind(row.job_id.as_deref())
                .bind(row.first_seen_at)
                .bind(row.last_success_at)
                .bind(row.configured_ms)
                .bind(row.promised_ms)
                .bind(row.learned_ms)
                .bind(row.learner.as_str())
                .bind(row.interval_ms)
                .bind(row.late_after_ms)
                .bind(row.missed_after_ms)
                .bind(row.late_at)
                .bind(row.deadline_at)
                .bind(row.confirmed_at)
                .bind(row.expected_since)
                .bind(row.idle.as_deref())
                .bind(row.idle_reason.as_deref())
                .bind(row.status.as_str())
                .bind(row.due_at)
                .bind(row.version);
        }
        query.persistent(rows.len() == 1)
    })?;
    // SQL promises no order of returned rows.
    let numbers: HashMap<_, _> = returned
        .into_iter()
        .map(|(id, tenant, engine, kind, partition)| ((tenant, engine, kind, partition), id))
        .collect();
    rows.iter()
        .map(|row| {
            let key = (
                row.tenant.clone(),
                row.engine.clone(),
                row.kind.clone(),
                row.partition.clone(),
            );
            numbers.get(&key).copied().ok_or_else(|| StoreError::Row {
                table: "lane",
                column: "id",
                found: format!(
                    "{}/{}/{}/{}",
                    row.tenant, row.engine, row.kind, row.partition
                ),
            })
        })
        .collect()
}

impl crate::store::Store {
    /// Works the timing of every lane out anew after the operator changed the config.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn apply_policy(
        &self,
        policy: &LanePolicy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("apply the config to lanes").await?;
        let sql = format!("select {COLUMNS} from lane");
        let rows: Vec<LaneRow> = fetch_in!(
            &mut tx,
            "load lanes",
            sqlx::query_as(AssertSqlSafe(sql.clone()))
        )?;
        let mut changed = Vec::new();
        for before in rows {
            let key = before.key()?;
            let mut after = before.clone();
            if policy.terms(&key).paused || after.idle_reason.as_deref() == Some(PAUSED_IN_CONFIG) {
                after.expect(&Expectation::Expected, policy, &key, now);
            }
            after.retime(policy, &key);
            after.reschedule(&before, false);
            if after != before {
                changed.push(after);
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let mut changed: Vec<&mut LaneRow> = changed.iter_mut().collect();
        for chunk in changed.chunks_mut(CHUNK) {
            upsert(&mut tx, chunk).await?;
        }
        self.commit(
            tx,
            "apply the config to lanes",
            &[crate::feed::Topic::Observed],
        )
        .await
    }
}
