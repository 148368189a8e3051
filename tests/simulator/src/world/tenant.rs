//! One tenant: its jobs and Connect Sync write, its logs and directory remember.

use crate::bulk::{OBJECT_ERRORS, Origin, RowKind};
use crate::chance::Seed;
use crate::graph::paging::PageStore;
use crate::graph::throttle::Buckets;
use crate::story::{self, Settings, Shape};
use crate::world::directory::Directory;
use crate::world::faults::GraphFaults;
use crate::world::founding::{agent_state, cloud_sync_app, connect_state, foreign_app};
use crate::world::job::{CycleEnded, JobState};
use crate::world::logs::{Actor, AuditRow, Deed, Logs, ProvisioningRow};

/// The application template of Cloud Sync configurations.
pub(crate) const CLOUD_SYNC_TEMPLATE: &str = "1a4721b3-e57f-4451-ae87-ef078703ec94";

/// A service principal that owns jobs.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) service_principal: String,
    pub(crate) app_id: String,
    pub(crate) name: String,
    pub(crate) shape: Option<Shape>,
    pub(crate) netbios: String,
    pub(crate) containers: Vec<String>,
    pub(crate) groups: Vec<String>,
    /// Indexes into the jobs of the tenant.
    pub(crate) jobs: Vec<u16>,
}

/// Connect Sync as the tenant sees it.
#[derive(Debug, Clone)]
pub(crate) struct ConnectState {
    pub(crate) spec: story::Connect,
    pub(crate) stopped: bool,
    pub(crate) next_objects: i64,
    pub(crate) next_passwords: i64,
    /// The 12 hex digits that tell installations apart.
    pub(crate) hash: String,
    pub(crate) service_principal: String,
    pub(crate) app_id: String,
}

#[derive(Debug, Clone)]
pub(crate) struct AgentState {
    pub(crate) id: String,
    pub(crate) machine: String,
    pub(crate) domain: String,
    pub(crate) down_since: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct TenantState {
    pub(crate) spec: story::Tenant,
    pub(crate) seed: Seed,
    /// Instant at which the story began.
    pub(crate) origin_ms: i64,
    pub(crate) jobs: Vec<JobState>,
    pub(crate) apps: Vec<App>,
    pub(crate) connect: Option<ConnectState>,
    pub(crate) agents: Vec<AgentState>,
    pub(crate) directory: Directory,
    pub(crate) logs: Logs,
    pub(crate) faults: GraphFaults,
    pub(crate) roles_added: Vec<String>,
    pub(crate) roles_removed: Vec<String>,
    pub(crate) last_sync: Option<i64>,
    pub(crate) last_password_sync: Option<i64>,
    /// Tokens issued before this instant count as expired.
    pub(crate) tokens_valid_from: i64,
    pub(crate) log_delay: Option<i64>,
    pub(crate) skew_ms: i64,
    pub(crate) pages: PageStore,
    pub(crate) buckets: Buckets,
    /// Delta tokens of an earlier epoch are expired.
    pub(crate) delta_epoch: u64,
}

impl TenantState {
    pub(crate) fn new(seed: Seed, spec: &story::Tenant, origin: i64, settings: &Settings) -> Self {
        let seed = seed.corner("tenant").corner(&spec.name);
        let mut jobs = Vec::new();
        let mut apps = Vec::new();
        for configuration in &spec.configurations {
            apps.push(cloud_sync_app(seed, spec, configuration, origin, &mut jobs));
        }
        for foreign in &spec.foreign_apps {
            apps.push(foreign_app(seed, spec, foreign, origin, &mut jobs));
        }
        let mut tenant = Self {
            seed,
            origin_ms: origin,
            jobs,
            apps,
            connect: spec
                .connect
                .as_ref()
                .map(|connect| connect_state(seed, connect, origin)),
            agents: spec
                .agents
                .iter()
                .map(|agent| agent_state(seed, agent))
                .collect(),
            directory: Directory::new(seed, spec, origin),
            logs: Logs::default(),
            faults: GraphFaults::default(),
            roles_added: Vec::new(),
            roles_removed: Vec::new(),
            last_sync: (!spec.cloud_only).then_some(origin - 1000),
            last_password_sync: (!spec.cloud_only).then_some(origin - 2000),
            tokens_valid_from: i64::MIN,
            log_delay: None,
            skew_ms: 0,
            pages: PageStore::new(seed),
            buckets: Buckets::default(),
            delta_epoch: 0,
            spec: spec.clone(),
        };
        tenant.pile_up(origin, settings);
        tenant
    }

