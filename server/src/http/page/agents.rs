//! Sync servers and their agents on the status page, in words.

use std::time::Duration;

use syncwatch_domain::sync_server::{
    Database, DomainReach, Scheduler, Service, ServiceState, StartType, Versions,
};
use syncwatch_domain::time::Timestamp;

use super::rows::Moment;
use crate::http::shape::{Agent, AgentHealth, Server};
use crate::words::{count, distance, span};

/// LocalDB ends here, in megabytes.
const LOCAL_DB_MOST_MB: f64 = 10_240.0;

/// An agent and its server.
pub(super) struct AgentRow {
    pub(super) class: &'static str,
    pub(super) health: &'static str,
    pub(super) tenant: String,
    pub(super) host: String,
    pub(super) roles: String,
    pub(super) version: String,
    pub(super) reported: Moment,
    pub(super) clock: String,
    pub(super) spool: String,
    /// What was read last, each with its age.
    pub(super) read: Vec<Line>,
    /// What is wrong with the view of the server.
    pub(super) troubles: Vec<String>,
}

/// Something that was read, and when.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) at: Moment,
}

impl AgentRow {
    pub(super) fn of(agent: &Agent, now: Timestamp) -> Self {
        let class = match agent.health {
            AgentHealth::Reporting => "on_time",
            AgentHealth::Silent => "blind",
            AgentHealth::Waiting => "unknown",
        };
        Self {
            class,
            health: agent.health.as_str(),
            tenant: agent.tenant.clone(),
            host: agent.host.clone(),
            roles: agent.roles_in_words(),
            version: agent.version.clone().unwrap_or_default(),
            reported: Moment::of(agent.reported_at, now, "never"),
            clock: agent.clock_in_words(),
            spool: spool(agent),
            read: lines(agent, now),
            troubles: troubles(agent, now),
        }
    }
}

fn spool(agent: &Agent) -> String {
    let Some(spool) = &agent.spool else {
        return String::new();
    };
    let number = |records: u64| usize::try_from(records).unwrap_or(usize::MAX);
    let waiting = match spool.waiting {
        0 => "all home".to_owned(),
        waiting => format!("{} waiting", count(number(waiting), "record")),
    };
    let all = match spool.lost {
        0 => waiting,
        lost => format!("{waiting}, {lost} lost"),
    };
    match agent.health {
        // Records go on to gather on a server that cannot be heard.
        AgentHealth::Silent => format!("{all}, when last heard"),
        AgentHealth::Reporting | AgentHealth::Waiting => all,
    }
}

fn lines(agent: &Agent, now: Timestamp) -> Vec<Line> {
    let Server {
        scheduler,
        versions,
        database,
        services,
        reachability,
        ..
    } = &agent.server;
    let mut lines = Vec::new();
    let mut tell = |text: String, at: Timestamp| {
        if !text.is_empty() {
            let at = Moment::of(Some(at), now, "");
            lines.push(Line { text, at });
        }
    };
    if let Some(read) = scheduler {
        tell(cycles(&read.value, read.read_at, now), read.read_at);
    }
    if let Some(read) = versions {
        tell(installed(&read.value), read.read_at);
    }
    if let Some(read) = database {
        tell(size(&read.value), read.read_at);
    }
    if let Some(read) = services {
        let stopped = read.value.services.iter();
        let stopped = stopped.filter_map(|service| at_rest(service, read.read_at));
        tell(stopped.collect::<Vec<_>>().join("; "), read.read_at);
    }
    if let Some(read) = reachability {
        let domains = read.value.domains.iter();
        let out_of_reach = domains.filter_map(|domain| unreachable(domain, read.read_at));
        tell(out_of_reach.collect::<Vec<_>>().join("; "), read.read_at);
    }
    let reads = agent.sections.iter().filter_map(|section| section.read_at);
    if let Some(oldest) = reads.clone().min() {
        let sections = count(reads.count(), "section");
        tell(format!("{sections}, the oldest"), oldest);
    }
    lines
}

/// What Connect's scheduler is up to.
fn cycles(scheduler: &Scheduler, read_at: Timestamp, now: Timestamp) -> String {
    let ms = u64::try_from(scheduler.effective_interval_ms).unwrap_or(0);
    let mut words = Vec::new();
    if scheduler.staging_mode {
        words.push("staging mode".to_owned());
    }
    if !scheduler.sync_cycle_enabled {
        words.push("cycles are off".to_owned());
    } else if scheduler.in_progress {
        words.push("a cycle is running".to_owned());
    } else {
        let next = scheduler.next_start_at.map_or_else(String::new, |at| {
            let was_due = if at > now { "" } else { "was due " };
            format!(", the next {was_due}{}", distance(at, now))
        });
        let every = span(Duration::from_millis(ms));
        words.push(format!("a cycle every {every}{next}"));
    }
    if scheduler.suspended {
        let since = scheduler.suspended_since.unwrap_or(read_at);
        words.push(format!("held by the wizard{}", lasting(since, read_at)));
    }
    words.join("; ")
}

