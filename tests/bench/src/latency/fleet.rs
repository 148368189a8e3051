//! Lanes that succeed on a cadence, and some that stopped.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Distance of two successes of a lane.
pub const CADENCE_MS: i64 = 300_000;
/// From the last success to the deadline: longer than a cadence and a poll, so that a healthy lane
/// never comes near it.
pub const WINDOW_MS: i64 = 400_000;

/// A fleet on the clock of the machine.
#[derive(Debug)]
pub struct Fleet {
    lanes: usize,
    seed: u64,
    /// A success of lane 0, far in the past.
    epoch_ms: i64,
    /// Deadline of each stopped lane, by number.
    stopped: Vec<(usize, i64)>,
}

/// Spreads neighbouring numbers (the finaliser of SplitMix64).
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The clock of the machine in milliseconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is about the clock of the machine"
)]
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Fleet {
    /// A fleet of which `stopped` lanes have deadlines spread over the time from `first_ms` on for
    /// `spread_ms`; with a spread of 0 all at once.
    #[must_use]
    pub fn new(lanes: usize, seed: u64, stopped: usize, first_ms: i64, spread_ms: i64) -> Self {
        let step = (lanes / stopped.max(1)).max(1);
        let stopped = (0..stopped.min(lanes))
            .map(|number| {
                let lane = number * step;
                let share = mix(seed ^ 0xdead ^ number as u64) % 1_000_000;
                let offset = spread_ms * i64::try_from(share).unwrap_or(0) / 1_000_000;
                (lane, first_ms + offset)
            })
            .collect();
        Self {
            lanes,
            seed,
            epoch_ms: first_ms - 100 * CADENCE_MS,
            stopped,
        }
    }

    /// How many lanes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.lanes
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lanes == 0
    }

    /// The lanes that stopped, with their deadlines.
    #[must_use]
    pub fn stopped(&self) -> &[(usize, i64)] {
        &self.stopped
    }

    /// The deadline of a lane that stopped.
    #[must_use]
    pub fn deadline_ms(&self, lane: usize) -> Option<i64> {
        self.stopped
            .binary_search_by_key(&lane, |(number, _)| *number)
            .ok()
            .map(|at| self.stopped[at].1)
    }

    /// The last success of a lane at `now_ms`.
    #[must_use]
    pub fn last_success_ms(&self, lane: usize, now_ms: i64) -> i64 {
        if let Some(deadline_ms) = self.deadline_ms(lane) {
            return deadline_ms - WINDOW_MS;
        }
        let phase =
            i64::try_from(mix(self.seed ^ lane as u64) % CADENCE_MS.unsigned_abs()).unwrap_or(0);
        let since = now_ms - self.epoch_ms - phase;
        self.epoch_ms + phase + since.div_euclid(CADENCE_MS) * CADENCE_MS
    }

    /// What one answer shows: now and then a replica that is behind tells the success before, so
    /// that successes arrive out of order.
    #[must_use]
    pub fn shown_success_ms(&self, lane: usize, now_ms: i64, answer: u64) -> i64 {
        let success = self.last_success_ms(lane, now_ms);
        let stale = mix(self.seed ^ (lane as u64).rotate_left(32) ^ answer).is_multiple_of(50);
        if stale { success - CADENCE_MS } else { success }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn healthy_lanes_are_never_due_and_stopped_ones_are_due_at_their_deadline() {
        let fleet = Fleet::new(1_000, 7, 60, 2_000_000_000, 60_000);
        assert_eq!(fleet.stopped().len(), 60);
        for now in [1_999_000_000, 2_000_030_000, 2_000_090_000] {
            for lane in 0..fleet.len() {
                let due = fleet.last_success_ms(lane, now) + WINDOW_MS;
                match fleet.deadline_ms(lane) {
                    Some(deadline) => assert_eq!(due, deadline),
                    None => assert!(due > now + 60_000, "lane {lane}"),
                }
            }
        }
    }

    #[test]
    fn some_answers_are_behind_and_none_is_ahead() {
        let fleet = Fleet::new(1_000, 7, 0, 2_000_000_000, 0);
        let now = 2_000_000_000;
        let behind = (0..1_000).filter(|lane| {
            fleet.shown_success_ms(*lane, now, 3) < fleet.last_success_ms(*lane, now)
        });
        assert!((5..60).contains(&behind.count()));
    }
}
