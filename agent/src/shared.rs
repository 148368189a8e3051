//! What the parts of a running agent have in common.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use syncwatch_domain::report::{
    AgentIdentity, Answer, Batch, Elapsed, MOST_BYTES, MOST_RECORDS, Outcome, Record, SCHEMA,
    SectionFailure,
};
use syncwatch_domain::time::Timestamp;
use tokio::sync::Notify;

use crate::count::Times;
use crate::spool::{Chunk, Limits, Spool, SpoolError};

/// A batch is about this long at most: far below what may be sent, so that little is in memory. A
/// record that is longer travels alone.
pub(crate) const BATCH_BYTES: usize = MOST_BYTES / 4;
/// No more names than this are looked up.
pub(crate) const MOST_WISHES: usize = 1000;
/// No name is longer, in bytes.
const LONGEST_WISH: usize = 4096;

/// What the parts have in common.
#[derive(Debug)]
pub struct Shared {
    /// The two clocks.
    pub times: Times,
    spool: Mutex<Spool>,
    agent: Mutex<AgentIdentity>,
    wishes: Mutex<Arc<[String]>>,
    /// Woken when a record was written.
    pub(crate) written: Notify,
    /// Woken when the service wishes something else.
    pub(crate) wished: Notify,
}

/// A batch as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The batch as JSON.
    pub body: Vec<u8>,
    /// The records in it; `None` when there are none.
    pub chunk: Option<Chunk>,
}

/// What an answer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Records were forgotten up to this number.
    Acknowledged(u64),
    /// It speaks of another spool.
    OtherSpool,
    /// It names records that were never written: this spool was restored from an older copy, and
    /// has got a new name.
    Renamed,
    /// It is in a format that this build does not know.
    NewerSchema(u32),
}

impl Shared {
    /// What a run begins with.
    #[must_use]
    pub fn new(times: Times, agent: AgentIdentity, spool: Spool) -> Self {
        Self {
            times,
            spool: Mutex::new(spool),
            agent: Mutex::new(agent),
            wishes: Mutex::new(Arc::from([])),
            written: Notify::new(),
            wished: Notify::new(),
        }
    }

    /// Does something with the spool.
    pub fn with_spool<T>(&self, act: impl FnOnce(&mut Spool) -> T) -> T {
        act(&mut self.spool.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is known of the agent.
    pub(crate) fn with_agent<T>(&self, act: impl FnOnce(&mut AgentIdentity) -> T) -> T {
        act(&mut self.agent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The containers that the service wants to know about.
    #[must_use]
    pub fn wishes(&self) -> Arc<[String]> {
        Arc::clone(&self.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The batch with the records behind a number, of about so many bytes at most.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn parcel(&self, after: u64, most_bytes: usize) -> Result<Parcel, SpoolError> {
        let agent = self.with_agent(|agent| agent.clone());
        self.with_spool(|spool| {
            let empty = Batch {
                schema: SCHEMA,
                agent,
                sent_at: self.times.now(),
                elapsed: self.times.mark(),
                spool: spool.state(),
                records: Vec::new(),
            };
            let mut body = serde_json::to_vec(&empty).map_err(SpoolError::Write)?;
            // The list of records stands last: they come from the disk as they are.
            let end = body.split_off(body.len() - 2);
            let limits = Limits {
                records: MOST_RECORDS,
                bytes: most_bytes.saturating_sub(body.len() + end.len()),
            };
            let chunk = spool.read(after, limits, &mut body)?;
            body.extend_from_slice(&end);
            Ok(Parcel { body, chunk })
        })
    }

    /// The batch with the oldest record as one that was given up: with its number and its times, and
    /// in place of what was read how long it was. The service sees what is missing, and what comes
    /// behind it gets its turn.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub(crate) fn given_up(&self) -> Result<Parcel, SpoolError> {
        let agent = self.with_agent(|agent| agent.clone());
        self.with_spool(|spool| {
            let mut text = Vec::new();
            let alone = Limits {
                records: 1,
                bytes: 0,
            };
            let chunk = spool.read(0, alone, &mut text)?;
            let records = match chunk {
                Some(_) => vec![given_up(&text).map_err(SpoolError::Write)?],
                None => Vec::new(),
            };
            let batch = Batch {
                schema: SCHEMA,
                agent,
                sent_at: self.times.now(),
                elapsed: self.times.mark(),
                spool: spool.state(),
                records,
            };
            let body = serde_json::to_vec(&batch).map_err(SpoolError::Write)?;
            Ok(Parcel { body, chunk })
        })
    }

    /// Does what an answer says.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub fn hear(&self, answer: &Answer) -> Result<Heard, SpoolError> {
        if answer.schema > SCHEMA {
            return Ok(Heard::NewerSchema(answer.schema));
        }
        self.wish(&answer.wishes.containers);
        self.with_spool(|spool| {
            if answer.spool.as_deref() != Some(spool.id()) {
                return Ok(Heard::OtherSpool);
            }
            match spool.acknowledge(answer.acknowledged) {
                Ok(()) => Ok(Heard::Acknowledged(answer.acknowledged)),
                Err(SpoolError::Ahead { number, newest }) => {
                    spool.rename()?;
                    tracing::warn!(
                        number,
                        newest,
                        "the service has records that this spool never wrote: it seems to be an older copy, and got a new name"
                    );
                    Ok(Heard::Renamed)
                }
                Err(error) => Err(error),
            }
        })
    }

    fn wish(&self, containers: &[String]) {
        let wanted = containers.iter().filter(|name| name.len() <= LONGEST_WISH);
        let wanted: Arc<[String]> = wanted.take(MOST_WISHES).cloned().collect();
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        if *wishes != wanted {
            *wishes = wanted;
            drop(wishes);
            self.wished.notify_one();
        }
    }
}

/// A record that nobody takes, without what was read: that is passed over and never in memory as
/// values.
fn given_up(record: &[u8]) -> Result<Record, serde_json::Error> {
    #[derive(Deserialize)]
    struct Head {
        seq: u64,
        section: String,
        collected_at: Timestamp,
        elapsed: Elapsed,
        #[serde(default)]
        took_ms: u64,
        #[serde(default)]
        utc_offset_minutes: Option<i32>,
    }
    let head: Head = serde_json::from_slice(record)?;
    let bytes = record.len();
    Ok(Record {
        seq: head.seq,
        section: head.section,
        collected_at: head.collected_at,
        elapsed: head.elapsed,
        took_ms: head.took_ms,
        utc_offset_minutes: head.utc_offset_minutes,
        outcome: Outcome::Failed,
        failure: Some(SectionFailure::TooLarge),
        failure_text: Some(format!(
            "too large to bring home ({bytes} bytes): somebody between the agent and syncwatch takes no report of this size"
        )),
        data: Vec::new(),
    })
}