fn installed(versions: &Versions) -> String {
    let connect = versions.connect.as_ref();
    let agent = versions.provisioning_agent.as_ref();
    let connect = connect.map(|version| format!("Connect Sync {version}"));
    let agent = agent.map(|version| format!("Cloud Sync agent {version}"));
    let both: Vec<_> = connect.into_iter().chain(agent).collect();
    both.join(", ")
}

fn size(database: &Database) -> String {
    let used = database.used_mb / 1024.0;
    if database.local_db {
        let most = LOCAL_DB_MOST_MB / 1024.0;
        format!("database {used:.1} of {most:.0} GB")
    } else {
        format!("database {used:.1} GB")
    }
}

/// A service that should run by itself and does not.
fn at_rest(service: &Service, read_at: Timestamp) -> Option<String> {
    let should_run = service.start_type == Some(StartType::Automatic);
    (should_run && service.state != ServiceState::Running).then(|| {
        let state = service.state.as_str().replace('_', " ");
        let lasts = lasting(service.since, read_at);
        format!("service {} is {state}{lasts}", service.name)
    })
}

fn unreachable(domain: &DomainReach, read_at: Timestamp) -> Option<String> {
    let lasts = lasting(domain.since, read_at);
    (!domain.reachable).then(|| format!("{} out of reach{lasts}", domain.domain))
}

/// How long something had lasted when it was read; nobody knows whether it still does.
fn lasting(since: Timestamp, read_at: Timestamp) -> String {
    let lasted = read_at.since(since);
    if lasted.as_secs() == 0 {
        String::new()
    } else {
        format!(" for {}", span(lasted))
    }
}

/// What cannot be seen of the server, and why.
fn troubles(agent: &Agent, now: Timestamp) -> Vec<String> {
    let silent = agent.silent_since.map(|since| {
        let why = agent.error.as_deref().unwrap_or("no report comes");
        format!("silent for {}: {why}", span(now.since(since)))
    });
    let failing = agent.failing_sections().map(|section| {
        let since = section.failing_since.map_or_else(String::new, |since| {
            format!(" for {}", span(now.since(since)))
        });
        let why = section.error.as_deref().unwrap_or("no reason was given");
        format!(
            "{} not read{since}: {why}",
            section.section.replace('_', " ")
        )
    });
    silent.into_iter().chain(failing).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    const READ_AT: &str = "2026-03-10T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn value<T: DeserializeOwned>(mut base: Value, change: &Value) -> T {
        for (key, value) in change.as_object().unwrap() {
            base[key] = value.clone();
        }
        serde_json::from_value(base).unwrap()
    }

    #[test]
    fn what_the_scheduler_is_up_to_is_told_as_of_its_reading() {
        let base = json!({
            "effective_interval_ms": 1_800_000, "allowed_interval_ms": 1_800_000, "next_policy": "delta",
            "next_start_at": null, "sync_cycle_enabled": true, "maintenance_enabled": true,
            "staging_mode": false, "suspended": false, "in_progress": false,
        });
        let now = at("2026-03-10T12:10:00Z");
        for (change, told) in [
            (json!({}), "a cycle every 30m"),
            (
                json!({"next_start_at": "2026-03-10T12:15:00Z"}),
                "a cycle every 30m, the next in 5m",
            ),
            (
                json!({"next_start_at": "2026-03-10T12:08:00Z"}),
                "a cycle every 30m, the next was due 2m ago",
            ),
            (json!({"in_progress": true}), "a cycle is running"),
            (
                json!({"staging_mode": true, "sync_cycle_enabled": false}),
                "staging mode; cycles are off",
            ),
            (
                json!({"suspended": true}),
                "a cycle every 30m; held by the wizard",
            ),
            (
                json!({"suspended": true, "suspended_since": "2026-03-10T11:00:00Z"}),
                "a cycle every 30m; held by the wizard for 1h",
            ),
        ] {
            let scheduler: Scheduler = value(base.clone(), &change);
            assert_eq!(cycles(&scheduler, at(READ_AT), now), told, "{change}");
        }
    }

    #[test]
    fn a_service_is_named_when_it_should_run_and_does_not() {
        let base = json!({"kind": "connect", "name": "ADSync", "display_name": "x", "state": "stopped",
                          "since": "2026-03-10T11:40:00Z", "start_type": "automatic"});
        for (change, told) in [
            (json!({}), Some("service ADSync is stopped for 20m")),
            (
                json!({"since": READ_AT, "state": "start_pending"}),
                Some("service ADSync is start pending"),
            ),
            (json!({"state": "running"}), None),
            (json!({"start_type": "manual"}), None),
            (json!({"start_type": null}), None),
        ] {
            let service: Service = value(base.clone(), &change);
            assert_eq!(at_rest(&service, at(READ_AT)).as_deref(), told, "{change}");
        }
    }

    #[test]
    fn the_limit_of_a_database_is_told_where_there_is_one() {
        let size = |local_db| {
            size(&Database {
                local_db,
                used_mb: 9_523.2,
            })
        };
        assert_eq!(size(true), "database 9.3 of 10 GB");
        assert_eq!(size(false), "database 9.3 GB");
    }
}
