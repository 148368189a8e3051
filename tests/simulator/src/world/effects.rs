//! What each action does to the world.

use crate::action::{Action, JobRef, Receiver};
use crate::world::faults::{Refusal, Throttle};
use crate::world::job::Mode;
use crate::world::logs::{Actor, Deed};
use crate::world::tenant::TenantState;
use crate::world::{ActionError, World};

impl World {
    /// Plays an action at an instant up to which the world has already advanced.
    pub(crate) fn apply(&mut self, action: &Action, at: i64) -> Result<(), ActionError> {
        match action {
            Action::JobStop { job }
            | Action::JobResume { job }
            | Action::JobFail { job, .. }
            | Action::JobQuarantine { job, .. }
            | Action::JobPause { job }
            | Action::JobDisable { job }
            | Action::JobSchedule { job, .. }
            | Action::JobCadence { job, .. }
            | Action::JobInitial { job, .. }
            | Action::ObjectErrors { job, .. }
            | Action::ScopeChange { job, .. } => self.apply_to_job(job, action, at),
            Action::LoginDown { mode } => {
                self.login_down = Some(*mode);
                Ok(())
            }
            Action::LoginUp => {
                self.login_down = None;
                Ok(())
            }
            Action::Teams429 { .. }
            | Action::TeamsStatus { .. }
            | Action::WebhookStatus { .. }
            | Action::SmtpRefuse { .. }
            | Action::Smtp451 { .. }
            | Action::Smtp550 { .. }
            | Action::ReceiverSlow { .. } => {
                self.apply_to_receiver(action);
                Ok(())
            }
            other => self.apply_to_tenant(other, at),
        }
    }

    /// Tells whether an action could be played, without playing it.
    pub(crate) fn check(&mut self, action: &Action) -> Result<(), ActionError> {
        match action {
            Action::JobStop { job }
            | Action::JobResume { job }
            | Action::JobFail { job, .. }
            | Action::JobQuarantine { job, .. }
            | Action::JobPause { job }
            | Action::JobDisable { job }
            | Action::JobSchedule { job, .. }
            | Action::JobCadence { job, .. }
            | Action::JobInitial { job, .. }
            | Action::ObjectErrors { job, .. }
            | Action::ScopeChange { job, .. } => self.job_index(job).map(|_| ()),
            other => match tenant_of(other) {
                None => Ok(()),
                Some(name) => {
                    let tenant = self.tenant_named(name)?;
                    check_parts(tenant, other)
                }
            },
        }
    }

    fn job_index(&mut self, job: &JobRef) -> Result<(&mut TenantState, u16), ActionError> {
        let tenant = self.tenant_named(&job.tenant)?;
        let index = tenant
            .find_job(&job.app, &job.template)
            .ok_or_else(|| ActionError::NoJob(job.to_string()))?;
        Ok((tenant, index))
    }

