//! The evaluator's side: which lanes are due, and what a judgement writes.

use sqlx::AssertSqlSafe;
use syncwatch_domain::alert::{Alert, AlertState};
use syncwatch_domain::lane::LaneStatus;
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_domain::time::{Timestamp, millis};
use syncwatch_domain::window::{LaneFacts, READ_PATIENCE};

use crate::delivery::insert_deliveries;
use crate::error::{During, StoreError, word};
use crate::feed::{StoreEvent, Topic};
use crate::lane::LaneRow;
use crate::ledger::open_entries;
use crate::model::{DueLane, Judgement, JudgementReceipt, LaneId, LaneJudgement};
use crate::pools::{Tx, execute, fetch};
use crate::store::Store;

/// Rows per statement.
const CHUNK: usize = 500;

/// A lane with what its source tells of its sight.
#[derive(sqlx::FromRow)]
pub(crate) struct SightedLane {
    #[sqlx(flatten)]
    pub(crate) lane: LaneRow,
    poll: String,
    instance: String,
    read_at: Option<i64>,
    failing_since: Option<i64>,
}

impl SightedLane {
    pub(crate) fn source_key(&self) -> Result<SourceKey, StoreError> {
        Ok(SourceKey {
            tenant: self.lane.tenant.clone(),
            poll: word(Poll::from_word, &self.poll, "source", "poll")?,
            instance: self.instance.clone(),
        })
    }

    pub(crate) fn facts(&self) -> LaneFacts {
        let at = |at: Option<i64>| at.map(Timestamp::from_millis);
        LaneFacts {
            last_success_at: at(self.lane.last_success_at),
            late_at: at(self.lane.late_at),
            deadline_at: at(self.lane.deadline_at),
            read_at: at(self.read_at.max(self.lane.confirmed_at)),
            failing_since: at(self.failing_since),
            paused: self.lane.idle.as_deref() == Some("paused"),
        }
    }
}

/// Columns of [`SightedLane`], under the aliases `l` and `s`.
macro_rules! sighted_columns {
    () => {
        "l.id, l.tenant, l.engine, l.kind, l.partition, l.source_id, l.job_id, l.first_seen_at, \
         l.last_success_at, l.configured_ms, l.promised_ms, l.learned_ms, l.learner, l.interval_ms, \
         l.late_after_ms, l.missed_after_ms, l.late_at, l.deadline_at, l.confirmed_at, l.expected_since, l.idle, \
         l.idle_reason, l.status, l.due_at, l.version, s.poll, s.instance, s.read_at, s.failing_since"
    };
}
pub(crate) use sighted_columns;

impl Store {
    /// Lanes whose verdict can change at `now`: due, and either read since or out of sight.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn due_lanes(&self, now: Timestamp, limit: u32) -> Result<Vec<DueLane>, StoreError> {
        let rows: Vec<SightedLane> = fetch!(
            self,
            "list due lanes",
            sqlx::query_as(concat!(
                "select ",
                sighted_columns!(),
                " from lane l join source s on s.id = l.source_id where l.due_at <= $1 and (",
                "coalesce(s.read_at, 0) >= l.due_at or coalesce(l.confirmed_at, 0) >= l.due_at ",
                "or (l.status <> 'blind' and not (l.status = 'unknown' and l.due_at > l.deadline_at) ",
                "and l.deadline_at <= $1 ",
                "and (s.failing_since is not null or l.deadline_at + $3 <= $1))) ",
                "order by l.due_at limit $2"
            ))
            .bind(now.as_millis())
            .bind(i64::from(limit))
            .bind(millis(READ_PATIENCE))
        )?;
        rows.into_iter()
            .map(|row| {
                Ok(DueLane {
                    id: LaneId(row.lane.id),
                    key: row.lane.key()?,
                    job_id: row.lane.job_id.clone(),
                    source_key: row.source_key()?,
                    first_seen_at: Timestamp::from_millis(row.lane.first_seen_at),
                    status: row.lane.status()?,
                    version: row.lane.version,
                    facts: row.facts(),
                    timing: row.lane.timing(),
                    intervals: row.lane.intervals(),
                    idle_reason: row.lane.idle_reason,
                })
            })
            .collect()
    }

    /// The nearest instant after `now` at which the passing of time alone makes a lane due: its
    /// deadline while its source fails, else the end of the patience with a read. All other
    /// verdicts follow from a read, which announces itself.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn next_lane_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let rows: Vec<(Option<i64>,)> = fetch!(
            self,
            "find the next due lane",
            sqlx::query_as(
                "select min(deadline_at) + $2 from lane where deadline_at > $1 - $2 and status <> 'blind' \
                 union all \
                 select min((select min(l.deadline_at) from lane l where l.source_id = s.id \
                 and l.deadline_at > $1 and l.status <> 'blind')) from source s where s.failing_since is not null"
            )
            .bind(now.as_millis())
            .bind(millis(READ_PATIENCE))
        )?;
        let now = now.as_millis();
        Ok(rows
            .into_iter()
            .filter_map(|row| row.0)
            .filter(|at| *at > now)
            .min()
            .map(Timestamp::from_millis))
    }

    /// Commits transitions, ledger entries, alerts and messages together.
    ///
    /// Guarded by the version of each lane: if one changed since it was read, nothing is written
    /// and the receipt says so. Deliveries that are due are born leased by this instance.
    ///
    /// # Errors
    /// When the database refuses; then nothing is written.
    pub async fn commit_judgement(
        &self,
        judgement: &Judgement,
    ) -> Result<JudgementReceipt, StoreError> {
        const OPERATION: &str = "commit a judgement";
        let mut tx = self.begin(OPERATION).await?;
        for chunk in judgement.lanes.chunks(CHUNK) {
            if update_lanes(&mut tx, chunk).await? != chunk.len() as u64 {
                return Ok(JudgementReceipt::default());
            }
            insert_transitions(&mut tx, chunk, judgement.now).await?;
            let missed: Vec<i64> = chunk
                .iter()
                .filter(|lane| lane.to == LaneStatus::Missed && lane.from != LaneStatus::Missed)
                .map(|lane| lane.id.0)
                .collect();
            open_entries(&mut tx, &missed).await?;
        }
        if !upsert_alerts(&mut tx, &judgement.alerts).await? {
            return Ok(JudgementReceipt::default());
        }
        let deliveries = insert_deliveries(
            &mut tx,
            &judgement.deliveries,
            judgement.now,
            self.instance(),
        )
        .await?;
        self.mark_seen(&mut tx, &judgement.seen).await?;
        let mut topics = vec![Topic::Judged];
        if deliveries > 0 {
            topics.push(Topic::Outbox);
        }
        self.commit(tx, OPERATION, &topics).await?;
        self.publish(judgement);
        Ok(JudgementReceipt {
            committed: true,
            deliveries,
        })
    }

    fn publish(&self, judgement: &Judgement) {
        for lane in judgement.lanes.iter().filter(|lane| lane.from != lane.to) {
            self.feed().publish(StoreEvent::LaneJudged {
                lane: lane.id.0,
                from: lane.from,
                to: lane.to,
                occurred_at: lane.occurred_at,
            });
        }
        for alert in &judgement.alerts {
            self.feed()
                .publish(StoreEvent::AlertChanged(Box::new(alert.clone())));
        }
    }

    /// All alerts that fire.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn firing_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        let rows: Vec<(String,)> = fetch!(
            self,
            "list firing alerts",
            sqlx::query_as(
                "select body from alert where state = 'firing' order by detected_at, id"
            )
        )?;
        rows.into_iter()
            .map(|row| serde_json::from_str(&row.0).during("read an alert"))
            .collect()
    }
}