    /// Writes the mountain of past rows the story asks for. A share of them is still to come, another comes twice.
    fn pile_up(&mut self, origin: i64, settings: &Settings) {
        let Some(bulk) = self.spec.bulk.clone() else {
            return;
        };
        let Some(job) = self.find_job(&bulk.domain, "AD2AADProvisioning") else {
            return;
        };
        let codes: Vec<u16> = OBJECT_ERRORS
            .iter()
            .map(|code| self.logs.code_index(code))
            .collect();
        let rows = i64::from(bulk.rows.max(1));
        let people = u64::from(self.spec.directory.users.max(1));
        for n in 0..i64::from(bulk.rows) {
            let draw = self.seed.corner("bulk").nth(n.unsigned_abs());
            let at = origin - bulk.over.as_ms() + bulk.over.as_ms() * n / rows;
            let late = draw.corner("late").happens(settings.late_share);
            let row = ProvisioningRow {
                key: (1 << 40) + n.unsigned_abs(),
                cycle: (1 << 40) + n.unsigned_abs() / 50,
                at,
                visible: if late {
                    origin + draw.corner("late by").upto(settings.late_by.as_ms())
                } else {
                    at
                },
                person: u32::try_from(draw.corner("person").below(people)).unwrap_or(0),
                job,
                code: draw.corner("code").pick(&codes),
                kind: RowKind::draw(draw, settings.failure_share),
            };
            self.logs.provisioning.push(row);
            if draw.corner("twice").happens(settings.duplicate_share) {
                self.logs.provisioning.push(row);
            }
        }
    }

    pub(crate) fn find_job(&self, app: &str, template: &str) -> Option<u16> {
        let found = self
            .jobs
            .iter()
            .position(|job| job.app == app && job.spec.template == template)?;
        u16::try_from(found).ok()
    }

    /// Facts every row of a job shares.
    pub(crate) fn origin_of(&self, job: u16) -> Origin {
        let state = &self.jobs[usize::from(job)];
        let app = self.app_of(job);
        Origin {
            seed: self.seed,
            tenant_id: self.spec.id.clone(),
            job_id: state.id.clone(),
            service_principal: app.service_principal.clone(),
            service_principal_name: app.name.clone(),
            app_id: app.app_id.clone(),
            ad_domain: app.name.clone(),
            mail_domain: self.spec.domains[0].clone(),
        }
    }

    pub(crate) fn app_of(&self, job: u16) -> &App {
        self.apps
            .iter()
            .find(|app| app.jobs.contains(&job))
            .expect("every job is created together with its app")
    }

    /// Lets every job and Connect Sync run until `target`.
    pub(crate) fn advance(&mut self, target: i64, settings: &Settings) {
        for index in 0..self.jobs.len() {
            let ended = self.jobs[index].advance(target, settings);
            let job = u16::try_from(index).unwrap_or(u16::MAX);
            for cycle in ended {
                self.after_cycle(job, &cycle, settings);
            }
        }
        self.advance_connect(target, settings);
    }

