//! When a source is polled next; pure.

use std::time::Duration;

use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::schedule::Schedule;
use syncwatch_domain::source::{Poll, ReadFailure};
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;
use syncwatch_store::StoredSource;

use crate::graph::Next;
use crate::polls::Errand;
use crate::polls::catch_up::JobsResume;

/// Between attempts at a source that fails.
const BACKOFF: Backoff = Backoff {
    first: Span::secs(2),
    cap: Span::minutes(1),
};
/// A missing right is looked for again this often.
const RIGHT_AGAIN: Duration = Duration::from_secs(3600);
/// A refused request, an absent resource or a missing licence is tried again this often.
const REFUSED_AGAIN: Duration = Duration::from_secs(15 * 60);
/// A jobs source waits no longer than this for the logs to be read back.
const WAIT_MOST: Duration = Duration::from_secs(120);
/// When an unsettled gap could not be settled, it is tried again after this.
const SETTLE_AGAIN: Duration = Duration::from_secs(10 * 60);
/// A schedule that never comes again.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// A source and when it is due.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) source: StoredSource,
    schedule: Schedule,
    /// The next regular run, or the next attempt after a failure.
    next_at: Timestamp,
    /// Never before: the service asked for it, or a person has to change something.
    not_before: Timestamp,
    /// A lane crosses an instant: a read then proves or refutes it.
    confirm_at: Option<Timestamp>,
    /// Lanes that crossed an instant up to here are confirmed.
    covered_at: Timestamp,
    /// The logs of a gap are final.
    settle_at: Option<Timestamp>,
    /// It has its answer, but waits for the logs since then.
    waits_since: Option<Timestamp>,
    /// It has waited already and commits without.
    waited: bool,
    /// It is being read as a whole.
    reading: bool,
    /// Lanes of it are being confirmed.
    confirming: bool,
    /// Both ran at the same time: what either found out of the next instant may be old.
    overlapped: bool,
    /// It was tried since the start of the process.
    pub(super) attempted: bool,
}

impl Slot {
    pub(super) fn new(source: StoredSource, schedule: Schedule, log_settle: Duration) -> Self {
        let mut slot = Self {
            schedule,
            next_at: Timestamp::EPOCH,
            not_before: Timestamp::EPOCH,
            confirm_at: None,
            covered_at: source.state.read_at.unwrap_or_default(),
            settle_at: None,
            waits_since: None,
            waited: false,
            reading: false,
            confirming: false,
            overlapped: false,
            attempted: false,
            source,
        };
        slot.plan_settling(log_settle);
        slot
    }

    pub(super) const fn poll(&self) -> Poll {
        self.source.state.key.poll
    }

    pub(super) const fn is_log(&self) -> bool {
        matches!(self.poll(), Poll::ProvisioningLogs | Poll::DirectoryAudits)
    }

    /// Whether lanes are judged without it: it may take long, and tells nothing of cycles.
    pub(super) const fn is_aside(&self) -> bool {
        self.is_log()
            || matches!(
                self.poll(),
                Poll::Users | Poll::Groups | Poll::CloudManaged | Poll::GroupMembers
            )
    }

    pub(super) const fn is_waiting(&self) -> bool {
        self.waits_since.is_some()
    }

