//! Agents: how far their spools have come home, and what they brought.

use sqlx::AssertSqlSafe;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::report::{AgentIdentity, Record};
use syncwatch_domain::time::Timestamp;

use crate::codec::{CURRENT, Packer, unpack};
use crate::error::{During, StoreError};
use crate::feed::Topic;
use crate::log_write::Way;
use crate::model::{AgentRecord, ReportCommit, SpoolProgress, StoredAgent};
use crate::pools::{Tx, execute, fetch, fetch_in};
use crate::store::Store;

/// Records per insert statement.
const CHUNK: usize = 100;
/// As many as an agent that is up to date sends at a time; nobody waits long for their commit.
const FEW: usize = 16;

/// A record as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    /// The spool it came from.
    pub spool: String,
    /// When it was read, the clock of its server corrected.
    pub read_at: Timestamp,
    /// The record as it came.
    pub record: Record,
}

#[derive(sqlx::FromRow)]
struct AgentRow {
    tenant: String,
    identity: String,
    first_seen_at: i64,
    reported_at: i64,
    clock_ahead_ms: i64,
    spool: Option<String>,
    acknowledged: Option<i64>,
    waiting: Option<i64>,
    lost: Option<i64>,
}

impl TryFrom<AgentRow> for StoredAgent {
    type Error = StoreError;

    fn try_from(row: AgentRow) -> Result<Self, StoreError> {
        let number = |number: Option<i64>| number.unwrap_or_default().unsigned_abs();
        Ok(Self {
            tenant: row.tenant,
            identity: serde_json::from_str(&row.identity).during("read an agent")?,
            first_seen_at: Timestamp::from_millis(row.first_seen_at),
            reported_at: Timestamp::from_millis(row.reported_at),
            clock_ahead_ms: row.clock_ahead_ms,
            spool: row.spool.map(|spool| SpoolProgress {
                spool,
                acknowledged: number(row.acknowledged),
                waiting: number(row.waiting),
                lost: number(row.lost),
            }),
        })
    }
}

impl Store {
    /// How far a spool has come home: every record up to this number is committed. Zero for one
    /// that is not known.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn acknowledged(
        &self,
        tenant: &str,
        agent_id: &str,
        spool: &str,
    ) -> Result<u64, StoreError> {
        let rows: Vec<(i64,)> = fetch!(
            self,
            "look how far a spool has come",
            sqlx::query_as(
                "select s.acknowledged from agent_spool s join agent a on a.id = s.agent_ref \
                 where a.tenant = $1 and a.agent_id = $2 and s.spool = $3"
            )
            .bind(tenant)
            .bind(agent_id)
            .bind(spool)
        )?;
        Ok(rows.first().map_or(0, |row| row.0.unsigned_abs()))
    }

    /// All agents, or those of one tenant.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn agents(&self, tenant: Option<&str>) -> Result<Vec<StoredAgent>, StoreError> {
        let rows: Vec<AgentRow> = fetch!(
            self,
            "list agents",
            sqlx::query_as(
                "select a.tenant, a.identity, a.first_seen_at, a.reported_at, a.clock_ahead_ms, \
                 s.spool, s.acknowledged, s.waiting, \
                 (select cast(sum(one.lost) as bigint) from agent_spool one where one.agent_ref = a.id) as lost \
                 from agent a left join agent_spool s on s.id = \
                 (select max(one.id) from agent_spool one where one.agent_ref = a.id) \
                 where a.tenant = $1 or $1 = '' order by a.tenant, a.host, a.agent_id"
            )
            .bind(tenant.unwrap_or_default())
        )?;
        rows.into_iter().map(StoredAgent::try_from).collect()
    }

    /// The newest records of an agent's section, newest first.
    ///
    /// # Errors
    /// When the database refuses or a record cannot be unpacked.
    pub async fn agent_records(
        &self,
        tenant: &str,
        agent_id: &str,
        section: &str,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        type Row = (String, i64, i16, Vec<u8>);
        let rows: Vec<Row> = fetch!(
            self,
            "list records of an agent",
            sqlx::query_as(
                "select s.spool, r.read_at, r.dictionary, r.raw from agent_record r \
                 join agent_spool s on s.id = r.spool_ref join agent a on a.id = s.agent_ref \
                 where a.tenant = $1 and a.agent_id = $2 and r.section = $3 \
                 order by r.read_at desc, r.seq desc limit $4"
            )
            .bind(tenant)
            .bind(agent_id)
            .bind(section)
            .bind(i64::from(limit))
        )?;
        rows.into_iter()
            .map(|(spool, read_at, dictionary, raw)| {
                let raw = unpack(dictionary, &raw)?;
                Ok(StoredRecord {
                    spool,
                    read_at: Timestamp::from_millis(read_at),
                    record: serde_json::from_slice(&raw).during("read a record")?,
                })
            })
            .collect()
    }

    /// How many records of agents are kept.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn agent_record_count(&self) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = fetch!(
            self,
            "count records of agents",
            sqlx::query_as("select count(*) from agent_record")
        )?;
        Ok(rows.first().map_or(0, |row| row.0))
    }

    /// Commits a batch of an agent with what was learned from it. All or nothing; evaluators wake
    /// after it. `false` when the spool had come further meanwhile: then nothing was done, look at
    /// the batch again.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the batch is kept.
    pub async fn commit_report(
        &self,
        report: &ReportCommit<'_>,
        policy: &LanePolicy,
    ) -> Result<bool, StoreError> {
        const OPERATION: &str = "commit a report";
        let _turn = if report.records.len() > FEW {
            self.pools()?.long_turn().await
        } else {
            None
        };
        let packed = pack(&report.records)?;
        let mut tx = self.begin(OPERATION).await?;
        let agent = write_agent(&mut tx, report).await?;
        let Some(spool) = advance(&mut tx, agent, report).await? else {
            return tx.rollback(OPERATION).await.map(|()| false);
        };
        for (records, packed) in report.records.chunks(CHUNK).zip(packed.chunks(CHUNK)) {
            insert_records(&mut tx, spool, records, packed).await?;
        }
        let mut written = Vec::with_capacity(report.polls.len());
        for poll in &report.polls {
            // Polls of agents bring no pages of a log, so every way is the right one.
            if let Some(poll) = self.write_poll(&mut tx, Way::Telling, poll, policy).await? {
                written.push(poll);
            }
        }
        self.commit(tx, OPERATION, &[Topic::Observed]).await?;
        for (poll, written) in report.polls.iter().zip(written) {
            self.after_poll(poll, written);
        }
        Ok(true)
    }
}

