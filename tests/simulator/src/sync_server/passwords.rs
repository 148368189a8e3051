//! Password hash sync: its loop over the domains, apart from the scheduler.

use super::at::{At, CONNECT_SERVICE};
use super::model::{ConnectSync, Domain, Forest};
use super::trouble::Trouble;

/// One pass over a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) worked: bool,
    /// Users whose password changed.
    pub(super) changes: u32,
}

/// What is known of the passes over a domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) last: Option<Pass>,
    pub(super) last_that_worked: Option<Pass>,
}

/// Every pass over a domain that has ended, in order.
pub(super) fn passes<'a>(
    at: &'a At<'_>,
    connect: &'a ConnectSync,
    forest: &'a Forest,
    domain: &'a Domain,
) -> impl Iterator<Item = Pass> + 'a {
    let interval = connect.password_interval.as_ms().max(1);
    let chance = at.chance("passwords").corner(&domain.name);
    let offset = chance.upto(interval / 2);
    let starts = std::iter::successors(Some(at.first() + offset), move |start| {
        Some(start + interval)
    });
    starts
        .take_while(|start| *start <= at.now)
        .filter(move |start| runs_at(at, connect, forest, *start))
        .map(move |start| {
            let own = chance.nth(start.unsigned_abs());
            let takes = (interval / 200).max(1) + own.upto(interval / 100);
            let worked = works_at(at, forest, domain, start);
            let busy = worked && own.corner("busy").happens(0.25);
            Pass {
                start,
                end: start + takes,
                worked,
                changes: if busy {
                    1 + u32::try_from(own.corner("users").below(4)).unwrap_or(0)
                } else {
                    0
                },
            }
        })
        .filter(|pass| pass.end <= at.now)
}

/// The loop runs at all: not in staging, not where it is off.
fn runs_at(at: &At<'_>, connect: &ConnectSync, forest: &Forest, start: i64) -> bool {
    forest.password_sync && !at.is_staging(connect, start) && !at.is_stopped(start, CONNECT_SERVICE)
}

fn works_at(at: &At<'_>, forest: &Forest, domain: &Domain, start: i64) -> bool {
    let lost = at.trouble(start, |one| match one {
        Trouble::PasswordSyncLost { domain: name } => (*name == domain.name).then_some(()),
        Trouble::CloudFlagOff => Some(()),
        _ => None,
    });
    lost.is_none() && !at.is_unreachable(start, forest)
}

/// Where the loop stands for a domain.
pub(super) fn state(at: &At<'_>, connect: &ConnectSync, forest: &Forest, domain: &Domain) -> State {
    let mut state = State::default();
    for pass in passes(at, connect, forest, domain) {
        state.last = Some(pass);
        if pass.worked {
            state.last_that_worked = Some(pass);
        }
    }
    state
}
