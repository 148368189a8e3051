//! The outbox: deliveries, their leases and attempts.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::AssertSqlSafe;
use syncwatch_domain::delivery::{AttemptResult, Delivery, DeliveryState, NewDelivery};
use syncwatch_domain::time::Timestamp;

use crate::error::{During, StoreError, word};
use crate::feed::Topic;
use crate::model::{AttemptRecord, OutboxDepth, Want};
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// Rows per statement.
const CHUNK: usize = 500;
/// How long a delivery is leased at birth: longer than any attempt may take.
const BIRTH_LEASE: Duration = Duration::from_secs(120);

macro_rules! delivery_columns {
    () => {
        "id, idempotency_key, receiver, state, attempts, created_at, due_at, finished_at, last_error, body"
    };
}

/// Messages about one alert reach a receiver in their order: while an earlier one waits for its
/// retry, the later ones wait with it. Else an alert could begin after its own end.
macro_rules! in_order {
    () => {
        " and not exists (select 1 from delivery earlier where earlier.alert_id = delivery.alert_id \
         and earlier.receiver = delivery.receiver and earlier.state = 'pending' and earlier.id < delivery.id)"
    };
}

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    id: i64,
    idempotency_key: String,
    receiver: String,
    state: String,
    attempts: i64,
    created_at: i64,
    due_at: i64,
    finished_at: Option<i64>,
    last_error: Option<String>,
    body: String,
}

/// A due delivery, and whether this instance holds it.
#[derive(sqlx::FromRow)]
struct DueRow {
    #[sqlx(flatten)]
    delivery: DeliveryRow,
    held: i32,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            idempotency_key: row.idempotency_key,
            receiver: row.receiver,
            notification: serde_json::from_str(&row.body).during("read a notification")?,
            state: word(DeliveryState::from_word, &row.state, "delivery", "state")?,
            attempts: row.attempts,
            created_at: Timestamp::from_millis(row.created_at),
            due_at: Timestamp::from_millis(row.due_at),
            finished_at: row.finished_at.map(Timestamp::from_millis),
            last_error: row.last_error,
        })
    }
}

fn deliveries(rows: Vec<DeliveryRow>) -> Result<Vec<Delivery>, StoreError> {
    rows.into_iter().map(Delivery::try_from).collect()
}

