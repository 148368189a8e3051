//! What one poll learned, committed as a whole.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;
use syncwatch_domain::job::Job;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::time::Timestamp;

use crate::error::{During, StoreError};
use crate::feed::{StoreEvent, Topic};
use crate::lane::{Absorbed, absorb_all, overtakes};
use crate::ledger::{close_ledger, enter_gaps};
use crate::listed::take_listed;
use crate::log::{JobRefs, NewLog};
use crate::log_write::Way;
use crate::model::{Fact, LaneUpdate, PollCommit, PollReceipt, SourceId, StoredSource};
use crate::object::take_objects;
use crate::pools::{Tx, execute, fetch_in};
use crate::source::{ensure_source, record_attempt, retire_source};
use crate::store::Store;

/// Cycles per insert statement.
const CYCLE_CHUNK: usize = 500;
/// As many as one status names: statements of these sizes are kept prepared.
const FEW: usize = 4;

impl Store {
    /// Commits what a poll learned: the attempt, lanes with their windows, cycles, jobs, log rows,
    /// facts and where to go on reading. All or nothing; evaluators wake after it.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the poll is kept.
    pub async fn commit_poll(
        &self,
        commit: &PollCommit<'_>,
        policy: &LanePolicy,
    ) -> Result<PollReceipt, StoreError> {
        let _turn = if is_long(commit) {
            self.pools()?.long_turn().await
        } else {
            None
        };
        if let Some(receipt) = self.commit_in(Way::AllNew, commit, policy).await? {
            return Ok(receipt);
        }
        let told = self.commit_in(Way::Telling, commit, policy).await?;
        Ok(told.expect("this way suits all rows"))
    }

    /// Commits, writing log rows in one of the ways; `None` when that was the wrong one. Then
    /// nothing was done.
    async fn commit_in(
        &self,
        way: Way,
        commit: &PollCommit<'_>,
        policy: &LanePolicy,
    ) -> Result<Option<PollReceipt>, StoreError> {
        const OPERATION: &str = "commit a poll";
        let mut tx = self.begin(OPERATION).await?;
        let Some(written) = self.write_poll(&mut tx, way, commit, policy).await? else {
            return tx.rollback(OPERATION).await.map(|()| None);
        };
        self.commit(tx, OPERATION, &[Topic::Observed]).await?;
        Ok(Some(self.after_poll(commit, written)))
    }

    /// Writes a poll within a transaction; `None` when the way was the wrong one.
    pub(crate) async fn write_poll<'a>(
        &self,
        tx: &mut Tx,
        way: Way,
        commit: &PollCommit<'a>,
        policy: &LanePolicy,
    ) -> Result<Option<Written<'a>>, StoreError> {
        let log = commit.log.map(|page| self.still_new(page));
        let now = commit.finished_at;
        record_attempt(tx, commit).await?;
        let lanes = absorb_all(
            tx,
            commit.source,
            &commit.lanes,
            policy,
            commit.started_at,
            now,
        )
        .await?;
        record_cycles(tx, &lanes, &commit.lanes).await?;
        keep_ledger(tx, &lanes, &commit.lanes).await?;
        record_jobs(tx, commit).await?;
        let mut written = Written {
            tenant: self.tenant_of(tx, commit).await?,
            lanes,
            log,
            job_refs: JobRefs::new(),
            receipt: PollReceipt::default(),
        };
        if let Some(log) = &written.log {
            let stored = self.store_log(tx, &written.tenant, log, way, &mut written.receipt);
            match stored.await? {
                Some(refs) => written.job_refs = refs,
                None => return Ok(None),
            }
        }
        if let Some(page) = &commit.objects {
            take_objects(tx, &written.tenant, page).await?;
        }
        if let Some(page) = &commit.listed {
            take_listed(tx, &written.tenant, page).await?;
        }
        record_facts(tx, &written.tenant, &commit.facts, commit.started_at).await?;
        written.receipt.discovered = change_sources(tx, commit).await?;
        Ok(Some(written))
    }

    /// What follows from a poll once it is committed.
    pub(crate) fn after_poll(&self, commit: &PollCommit<'_>, written: Written<'_>) -> PollReceipt {
        if let Some(log) = &written.log {
            self.remember_log(&written.tenant, log, written.job_refs);
        }
        for (lane, update) in written.lanes.iter().zip(&commit.lanes) {
            if lane.before.is_none() {
                self.feed()
                    .publish(StoreEvent::LaneFound(update.key.clone()));
            }
        }
        written.receipt
    }

    /// The tenant of the polled source, where it is needed; asked once.
    async fn tenant_of(&self, tx: &mut Tx, commit: &PollCommit<'_>) -> Result<String, StoreError> {
        let needed = commit.log.is_some()
            || commit.objects.is_some()
            || commit.listed.is_some()
            || !commit.facts.is_empty();
        if !needed {
            return Ok(String::new());
        }
        if let Some(tenant) = self.known_tenant(commit.source) {
            return Ok(tenant);
        }
        let rows: Vec<(String,)> = fetch_in!(
            tx,
            "look at a source",
            sqlx::query_as("select tenant from source where id = $1").bind(commit.source.0)
        )?;
        let row = rows.into_iter().next().ok_or_else(|| StoreError::Row {
            table: "source",
            column: "id",
            found: commit.source.0.to_string(),
        })?;
        self.remember_tenant(commit.source, &row.0);
        Ok(row.0)
    }
}

