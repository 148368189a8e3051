//! What the records of a batch mean, section by section.
//!
//! All records of a section are taken in order and become one poll, so that a batch which was held
//! up for hours costs no more than a short one. Where the server went into staging mode or out of
//! it on the way, what was read before is understood as that of the server it was then
//! (`spans.rs`). Instants of the server's clock are corrected first.

mod connectors;
mod events;
mod known;
mod lanes;
mod password_sync;
mod runs;
mod scheduler;
mod small;
mod spans;

use std::collections::BTreeMap;

use syncwatch_domain::report::forms::{Forms, ShapeError};
use syncwatch_domain::report::{Batch, Correction, Gap, Outcome, Record, Section, SectionFailure};
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::sync_server::{Agent, LostRecords, Part};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{AgentRecord, Fact, LaneUpdate, PollCommit, PollOutcome, SourceId};

pub(super) use self::known::Known;
use super::access::Who;
use crate::http::cut;

/// What is read before the rest, because the rest is understood with it.
const FIRST: [Section; 2] = [Section::Scheduler, Section::Events];

/// A reason is shown up to this length, in characters.
const LONGEST_REASON: usize = 500;

/// A record that was read, with its instants corrected.
struct Reading<'a> {
    record: &'a Record,
    /// When it was read.
    at: Timestamp,
    /// When the reading began: what it is sure to cover.
    began_at: Timestamp,
    correction: Correction,
}

impl Reading<'_> {
    fn forms(&self) -> Forms {
        Forms::of(self.record)
    }

    /// An instant of the server's clock as a true one.
    fn true_time(&self, at: Timestamp) -> Timestamp {
        self.correction.apply(at)
    }
}

/// What a batch says about one section.
pub(super) struct Lesson {
    pub(super) section: String,
    learned: Option<Learned>,
    failed: Option<Failed>,
}

/// What the readings of a section add up to.
#[derive(Default)]
struct Learned {
    /// Start of the newest reading.
    began_at: Timestamp,
    lanes: Vec<LaneUpdate>,
    facts: Vec<Fact>,
}

impl Learned {
    /// A reading that has said nothing yet.
    fn of(reading: &Reading<'_>) -> Self {
        Self {
            began_at: reading.began_at,
            ..Self::default()
        }
    }
}

/// The newest reading of a section failed.
struct Failed {
    at: Timestamp,
    failure: ReadFailure,
    text: String,
}

impl Lesson {
    /// As polls of the section's source: what was read, then what failed.
    pub(super) fn into_polls(
        self,
        source: SourceId,
        received_at: Timestamp,
    ) -> Vec<PollCommit<'static>> {
        let mut polls = Vec::new();
        if let Some(learned) = self.learned {
            let began_at = learned.began_at.min(received_at);
            let mut poll = PollCommit::bare(source, began_at, received_at, PollOutcome::Read);
            poll.lanes = learned.lanes;
            poll.facts = learned.facts;
            polls.push(poll);
        }
        if let Some(Failed { at, failure, text }) = self.failed {
            let outcome = PollOutcome::Failed { failure, text };
            let at = at.min(received_at);
            polls.push(PollCommit::bare(source, at, received_at, outcome));
        }
        polls
    }
}

/// What the agent itself is known to be, after this batch.
pub(super) fn agent(
    batch: &Batch,
    acknowledged: u64,
    known: &mut Known,
    correction: Correction,
) -> Fact {
    let before: Option<Agent> = known.part(Part::Agent);
    let lost = lost(batch, acknowledged, correction);
    let agent = Agent {
        host: batch.agent.host.clone(),
        version: batch.agent.version.clone(),
        system: batch.agent.system.clone(),
        roles: batch.agent.roles.clone(),
        clock_ahead_ms: correction.ahead_ms(),
        newest_gap: lost.or_else(|| before.and_then(|before| before.newest_gap)),
    };
    known.learn(Part::Agent, &agent)
}

/// The newest records that never came home: dropped on the server, or given up on the way.
fn lost(batch: &Batch, acknowledged: u64, correction: Correction) -> Option<LostRecords> {
    let dropped = dropped(batch, acknowledged, correction);
    let given_up = given_up(batch, acknowledged, correction);
    dropped
        .into_iter()
        .chain(given_up)
        .max_by_key(|lost| lost.to)
}

fn dropped(batch: &Batch, acknowledged: u64, correction: Correction) -> Option<LostRecords> {
    let newest = batch
        .spool
        .gaps
        .iter()
        .filter(|gap| gap.to > acknowledged)
        .max_by_key(|gap| gap.to)?;
    let Gap {
        from,
        to,
        oldest_at,
        newest_at,
    } = newest;
    Some(LostRecords {
        records: to.saturating_sub((*from).max(acknowledged + 1)) + 1,
        from: correction.apply(*oldest_at),
        to: correction.apply(*newest_at),
    })
}

/// Events that were too large to be brought home are told by no other record. What other sections
/// say, the next reading says again; until then the section itself is at fault.
fn given_up(batch: &Batch, acknowledged: u64, correction: Correction) -> Option<LostRecords> {
    let is_lost = |record: &&Record| {
        record.seq > acknowledged
            && record.failure == Some(SectionFailure::TooLarge)
            && record.known_section() == Some(Section::Events)
    };
    let lost: Vec<&Record> = batch.records.iter().filter(is_lost).collect();
    Some(LostRecords {
        records: u64::try_from(lost.len()).unwrap_or(u64::MAX),
        from: correction.apply(lost.first()?.collected_at),
        to: correction.apply(lost.last()?.collected_at),
    })
}