    fn after_cycle(&mut self, job: u16, cycle: &CycleEnded, settings: &Settings) {
        if let Some(code) = cycle.quarantined.clone() {
            let deed = Deed::Quarantine { job, code };
            self.audit(Actor::ProvisioningService, deed, 0, cycle.ended, settings);
        }
        let state = &self.jobs[usize::from(job)];
        if cycle.failed || !state.is_cloud_sync() {
            if !cycle.failed {
                self.write_rows(job, cycle, settings);
            }
            return;
        }
        let stamp = cycle.ended + self.skew_ms;
        if state.is_password_hash() {
            self.last_password_sync = self.last_password_sync.max(Some(stamp));
        } else {
            self.last_sync = self.last_sync.max(Some(stamp));
        }
        self.write_rows(job, cycle, settings);
    }

    fn write_rows(&mut self, job: u16, cycle: &CycleEnded, settings: &Settings) {
        let state = &self.jobs[usize::from(job)];
        let (rows, objects) = (state.spec.rows, state.spec.objects);
        let password = state.is_password_hash();
        let cloud = state.is_cloud_sync();
        let own = self
            .seed
            .corner("cycle rows")
            .corner(&state.id.clone())
            .nth(cycle.cycle);
        for n in 0..rows.max(objects) {
            let draw = own.nth(u64::from(n));
            let Some(person) = self.directory.pick(draw) else {
                return;
            };
            let span = (cycle.ended - cycle.began).max(1);
            let at = cycle.began + span * i64::from(n + 1) / i64::from(rows.max(objects) + 1);
            let kind = if password {
                RowKind::Password
            } else {
                RowKind::draw(draw, settings.failure_share)
            };
            if n < rows && (!password || settings.password_rows) {
                let code = self
                    .logs
                    .code_index(draw.corner("code").pick(&OBJECT_ERRORS));
                self.provisioning_row(job, cycle.cycle, at, person, kind, code, settings);
            }
            if n < objects && cloud && kind.writes() {
                self.directory.touch(person, at + self.skew_ms, password);
                self.audit_write(Actor::CloudSync, person, at, password, settings);
                if !password {
                    self.audit(
                        Actor::ProvisioningService,
                        Deed::Export { job },
                        person,
                        at,
                        settings,
                    );
                }
            } else if n < rows && cloud && kind == RowKind::OutOfScope {
                self.audit(
                    Actor::ProvisioningService,
                    Deed::Skip { job },
                    person,
                    at,
                    settings,
                );
            }
        }
    }

    fn advance_connect(&mut self, target: i64, settings: &Settings) {
        let Some(mut connect) = self.connect.take() else {
            return;
        };
        while !connect.stopped && connect.next_objects.min(connect.next_passwords) <= target {
            if connect.next_objects <= connect.next_passwords {
                let at = connect.next_objects;
                connect.next_objects += connect.spec.interval.as_ms();
                self.connect_cycle(at, connect.spec.audits, settings);
            } else {
                let at = connect.next_passwords;
                connect.next_passwords += connect.spec.password_interval.as_ms();
                self.last_password_sync = self.last_password_sync.max(Some(at + self.skew_ms));
                if connect.spec.audits > 0
                    && let Some(person) = self
                        .directory
                        .pick(self.seed.corner("connect pw").nth(at.unsigned_abs()))
                {
                    self.directory.touch(person, at + self.skew_ms, true);
                    self.audit_write(Actor::Connect, person, at, true, settings);
                }
            }
        }
        self.connect = Some(connect);
    }

    fn connect_cycle(&mut self, at: i64, audits: u32, settings: &Settings) {
        self.last_sync = self.last_sync.max(Some(at + self.skew_ms));
        let own = self.seed.corner("connect cycle").nth(at.unsigned_abs());
        for n in 0..audits {
            let Some(person) = self.directory.pick(own.nth(u64::from(n))) else {
                return;
            };
            let at = at - i64::from(audits - n) * 3;
            self.directory.touch(person, at + self.skew_ms, false);
            self.audit_write(Actor::Connect, person, at, false, settings);
        }
    }

