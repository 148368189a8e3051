//! One synchronization job: runs cycles on its real cadence, whatever its schedule promises.

use std::collections::VecDeque;

use crate::chance::Seed;
use crate::story::{Job, JobStart, Settings};

/// Statuses kept for replicas that are behind.
const HISTORY: usize = 32;
const DAY_MS: i64 = 86_400_000;

/// Why the job does what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    Running,
    Stopped,
    Failing { code: String },
    Quarantined,
    Paused,
    Disabled,
    Initial { began: i64, ends: i64 },
}

#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) cycle: u64,
    pub(crate) state: &'static str,
    pub(crate) began: i64,
    pub(crate) ended: i64,
    pub(crate) error: Option<String>,
    pub(crate) objects: u32,
    pub(crate) failed_objects: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Quarantine {
    pub(crate) series_began: i64,
    pub(crate) current_began: i64,
    pub(crate) next_attempt: i64,
    pub(crate) series_count: usize,
    pub(crate) reason: String,
    pub(crate) code: String,
}

/// What `GET .../jobs/{id}` tells.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) code: &'static str,
    pub(crate) failures: u64,
    pub(crate) first_steady: Option<i64>,
    pub(crate) last_steady: Option<i64>,
    pub(crate) last: Option<Execution>,
    pub(crate) success_ended: Option<i64>,
    pub(crate) export: Option<(i64, u32)>,
    pub(crate) progress: Option<(u32, u32, i64)>,
    pub(crate) quarantine: Option<Quarantine>,
}

impl Status {
    fn empty(code: &'static str) -> Self {
        Self {
            code,
            failures: 0,
            first_steady: None,
            last_steady: None,
            last: None,
            success_ended: None,
            export: None,
            progress: None,
            quarantine: None,
        }
    }
}

/// A cycle that has just ended.
#[derive(Debug, Clone)]
pub(crate) struct CycleEnded {
    pub(crate) cycle: u64,
    pub(crate) began: i64,
    pub(crate) ended: i64,
    pub(crate) failed: bool,
    /// Error code, if this cycle sent the job into quarantine.
    pub(crate) quarantined: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct JobState {
    pub(crate) spec: Job,
    pub(crate) id: String,
    /// Name of the configuration's domain, or of the foreign app.
    pub(crate) app: String,
    pub(crate) interval_ms: i64,
    pub(crate) cadence_ms: i64,
    pub(crate) mode: Mode,
    pub(crate) status: Status,
    pub(crate) scope_version: u64,
    pub(crate) scope_changed: i64,
    /// Clock error of the service, added to every stamp.
    pub(crate) skew_ms: i64,
    pub(crate) total_objects: u32,
    seed: Seed,
    next_start: i64,
    cycle: u64,
    history: VecDeque<Status>,
}

impl JobState {
    pub(crate) fn new(
        seed: Seed,
        tenant_id: &str,
        app: &str,
        spec: &Job,
        origin: i64,
        total_objects: u32,
    ) -> Self {
        let own = seed.corner("job").corner(app).corner(&spec.template);
        let cadence_ms = spec.cadence.as_ms();
        let mut job = Self {
            id: format!(
                "{}.{}.{}",
                spec.template,
                tenant_id.replace('-', ""),
                own.guid()
            ),
            app: app.to_owned(),
            interval_ms: spec.interval.as_ms(),
            cadence_ms,
            mode: Mode::Running,
            status: Status::empty("Active"),
            scope_version: 0,
            scope_changed: origin - 9 * DAY_MS,
            skew_ms: 0,
            total_objects,
            seed: own,
            next_start: origin + own.corner("phase").upto(cadence_ms),
            cycle: 0,
            history: VecDeque::new(),
            spec: spec.clone(),
        };
        match spec.state {
            JobStart::NotRun => job.status = Status::empty("NotRun"),
            JobStart::Disabled => job.disable(),
            JobStart::Active | JobStart::Paused => {
                let began = job.next_start - cadence_ms;
                job.steady_since(origin - 80 * DAY_MS, began);
                if spec.state == JobStart::Paused {
                    job.pause();
                }
            }
        }
        job
    }