/// Writes deliveries; those due are born leased by `instance`, so that sending them needs no
/// further commit. One that was written before (same key) is passed over. Gives how many are new.
pub(crate) async fn insert_deliveries(
    tx: &mut Tx,
    new: &[NewDelivery],
    now: Timestamp,
    instance: &str,
) -> Result<u64, StoreError> {
    let mut written = 0;
    for chunk in new.chunks(CHUNK) {
        let bodies = chunk
            .iter()
            .map(|delivery| {
                serde_json::to_string(&delivery.notification).during("write a notification")
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sql = format!(
            "insert into delivery (idempotency_key, alert_id, receiver, state, created_at, due_at, lease_owner, \
             lease_until, body) values {} on conflict (idempotency_key) do nothing",
            tx.places(chunk.len(), 9)
        );
        written += execute!(tx, "write deliveries", {
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
            for (delivery, body) in chunk.iter().zip(&bodies) {
                let leased = delivery.due_at <= now;
                query = query
                    .bind(delivery.notification.idempotency_key(&delivery.receiver))
                    .bind(delivery.notification.alert.id.0.as_str())
                    .bind(delivery.receiver.as_str())
                    .bind(DeliveryState::Pending.as_str())
                    .bind(now.as_millis())
                    .bind(delivery.due_at.as_millis())
                    .bind(leased.then_some(instance))
                    .bind(leased.then(|| (now + BIRTH_LEASE).as_millis()))
                    .bind(body.as_str());
            }
            query.persistent(chunk.len() == 1)
        })?;
    }
    Ok(written)
}

impl Store {
    /// Takes deliveries to send: due ones that this instance holds and does not have in flight
    /// (no write, and the common case, since deliveries are born leased), and due ones that
    /// nobody holds, which are leased for `lease`.
    ///
    /// Each receiver gets at most the places it offers, in the order of their due time.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease: Duration,
        wants: &[Want],
        in_flight: &HashSet<i64>,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut claimed = Vec::new();
        for want in wants.iter().filter(|want| want.limit > 0) {
            let limit = want.limit as usize;
            let mut due = self
                .due(&want.receiver, now, limit + in_flight.len())
                .await?;
            due.retain(|row| !in_flight.contains(&row.delivery.id));
            due.truncate(limit);
            let (held, free): (Vec<_>, Vec<_>) = due.into_iter().partition(|row| row.held != 0);
            let mut taken = deliveries(held.into_iter().map(|row| row.delivery).collect())?;
            if !free.is_empty() {
                let ids: Vec<i64> = free.iter().map(|row| row.delivery.id).collect();
                taken.extend(self.lease(&ids, now, lease).await?);
                taken.sort_by_key(|delivery| (delivery.due_at, delivery.id));
            }
            claimed.extend(taken);
        }
        Ok(claimed)
    }

    /// Due deliveries of a receiver that this instance may send.
    async fn due(
        &self,
        receiver: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueRow>, StoreError> {
        fetch!(
            self,
            "list due deliveries",
            sqlx::query_as(concat!(
                "select ",
                delivery_columns!(),
                ", case when lease_owner = $3 then 1 else 0 end as held \
                 from delivery where state = 'pending' and receiver = $1 and due_at <= $2 \
                 and (lease_owner is null or lease_owner = $3 or lease_until <= $2)",
                in_order!(),
                " order by due_at, id limit $4"
            ))
            .bind(receiver)
            .bind(now.as_millis())
            .bind(self.instance())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        )
    }

    /// Leases deliveries that nobody holds. Another instance may have been faster: only rows
    /// still free are taken.
    async fn lease(
        &self,
        ids: &[i64],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        const OPERATION: &str = "lease deliveries";
        let mut tx = self.begin(OPERATION).await?;
        let listed: Vec<String> = (4..ids.len() + 4)
            .map(|place| format!("${place}"))
            .collect();
        let sql = format!(
            concat!(
                "update delivery set lease_owner = $1, lease_until = $2 where state = 'pending' \
                 and (lease_owner is null or (lease_owner <> $1 and lease_until <= $3)) and id in ({}) returning ",
                delivery_columns!()
            ),
            listed.join(",")
        );
        let rows: Vec<DeliveryRow> = fetch_in!(&mut tx, "lease deliveries", {
            let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()))
                .bind(self.instance())
                .bind((now + lease).as_millis())
                .bind(now.as_millis());
            for id in ids {
                query = query.bind(*id);
            }
            query.persistent(ids.len() == 1)
        })?;
        self.commit(tx, OPERATION, &[]).await?;
        deliveries(rows)
    }

    /// Writes attempts down with what follows from them.
    ///
    /// # Errors
    /// When the database refuses; then the deliveries stay held and are tried again.
    pub async fn finish_attempts(
        &self,
        records: &[AttemptRecord],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const OPERATION: &str = "write attempts";
        if records.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin(OPERATION).await?;
        for chunk in records.chunks(CHUNK) {
            insert_attempts(&mut tx, chunk).await?;
            update_deliveries(&mut tx, chunk, now).await?;
        }
        let fallbacks: Vec<NewDelivery> = records
            .iter()
            .filter_map(|record| record.fallback.clone())
            .collect();
        let new = insert_deliveries(&mut tx, &fallbacks, now, self.instance()).await?;
        let topics: &[Topic] = if new > 0 { &[Topic::Outbox] } else { &[] };
        self.commit(tx, OPERATION, topics).await
    }

    /// The nearest instant after `now` at which a delivery may be sent.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn next_delivery_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let rows: Vec<(Option<i64>,)> = fetch!(
            self,
            "find the next delivery",
            sqlx::query_as(
                "select min(due_at) from delivery where state = 'pending' and due_at > $1 \
                 union all select min(lease_until) from delivery where state = 'pending' and lease_until > $1 \
                 and lease_owner <> $2"
            )
            .bind(now.as_millis())
            .bind(self.instance())
        )?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.0)
            .min()
            .map(Timestamp::from_millis))
    }

    /// Names of receivers that deliveries wait for, also of some that left the config.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn pending_receivers(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = fetch!(
            self,
            "list waiting receivers",
            sqlx::query_as(
                "select distinct receiver from delivery where state = 'pending' order by receiver"
            )
        )?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Deliveries that were given up, newest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = fetch!(
            self,
            "list dead letters",
            sqlx::query_as(concat!(
                "select ",
                delivery_columns!(),
                " from delivery where state = 'dead' order by finished_at desc, id limit $1"
            ))
            .bind(i64::from(limit))
        )?;
        deliveries(rows)
    }

    /// Deliveries of one alert, oldest first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn deliveries_of(&self, alert_id: &str) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryRow> = fetch!(
            self,
            "list the deliveries of an alert",
            sqlx::query_as(concat!(
                "select ",
                delivery_columns!(),
                " from delivery where alert_id = $1 order by id"
            ))
            .bind(alert_id)
        )?;
        deliveries(rows)
    }

    /// How much waits to be sent.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn outbox(&self) -> Result<OutboxDepth, StoreError> {
        let rows: Vec<(i64, Option<i64>)> = fetch!(
            self,
            "measure the outbox",
            sqlx::query_as(
                "select count(*), min(created_at) from delivery where state = 'pending'"
            )
        )?;
        Ok(rows
            .first()
            .map_or_else(OutboxDepth::default, |row| OutboxDepth {
                depth: row.0,
                oldest_created_at: row.1.map(Timestamp::from_millis),
            }))
    }
}

