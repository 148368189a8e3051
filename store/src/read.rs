//! Views for people and metrics.

use syncwatch_domain::alert::{Alert, AlertState, Rule, Severity};
use syncwatch_domain::cycle::CycleOutcome;
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::time::Timestamp;

use crate::error::{During, StoreError, word};
use crate::judgement::{SightedLane, sighted_columns};
use crate::log::{action_of, status_of};
use crate::model::LaneId;
use crate::pools::{execute, fetch};
use crate::source::lane_key;
use crate::store::Store;
use crate::view::{AlertFilter, AlertTotal, CycleTotal, EventTotal, LaneFilter, LaneView};

/// Alerts listed when no limit is given.
const ALERTS_LISTED: u32 = 500;

#[derive(sqlx::FromRow)]
struct ViewRow {
    #[sqlx(flatten)]
    sighted: SightedLane,
    status_at: Option<i64>,
    missed_windows: i64,
}

impl TryFrom<ViewRow> for LaneView {
    type Error = StoreError;

    fn try_from(row: ViewRow) -> Result<Self, StoreError> {
        let lane = &row.sighted.lane;
        Ok(Self {
            id: LaneId(lane.id),
            key: lane.key()?,
            job_id: lane.job_id.clone(),
            source_key: row.sighted.source_key()?,
            status: lane.status()?,
            status_at: row.status_at.map(Timestamp::from_millis),
            facts: row.sighted.facts(),
            intervals: lane.intervals(),
            timing: lane.timing(),
            idle_reason: lane.idle_reason.clone(),
            missed_windows: row.missed_windows,
        })
    }
}