    fn steady_since(&mut self, first: i64, began: i64) {
        let ended = began + self.spec.takes.as_ms();
        self.status.first_steady = Some(first);
        self.status.last_steady = Some(ended);
        self.status.success_ended = Some(ended);
        self.status.export = Some((ended - self.cadence_ms, self.spec.objects.max(1)));
        self.status.last = Some(Execution {
            cycle: u64::MAX,
            state: "Succeeded",
            began,
            ended,
            error: None,
            objects: self.spec.objects,
            failed_objects: 0,
        });
    }

    pub(crate) fn pause(&mut self) {
        self.mode = Mode::Paused;
        self.status.code = "Paused";
    }

    pub(crate) fn disable(&mut self) {
        self.mode = Mode::Disabled;
        self.status = Status::empty("Paused");
    }

    /// Cycles start again at `now`, and everything that was wrong is over.
    pub(crate) fn resume(&mut self, now: i64) {
        self.mode = Mode::Running;
        self.status.quarantine = None;
        self.status.failures = 0;
        if self.status.code != "NotRun" {
            self.status.code = "Active";
        }
        self.next_start = now;
    }

    pub(crate) fn quarantine(&mut self, now: i64, reason: &str, code: &str, settings: &Settings) {
        self.mode = Mode::Quarantined;
        self.status.code = "Quarantine";
        self.status.failures += 1;
        self.fail_execution(now - self.spec.takes.as_ms(), now, code);
        self.status.quarantine = Some(Quarantine {
            series_began: now,
            current_began: now,
            next_attempt: now + back_off(settings, 0),
            series_count: 1,
            reason: reason.to_owned(),
            code: code.to_owned(),
        });
    }

    pub(crate) fn begin_initial(&mut self, now: i64, takes_ms: i64) {
        self.mode = Mode::Initial {
            began: now,
            ends: now + takes_ms,
        };
        self.status = Status::empty("Active");
        self.progress_to(now);
    }

    fn progress_to(&mut self, now: i64) {
        let Mode::Initial { began, ends } = self.mode else {
            return;
        };
        let span = (ends - began).max(1);
        let done = i64::from(self.total_objects) * (now - began).clamp(0, span) / span;
        let done = u32::try_from(done).unwrap_or(0);
        self.status.progress = Some((done, self.total_objects, now + self.skew_ms));
    }

    /// Lets everything happen until `target`, in order, and tells which cycles ended.
    pub(crate) fn advance(&mut self, target: i64, settings: &Settings) -> Vec<CycleEnded> {
        let mut ended = Vec::new();
        loop {
            let due = match self.mode {
                Mode::Stopped | Mode::Paused | Mode::Disabled => return ended,
                Mode::Quarantined => {
                    self.quarantine_until(target, settings);
                    return ended;
                }
                Mode::Initial { ends, .. } if ends > target => {
                    self.progress_to(target);
                    return ended;
                }
                Mode::Initial { began, ends } => {
                    self.end_initial(began, ends, &mut ended);
                    continue;
                }
                Mode::Running | Mode::Failing { .. } => self.next_start + self.spec.takes.as_ms(),
            };
            if due > target {
                return ended;
            }
            ended.push(self.run_cycle(settings));
        }
    }

    fn end_initial(&mut self, began: i64, ends: i64, ended: &mut Vec<CycleEnded>) {
        self.cycle += 1;
        self.mode = Mode::Running;
        self.status.progress = None;
        self.succeed(began, ends);
        self.status.first_steady = Some(ends + self.skew_ms);
        self.next_start = ends + self.cadence_ms;
        ended.push(CycleEnded {
            cycle: self.cycle,
            began,
            ended: ends,
            failed: false,
            quarantined: None,
        });
    }

