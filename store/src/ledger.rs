//! The missed-window ledger: opened by a judgement, closed by the success that ends the gap.

use sqlx::AssertSqlSafe;
use syncwatch_domain::lane::LaneKey;
use syncwatch_domain::ledger::{LedgerProof, MissedWindows, gaps};
use syncwatch_domain::time::Timestamp;

use crate::error::{StoreError, word};
use crate::lane::LaneRow;
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::source::lane_key;
use crate::store::Store;

/// Closes the open entries of a lane's ledger once successes came in.
pub(crate) async fn close_ledger(
    tx: &mut Tx,
    before: &LaneRow,
    after: &LaneRow,
    successes: &[i64],
) -> Result<(), StoreError> {
    let open: Vec<(i64, i64, i64)> = fetch_in!(
        tx,
        "look into the ledger",
        sqlx::query_as(
            "select from_at, deadline_at, windows from missed_window where lane_id = $1 and caught_up_at is null"
        )
        .bind(before.id)
    )?;
    for (from_at, deadline_at, counted) in open {
        let caught_up = successes
            .iter()
            .copied()
            .filter(|at| *at > deadline_at)
            .min();
        let Some(caught_up) = caught_up else {
            if after
                .last_success_at
                .is_some_and(|last| last > from_at && last <= deadline_at)
            {
                // The success was published after the deadline, but happened before it: met.
                execute!(
                    tx,
                    "withdraw a ledger entry",
                    sqlx::query("delete from missed_window where lane_id = $1 and from_at = $2")
                        .bind(before.id)
                        .bind(from_at)
                )?;
            }
            continue;
        };
        let windows = syncwatch_domain::ledger::windows_between(
            Timestamp::from_millis(from_at),
            Timestamp::from_millis(caught_up),
            &after.timing(),
        );
        execute!(
            tx,
            "close a ledger entry",
            sqlx::query(
                "update missed_window set caught_up_at = $3, windows = $4 where lane_id = $1 and from_at = $2"
            )
            .bind(before.id)
            .bind(from_at)
            .bind(caught_up)
            .bind(windows.max(counted))
        )?;
        execute!(
            tx,
            "count missed windows",
            sqlx::query("update lane set missed_windows = missed_windows + $2 where id = $1")
                .bind(before.id)
                .bind((windows - counted).max(0))
        )?;
    }
    Ok(())
}

/// Enters the gaps that logs show between `from` and `until`, and takes back what they refute.
///
/// Called when the logs of that span were read completely; late rows call it again.
pub(crate) async fn enter_gaps(
    tx: &mut Tx,
    lane: &LaneRow,
    (from, until): (Timestamp, Timestamp),
) -> Result<(), StoreError> {
    let successes: Vec<(i64,)> = fetch_in!(
        tx,
        "list the successes of a span",
        sqlx::query_as(
            "select ended_at from cycle where lane_id = $1 and outcome <> 'failed' and ended_at <= $3 and ended_at >= \
             coalesce((select max(ended_at) from cycle where lane_id = $1 and outcome <> 'failed' and ended_at <= $2), $2) \
             order by ended_at"
        )
        .bind(lane.id)
        .bind(from.as_millis())
        .bind(until.as_millis())
    )?;
    let successes: Vec<Timestamp> = successes
        .into_iter()
        .map(|row| Timestamp::from_millis(row.0))
        .collect();
    let Some(first) = successes.first() else {
        return Ok(());
    };
    let removed: Vec<(i64,)> = fetch_in!(
        tx,
        "take back refuted ledger entries",
        sqlx::query_as(
            "delete from missed_window where lane_id = $1 and proof = 'logs' and from_at >= $2 and from_at <= $3 \
             returning windows"
        )
        .bind(lane.id)
        .bind(first.as_millis())
        .bind(until.as_millis())
    )?;
    let mut counted: i64 = removed.iter().map(|row| row.0).sum();
    for gap in gaps(&successes, &lane.timing()) {
        let entered = execute!(
            tx,
            "enter a missed window",
            sqlx::query(
                "insert into missed_window (lane_id, from_at, deadline_at, caught_up_at, windows, proof) \
                 select $1, $2, $3, $4, $5, $6 where not exists (select 1 from missed_window \
                 where lane_id = $1 and from_at <= $4 and coalesce(caught_up_at, $4) > $2) \
                 on conflict (lane_id, from_at) do nothing"
            )
            .bind(lane.id)
            .bind(gap.from_at.as_millis())
            .bind(gap.deadline_at.as_millis())
            .bind(gap.caught_up_at.map(Timestamp::as_millis))
            .bind(gap.windows)
            .bind(gap.proof.as_str())
        )?;
        if entered == 0 {
            continue;
        }
        // A counter never falls: what was taken back above is counted once.
        let fresh = (gap.windows - counted).max(0);
        counted = (counted - gap.windows).max(0);
        execute!(
            tx,
            "count missed windows",
            sqlx::query("update lane set missed_windows = missed_windows + $2 where id = $1")
                .bind(lane.id)
                .bind(fresh)
        )?;
    }
    Ok(())
}