async fn update_lanes(tx: &mut Tx, lanes: &[LaneJudgement]) -> Result<u64, StoreError> {
    let sql = format!(
        "update lane set status = v.column3, status_at = v.column4, due_at = v.column5, version = version + 1 \
         from (values {}) as v where lane.id = v.column1 and lane.version = v.column2",
        tx.places(lanes.len(), 5)
    );
    execute!(tx, "write judged lanes", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for lane in lanes {
            query = query
                .bind(lane.id.0)
                .bind(lane.version)
                .bind(lane.to.as_str())
                .bind(lane.occurred_at.map(Timestamp::as_millis))
                .bind(lane.due_at.map(Timestamp::as_millis));
        }
        query.persistent(lanes.len() == 1)
    })
}

async fn insert_transitions(
    tx: &mut Tx,
    lanes: &[LaneJudgement],
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed: Vec<&LaneJudgement> = lanes.iter().filter(|lane| lane.from != lane.to).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into transition (lane_id, from_status, to_status, occurred_at, detected_at) values {}",
        tx.places(changed.len(), 5)
    );
    execute!(tx, "write transitions", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for lane in &changed {
            query = query
                .bind(lane.id.0)
                .bind(lane.from.as_str())
                .bind(lane.to.as_str())
                .bind(lane.occurred_at.map(Timestamp::as_millis))
                .bind(now.as_millis());
        }
        query.persistent(changed.len() == 1)
    })?;
    Ok(())
}

/// Writes alerts; `false` when another alert of the same rule and subject fires already.
async fn upsert_alerts(tx: &mut Tx, alerts: &[Alert]) -> Result<bool, StoreError> {
    // What ends makes room first: a rule fires about a subject once at a time.
    let (ended, begun): (Vec<&Alert>, Vec<&Alert>) = alerts
        .iter()
        .partition(|alert| alert.state == AlertState::Resolved);
    for part in [ended, begun] {
        for chunk in part.chunks(CHUNK) {
            match upsert_alert_rows(tx, chunk).await {
                Ok(()) => {}
                Err(StoreError::Statement { source, .. })
                    if source
                        .as_database_error()
                        .is_some_and(sqlx::error::DatabaseError::is_unique_violation) =>
                {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(true)
}

async fn upsert_alert_rows(tx: &mut Tx, alerts: &[&Alert]) -> Result<(), StoreError> {
    let bodies = alerts
        .iter()
        .map(|alert| serde_json::to_string(alert).during("write an alert"))
        .collect::<Result<Vec<_>, _>>()?;
    let sql = format!(
        "insert into alert (id, rule, tenant, path, severity, state, occurred_at, detected_at, resolved_at, cause, body) \
         values {} on conflict (id) do update set severity = excluded.severity, state = excluded.state, \
         resolved_at = excluded.resolved_at, cause = excluded.cause, body = excluded.body",
        tx.places(alerts.len(), 11)
    );
    execute!(tx, "write alerts", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for (alert, body) in alerts.iter().zip(&bodies) {
            query = query
                .bind(alert.id.0.as_str())
                .bind(alert.rule.as_str())
                .bind(alert.subject.tenant.as_str())
                .bind(alert.subject.path.as_str())
                .bind(alert.severity.as_str())
                .bind(alert.state.as_str())
                .bind(alert.occurred_at.as_millis())
                .bind(alert.detected_at.as_millis())
                .bind(alert.resolved_at.map(Timestamp::as_millis))
                .bind(alert.cause.as_ref().map(|cause| cause.0.as_str()))
                .bind(body.as_str());
        }
        query.persistent(alerts.len() == 1)
    })?;
    Ok(())
}
