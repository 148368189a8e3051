//! One run of a poll as a task, and what follows from its end.

use std::sync::Arc;

use syncwatch_domain::lane::LaneKind;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::time::Timestamp;
use syncwatch_store::{CrossingLane, SourceId, Store, StoreError, StoredSource};

use super::{Collector, Did, RunEnd, Slot, nap};
use crate::error::CollectorError;
use crate::http::chain;
use crate::polls::organization::CloudSync;
use crate::polls::tenant::Tenant;
use crate::polls::{Ended, Errand, Outcome, PollRun, run};

/// With more sources than this, those that began together are spread over their interval.
const CROWD: usize = 32;

/// A run to be done.
pub(super) struct Work {
    pub(super) tenant: Arc<Tenant>,
    pub(super) store: Store,
    pub(super) policy: Arc<LanePolicy>,
    pub(super) source: StoredSource,
    pub(super) covered_at: Timestamp,
    pub(super) errand: Errand,
    pub(super) started_at: Timestamp,
}

/// A run that is done.
pub(super) struct Finished {
    source: SourceId,
    key: SourceKey,
    errand: Errand,
    tenant: Arc<Tenant>,
    result: Result<(Ended, Option<Timestamp>), StoreError>,
}

impl Work {
    pub(super) async fn run(mut self) -> Finished {
        let result = self.poll().await;
        Finished {
            source: self.source.id,
            key: self.source.state.key,
            errand: self.errand,
            tenant: self.tenant,
            result,
        }
    }

    async fn poll(&mut self) -> Result<(Ended, Option<Timestamp>), StoreError> {
        let tenant = Arc::clone(&self.tenant);
        let _place = match (self.source.state.key.poll, self.errand.confirms_since) {
            (Poll::Jobs, None) => tenant.lists.acquire().await.ok(),
            // The deadline of a lane waits for no list.
            _ => None,
        };
        self.started_at = self.started_at.max(self.tenant.now());
        let poll_run = PollRun {
            tenant: &self.tenant,
            store: &self.store,
            policy: &self.policy,
            source: &self.source,
            started_at: self.started_at,
            errand: self.errand,
            crossing: self.crossing().await?,
        };
        let left = self.started_at.since(self.tenant.now());
        nap::until(left, || self.tenant.now() >= self.started_at).await;
        let ended = run(&poll_run).await?;
        let confirm_at = self.confirm_at(&ended).await?;
        Ok((ended, confirm_at))
    }