/// What new records mean, one lesson per section.
pub(super) fn learn(
    who: &Who,
    batch: &Batch,
    records: &[AgentRecord<'_>],
    known: &mut Known,
    received_at: Timestamp,
) -> Vec<Lesson> {
    let whole = Correction::of_batch(batch, received_at);
    let readings: Vec<Reading<'_>> = records
        .iter()
        .map(|record| {
            let correction = whole.of_record(batch, record.record, received_at);
            Reading {
                record: record.record,
                at: record.read_at,
                began_at: correction.apply(record.record.began_at()),
                correction,
            }
        })
        .collect();
    let mut lessons = Vec::new();
    for span in spans::of(&readings, known) {
        for word in sections(span) {
            let of_section = span.iter().filter(|reading| reading.record.section == word);
            take(lesson(&mut lessons, word), who, of_section, known);
        }
    }
    settle(&mut lessons, known);
    lessons
}

/// The lesson of a section, which is begun where there is none.
fn lesson<'a>(lessons: &'a mut Vec<Lesson>, word: &str) -> &'a mut Lesson {
    let begun = lessons.iter().position(|lesson| lesson.section == word);
    let at = begun.unwrap_or_else(|| {
        lessons.push(Lesson {
            section: word.to_owned(),
            learned: None,
            failed: None,
        });
        lessons.len() - 1
    });
    &mut lessons[at]
}

/// A part that several sections tell is written once: as it is understood now, with the newest
/// of their readings. Else the one that was read later would be taken for the newer one.
fn settle(lessons: &mut [Lesson], known: &Known) {
    let mut newest = BTreeMap::<String, Timestamp>::new();
    for learned in lessons.iter().filter_map(|lesson| lesson.learned.as_ref()) {
        for fact in &learned.facts {
            let at = newest.entry(fact.name.clone()).or_default();
            *at = learned.began_at.max(*at);
        }
    }
    let lessons = lessons.iter_mut();
    for learned in lessons.filter_map(|lesson| lesson.learned.as_mut()) {
        let began_at = learned.began_at;
        learned.facts.retain_mut(|fact| {
            if newest.get(&fact.name) != Some(&began_at) {
                return false;
            }
            newest.remove(&fact.name);
            if let Some(value) = known.value(&fact.name) {
                fact.value = value.clone();
            }
            true
        });
    }
}

/// The words of the sections that come, those first with which the rest is understood.
fn sections<'a>(readings: &[Reading<'a>]) -> Vec<&'a str> {
    let mut words: Vec<&str> = Vec::new();
    for reading in readings {
        let word = reading.record.section.as_str();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.sort_by_key(|word| {
        let first = FIRST.iter().position(|first| first.as_str() == *word);
        first.unwrap_or(FIRST.len())
    });
    words
}

/// Adds what readings of a section say to its lesson.
fn take<'r, 'a: 'r>(
    lesson: &mut Lesson,
    who: &Who,
    readings: impl Iterator<Item = &'r Reading<'a>>,
    known: &mut Known,
) {
    for reading in readings {
        match understood(who, reading, known) {
            Ok(next) => {
                known.meet(&next.lanes);
                let learned = lesson.learned.get_or_insert_default();
                learned.began_at = learned.began_at.max(reading.began_at);
                lanes::merge(&mut learned.lanes, next.lanes);
                merge(&mut learned.facts, next.facts);
                lesson.failed = None;
            }
            Err(failed) => lesson.failed = Some(failed),
        }
    }
}

/// The newest value of each fact.
fn merge(facts: &mut Vec<Fact>, newer: Vec<Fact>) {
    for fact in newer {
        facts.retain(|older| older.name != fact.name);
        facts.push(fact);
    }
}

/// What one reading means.
fn understood(who: &Who, reading: &Reading<'_>, known: &mut Known) -> Result<Learned, Failed> {
    let record = reading.record;
    match record.outcome {
        Outcome::Failed => {
            let failure = failure_of(record.failure);
            let text = record.failure_text.as_deref();
            let text = text.map_or_else(
                || "the agent does not say why".to_owned(),
                |text| cut(text, LONGEST_REASON),
            );
            Err(Failed {
                at: reading.began_at,
                failure,
                text,
            })
        }
        Outcome::Absent => {
            let part = record.known_section().and_then(small::part_of);
            Ok(Learned {
                facts: part
                    .and_then(|part| known.forget(part))
                    .into_iter()
                    .collect(),
                ..Learned::of(reading)
            })
        }
        Outcome::Read => read(who, reading, known).map_err(|error| Failed {
            at: reading.began_at,
            failure: ReadFailure::BadAnswer,
            text: error.to_string(),
        }),
    }
}

/// An agent's own words for a failure as those of a source. What the server refuses the agent is
/// no right in Microsoft Graph.
const fn failure_of(failure: Option<SectionFailure>) -> ReadFailure {
    match failure {
        Some(SectionFailure::Timeout) => ReadFailure::Timeout,
        Some(SectionFailure::Unreadable | SectionFailure::TooLarge) => ReadFailure::BadAnswer,
        Some(SectionFailure::NotStarted) => ReadFailure::ServerError,
        Some(SectionFailure::CommandFailed | SectionFailure::AccessDenied) | None => {
            ReadFailure::Refused
        }
    }
}

fn read(who: &Who, reading: &Reading<'_>, known: &mut Known) -> Result<Learned, ShapeError> {
    match reading.record.known_section() {
        Some(Section::Scheduler) => scheduler::learn(reading, known),
        Some(Section::Runs) => runs::learn(who, reading, known),
        Some(Section::PasswordSync) => password_sync::learn(who, reading, known),
        Some(Section::Events) => events::learn(reading, known),
        Some(Section::Connectors) => connectors::learn(who, reading, known),
        Some(section) => small::learn(section, reading, known),
        // Kept with its record; a later version may know what it means.
        None => Ok(Learned::of(reading)),
    }
}