    /// When to run; `None` while it runs and nothing can be done beside it.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        let due = match (self.reading, self.confirming, self.waits_since) {
            (false, false, Some(since)) => since + WAIT_MOST,
            (false, false, None) => [self.confirm_at, self.settle_at]
                .into_iter()
                .flatten()
                .fold(self.next_at, Timestamp::min),
            (true, false, None) => self.confirm_at.filter(|_| self.is_in_sight())?,
            _ => return None,
        };
        Some(due.max(self.not_before))
    }

    /// Nothing is made up for: a lane that crosses an instant while a long list is read need not
    /// wait for its end.
    const fn is_in_sight(&self) -> bool {
        self.attempted && self.source.state.failing_since.is_none() && self.settle_at.is_none()
    }

    /// What a run at `now` is for.
    pub(super) fn errand(&self, now: Timestamp) -> Errand {
        let regular = !self.reading
            && (self.next_at <= now
                || self.settle_at.is_some_and(|at| at <= now)
                || self.is_waiting());
        Errand {
            confirms_since: (!regular).then_some(self.covered_at),
            may_wait: regular && !self.waited && !self.is_waiting(),
        }
    }

    /// A run at `now` begins.
    pub(super) fn begin(&mut self, errand: Errand, now: Timestamp) {
        if errand.is_confirm() {
            self.confirming = true;
            self.overlapped |= self.reading;
        } else {
            self.reading = true;
            // This run covers it; the next one is known at its end.
            self.confirm_at = self.confirm_at.filter(|at| *at > now);
        }
    }

    /// The run ended; what came of it follows.
    pub(super) const fn end(&mut self, errand: Errand) {
        if errand.is_confirm() {
            self.confirming = false;
        } else {
            self.reading = false;
        }
    }

    /// Whether the next instant must be looked up again, since runs overlapped.
    pub(super) fn take_overlap(&mut self) -> bool {
        let overlapped = self.overlapped;
        self.overlapped &= self.reading || self.confirming;
        overlapped
    }

    /// Run as soon as the service allows.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        self.next_at = self.next_at.min(now);
    }

    /// The logs were read back, or could not be: go on.
    pub(super) fn stop_waiting(&mut self, now: Timestamp) {
        if self.waits_since.take().is_some() {
            self.waited = true;
            self.hurry(now);
        }
    }

    /// The answer is there and waits for the logs.
    pub(super) fn wait(&mut self, now: Timestamp) {
        self.waits_since = Some(now);
    }

    /// Whether it could run within the time others wait for it.
    pub(super) fn can_run_soon(&self, now: Timestamp) -> bool {
        self.reading || self.confirming || self.not_before <= now + WAIT_MOST
    }

    /// To be continued then.
    pub(super) fn pause(&mut self, at: Timestamp) {
        self.next_at = at;
    }

    /// The store refused: nothing of the run is on record.
    pub(super) fn not_kept(&mut self, now: Timestamp) {
        self.next_at = now + BACKOFF.wait(3, self.seed());
        // Nor is a lane confirmed before: a full disk must not become a flood of requests.
        self.not_before = self.not_before.max(self.next_at);
        self.waits_since = None;
    }

    /// The source was read, from `started_at` on.
    pub(super) fn read(
        &mut self,
        started_at: Timestamp,
        resume: Option<String>,
        confirm_at: Option<Timestamp>,
        log_settle: Duration,
    ) {
        let settling = self.settle_at.is_some_and(|at| at <= started_at);
        let state = &mut self.source.state;
        // A later run may have been told to wait.
        if state.attempted_at <= Some(started_at) {
            self.not_before = Timestamp::EPOCH;
        }
        state.attempted_at = state.attempted_at.max(Some(started_at));
        state.read_at = state.read_at.max(Some(started_at));
        state.failing_since = None;
        state.failures = 0;
        state.failure = None;
        state.failure_text = None;
        self.attempted = true;
        self.waits_since = None;
        self.waited = false;
        self.next_at = self.schedule.next_after(started_at).unwrap_or(NEVER);
        if resume.is_some() {
            self.source.resume = resume;
        }
        self.plan_settling(log_settle);
        if settling && self.settle_at.is_some_and(|at| at <= started_at) {
            self.settle_at = Some(started_at + SETTLE_AGAIN);
        }
        self.confirmed(started_at, confirm_at);
    }

    /// Lanes that crossed an instant before `started_at` were read.
    pub(super) fn confirmed(&mut self, started_at: Timestamp, confirm_at: Option<Timestamp>) {
        self.covered_at = self.covered_at.max(started_at);
        self.confirm_at = confirm_at;
    }

    /// The lanes' instants were asked for anew.
    pub(super) fn confirm_at(&mut self, at: Option<Timestamp>) {
        self.confirm_at = at;
    }

    /// From where on lanes are not confirmed yet.
    pub(super) const fn covered_at(&self) -> Timestamp {
        self.covered_at
    }

    /// The attempt begun at `started_at` failed; `true` when that is news.
    pub(super) fn failed(
        &mut self,
        started_at: Timestamp,
        now: Timestamp,
        failure: ReadFailure,
        next: Next,
        text: String,
    ) -> bool {
        let news = self.source.state.failure != Some(failure);
        let state = &mut self.source.state;
        state.attempted_at = Some(started_at);
        state.failing_since = state.failing_since.or(Some(started_at));
        state.failures += 1;
        state.failure = Some(failure);
        state.failure_text = Some(text);
        self.attempted = true;
        self.waits_since = None;
        self.waited = false;
        self.confirm_at = None;
        // What could not be settled is tried again with the next read.
        self.settle_at = self.settle_at.map(|at| at.max(now + SETTLE_AGAIN));
        let regular = self.schedule.next_after(started_at).unwrap_or(NEVER);
        match next {
            Next::Slowly => {
                let again = if failure == ReadFailure::RightMissing {
                    RIGHT_AGAIN
                } else {
                    REFUSED_AGAIN
                };
                self.next_at = regular.max(now + again);
                self.not_before = self.next_at;
            }
            Next::Retry(Some(after)) => {
                self.not_before = now + after;
                self.next_at = self.not_before;
            }
            Next::Retry(None)
            | Next::RestartWindow
            | Next::ShrinkWindow
            | Next::SmallerPage
            | Next::Budget(_) => {
                let failures = u32::try_from(self.source.state.failures).unwrap_or(u32::MAX);
                self.not_before = Timestamp::EPOCH;
                self.next_at = regular.min(now + BACKOFF.wait(failures, self.seed()));
            }
        }
        news
    }

    /// Brings the next regular run forward by a part of its interval, another part for every
    /// source: many that began together are not read together ever after. Times of day stay.
    pub(super) fn spread(&mut self, started_at: Timestamp) {
        if !matches!(self.schedule, Schedule::Every(_)) {
            return;
        }
        let wait = self.next_at.since(started_at);
        let part =
            u32::try_from(self.seed().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48).unwrap_or(0);
        self.next_at = started_at + wait / 0x1_0000 * (part + 1);
    }

    fn plan_settling(&mut self, log_settle: Duration) {
        if self.poll() == Poll::Jobs {
            let resume = JobsResume::parse(self.source.resume.as_deref());
            self.settle_at = resume.unsettled.map(|gap| gap.to() + log_settle);
        }
    }

    fn seed(&self) -> u64 {
        self.source.id.0.unsigned_abs()
    }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
