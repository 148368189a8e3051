//! What is wrong with the servers at the moment.

use crate::action::DownMode;

/// Calls that will be throttled.
#[derive(Debug, Clone)]
pub(crate) struct Throttle {
    pub(crate) endpoint: String,
    pub(crate) retry_after: Option<u64>,
    pub(crate) left: u32,
}

/// Faults of Graph for one tenant.
#[derive(Debug, Default)]
pub(crate) struct GraphFaults {
    pub(crate) down: Option<DownMode>,
    pub(crate) slow_ms: u64,
    pub(crate) throttles: Vec<Throttle>,
    pub(crate) premium_off: bool,
    pub(crate) stale_reads: u32,
    pub(crate) stale_cycles: u32,
    pub(crate) unknown_members: bool,
    pub(crate) null_fields: bool,
    /// Login errors still to be given: code and count.
    pub(crate) login_error: Option<(u32, u32)>,
    /// Expired delta tokens answer 404 instead of 410.
    pub(crate) delta_unknown: bool,
}

impl GraphFaults {
    /// Uses up one throttled call, if the path is to be throttled.
    pub(crate) fn take_throttle(&mut self, path: &str) -> Option<Option<u64>> {
        let hit = self
            .throttles
            .iter_mut()
            .find(|throttle| throttle.left > 0 && path.contains(&throttle.endpoint))?;
        hit.left -= 1;
        Some(hit.retry_after)
    }

    /// True if this read of job status comes from a replica that is behind: every second one.
    pub(crate) fn take_stale_read(&mut self) -> bool {
        if self.stale_reads == 0 {
            return false;
        }
        self.stale_reads -= 1;
        self.stale_reads.is_multiple_of(2)
    }
}

/// An answer a receiver is told to give instead of accepting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
}

/// Faults of the receivers.
#[derive(Debug, Default)]
pub(crate) struct ReceiverFaults {
    pub(crate) teams: Vec<(Refusal, u32)>,
    pub(crate) webhook: Vec<(Refusal, u32)>,
    pub(crate) smtp_refuse: u32,
    pub(crate) smtp_codes: Vec<(u16, u32)>,
    pub(crate) teams_slow_ms: u64,
    pub(crate) webhook_slow_ms: u64,
    pub(crate) smtp_slow_ms: u64,
}

/// Uses up one of the ordered faults of a list, the oldest first.
pub(crate) fn take<T: Copy>(list: &mut Vec<(T, u32)>) -> Option<T> {
    list.retain(|(_, left)| *left > 0);
    let (fault, left) = list.first_mut()?;
    *left -= 1;
    Some(*fault)
}