impl Store {
    /// Lanes with their windows, ordered by key.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lanes(&self, filter: &LaneFilter) -> Result<Vec<LaneView>, StoreError> {
        let rows: Vec<ViewRow> = fetch!(
            self,
            "list lanes",
            sqlx::query_as(concat!(
                "select ",
                sighted_columns!(),
                ", l.status_at, l.missed_windows from lane l join source s on s.id = l.source_id \
                 where (l.tenant = $1 or $1 = '') and (l.engine = $2 or $2 = '') and (l.kind = $3 or $3 = '') \
                 and (l.status = $4 or $4 = '') order by l.tenant, l.engine, l.kind, l.partition"
            ))
            .bind(filter.tenant.as_deref().unwrap_or_default())
            .bind(filter.engine.map_or("", syncwatch_domain::lane::Engine::as_str))
            .bind(filter.kind.map_or("", syncwatch_domain::lane::LaneKind::as_str))
            .bind(filter.status.map_or("", syncwatch_domain::lane::LaneStatus::as_str))
        )?;
        rows.into_iter().map(LaneView::try_from).collect()
    }

    /// Cycles of every lane since it is known.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn cycle_totals(&self) -> Result<Vec<CycleTotal>, StoreError> {
        type Row = (String, String, String, String, String, i64, i64, i64);
        let rows: Vec<Row> = fetch!(
            self,
            "sum up cycles",
            sqlx::query_as(
                "select l.tenant, l.engine, l.kind, l.partition, c.outcome, c.count, c.timed, c.duration_ms \
                 from cycle_total c join lane l on l.id = c.lane_id \
                 order by l.tenant, l.engine, l.kind, l.partition, c.outcome"
            )
        )?;
        rows.into_iter()
            .map(
                |(tenant, engine, kind, partition, outcome, count, timed, duration_ms)| {
                    Ok(CycleTotal {
                        key: lane_key(tenant, &engine, &kind, partition)?,
                        outcome: word(CycleOutcome::from_word, &outcome, "cycle_total", "outcome")?,
                        count,
                        timed,
                        duration_ms,
                    })
                },
            )
            .collect()
    }

    /// Rows of the provisioning log per job since it is known.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn event_totals(&self) -> Result<Vec<EventTotal>, StoreError> {
        let rows: Vec<(String, String, i16, i16, String, i64)> = fetch!(
            self,
            "sum up log rows",
            sqlx::query_as(
                "select j.tenant, j.job_id, e.action, e.status, e.error_group, e.count \
                 from event_total e join job_ref j on j.id = e.job_ref \
                 order by j.tenant, j.job_id, e.action, e.status, e.error_group"
            )
        )?;
        rows.into_iter()
            .map(|(tenant, job_id, action, status, group, count)| {
                Ok(EventTotal {
                    tenant,
                    job_id,
                    action: action_of(action)?,
                    status: status_of(status)?,
                    error_group: ErrorGroup::from_word(&group),
                    count,
                })
            })
            .collect()
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, StoreError> {
        let limit = if filter.limit == 0 {
            ALERTS_LISTED
        } else {
            filter.limit
        };
        let state = if filter.firing_only {
            AlertState::Firing.as_str()
        } else {
            ""
        };
        let rows: Vec<(String,)> = fetch!(
            self,
            "list alerts",
            sqlx::query_as(
                "select body from alert where (state = $1 or $1 = '') and (tenant = $2 or $2 = '') \
                 order by detected_at desc, id limit $3"
            )
            .bind(state)
            .bind(filter.tenant.as_deref().unwrap_or_default())
            .bind(i64::from(limit))
        )?;
        rows.into_iter()
            .map(|row| serde_json::from_str(&row.0).during("read an alert"))
            .collect()
    }

    /// One alert.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        let rows: Vec<(String,)> = fetch!(
            self,
            "read an alert",
            sqlx::query_as("select body from alert where id = $1").bind(id)
        )?;
        rows.into_iter()
            .next()
            .map(|row| serde_json::from_str(&row.0).during("read an alert"))
            .transpose()
    }

    /// When the newest alert of a rule about a subject ended; `None` if none ever did.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn last_resolved(
        &self,
        rule: Rule,
        tenant: &str,
        path: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let rows: Vec<(Option<i64>,)> = fetch!(
            self,
            "find the last end of an alert",
            sqlx::query_as(
                "select max(resolved_at) from alert \
                 where state = 'resolved' and tenant = $1 and rule = $2 and path = $3"
            )
            .bind(tenant)
            .bind(rule.as_str())
            .bind(path)
        )?;
        Ok(rows
            .first()
            .and_then(|row| row.0)
            .map(Timestamp::from_millis))
    }

    /// Alerts of a rule that ended at `since` or later, the oldest end first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lately_resolved(
        &self,
        rule: Rule,
        since: Timestamp,
    ) -> Result<Vec<Alert>, StoreError> {
        let rows: Vec<(String,)> = fetch!(
            self,
            "list alerts that ended lately",
            sqlx::query_as(
                "select body from alert where state = 'resolved' and rule = $1 and resolved_at >= $2 \
                 order by resolved_at, id"
            )
            .bind(rule.as_str())
            .bind(since.as_millis())
        )?;
        rows.into_iter()
            .map(|row| serde_json::from_str(&row.0).during("read an alert"))
            .collect()
    }

    /// How many alerts are kept, by tenant, rule, severity and state.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn alert_totals(&self) -> Result<Vec<AlertTotal>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = fetch!(
            self,
            "count alerts",
            sqlx::query_as(
                "select tenant, rule, severity, state, count(*) from alert \
                 group by state, tenant, rule, severity order by tenant, rule, severity, state"
            )
        )?;
        rows.into_iter()
            .map(|(tenant, rule, severity, state, count)| {
                Ok(AlertTotal {
                    tenant,
                    rule: word(Rule::from_word, &rule, "alert", "rule")?,
                    severity: word(Severity::from_word, &severity, "alert", "severity")?,
                    state: word(AlertState::from_word, &state, "alert", "state")?,
                    count,
                })
            })
            .collect()
    }

    /// Whether the database takes writes at present.
    ///
    /// # Errors
    /// When it does not, with the reason.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        const OPERATION: &str = "write to the database";
        let mut tx = self.begin(OPERATION).await?;
        execute!(
            &mut tx,
            "write to the database",
            sqlx::query(
                "update source set unseen = unseen where id = (select min(id) from source)"
            )
        )?;
        // Rolled back when dropped: the lock and the right to write are what was asked for.
        drop(tx);
        Ok(())
    }
}
