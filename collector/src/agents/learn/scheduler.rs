//! Section `scheduler`.

use syncwatch_domain::report::forms::ShapeError;
use syncwatch_domain::report::scheduler;
use syncwatch_domain::sync_server::{Part, Scheduler};
use syncwatch_domain::time::Timestamp;

use super::known::Known;
use super::{Learned, Reading};

pub(super) fn learn(reading: &Reading<'_>, known: &mut Known) -> Result<Learned, ShapeError> {
    let before: Option<Scheduler> = known.part(Part::Scheduler);
    let mut read = scheduler::read(&reading.record.data, &reading.forms())?;
    read.next_start_at = read.next_start_at.map(|at| reading.true_time(at));
    let since = |now: bool, before: Option<Timestamp>| now.then(|| before.unwrap_or(reading.at));
    read.suspended_since = since(
        read.suspended,
        before.as_ref().and_then(|before| before.suspended_since),
    );
    read.in_progress_since = since(
        read.in_progress,
        before.as_ref().and_then(|before| before.in_progress_since),
    );
    Ok(Learned {
        facts: vec![known.learn(Part::Scheduler, &read)],
        ..Learned::of(reading)
    })
}