    /// Failed rows, all at once, as a bad import in the source directory causes them.
    pub(crate) fn object_errors(
        &mut self,
        job: u16,
        code: &str,
        count: u32,
        now: i64,
        settings: &Settings,
    ) {
        let code = self.logs.code_index(code);
        let cycle = self.jobs[usize::from(job)].cycle();
        let own = self.seed.corner("object errors").nth(now.unsigned_abs());
        for n in 0..count {
            if let Some(person) = self.directory.pick(own.nth(u64::from(n))) {
                let at = now - i64::from(count - n) * 2;
                self.provisioning_row(job, cycle, at, person, RowKind::Failure, code, settings);
            }
        }
        self.jobs[usize::from(job)].note_object_errors(count);
    }

    /// Rows of deletions that the accidental-deletion guard holds back.
    pub(crate) fn staged_deletes(&mut self, job: u16, count: u32, now: i64, settings: &Settings) {
        let cycle = self.jobs[usize::from(job)].cycle();
        let own = self.seed.corner("staged deletes").nth(now.unsigned_abs());
        for n in 0..count {
            if let Some(person) = self.directory.pick(own.nth(u64::from(n))) {
                let at = now - i64::from(count - n) * 2;
                self.provisioning_row(job, cycle, at, person, RowKind::StagedDelete, 0, settings);
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the facts of one log row; a struct would repeat the row type"
    )]
    fn provisioning_row(
        &mut self,
        job: u16,
        cycle: u64,
        at: i64,
        person: u32,
        kind: RowKind,
        code: u16,
        settings: &Settings,
    ) {
        let key = self.logs.key();
        let draw = self.seed.corner("row visible").nth(key);
        let stamp = at + self.skew_ms;
        let row = ProvisioningRow {
            key,
            cycle,
            at: if draw.corner("whole").happens(settings.whole_second_share) {
                stamp - stamp.rem_euclid(1000)
            } else {
                stamp
            },
            visible: at + self.delay(draw, settings),
            person,
            job,
            code,
            kind,
        };
        self.logs.provisioning.push(row);
        if draw.corner("twice").happens(settings.duplicate_share) {
            let again = row.visible
                + draw
                    .corner("again")
                    .upto(settings.log_jitter.as_ms().max(1));
            self.logs.provisioning.push(ProvisioningRow {
                visible: again,
                ..row
            });
        }
    }

    /// What the Core Directory log says about one synchronised write.
    pub(crate) fn audit_write(
        &mut self,
        actor: Actor,
        person: u32,
        at: i64,
        password: bool,
        settings: &Settings,
    ) {
        if password {
            self.audit(actor, Deed::UpdateTokensValidFrom, person, at - 1, settings);
            self.audit(actor, Deed::ChangePassword, person, at, settings);
        } else {
            self.audit(actor, Deed::UpdateUser, person, at, settings);
        }
    }

    pub(crate) fn audit(
        &mut self,
        actor: Actor,
        deed: Deed,
        person: u32,
        at: i64,
        settings: &Settings,
    ) {
        let key = self.logs.key();
        let draw = self.seed.corner("audit visible").nth(key);
        let row = AuditRow {
            key,
            at: at + self.skew_ms,
            visible: at + self.delay(draw, settings),
            person,
            actor,
            deed,
        };
        if draw.corner("twice").happens(settings.duplicate_share) {
            let visible = row.visible
                + draw
                    .corner("again")
                    .upto(settings.log_jitter.as_ms().max(1));
            self.logs.audits.push(AuditRow {
                visible,
                ..row.clone()
            });
        }
        self.logs.audits.push(row);
    }

    fn delay(&self, draw: Seed, settings: &Settings) -> i64 {
        let least = self.log_delay.unwrap_or(settings.log_delay.as_ms());
        let late = if draw.corner("late").happens(settings.late_share) {
            settings.late_by.as_ms()
        } else {
            0
        };
        least + late + draw.corner("delay").upto(settings.log_jitter.as_ms())
    }
}
