//! The scheduler: which cycles ran, which could not, and what comes next.

use super::at::{At, CONNECT_SERVICE};
use super::model::ConnectSync;
use super::trouble::Trouble;

/// A cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) start: i64,
    /// When it ends; `None` when it never does. It may lie ahead.
    pub(super) end: Option<i64>,
    /// The server exports nothing.
    pub(super) staging: bool,
    /// It hangs.
    pub(super) hung: bool,
}

/// Why no cycle began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Wizard,
    Disabled,
    Stopped,
}

/// A time in which no cycle could begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocked {
    /// When one should have begun.
    pub(super) from: i64,
    /// When one could begin again.
    pub(super) until: Option<i64>,
    pub(super) why: Block,
}

/// Everything the scheduler did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cycles {
    /// In order.
    pub(super) cycles: Vec<Cycle>,
    pub(super) blocked: Vec<Blocked>,
    /// Planned start of the next cycle; it lies in the past while none can begin.
    pub(super) next_start: i64,
}

impl Cycles {
    /// The scheduler's past up to the present.
    pub(super) fn of(at: &At<'_>, connect: &ConnectSync) -> Self {
        let mut all = Self::default();
        let interval = connect.interval.as_ms().max(1);
        let mut due = at.first();
        while due <= at.now {
            all.next_start = due;
            if let Some((why, until)) = block(at, due) {
                all.blocked.push(Blocked {
                    from: due,
                    until,
                    why,
                });
                match until {
                    Some(until) if until <= at.now => due = until,
                    _ => return all,
                }
                continue;
            }
            let cycle = cycle(at, connect, due);
            all.cycles.push(cycle);
            all.next_start = due + interval;
            match cycle.end {
                Some(end) if end <= at.now => due = end.max(due + interval),
                _ => return all,
            }
        }
        all.next_start = due;
        all
    }

    /// The cycle under way.
    pub(super) fn running(&self, now: i64) -> Option<&Cycle> {
        let last = self.cycles.last()?;
        last.end.is_none_or(|end| end > now).then_some(last)
    }
}

fn cycle(at: &At<'_>, connect: &ConnectSync, start: i64) -> Cycle {
    let hangs_until = at.troubles().find_map(|(from, until, one)| {
        let meanwhile = from <= start && until.is_none_or(|until| start < until);
        (*one == Trouble::CycleHung && meanwhile).then_some(until)
    });
    let longest = (connect.interval.as_ms() / 6).clamp(1, 240_000);
    let takes = longest / 2 + at.chance_at("cycle", start).upto(longest / 2);
    Cycle {
        start,
        end: hangs_until.unwrap_or(Some(start + takes)),
        staging: at.is_staging(connect, start),
        hung: hangs_until.is_some(),
    }
}

/// Why no cycle can begin at an instant, and until when.
fn block(at: &At<'_>, due: i64) -> Option<(Block, Option<i64>)> {
    at.troubles().find_map(|(from, until, one)| {
        let why = match one {
            Trouble::WizardOpen => Block::Wizard,
            Trouble::SchedulerDisabled => Block::Disabled,
            Trouble::ServiceStopped { name } if name == CONNECT_SERVICE => Block::Stopped,
            _ => return None,
        };
        let meanwhile = from <= due && until.is_none_or(|until| due < until);
        meanwhile.then_some((why, until))
    })
}
