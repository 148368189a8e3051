//! Sources: what is polled, and how the last attempts went.

use syncwatch_domain::lane::LaneKey;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey, SourceState};
use syncwatch_domain::time::{Timestamp, millis};

use crate::error::{StoreError, word};
use crate::model::{CrossingLane, PollCommit, PollOutcome, SourceId, StoredSource};
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

#[derive(sqlx::FromRow)]
pub(crate) struct SourceRow {
    id: i64,
    tenant: String,
    poll: String,
    instance: String,
    first_seen_at: i64,
    attempted_at: Option<i64>,
    read_at: Option<i64>,
    failing_since: Option<i64>,
    failures: i64,
    failure: Option<String>,
    failure_text: Option<String>,
    took_ms: Option<i64>,
    retired: i64,
    resume: Option<String>,
}

impl TryFrom<SourceRow> for StoredSource {
    type Error = StoreError;

    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        let failure = row
            .failure
            .as_deref()
            .map(|text| word(ReadFailure::from_word, text, "source", "failure"))
            .transpose()?;
        Ok(Self {
            id: SourceId(row.id),
            state: SourceState {
                key: SourceKey {
                    tenant: row.tenant,
                    poll: word(Poll::from_word, &row.poll, "source", "poll")?,
                    instance: row.instance,
                },
                first_seen_at: Timestamp::from_millis(row.first_seen_at),
                attempted_at: row.attempted_at.map(Timestamp::from_millis),
                read_at: row.read_at.map(Timestamp::from_millis),
                failing_since: row.failing_since.map(Timestamp::from_millis),
                failures: row.failures,
                failure,
                failure_text: row.failure_text,
                took_ms: row.took_ms,
                retired: row.retired != 0,
            },
            resume: row.resume,
        })
    }
}

impl Store {
    /// The source with this key; made when it is new, revived when it was retired.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn ensure_source(
        &self,
        key: &SourceKey,
        now: Timestamp,
    ) -> Result<StoredSource, StoreError> {
        if let Some(known) = self.known_source(key).await? {
            return Ok(known);
        }
        let mut tx = self.begin("add a source").await?;
        let source = ensure_source(&mut tx, key, now).await?;
        self.commit(tx, "add a source", &[]).await?;
        Ok(source)
    }

    /// The source with this key, unless it is new or retired.
    async fn known_source(&self, key: &SourceKey) -> Result<Option<StoredSource>, StoreError> {
        let sources = self.sources(Some(&key.tenant)).await?;
        Ok(sources.into_iter().find(|source| source.state.key == *key))
    }

    /// All sources that are not retired, of one tenant or of all.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn sources(&self, tenant: Option<&str>) -> Result<Vec<StoredSource>, StoreError> {
        let rows: Vec<SourceRow> = fetch!(
            self,
            "list sources",
            sqlx::query_as(
                "select s.id, s.tenant, s.poll, s.instance, s.first_seen_at, s.attempted_at, s.read_at, \
                 s.failing_since, s.failures, s.failure, s.failure_text, s.took_ms, s.retired, s.resume \
                 from source s where s.retired = 0 and (s.tenant = $1 or $1 = '') order by s.id"
            )
            .bind(tenant.unwrap_or_default())
        )?;
        rows.into_iter().map(StoredSource::try_from).collect()
    }

    /// When a source was last read; the outer `None` for one that is not polled any more.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn last_read(
        &self,
        key: &SourceKey,
    ) -> Result<Option<Option<Timestamp>>, StoreError> {
        let rows: Vec<(Option<i64>,)> = fetch!(
            self,
            "look when a source was read",
            sqlx::query_as(
                "select read_at from source \
                 where tenant = $1 and poll = $2 and instance = $3 and retired = 0"
            )
            .bind(key.tenant.as_str())
            .bind(key.poll.as_str())
            .bind(key.instance.as_str())
        )?;
        Ok(rows.first().map(|row| row.0.map(Timestamp::from_millis)))
    }

    /// The nearest instant after `after` at which a lane of the source turns late or closes its
    /// window: the moment for a read that proves or refutes it.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn next_lane_instant(
        &self,
        source: SourceId,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let rows: Vec<(Option<i64>,)> = fetch!(
            self,
            "find the next due lane of a source",
            sqlx::query_as(
                "select min(late_at) from lane where source_id = $1 and late_at > $2 \
                 union all \
                 select min(deadline_at) from lane where source_id = $1 and deadline_at > $2"
            )
            .bind(source.0)
            .bind(after.as_millis())
        )?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.0)
            .min()
            .map(Timestamp::from_millis))
    }

    /// The lanes of the source that turn late or close their window in (`after`, `until`]
    /// and were not read alone since.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn lanes_crossing(
        &self,
        source: SourceId,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<CrossingLane>, StoreError> {
        type Row = (String, String, String, String, Option<String>);
        let rows: Vec<Row> = fetch!(
            self,
            "list the due lanes of a source",
            sqlx::query_as(
                "select tenant, engine, kind, partition, job_id from lane where source_id = $1 and id in ( \
                 select id from lane where source_id = $1 and late_at > $2 and late_at <= $3 \
                 and coalesce(confirmed_at, 0) < late_at \
                 union select id from lane where source_id = $1 and deadline_at > $2 and deadline_at <= $3 \
                 and coalesce(confirmed_at, 0) < deadline_at)"
            )
            .bind(source.0)
            .bind(after.as_millis())
            .bind(until.as_millis())
        )?;
        rows.into_iter()
            .map(|(tenant, engine, kind, partition, job_id)| {
                Ok(CrossingLane {
                    key: lane_key(tenant, &engine, &kind, partition)?,
                    job_id,
                })
            })
            .collect()
    }
}