    /// The lanes a confirm read is for; they are known before it starts.
    async fn crossing(&self) -> Result<Vec<CrossingLane>, StoreError> {
        match self.errand.confirms_since {
            Some(since) if self.source.state.key.poll == Poll::Jobs => {
                self.store
                    .lanes_crossing(self.source.id, since, self.started_at)
                    .await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The next instant a lane of the source crosses, after what is confirmed by now.
    async fn confirm_at(&self, ended: &Ended) -> Result<Option<Timestamp>, StoreError> {
        let read = matches!(ended.outcome, Outcome::Read | Outcome::Confirmed);
        if !read || !owns_lanes(self.source.state.key.poll) {
            return Ok(None);
        }
        let after = self.covered_at.max(ended.started_at);
        self.store.next_lane_instant(self.source.id, after).await
    }
}

/// Polls whose sources lanes belong to.
const fn owns_lanes(poll: Poll) -> bool {
    matches!(
        poll,
        Poll::Jobs | Poll::Organization | Poll::OrganizationBeta
    )
}

impl Collector {
    /// Takes in the end of a run; a refusal of the store is logged.
    pub(super) async fn apply_logged(&mut self, finished: Finished) {
        if let Err(error) = self.apply(finished).await {
            tracing::error!("cannot keep what was read: {}", chain(&error));
        }
    }

    /// Takes in the end of a run.
    pub(super) async fn apply(&mut self, finished: Finished) -> Result<Did, StoreError> {
        let now = self.clock.now();
        let id = finished.source;
        let (ended, confirm_at) = match finished.result {
            Ok(result) => result,
            Err(error) => {
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.end(finished.errand);
                    slot.not_kept(now);
                }
                return Err(error);
            }
        };
        let tenant = finished.tenant;
        let key = finished.key;
        let is_crowded = self.slots.len() > CROWD;
        let Some(slot) = self.slots.get_mut(&id) else {
            // Retired while it ran; what it learned is on record.
            return Ok(Did {
                source: key,
                end: RunEnd::Read,
            });
        };
        slot.end(finished.errand);
        let is_first = !slot.attempted;
        let settle = tenant.config.log_settle;
        let started_at = ended.started_at;
        let end = match ended.outcome {
            Outcome::Read => {
                if let Some(failure) = slot.source.state.failure {
                    tracing::info!(source = %key, "reading works again after: {failure}");
                }
                slot.read(started_at, ended.resume, confirm_at, settle);
                if is_first && is_crowded {
                    slot.spread(started_at);
                }
                RunEnd::Read
            }
            Outcome::Confirmed => {
                slot.confirmed(started_at, confirm_at);
                RunEnd::Confirmed
            }
            Outcome::Failed(failure, next, text) => {
                if slot.failed(started_at, now.max(started_at), failure, next, text.clone()) {
                    tracing::warn!(source = %key, failure = %failure, "{text}");
                }
                RunEnd::Failed(failure)
            }
            Outcome::Paused(at) => {
                slot.pause(at);
                RunEnd::Paused
            }
            Outcome::AwaitsLogs => {
                slot.wait(started_at);
                RunEnd::AwaitsLogs
            }
        };
        for key in &ended.retired {
            self.slots.retain(|_, slot| slot.source.state.key != *key);
        }
        for source in ended.discovered {
            self.add(source);
        }
        self.pass_on(&tenant, key.poll, &key.instance, end, now.max(started_at));
        self.note_caught_up();
        self.mend_overlap(id).await?;
        Ok(Did { source: key, end })
    }

    /// A list and a confirm read that overlapped each looked the next instant up without what the
    /// other one learned.
    async fn mend_overlap(&mut self, id: SourceId) -> Result<(), StoreError> {
        if let Some(slot) = self.slots.get_mut(&id)
            && slot.take_overlap()
        {
            let after = slot.covered_at();
            slot.confirm_at(self.store.next_lane_instant(id, after).await?);
        }
        Ok(())
    }

    /// What the end of one run means for other sources of the tenant.
    fn pass_on(
        &mut self,
        tenant: &Tenant,
        poll: Poll,
        instance: &str,
        end: RunEnd,
        now: Timestamp,
    ) {
        match (poll, end) {
            (Poll::ProvisioningLogs, RunEnd::Read | RunEnd::Failed(_)) => {
                let usable = !matches!(end, RunEnd::Failed(failure) if !failure.is_outage());
                tenant.shared().logs_usable = usable;
                self.each_of(tenant, Poll::Jobs, |slot| slot.stop_waiting(now));
            }
            (Poll::Jobs, RunEnd::AwaitsLogs) => {
                let mut soon = false;
                self.each_of(tenant, Poll::ProvisioningLogs, |slot| {
                    soon = slot.can_run_soon(now);
                    slot.hurry(now);
                });
                if !soon {
                    self.each_of(tenant, Poll::Jobs, |slot| slot.stop_waiting(now));
                }
            }
            (Poll::Jobs, RunEnd::Failed(ReadFailure::NotAvailable)) => {
                // A configuration without jobs, or gone: neither masks the stamps of Connect.
                tenant.shared().jobs_read.insert(instance.to_owned());
                self.note_masking(tenant, now);
            }
            (Poll::Jobs | Poll::ServicePrincipals, RunEnd::Read | RunEnd::Confirmed) => {
                self.note_masking(tenant, now);
            }
            _ => {}
        }
    }

    /// Reads the tenant-wide stamps again when it changed what they can tell.
    fn note_masking(&mut self, tenant: &Tenant, now: Timestamp) {
        for (kind, poll) in [
            (LaneKind::Objects, Poll::Organization),
            (LaneKind::PasswordHash, Poll::OrganizationBeta),
        ] {
            let changed = {
                let mut shared = tenant.shared();
                let masking = shared.cloud_sync(kind);
                shared
                    .masking
                    .insert(kind, masking)
                    .unwrap_or(CloudSync::Unknown)
                    != masking
            };
            if changed {
                self.each_of(tenant, poll, |slot| slot.hurry(now));
            }
        }
    }

    fn each_of(&mut self, tenant: &Tenant, poll: Poll, mut work: impl FnMut(&mut Slot)) {
        self.slots
            .values_mut()
            .filter(|slot| {
                slot.poll() == poll && slot.source.state.key.tenant == tenant.config.name
            })
            .for_each(&mut work);
    }

    pub(super) fn note_caught_up(&self) {
        let done = self
            .slots
            .values()
            .all(|slot| slot.is_aside() || (slot.attempted && !slot.is_waiting()));
        if done {
            self.caught_up
                .send_if_modified(|caught_up| !std::mem::replace(caught_up, true));
        }
    }

    /// The operator changed what is wanted of lanes: their instants moved.
    pub(super) async fn take_policy(&mut self) -> Result<(), CollectorError> {
        if !self.policy.has_changed().unwrap_or(false) {
            return Ok(());
        }
        self.policy.mark_unchanged();
        for tenant in self.tenants.values() {
            tenant.shared().record.forget_lanes();
        }
        for slot in self
            .slots
            .values_mut()
            .filter(|slot| owns_lanes(slot.poll()))
        {
            let at = self
                .store
                .next_lane_instant(slot.source.id, slot.covered_at())
                .await?;
            slot.confirm_at(at);
        }
        Ok(())
    }
}
