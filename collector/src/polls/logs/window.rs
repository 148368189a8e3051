//! Which span of a log is read, in which pieces; pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use syncwatch_domain::time::Timestamp;

/// Every read goes back this far behind the watermark: rows usually appear within 15 minutes.
const SHORT_OVERLAP: Duration = Duration::from_secs(15 * 60);
/// One read in this time goes back over the whole overlap.
const DEEP_EVERY_MS: i64 = 15 * 60 * 1000;
/// Rows may carry the time of a clock that runs ahead of ours.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// The longest retention of the logs.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
/// The widest window asked for at once; wide windows end in gateway timeouts.
pub(super) const WIDEST: Duration = Duration::from_secs(6 * 3600);
/// A window is not made smaller than this.
pub(super) const NARROWEST: Duration = Duration::from_secs(5 * 60);

/// What a log poll keeps in the store between reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resume {
    /// Everything up to here was asked for, in event time, as milliseconds.
    pub(super) read_to_ms: Option<i64>,
    /// The page size that is accepted, once the service refused a larger one.
    pub(super) page_size: Option<u32>,
}

impl Resume {
    pub(super) fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    pub(super) fn to_text(self) -> String {
        serde_json::to_string(&self).expect("numbers are always JSON")
    }
}

/// How far the logs are read back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) overlap: Duration,
    pub(super) first_read: Duration,
}

/// A span of event time that is read as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// The span to read at `now`: from the watermark less the overlap, or as far back as is wanted.
pub(super) fn plan(
    now: Timestamp,
    resume: &Resume,
    last_read_at: Option<Timestamp>,
    wanted_from: Option<Timestamp>,
    reach: &Reach,
) -> Span {
    let from = match resume.read_to_ms {
        None => now - reach.first_read,
        Some(read_to) => {
            let read_to = Timestamp::from_millis(read_to).min(now);
            let slot = |at: Timestamp| at.as_millis().div_euclid(DEEP_EVERY_MS);
            let deep = last_read_at.is_none_or(|last| slot(last) != slot(now));
            let overlap = if deep {
                reach.overlap
            } else {
                reach.overlap.min(SHORT_OVERLAP)
            };
            read_to - overlap
        }
    };
    let from = wanted_from.map_or(from, |wanted| wanted.min(from));
    Span {
        from: whole_second(from.max(now - RETENTION)),
        to: whole_second(now + SKEW) + Duration::from_secs(1),
    }
}

impl Span {
    /// The first window of the span, no wider than `width`.
    pub(super) fn first(self, width: Duration) -> Self {
        Self {
            from: self.from,
            to: self
                .to
                .min(whole_second(self.from + width.max(Duration::from_secs(1)))),
        }
    }

    /// What is left of the span after `window`.
    pub(super) fn after(self, window: Self) -> Option<Self> {
        (window.to < self.to).then_some(Self {
            from: window.to,
            to: self.to,
        })
    }
}

/// Rounds down to a whole second: that is how instants are written into filters.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000)
}

/// The filter for the provisioning log, which takes only strict comparisons: the lower one is
/// moved down by a second, so that no row on a boundary falls between two windows.
pub(super) fn strict_filter(window: Span) -> String {
    let from = window.from - Duration::from_secs(1);
    format!(
        "activityDateTime gt {from} and activityDateTime lt {}",
        window.to
    )
}

/// The filter for the directory audits.
pub(super) fn inclusive_filter(window: Span) -> String {
    format!(
        "activityDateTime ge {} and activityDateTime le {}",
        window.from, window.to
    )
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
