//! Agents on sync servers, and what they last reported of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncwatch_domain::report::Role;
use syncwatch_domain::source::ReadFailure;
use syncwatch_domain::span::Span;
use syncwatch_domain::sync_server::{
    CertificateNotice, CloudFeatures, Database, DeletionStop, LostRecords, PasswordSync,
    PendingExports, Reachability, Runs, Scheduler, Services, Versions,
};
use syncwatch_domain::time::Timestamp;

use super::{Source, SourceHealth};

/// `GET /api/v1/agents`: agents that the configuration names, with what they reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agents {
    /// When this was said.
    pub now: Timestamp,
    /// The agents, by tenant and host.
    pub agents: Vec<Agent>,
}

/// Whether an agent is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentHealth {
    /// Its reports come.
    Reporting,
    /// No report has come for too long.
    Silent,
    /// Nothing came yet, and it is too early to call that silence.
    Waiting,
}

impl AgentHealth {
    /// Every member.
    pub const ALL: [Self; 3] = [Self::Reporting, Self::Silent, Self::Waiting];

    /// The word in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reporting => "reporting",
            Self::Silent => "silent",
            Self::Waiting => "waiting",
        }
    }

    /// What the source of an agent's reports says of it. Whatever the reason, an agent whose reports
    /// fail to come is silent.
    #[must_use]
    pub const fn of(reports: SourceHealth) -> Self {
        match reports {
            SourceHealth::Up => Self::Reporting,
            SourceHealth::Failing | SourceHealth::Off => Self::Silent,
            SourceHealth::Waiting => Self::Waiting,
        }
    }
}

/// How reports come home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The agent sends them.
    Push,
    /// The agent is asked for them.
    Ask,
}

impl Way {
    /// The word in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Ask => "ask",
        }
    }
}

/// An agent, and the server it reports of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Tenant.
    pub tenant: String,
    /// Its server, as the configuration names it.
    pub host: String,
    /// Whether it is heard.
    pub health: AgentHealth,
    /// Id it was given when it was set up; absent, like all it says of itself, until it reported.
    pub id: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Operating system of the server.
    pub system: Option<String>,
    /// What the server does; empty until the agent knows.
    pub roles: BTreeSet<Role>,
    /// How its reports come home; absent when the configuration in force does not name it.
    pub way: Option<Way>,
    /// It is silent when no report came for this long.
    pub silent_after: Option<Span>,
    /// When its first report came.
    pub first_seen_at: Option<Timestamp>,
    /// When its newest report came.
    pub reported_at: Option<Timestamp>,
    /// Since when it is called silent.
    pub silent_since: Option<Timestamp>,
    /// Why, for people.
    pub error: Option<String>,
    /// How far the clock of the server is ahead, in milliseconds; negative when it is behind.
    pub clock_ahead_ms: Option<i64>,
    /// How far its spool has come home.
    pub spool: Option<Spool>,
    /// The newest records that were dropped on the server.
    pub newest_gap: Option<LostRecords>,
    /// What it reads, section by section.
    pub sections: Vec<AgentSection>,
    /// What it last reported of the server.
    pub server: Server,
}

/// How far a spool has come home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool {
    /// Its name.
    pub id: String,
    /// Every record up to this number is committed.
    pub acknowledged: u64,
    /// Records that waited on the server behind the newest report.
    pub waiting: u64,
    /// Records that were dropped on the server since the agent is known.
    pub lost: u64,
}

/// One section of an agent's reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSection {
    /// Which one.
    pub section: String,
    /// How it is doing.
    pub health: SourceHealth,
    /// Start of the newest reading that worked, the clock of the server corrected.
    pub read_at: Option<Timestamp>,
    /// Since when it fails.
    pub failing_since: Option<Timestamp>,
    /// Why the newest reading failed.
    pub failure: Option<ReadFailure>,
    /// The same for people.
    pub error: Option<String>,
}

impl AgentSection {
    /// The section behind a source.
    pub(in crate::http) fn of(section: &str, source: &Source) -> Self {
        Self {
            section: section.to_owned(),
            health: source.health,
            read_at: source.read_at,
            failing_since: source.failing_since,
            failure: source.failure,
            error: source.error.clone(),
        }
    }
}

/// What was last read of a server; a part that was never read, or is not there, is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Connect's scheduler.
    pub scheduler: Option<Read<Scheduler>>,
    /// The newest runs of every connector.
    pub runs: Option<Read<Runs>>,
    /// Password hash sync per domain.
    pub password_sync: Option<Read<PasswordSync>>,
    /// What the tenant says about Connect's features.
    pub cloud_features: Option<Read<CloudFeatures>>,
    /// Connect's database.
    pub database: Option<Read<Database>>,
    /// Which domains can be reached.
    pub reachability: Option<Read<Reachability>>,
    /// Windows services.
    pub services: Option<Read<Services>>,
    /// Versions of what is installed.
    pub versions: Option<Read<Versions>>,
    /// The newest stop of the guard against accidental deletes.
    pub deletion_stop: Option<Read<DeletionStop>>,
    /// The newest word of Connect about its certificate.
    pub certificate: Option<Read<CertificateNotice>>,
    /// What waits to be exported.
    pub pending_exports: Option<Read<PendingExports>>,
}

/// A part of a server, and as of when it is true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Read<T> {
    /// When it was read, the clock of the server corrected.
    pub read_at: Timestamp,
    /// What was read.
    #[serde(flatten)]
    pub value: T,
}

impl Agent {
    /// The roles as people read them.
    pub(crate) fn roles_in_words(&self) -> String {
        let words = self.roles.iter().map(|role| match role {
            Role::ConnectActive => "Connect",
            Role::ConnectStaging => "Connect, staging",
            Role::CloudAgent => "Cloud Sync agent",
        });
        words.collect::<Vec<_>>().join("; ")
    }

    /// How right the clock of the server is; nothing until it was seen.
    pub(crate) fn clock_in_words(&self) -> String {
        let Some(ahead) = self.clock_ahead_ms else {
            return String::new();
        };
        let off = std::time::Duration::from_millis(ahead.unsigned_abs());
        if off.as_secs() == 0 {
            return "right".to_owned();
        }
        let way = if ahead > 0 { "ahead" } else { "behind" };
        format!("{} {way}", crate::words::span(off))
    }

    /// Sections whose newest reading failed.
    pub(crate) fn failing_sections(&self) -> impl Iterator<Item = &AgentSection> {
        self.sections
            .iter()
            .filter(|section| section.failing_since.is_some())
    }
}