/// A poll that is written and waits for the commit.
pub(crate) struct Written<'a> {
    tenant: String,
    lanes: Vec<Absorbed>,
    log: Option<NewLog<'a>>,
    job_refs: JobRefs,
    receipt: PollReceipt,
}

/// Adds and retires sources; gives those that were found.
async fn change_sources(
    tx: &mut Tx,
    commit: &PollCommit<'_>,
) -> Result<Vec<StoredSource>, StoreError> {
    let mut discovered = Vec::with_capacity(commit.discovered.len());
    for key in &commit.discovered {
        discovered.push(ensure_source(tx, key, commit.finished_at).await?);
    }
    for key in &commit.retired {
        retire_source(tx, key, "its configuration is gone").await?;
    }
    for key in &commit.unwatched {
        let reason = "the configuration of syncwatch does not ask for it";
        retire_source(tx, key, reason).await?;
    }
    Ok(discovered)
}

/// Whether others would wait long for the end of this commit.
fn is_long(commit: &PollCommit<'_>) -> bool {
    commit.log.is_some()
        || commit.objects.is_some()
        || commit.listed.is_some()
        || commit.lanes.len() > FEW
        || commit.jobs.len() > FEW
}

struct CycleRow<'a> {
    lane_id: i64,
    cycle: &'a syncwatch_domain::cycle::Cycle,
}

/// Writes the cycles that are new and counts them.
async fn record_cycles(
    tx: &mut Tx,
    lanes: &[Absorbed],
    updates: &[LaneUpdate],
) -> Result<(), StoreError> {
    let rows: Vec<CycleRow<'_>> = lanes
        .iter()
        .zip(updates)
        .flat_map(|(lane, update)| {
            update.cycles.iter().map(|cycle| CycleRow {
                lane_id: lane.after.id,
                cycle,
            })
        })
        .collect();
    for chunk in rows.chunks(CYCLE_CHUNK) {
        let fresh = insert_cycles(tx, chunk).await?;
        count_cycles(tx, &fresh).await?;
    }
    Ok(())
}

type FreshCycle = (i64, String, Option<i64>, i64);

async fn insert_cycles(tx: &mut Tx, rows: &[CycleRow<'_>]) -> Result<Vec<FreshCycle>, StoreError> {
    let sql = format!(
        "insert into cycle (lane_id, ended_at, began_at, outcome, evidence, exported, escrowed) values {} \
         on conflict (lane_id, ended_at) do nothing returning lane_id, outcome, began_at, ended_at",
        tx.places(rows.len(), 7)
    );
    fetch_in!(tx, "write cycles", {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone()));
        for row in rows {
            query = query
                .bind(row.lane_id)
                .bind(row.cycle.ended_at.as_millis())
                .bind(row.cycle.began_at.map(Timestamp::as_millis))
                .bind(row.cycle.outcome.as_str())
                .bind(row.cycle.evidence.as_str())
                .bind(row.cycle.exported)
                .bind(row.cycle.escrowed);
        }
        query.persistent(rows.len() <= FEW)
    })
}

async fn count_cycles(tx: &mut Tx, fresh: &[FreshCycle]) -> Result<(), StoreError> {
    let mut totals = std::collections::BTreeMap::<(i64, &str), (i64, i64, i64)>::new();
    for (lane, outcome, began_at, ended_at) in fresh {
        let total = totals.entry((*lane, outcome)).or_default();
        total.0 += 1;
        if let Some(began_at) = began_at {
            total.1 += 1;
            total.2 += (ended_at - began_at).max(0);
        }
    }
    if totals.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into cycle_total (lane_id, outcome, count, timed, duration_ms) values {} \
         on conflict (lane_id, outcome) do update set count = cycle_total.count + excluded.count, \
         timed = cycle_total.timed + excluded.timed, duration_ms = cycle_total.duration_ms + excluded.duration_ms",
        tx.places(totals.len(), 5)
    );
    execute!(tx, "count cycles", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for ((lane, outcome), (count, timed, duration)) in &totals {
            query = query
                .bind(*lane)
                .bind(*outcome)
                .bind(*count)
                .bind(*timed)
                .bind(*duration);
        }
        query.persistent(totals.len() == 1)
    })?;
    Ok(())
}