async fn insert_attempts(tx: &mut Tx, records: &[AttemptRecord]) -> Result<(), StoreError> {
    let sql = format!(
        "insert into attempt (delivery_id, number, began_at, ended_at, outcome, error) \
         select d.id, d.attempts + 1, v.column2, v.column3, v.column4, v.column5 \
         from (values {}) as v join delivery d on d.id = v.column1 where true \
         on conflict (delivery_id, number) do nothing",
        tx.places(records.len(), 5)
    );
    execute!(tx, "write attempts", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for record in records {
            query = query
                .bind(record.delivery_id)
                .bind(record.began_at.as_millis())
                .bind(record.ended_at.as_millis())
                .bind(record.result.outcome().as_str())
                .bind(reason(&record.result));
        }
        query.persistent(records.len() == 1)
    })?;
    Ok(())
}

async fn update_deliveries(
    tx: &mut Tx,
    records: &[AttemptRecord],
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!(
        "update delivery set attempts = attempts + 1, state = v.column2, \
         due_at = coalesce(v.column3, due_at), finished_at = v.column4, last_error = v.column5, \
         lease_owner = null, lease_until = null from (values {}) as v where delivery.id = v.column1",
        tx.places(records.len(), 5)
    );
    execute!(tx, "finish deliveries", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for record in records {
            let (state, due_at, finished_at) = match &record.result {
                AttemptResult::Delivered => (DeliveryState::Delivered, None, Some(record.ended_at)),
                AttemptResult::Retry { .. } => (
                    DeliveryState::Pending,
                    Some(record.next_due_at.unwrap_or(now)),
                    None,
                ),
                AttemptResult::GiveUp { .. } => (DeliveryState::Dead, None, Some(record.ended_at)),
            };
            query = query
                .bind(record.delivery_id)
                .bind(state.as_str())
                .bind(due_at.map(Timestamp::as_millis))
                .bind(finished_at.map(Timestamp::as_millis))
                .bind(reason(&record.result));
        }
        query.persistent(records.len() == 1)
    })?;
    Ok(())
}

fn reason(result: &AttemptResult) -> Option<&str> {
    match result {
        AttemptResult::Delivered => None,
        AttemptResult::Retry { reason, .. } | AttemptResult::GiveUp { reason } => Some(reason),
    }
}
