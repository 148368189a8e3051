//! Section `events`: signs of life and of trouble that stand in event logs alone.

use std::time::Duration;

use syncwatch_domain::report::events::{self, DomainWord, Event, Meaning};
use syncwatch_domain::report::forms::ShapeError;
use syncwatch_domain::sync_server::{
    CertificateNotice, DeletionStop, Part, PasswordDomain, PasswordSync,
};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::Fact;

use super::known::Known;
use super::{Learned, Reading};

/// Failures within this time count together (diagnosis of the module: five failures in two hours
/// are persistent).
const TOGETHER: Duration = Duration::from_secs(2 * 60 * 60);
/// Failures that are remembered; more of them make it no worse.
const REMEMBERED: usize = 10;

pub(super) fn learn(reading: &Reading<'_>, known: &mut Known) -> Result<Learned, ShapeError> {
    let mut read = events::read(&reading.record.data, &reading.forms())?;
    for event in &mut read.events {
        event.at = reading.true_time(event.at);
    }
    read.events.sort_by_key(|event| event.at);
    let mut facts = Vec::new();
    facts.extend(passwords(&read, reading, known));
    for event in &read.events {
        facts.extend(notice(event, known));
    }
    Ok(Learned {
        facts,
        ..Learned::of(reading)
    })
}

/// A stop of the guard against deletes, or a word about the certificate.
fn notice(event: &Event, known: &mut Known) -> Option<Fact> {
    match &event.meaning {
        Meaning::DeletionStop { pending, limit } => Some(known.learn(
            Part::DeletionStop,
            &DeletionStop {
                at: event.at,
                pending: *pending,
                limit: *limit,
            },
        )),
        Meaning::Certificate(word) => Some(known.learn(
            Part::Certificate,
            &CertificateNotice {
                at: event.at,
                word: *word,
            },
        )),
        _ => None,
    }
}

/// What the events say about password hash sync of the domains that are known. The lanes follow
/// with the next reading of the states themselves, a minute later at most: they have one source.
fn passwords(read: &events::Events, reading: &Reading<'_>, known: &mut Known) -> Option<Fact> {
    let mut all: PasswordSync = known.part(Part::PasswordSync)?;
    let before = all.clone();
    let counted = read
        .counts
        .iter()
        .filter(|count| count.shows_password_sync())
        .map(|count| reading.true_time(count.last_at));
    if let [only] = all.domains.as_mut_slice() {
        // Events of old builds name no connector; with one domain there is no doubt.
        only.alive_at = only.alive_at.max(counted.max());
    }
    let alone = all.domains.len() == 1;
    for event in &read.events {
        for domain in &mut all.domains {
            take(domain, event, alone);
        }
    }
    (all != before).then(|| known.learn(Part::PasswordSync, &all))
}

fn take(domain: &mut PasswordDomain, event: &Event, alone: bool) {
    match &event.meaning {
        Meaning::PasswordFailed(word) if is_meant(domain, word, alone) => {
            failed(domain, event.at, word);
        }
        Meaning::PasswordStateNotStored(word) if is_meant(domain, word, alone) => {
            domain.state_not_stored_at = domain.state_not_stored_at.max(Some(event.at));
        }
        _ if event.shows_password_sync() && (alone || event.mentions(&domain.connector_id)) => {
            domain.alive_at = domain.alive_at.max(Some(event.at));
        }
        _ => {}
    }
}

/// Whether an event is about the domain.
fn is_meant(domain: &PasswordDomain, word: &DomainWord, alone: bool) -> bool {
    match (&word.domain, &word.connector_id) {
        (Some(name), _) => *name == domain.domain,
        (None, Some(connector)) => connector.eq_ignore_ascii_case(&domain.connector_id),
        (None, None) => alone,
    }
}

fn failed(domain: &mut PasswordDomain, at: Timestamp, word: &DomainWord) {
    if domain.failed_at.last().is_some_and(|newest| at < *newest) {
        return;
    }
    domain
        .failed_at
        .retain(|earlier| at.since(*earlier) < TOGETHER);
    domain.failed_at.push(at);
    let too_many = domain.failed_at.len().saturating_sub(REMEMBERED);
    domain.failed_at.drain(..too_many);
    domain.failure_text.clone_from(&word.reason);
}