fn pack(records: &[AgentRecord<'_>]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut packer = Packer::new()?;
    records
        .iter()
        .map(|record| {
            let raw = serde_json::to_vec(record.record).during("write a record")?;
            let mut packed = Vec::new();
            packer.pack_into(&raw, &mut packed)?;
            Ok(packed)
        })
        .collect()
}

/// The agent's row, brought up to date. What a batch that was held up says about the agent is
/// older than what is known.
async fn write_agent(tx: &mut Tx, report: &ReportCommit<'_>) -> Result<i64, StoreError> {
    let AgentIdentity { id, host, .. } = report.agent;
    let identity = serde_json::to_string(report.agent).during("write an agent")?;
    let rows: Vec<(i64,)> = fetch_in!(
        tx,
        "write an agent",
        sqlx::query_as(
            "insert into agent (tenant, agent_id, host, identity, first_seen_at, reported_at, clock_ahead_ms) \
             values ($1, $2, $3, $4, $5, $5, $6) on conflict (tenant, agent_id) do update set \
             host = excluded.host, identity = excluded.identity, clock_ahead_ms = excluded.clock_ahead_ms, \
             reported_at = case when agent.reported_at > excluded.reported_at \
             then agent.reported_at else excluded.reported_at end returning id"
        )
        .bind(report.tenant)
        .bind(id.as_str())
        .bind(host.as_str())
        .bind(identity.as_str())
        .bind(report.received_at.as_millis())
        .bind(report.clock_ahead_ms)
    )?;
    number(&rows, "agent", id)
}

/// Moves the spool on, if it is where the batch was looked at.
async fn advance(
    tx: &mut Tx,
    agent: i64,
    report: &ReportCommit<'_>,
) -> Result<Option<i64>, StoreError> {
    let (from, to) = (signed(report.acknowledged), signed(report.acknowledges));
    let rows: Vec<(i64,)> = fetch_in!(
        tx,
        "move a spool on",
        sqlx::query_as(
            "insert into agent_spool (agent_ref, spool, acknowledged, waiting, lost) values ($1, $2, 0, 0, 0) \
             on conflict (agent_ref, spool) do update set acknowledged = agent_spool.acknowledged returning id"
        )
        .bind(agent)
        .bind(report.spool)
    )?;
    let spool = number(&rows, "agent_spool", report.spool)?;
    let moved = execute!(
        tx,
        "move a spool on",
        sqlx::query(
            "update agent_spool set acknowledged = $3, waiting = $4, lost = lost + $5 \
             where id = $1 and acknowledged = $2"
        )
        .bind(spool)
        .bind(from)
        .bind(to)
        .bind(signed(report.waiting))
        .bind(signed(report.lost))
    )?;
    Ok((moved == 1).then_some(spool))
}

async fn insert_records(
    tx: &mut Tx,
    spool: i64,
    records: &[AgentRecord<'_>],
    packed: &[Vec<u8>],
) -> Result<(), StoreError> {
    let sql = format!(
        "insert into agent_record (spool_ref, seq, section, read_at, outcome, dictionary, raw) values {}",
        tx.places(records.len(), 7)
    );
    execute!(tx, "write records of an agent", {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for (record, packed) in records.iter().zip(packed) {
            query = query
                .bind(spool)
                .bind(signed(record.record.seq))
                .bind(record.record.section.as_str())
                .bind(record.read_at.as_millis())
                .bind(record.record.outcome.as_str())
                .bind(CURRENT)
                .bind(packed.as_slice());
        }
        query.persistent(false)
    })?;
    Ok(())
}

/// Numbers of records fit: a batch with larger ones is refused before.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(rows: &[(i64,)], table: &'static str, found: &str) -> Result<i64, StoreError> {
    let missing = || StoreError::Row {
        table,
        column: "id",
        found: found.to_owned(),
    };
    rows.first().map(|row| row.0).ok_or_else(missing)
}