    fn apply_to_job(&mut self, job: &JobRef, action: &Action, at: i64) -> Result<(), ActionError> {
        let settings = self.settings.clone();
        let (tenant, index) = self.job_index(job)?;
        let state = &mut tenant.jobs[usize::from(index)];
        match action {
            Action::JobStop { .. } => state.mode = Mode::Stopped,
            Action::JobResume { .. } => {
                let was_paused = state.mode == Mode::Paused;
                state.resume(at);
                if was_paused {
                    tenant.audit(
                        Actor::Admin,
                        Deed::JobStarted { job: index },
                        0,
                        at,
                        &settings,
                    );
                }
            }
            Action::JobFail { code, .. } => state.mode = Mode::Failing { code: code.clone() },
            Action::JobQuarantine { reason, code, .. } => {
                let code = code.clone().unwrap_or_else(|| reason.clone());
                state.quarantine(at, reason, &code, &settings);
                if reason == "TooManyDeletes" {
                    tenant.staged_deletes(index, 20, at, &settings);
                }
                let deed = Deed::Quarantine { job: index, code };
                tenant.audit(Actor::ProvisioningService, deed, 0, at, &settings);
            }
            Action::JobPause { .. } => {
                state.pause();
                tenant.audit(
                    Actor::Admin,
                    Deed::JobPaused { job: index },
                    0,
                    at,
                    &settings,
                );
            }
            Action::JobDisable { .. } => state.disable(),
            Action::JobSchedule { interval, .. } => state.interval_ms = interval.as_ms(),
            Action::JobCadence { cadence, .. } => state.cadence_ms = cadence.as_ms(),
            Action::JobInitial { takes, .. } => state.begin_initial(at, takes.as_ms()),
            Action::ObjectErrors { code, count, .. } => {
                tenant.object_errors(index, code, *count, at, &settings);
            }
            Action::ScopeChange { containers, .. } => {
                state.scope_version += 1;
                state.scope_changed = at;
                let app = state.app.clone();
                if let Some(app) = tenant.apps.iter_mut().find(|known| known.name == app) {
                    app.containers.clone_from(containers);
                }
                tenant.audit(
                    Actor::Admin,
                    Deed::ScopeChanged { job: index },
                    0,
                    at,
                    &settings,
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn apply_to_tenant(&mut self, action: &Action, at: i64) -> Result<(), ActionError> {
        let settings = self.settings.clone();
        let Some(name) = tenant_of(action) else {
            return Ok(());
        };
        let tenant = self.tenant_named(name)?;
        check_parts(tenant, action)?;
        match action {
            Action::ConnectStop { .. } | Action::ConnectResume { .. } => {
                connect_switch(tenant, action, at);
            }
            Action::AgentDown { machine, .. } => set_agent(tenant, machine, Some(at)),
            Action::AgentUp { machine, .. } => set_agent(tenant, machine, None),
            Action::RevokeRole { role, .. } => {
                tenant.roles_added.retain(|known| known != role);
                tenant.roles_removed.push(role.clone());
            }
            Action::GrantRole { role, .. } => {
                tenant.roles_removed.retain(|known| known != role);
                tenant.roles_added.push(role.clone());
            }
            Action::ExpireTokens { .. } => tenant.tokens_valid_from = at,
            Action::ClockSkew { by, .. } => {
                tenant.skew_ms = by.as_ms();
                for job in &mut tenant.jobs {
                    job.skew_ms = by.as_ms();
                }
            }
            Action::LogDelay { by, .. } => tenant.log_delay = Some(by.as_ms()),
            Action::DeleteUsers { count, hard, .. } => {
                let draw = tenant.seed.corner("delete").nth(at.unsigned_abs());
                for person in tenant.directory.delete(draw, *count, at, *hard) {
                    tenant.audit(
                        Actor::CloudSync,
                        Deed::DeleteUser { hard: *hard },
                        person,
                        at,
                        &settings,
                    );
                }
            }
            Action::RestoreUsers { count, .. } => drop(tenant.directory.restore(*count)),
            Action::MoveUsers { .. } | Action::HireUsers { .. } => {
                written_by_cloud_sync(tenant, action, at, &settings);
            }
            Action::DoubleWrite { count, .. } => double_write(tenant, *count, at, &settings),
            Action::DomainRecalculation { count, .. } => {
                let draw = tenant.seed.corner("recalculation").nth(at.unsigned_abs());
                for n in 0..*count {
                    if let Some(person) = tenant.directory.pick(draw.nth(u64::from(n))) {
                        tenant.audit(
                            Actor::Nobody,
                            Deed::DomainRecalculation,
                            person,
                            at,
                            &settings,
                        );
                    }
                }
            }
            Action::CloudManage { count, .. } => {
                let draw = tenant.seed.corner("cloud manage").nth(at.unsigned_abs());
                for person in tenant.directory.cloud_manage(draw, *count) {
                    tenant.audit(Actor::Admin, Deed::CloudManaged, person, at, &settings);
                }
            }
            other => apply_to_graph(tenant, other),
        }
        Ok(())
    }

    fn apply_to_receiver(&mut self, action: &Action) {
        let faults = &mut self.receivers;
        let refusal = |status, retry_after| Refusal {
            status,
            retry_after,
        };
        match action {
            Action::Teams429 { retry_after, count } => {
                faults.teams.push((refusal(429, *retry_after), *count));
            }
            Action::TeamsStatus { code, count } => {
                faults.teams.push((refusal(*code, None), *count));
            }
            Action::WebhookStatus {
                code,
                count,
                retry_after,
            } => {
                faults.webhook.push((refusal(*code, *retry_after), *count));
            }
            Action::SmtpRefuse { count } => faults.smtp_refuse += count,
            Action::Smtp451 { count } => faults.smtp_codes.push((451, *count)),
            Action::Smtp550 { count } => faults.smtp_codes.push((550, *count)),
            Action::ReceiverSlow { receiver, ms } => match receiver {
                Receiver::Smtp => faults.smtp_slow_ms = *ms,
                Receiver::Teams => faults.teams_slow_ms = *ms,
                Receiver::Webhook => faults.webhook_slow_ms = *ms,
            },
            _ => {}
        }
    }
}

fn apply_to_graph(tenant: &mut TenantState, action: &Action) {
    let faults = &mut tenant.faults;
    match action {
        Action::GraphDown { mode, .. } => faults.down = Some(*mode),
        Action::GraphUp { .. } => faults.down = None,
        Action::Throttle {
            endpoint,
            retry_after,
            count,
            ..
        } => faults.throttles.push(Throttle {
            endpoint: endpoint.clone(),
            retry_after: *retry_after,
            left: *count,
        }),
        Action::Slow { ms, .. } => faults.slow_ms = *ms,
        Action::LoginError { code, count, .. } => faults.login_error = Some((*code, *count)),
        Action::ExpirePageTokens { .. } => tenant.pages.expire_all(),
        Action::ExpireDeltaTokens { unknown, .. } => {
            tenant.delta_epoch += 1;
            faults.delta_unknown = *unknown;
        }
        Action::PremiumOff { .. } => faults.premium_off = true,
        Action::PremiumOn { .. } => faults.premium_off = false,
        Action::StaleReplica { reads, cycles, .. } => {
            faults.stale_reads = *reads;
            faults.stale_cycles = *cycles;
        }
        Action::UnknownEnumMembers { on, .. } => faults.unknown_members = *on,
        Action::NullFields { on, .. } => faults.null_fields = *on,
        _ => {}
    }
}

fn connect_switch(tenant: &mut TenantState, action: &Action, at: i64) {
    if let Some(connect) = &mut tenant.connect {
        connect.stopped = matches!(action, Action::ConnectStop { .. });
        if !connect.stopped {
            connect.next_objects = at;
            connect.next_passwords = at;
        }
    }
}

fn set_agent(tenant: &mut TenantState, machine: &str, down_since: Option<i64>) {
    for agent in tenant
        .agents
        .iter_mut()
        .filter(|agent| agent.machine == machine)
    {
        agent.down_since = down_since;
    }
}

/// What changes in the directory on premises and is brought along by the next cycle.
fn written_by_cloud_sync(
    tenant: &mut TenantState,
    action: &Action,
    at: i64,
    settings: &crate::story::Settings,
) {
    let draw = tenant.seed.corner("written").nth(at.unsigned_abs());
    let written = match action {
        Action::MoveUsers { count, .. } => tenant.directory.relocate(draw, *count, at),
        Action::HireUsers { count, .. } => {
            tenant.directory.hire(tenant.seed, &tenant.spec, *count, at)
        }
        _ => Vec::new(),
    };
    for person in written {
        tenant.audit_write(Actor::CloudSync, person, at, false, settings);
    }
}

fn double_write(tenant: &mut TenantState, count: u32, at: i64, settings: &crate::story::Settings) {
    let draw = tenant.seed.corner("double write").nth(at.unsigned_abs());
    for n in 0..count {
        if let Some(person) = tenant.directory.pick(draw.nth(u64::from(n))) {
            tenant.directory.touch(person, at, false);
            tenant.audit_write(Actor::Connect, person, at - 2, false, settings);
            tenant.audit_write(Actor::CloudSync, person, at, false, settings);
        }
    }
}

fn check_parts(tenant: &TenantState, action: &Action) -> Result<(), ActionError> {
    let name = || tenant.spec.name.clone();
    match action {
        Action::ConnectStop { .. } | Action::ConnectResume { .. } if tenant.connect.is_none() => {
            Err(ActionError::NoConnect(name()))
        }
        Action::AgentDown { machine, .. } | Action::AgentUp { machine, .. }
            if !tenant.agents.iter().any(|agent| agent.machine == *machine) =>
        {
            Err(ActionError::NoAgent {
                tenant: name(),
                machine: machine.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// The tenant an action is about, for all actions that are about a tenant and not about one job.
fn tenant_of(action: &Action) -> Option<&str> {
    match action {
        Action::ConnectStop { tenant }
        | Action::ConnectResume { tenant }
        | Action::AgentDown { tenant, .. }
        | Action::AgentUp { tenant, .. }
        | Action::GraphDown { tenant, .. }
        | Action::GraphUp { tenant }
        | Action::Throttle { tenant, .. }
        | Action::Slow { tenant, .. }
        | Action::LoginError { tenant, .. }
        | Action::RevokeRole { tenant, .. }
        | Action::GrantRole { tenant, .. }
        | Action::ExpireTokens { tenant }
        | Action::ExpirePageTokens { tenant }
        | Action::ExpireDeltaTokens { tenant, .. }
        | Action::ClockSkew { tenant, .. }
        | Action::LogDelay { tenant, .. }
        | Action::PremiumOff { tenant }
        | Action::PremiumOn { tenant }
        | Action::StaleReplica { tenant, .. }
        | Action::UnknownEnumMembers { tenant, .. }
        | Action::NullFields { tenant, .. }
        | Action::DeleteUsers { tenant, .. }
        | Action::RestoreUsers { tenant, .. }
        | Action::MoveUsers { tenant, .. }
        | Action::HireUsers { tenant, .. }
        | Action::DoubleWrite { tenant, .. }
        | Action::DomainRecalculation { tenant, .. }
        | Action::CloudManage { tenant, .. } => Some(tenant),
        _ => None,
    }
}