/// Reads a lane's key from its columns.
pub(crate) fn lane_key(
    tenant: String,
    engine: &str,
    kind: &str,
    partition: String,
) -> Result<LaneKey, StoreError> {
    use syncwatch_domain::lane::{Engine, LaneKind};
    Ok(LaneKey {
        tenant,
        engine: word(Engine::from_word, engine, "lane", "engine")?,
        kind: word(LaneKind::from_word, kind, "lane", "kind")?,
        partition,
    })
}

pub(crate) async fn ensure_source(
    tx: &mut Tx,
    key: &SourceKey,
    now: Timestamp,
) -> Result<StoredSource, StoreError> {
    let rows: Vec<SourceRow> = fetch_in!(
        tx,
        "add a source",
        sqlx::query_as(
            "insert into source (tenant, poll, instance, first_seen_at) values ($1, $2, $3, $4) \
             on conflict (tenant, poll, instance) do update set retired = 0 \
             returning id, tenant, poll, instance, first_seen_at, attempted_at, read_at, failing_since, \
             failures, failure, failure_text, took_ms, retired, resume"
        )
        .bind(key.tenant.as_str())
        .bind(key.poll.as_str())
        .bind(key.instance.as_str())
        .bind(now.as_millis())
    )?;
    let row = rows.into_iter().next().ok_or(StoreError::Row {
        table: "source",
        column: "id",
        found: String::new(),
    })?;
    row.try_into()
}

/// A source that is gone is never polled again; its lanes are not expected to run, for `reason`,
/// and its jobs are gone too.
pub(crate) async fn retire_source(
    tx: &mut Tx,
    key: &SourceKey,
    reason: &str,
) -> Result<(), StoreError> {
    execute!(
        tx,
        "retire a source",
        sqlx::query(
            "update source set retired = 1, unseen = 1, failing_since = null, failure = null, failure_text = null \
             where tenant = $1 and poll = $2 and instance = $3 and retired = 0"
        )
        .bind(key.tenant.as_str())
        .bind(key.poll.as_str())
        .bind(key.instance.as_str())
    )?;
    execute!(
        tx,
        "retire the lanes of a source",
        sqlx::query(
            "update lane set idle = 'paused', idle_reason = $4, late_at = null, \
             deadline_at = null, due_at = 0, version = version + 1 where coalesce(idle, '') <> 'paused' and source_id in \
             (select id from source where tenant = $1 and poll = $2 and instance = $3)"
        )
        .bind(key.tenant.as_str())
        .bind(key.poll.as_str())
        .bind(key.instance.as_str())
        .bind(reason)
    )?;
    execute!(
        tx,
        "retire the jobs of a source",
        sqlx::query(
            "update job set gone = 1, unseen = 1, version = version + 1 where gone = 0 and source_id in \
             (select id from source where tenant = $1 and poll = $2 and instance = $3)"
        )
        .bind(key.tenant.as_str())
        .bind(key.poll.as_str())
        .bind(key.instance.as_str())
    )?;
    Ok(())
}

/// Writes down how a poll ended.
pub(crate) async fn record_attempt(tx: &mut Tx, commit: &PollCommit<'_>) -> Result<(), StoreError> {
    match &commit.outcome {
        PollOutcome::Read => record_read(tx, commit).await,
        PollOutcome::Partial => record_place(tx, commit).await,
        PollOutcome::Failed { failure, text } => record_failure(tx, commit, *failure, text).await,
    }
}

/// A part of a read tells where to go on, and nothing of the read itself.
async fn record_place(tx: &mut Tx, commit: &PollCommit<'_>) -> Result<(), StoreError> {
    let Some(resume) = &commit.resume else {
        return Ok(());
    };
    execute!(
        tx,
        "record where a read goes on",
        sqlx::query("update source set resume = $2 where id = $1")
            .bind(commit.source.0)
            .bind(resume.as_str())
    )?;
    Ok(())
}

async fn record_read(tx: &mut Tx, commit: &PollCommit<'_>) -> Result<(), StoreError> {
    let took = millis(commit.finished_at.since(commit.started_at));
    execute!(
        tx,
        "record a read",
        sqlx::query(
            "update source set attempted_at = $2, took_ms = $3, \
             read_at = case when read_at is null or read_at < $2 then $2 else read_at end, \
             unseen = case when read_at is null or failing_since is not null or failure is not null \
             then 1 else unseen end, \
             failing_since = null, failures = 0, failure = null, failure_text = null, \
             resume = coalesce($4, resume) where id = $1"
        )
        .bind(commit.source.0)
        .bind(commit.started_at.as_millis())
        .bind(took)
        .bind(commit.resume.as_deref())
    )?;
    Ok(())
}

async fn record_failure(
    tx: &mut Tx,
    commit: &PollCommit<'_>,
    failure: ReadFailure,
    text: &str,
) -> Result<(), StoreError> {
    let took = millis(commit.finished_at.since(commit.started_at));
    execute!(
        tx,
        "record a failed read",
        sqlx::query(
            "update source set attempted_at = $2, took_ms = $3, \
             unseen = case when failing_since is null or coalesce(failure, '') <> $4 then 1 else unseen end, \
             failing_since = coalesce(failing_since, $2), failures = failures + 1, \
             failure = $4, failure_text = $5, resume = coalesce($6, resume) where id = $1"
        )
        .bind(commit.source.0)
        .bind(commit.started_at.as_millis())
        .bind(took)
        .bind(failure.as_str())
        .bind(text)
        .bind(commit.resume.as_deref())
    )?;
    Ok(())
}