/// Closes what successes ended and enters what logs show.
async fn keep_ledger(
    tx: &mut Tx,
    lanes: &[Absorbed],
    updates: &[LaneUpdate],
) -> Result<(), StoreError> {
    for (lane, update) in lanes.iter().zip(updates) {
        if let Some(before) = &lane.before
            && before.status != "on_time"
            && lane.after.last_success_at > before.last_success_at
        {
            let successes: Vec<i64> = update
                .cycles
                .iter()
                .filter(|cycle| cycle.outcome.keeps_cadence())
                .map(|cycle| cycle.ended_at.as_millis())
                .collect();
            close_ledger(tx, before, &lane.after, &successes).await?;
        }
        if let Some(span) = update.gaps_between {
            enter_gaps(tx, &lane.after, span).await?;
        }
    }
    Ok(())
}

async fn record_jobs(tx: &mut Tx, commit: &PollCommit<'_>) -> Result<(), StoreError> {
    let (source, jobs, complete) = (commit.source, &commit.jobs, commit.jobs_complete);
    if jobs.is_empty() && !complete {
        return Ok(());
    }
    let mut known = if complete {
        known_jobs(tx, source).await?
    } else {
        HashMap::new()
    };
    for job in jobs {
        let before = if complete {
            known.remove(&job.job_id)
        } else {
            known_job(tx, job).await?
        };
        let same = before.as_ref().is_some_and(|(facts, gone)| {
            *gone == 0
                && serde_json::from_str::<Job>(facts).is_ok_and(|before| {
                    // A list may end after a job was read alone that it read before.
                    before.lasting() == job.lasting()
                        || overtakes(before.read_at, job.read_at, commit.finished_at)
                })
        });
        if !same {
            write_job(tx, source, job).await?;
        }
    }
    for (job_id, (_, gone)) in known {
        if gone == 0 {
            mark_gone(tx, source, &job_id).await?;
        }
    }
    Ok(())
}

/// A job's facts as stored, and whether it was gone.
type KnownJob = (String, i64);

/// All jobs of a source, by id.
async fn known_jobs(
    tx: &mut Tx,
    source: SourceId,
) -> Result<HashMap<String, KnownJob>, StoreError> {
    let rows: Vec<(String, String, i64)> = fetch_in!(
        tx,
        "load jobs",
        sqlx::query_as("select job_id, facts, gone from job where source_id = $1").bind(source.0)
    )?;
    Ok(rows
        .into_iter()
        .map(|(id, facts, gone)| (id, (facts, gone)))
        .collect())
}

/// One job: when few were asked for, their source may have a thousand others.
async fn known_job(tx: &mut Tx, job: &Job) -> Result<Option<KnownJob>, StoreError> {
    let rows: Vec<KnownJob> = fetch_in!(
        tx,
        "load a job",
        sqlx::query_as("select facts, gone from job where tenant = $1 and job_id = $2")
            .bind(job.tenant.as_str())
            .bind(job.job_id.as_str())
    )?;
    Ok(rows.into_iter().next())
}

/// A job that is no longer listed; its lanes are not expected to run.
async fn mark_gone(tx: &mut Tx, source: SourceId, job_id: &str) -> Result<(), StoreError> {
    execute!(
        tx,
        "mark a job gone",
        sqlx::query("update job set gone = 1, unseen = 1, version = version + 1 where source_id = $1 and job_id = $2")
            .bind(source.0)
            .bind(job_id)
    )?;
    execute!(
        tx,
        "pause the lanes of a job",
        sqlx::query(
            "update lane set idle = 'paused', idle_reason = 'its job is gone', late_at = null, deadline_at = null, \
             due_at = 0, version = version + 1 where source_id = $1 and job_id = $2 and coalesce(idle, '') <> 'paused'"
        )
        .bind(source.0)
        .bind(job_id)
    )?;
    Ok(())
}

async fn write_job(tx: &mut Tx, source: SourceId, job: &Job) -> Result<(), StoreError> {
    let facts = serde_json::to_string(job).during("write a job")?;
    execute!(
        tx,
        "write a job",
        sqlx::query(
            "insert into job (tenant, job_id, source_id, template, domain, status, facts) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant, job_id) do update set \
             source_id = excluded.source_id, template = excluded.template, domain = excluded.domain, \
             status = excluded.status, facts = excluded.facts, gone = 0, unseen = 1, version = job.version + 1"
        )
        .bind(job.tenant.as_str())
        .bind(job.job_id.as_str())
        .bind(source.0)
        .bind(job.template.as_str())
        .bind(job.domain.as_str())
        .bind(job.status.as_str())
        .bind(facts.as_str())
    )?;
    Ok(())
}

async fn record_facts(
    tx: &mut Tx,
    tenant: &str,
    facts: &[Fact],
    read_at: Timestamp,
) -> Result<(), StoreError> {
    for fact in facts {
        execute!(
            tx,
            "write a fact",
            sqlx::query(
                "insert into fact (tenant, name, value, read_at) values ($1, $2, $3, $4) \
                 on conflict (tenant, name) do update set read_at = excluded.read_at, \
                 unseen = case when fact.value <> excluded.value then 1 else fact.unseen end, \
                 value = excluded.value where fact.read_at <= excluded.read_at"
            )
            .bind(tenant)
            .bind(fact.name.as_str())
            .bind(fact.value.to_string())
            .bind(read_at.as_millis())
        )?;
    }
    Ok(())
}
