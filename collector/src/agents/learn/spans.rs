//! Where a server became another on the way: it went into staging mode, or out of it.
//!
//! A server in staging mode has no lanes, so what was read while it was is no success of any, and
//! what was read before is none of a copy. A batch that was held up for hours may hold both.

use syncwatch_domain::report::{Outcome, Section, scheduler};
use syncwatch_domain::sync_server::{Part, Scheduler};

use super::Reading;
use super::known::Known;

/// The readings, cut before each one that shows the server in another mode than the one before.
/// Those that came before any word of the mode go with the first one.
pub(super) fn of<'r, 'a>(readings: &'r [Reading<'a>], known: &Known) -> Vec<&'r [Reading<'a>]> {
    let before: Option<Scheduler> = known.part(Part::Scheduler);
    let mut staging = before.map(|scheduler| scheduler.staging_mode);
    let mut spans = Vec::new();
    let mut begin = 0;
    for (at, reading) in readings.iter().enumerate() {
        let Some(now) = mode(reading) else {
            continue;
        };
        if staging.is_some_and(|before| before != now) && begin < at {
            spans.push(&readings[begin..at]);
            begin = at;
        }
        staging = Some(now);
    }
    spans.push(&readings[begin..]);
    spans
}

/// Whether a reading shows the server in staging mode; `None` where it says nothing of it.
fn mode(reading: &Reading<'_>) -> Option<bool> {
    let record = reading.record;
    let is_scheduler = record.known_section() == Some(Section::Scheduler);
    let is_read = is_scheduler && record.outcome == Outcome::Read;
    let read = is_read.then(|| scheduler::read(&record.data, &reading.forms()));
    read?.ok().map(|scheduler| scheduler.staging_mode)
}