/// Opens an entry for every lane that was judged missed.
pub(crate) async fn open_entries(tx: &mut Tx, lanes: &[i64]) -> Result<(), StoreError> {
    if lanes.is_empty() {
        return Ok(());
    }
    let windows = "case when (l.deadline_at - coalesce(l.last_success_at, l.expected_since)) > l.interval_ms \
                   and l.interval_ms > 0 \
                   then (l.deadline_at - coalesce(l.last_success_at, l.expected_since)) / l.interval_ms else 1 end";
    let listed = tx.places(lanes.len(), 1);
    let enter = format!(
        "insert into missed_window (lane_id, from_at, deadline_at, caught_up_at, windows, proof) \
         select l.id, coalesce(l.last_success_at, l.expected_since), l.deadline_at, null, {windows}, 'observed' \
         from lane l where l.id in (values {listed}) and l.deadline_at is not null \
         on conflict (lane_id, from_at) do nothing returning lane_id, windows"
    );
    let entered: Vec<(i64, i64)> = fetch_in!(tx, "open ledger entries", {
        let mut query = sqlx::query_as(AssertSqlSafe(enter.clone()));
        for lane in lanes {
            query = query.bind(*lane);
        }
        query.persistent(lanes.len() == 1)
    })?;
    if entered.is_empty() {
        return Ok(());
    }
    let count = format!(
        "update lane set missed_windows = missed_windows + v.column2 from (values {}) as v where lane.id = v.column1",
        tx.places(entered.len(), 2)
    );
    execute!(tx, "count missed windows", {
        let mut query = sqlx::query(AssertSqlSafe(count.clone()));
        for (lane, windows) in &entered {
            query = query.bind(*lane).bind(*windows);
        }
        query.persistent(entered.len() == 1)
    })?;
    Ok(())
}

impl Store {
    /// The newest entries of the missed-window ledger, open ones first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn ledger(&self, limit: u32) -> Result<Vec<(LaneKey, MissedWindows)>, StoreError> {
        type Row = (
            String,
            String,
            String,
            String,
            i64,
            i64,
            Option<i64>,
            i64,
            String,
        );
        let rows: Vec<Row> = fetch!(
            self,
            "list missed windows",
            sqlx::query_as(
                "select l.tenant, l.engine, l.kind, l.partition, m.from_at, m.deadline_at, m.caught_up_at, m.windows, m.proof \
                 from missed_window m join lane l on l.id = m.lane_id \
                 order by case when m.caught_up_at is null then 0 else 1 end, m.deadline_at desc, l.id limit $1"
            )
            .bind(i64::from(limit))
        )?;
        rows.into_iter()
            .map(
                |(
                    tenant,
                    engine,
                    kind,
                    partition,
                    from_at,
                    deadline_at,
                    caught_up_at,
                    windows,
                    proof,
                )| {
                    let entry = MissedWindows {
                        from_at: Timestamp::from_millis(from_at),
                        deadline_at: Timestamp::from_millis(deadline_at),
                        caught_up_at: caught_up_at.map(Timestamp::from_millis),
                        windows,
                        proof: word(LedgerProof::from_word, &proof, "missed_window", "proof")?,
                    };
                    Ok((lane_key(tenant, &engine, &kind, partition)?, entry))
                },
            )
            .collect()
    }
}
