//! Forgetting: what is older than the config wants is removed in small bites.

use syncwatch_domain::time::Timestamp;

use crate::error::StoreError;
use crate::pools::{Tx, execute};
use crate::store::Store;
use crate::view::{PruneReport, Retention};

/// Rows removed per statement: small enough that no judgement waits long for the writer.
const BITE: i64 = 2_000;

impl Store {
    /// Removes one bite of what is older than the retention; call again while the report says so.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn prune(
        &self,
        now: Timestamp,
        retention: &Retention,
    ) -> Result<PruneReport, StoreError> {
        const OPERATION: &str = "remove old rows";
        let mut tx = self.begin(OPERATION).await?;
        let rows_before = (now - retention.observations).as_millis();
        let cycles_before = (now - retention.cycles).as_millis();
        let alerts_before = (now - retention.alerts).as_millis();
        let observations = execute!(
            &mut tx,
            "remove old log rows",
            sqlx::query(
                "delete from observation where (occurred_at, id) in \
                 (select occurred_at, id from observation where occurred_at < $1 order by occurred_at limit $2)"
            )
            .bind(rows_before)
            .bind(BITE)
        )?;
        let records = execute!(
            &mut tx,
            "remove old records of agents",
            sqlx::query(
                "delete from agent_record where (spool_ref, seq) in \
                 (select spool_ref, seq from agent_record where read_at < $1 order by read_at limit $2)"
            )
            .bind(rows_before)
            .bind(BITE)
        )?;
        let cycles = prune_cycles(&mut tx, cycles_before).await?;
        let owners = prune_owners(&mut tx, cycles_before).await?;
        let alerts = prune_alerts(&mut tx, alerts_before).await?;
        self.commit(tx, OPERATION, &[]).await?;
        let bite = BITE.unsigned_abs();
        let more = observations == bite
            || records == bite
            || cycles >= bite
            || owners >= bite
            || alerts >= bite;
        Ok(PruneReport {
            observations: observations + records,
            cycles: cycles + owners,
            alerts,
            more,
        })
    }
}

async fn prune_cycles(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    let cycles = execute!(
        tx,
        "remove old cycles",
        sqlx::query(
            "delete from cycle where (lane_id, ended_at) in \
             (select lane_id, ended_at from cycle where ended_at < $1 limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    let transitions = execute!(
        tx,
        "remove old transitions",
        sqlx::query(
            "delete from transition where id in (select id from transition where detected_at < $1 limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    Ok(cycles + transitions)
}

async fn prune_owners(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    let changes = execute!(
        tx,
        "remove old changes of owners",
        sqlx::query(
            "delete from owner_change where id in (select id from owner_change where changed_at < $1 limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    // The newest count stays, however old: it still holds.
    let counts = execute!(
        tx,
        "remove old counts of owners",
        sqlx::query(
            "delete from owner_series where (tenant, domain, kind, owner, counted_at) in \
             (select s.tenant, s.domain, s.kind, s.owner, s.counted_at from owner_series s \
             where s.counted_at < $1 and exists (select 1 from owner_series n where n.tenant = s.tenant \
             and n.domain = s.domain and n.kind = s.kind and n.owner = s.owner and n.counted_at > s.counted_at) limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    // What is gone for good comes back as a new object, if at all.
    let gone = execute!(
        tx,
        "remove objects that are gone",
        sqlx::query(
            "delete from object where id in (select id from object where life = 'gone' \
             and unseen = 0 and owner is null and (owner_at is null or owner_at < $1) limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    Ok(changes + counts + gone)
}

async fn prune_alerts(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    // An alert goes with all that hangs on it, and only once nothing of it waits to be sent.
    let attempts = execute!(
        tx,
        "remove old attempts",
        sqlx::query(
            "delete from attempt where delivery_id in (select d.id from delivery d join alert a on a.id = d.alert_id \
             where a.state = 'resolved' and a.resolved_at < $1 and d.state <> 'pending' limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    let deliveries = execute!(
        tx,
        "remove old deliveries",
        sqlx::query(
            "delete from delivery where id in (select d.id from delivery d join alert a on a.id = d.alert_id \
             where a.state = 'resolved' and a.resolved_at < $1 and d.state <> 'pending' \
             and not exists (select 1 from attempt t where t.delivery_id = d.id) limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    let alerts = execute!(
        tx,
        "remove old alerts",
        sqlx::query(
            "delete from alert where id in (select a.id from alert a where a.state = 'resolved' \
             and a.resolved_at < $1 and not exists (select 1 from delivery d where d.alert_id = a.id) limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    let entries = execute!(
        tx,
        "remove old ledger entries",
        sqlx::query(
            "delete from missed_window where (lane_id, from_at) in (select lane_id, from_at from missed_window \
             where caught_up_at is not null and caught_up_at < $1 limit $2)"
        )
        .bind(before)
        .bind(BITE)
    )?;
    Ok(attempts + deliveries + alerts + entries)
}