    fn run_cycle(&mut self, settings: &Settings) -> CycleEnded {
        self.history.push_back(self.status.clone());
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.cycle += 1;
        let began = self.next_start;
        let end = began + self.spec.takes.as_ms();
        let wander = self.seed.corner("jitter").nth(self.cycle);
        self.next_start = (began + wander.around(self.cadence_ms, self.spec.jitter)).max(end);
        let failing = match &self.mode {
            Mode::Failing { code } => Some(code.clone()),
            _ => None,
        };
        match &failing {
            Some(code) => {
                self.status.failures += 1;
                self.fail_execution(began, end, code);
                let limit = settings.quarantine_after.map_or(u64::MAX, u64::from);
                if self.status.failures >= limit {
                    self.quarantine(end, "EncounteredQuarantineException", code, settings);
                }
            }
            None => self.succeed(began, end),
        }
        CycleEnded {
            cycle: self.cycle,
            began,
            ended: end,
            failed: failing.is_some(),
            quarantined: failing.filter(|_| self.mode == Mode::Quarantined),
        }
    }

    fn succeed(&mut self, began: i64, ended: i64) {
        let (began, ended) = (began + self.skew_ms, ended + self.skew_ms);
        self.status.code = "Active";
        self.status.failures = 0;
        self.status.first_steady.get_or_insert(ended);
        self.status.last_steady = Some(ended);
        self.status.success_ended = Some(ended);
        if self.spec.objects > 0 {
            self.status.export = Some((ended, self.spec.objects));
        }
        self.status.last = Some(Execution {
            cycle: self.cycle,
            state: "Succeeded",
            began,
            ended,
            error: None,
            objects: self.spec.objects,
            failed_objects: 0,
        });
    }

    fn fail_execution(&mut self, began: i64, ended: i64, code: &str) {
        self.status.last = Some(Execution {
            cycle: self.cycle,
            state: if code == "TooManyDeletes" {
                "EntryLevelErrors"
            } else {
                "Failed"
            },
            began: began + self.skew_ms,
            ended: ended + self.skew_ms,
            error: Some(code.to_owned()),
            objects: 0,
            failed_objects: 0,
        });
    }

    fn quarantine_until(&mut self, target: i64, settings: &Settings) {
        while let Some(mut quarantine) = self.status.quarantine.take() {
            let attempt = quarantine.next_attempt;
            if attempt > target {
                self.status.quarantine = Some(quarantine);
                return;
            }
            if attempt - quarantine.series_began >= settings.quarantine_limit.as_ms() {
                self.disable();
                return;
            }
            self.status.failures += 1;
            let code = quarantine.code.clone();
            self.fail_execution(attempt, attempt + self.spec.takes.as_ms(), &code);
            quarantine.current_began = attempt;
            quarantine.next_attempt = attempt + back_off(settings, quarantine.series_count);
            quarantine.series_count += 1;
            self.status.quarantine = Some(quarantine);
        }
    }

    /// Marks objects of the last cycle as failed.
    pub(crate) fn note_object_errors(&mut self, count: u32) {
        if let Some(last) = &mut self.status.last {
            last.state = "EntryLevelErrors";
            last.failed_objects += count;
        }
    }

    /// The status some cycles ago, as a replica that is behind still has it.
    pub(crate) fn earlier(&self, cycles: u32) -> &Status {
        let back = self.history.len().saturating_sub(cycles as usize);
        self.history.get(back).unwrap_or(&self.status)
    }

    /// Number of the cycle that ran last.
    pub(crate) fn cycle(&self) -> u64 {
        self.cycle
    }

    pub(crate) fn is_password_hash(&self) -> bool {
        self.spec.template == "AD2AADPasswordHash"
    }

    pub(crate) fn is_cloud_sync(&self) -> bool {
        self.spec.template.starts_with("AD2AAD")
    }
}

fn back_off(settings: &Settings, attempt: usize) -> i64 {
    let list = &settings.quarantine_backoff;
    let last = list.len().saturating_sub(1);
    list.get(attempt.min(last))
        .map_or(DAY_MS, |span| span.as_ms())
}

#[cfg(test)]
mod tests;
