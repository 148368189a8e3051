//! The simulated world: advances lazily to "now" whenever somebody looks, and plays the steps of the story in
//! between, each at its own instant.

pub(crate) mod directory;
pub(crate) mod effects;
pub(crate) mod faults;
pub(crate) mod founding;
pub(crate) mod job;
pub(crate) mod logs;
pub(crate) mod tenant;

use std::collections::VecDeque;

use crate::action::DownMode;
use crate::chance::Seed;
use crate::story::{Settings, Step, Story};
use crate::world::faults::ReceiverFaults;
use crate::world::tenant::TenantState;

/// An action that names something the story does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ActionError {
    /// No such tenant.
    #[error("no tenant {0:?} in the story")]
    NoTenant(String),
    /// No such job.
    #[error("no job {0} in the story")]
    NoJob(String),
    /// The tenant has no Connect Sync.
    #[error("tenant {0:?} has no connect server in the story")]
    NoConnect(String),
    /// No such agent.
    #[error("tenant {tenant:?} has no agent {machine:?} in the story")]
    NoAgent {
        /// Tenant name.
        tenant: String,
        /// Machine name.
        machine: String,
    },
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: Seed,
    pub(crate) settings: Settings,
    pub(crate) origin: i64,
    pub(crate) now: i64,
    pub(crate) tenants: Vec<TenantState>,
    pub(crate) receivers: ReceiverFaults,
    pub(crate) login_down: Option<DownMode>,
    steps: VecDeque<Step>,
    next_sweep: i64,
}

impl World {
    /// The world as it is when the story begins.
    pub(crate) fn new(story: &Story, origin: i64) -> Self {
        let seed = Seed(story.seed);
        let mut steps = story.steps.clone();
        steps.sort_by_key(|step| step.at);
        Self {
            seed,
            settings: story.settings.clone(),
            origin,
            now: origin,
            tenants: story
                .tenants
                .iter()
                .map(|tenant| TenantState::new(seed, tenant, origin, &story.settings))
                .collect(),
            receivers: ReceiverFaults::default(),
            login_down: None,
            steps: steps.into(),
            next_sweep: origin + 86_400_000,
        }
    }

    /// Lets time pass until `now`. A clock that goes back changes nothing that has happened.
    pub(crate) fn advance(&mut self, now: i64) {
        while let Some(step) = self.steps.front() {
            let at = self.origin + step.at.as_ms();
            if at > now {
                break;
            }
            let action = step.action.clone();
            self.steps.pop_front();
            self.run_until(at);
            if let Err(error) = self.apply(&action, at) {
                tracing::error!(%error, "a step of the story cannot be played");
            }
        }
        self.run_until(now);
    }

    fn run_until(&mut self, instant: i64) {
        const SWEEP_MS: i64 = 86_400_000;
        for tenant in &mut self.tenants {
            tenant.advance(instant, &self.settings);
        }
        self.now = self.now.max(instant);
        if instant >= self.next_sweep {
            self.next_sweep = instant + SWEEP_MS;
            for tenant in &mut self.tenants {
                if tenant
                    .logs
                    .forget_before(instant - self.settings.retention.as_ms())
                {
                    // Cursors hold positions in the logs.
                    tenant.pages.expire_all();
                }
                tenant.directory.expire_deleted(instant);
            }
        }
    }

    pub(crate) fn tenant_named(&mut self, name: &str) -> Result<&mut TenantState, ActionError> {
        self.tenants
            .iter_mut()
            .find(|tenant| tenant.spec.name == name)
            .ok_or_else(|| ActionError::NoTenant(name.to_owned()))
    }

    /// Finds a tenant by directory id or by one of its verified domains.
    pub(crate) fn tenant_by_authority(&self, authority: &str) -> Option<usize> {
        self.tenants.iter().position(|tenant| {
            let spec = &tenant.spec;
            spec.id.eq_ignore_ascii_case(authority)
                || spec
                    .domains
                    .iter()
                    .any(|domain| domain.eq_ignore_ascii_case(authority))
                || format!("{}.onmicrosoft.com", spec.prefix).eq_ignore_ascii_case(authority)
        })
    }

    /// Steps of the story that have not happened yet.
    pub(crate) fn steps_left(&self) -> usize {
        self.steps.len()
    }
}
