//! What a server is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, FaultKind};
use super::trouble::Trouble;
use crate::times::Span;

/// A server with its past and its story. Spans count from [`Self::begin_ms`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncServer {
    /// Name of the host.
    pub host: String,
    /// Root of all chance.
    pub seed: u64,
    /// When the story begins, in UTC milliseconds since 1970.
    pub begin_ms: i64,
    /// What time it is; that of the machine when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now_ms: Option<i64>,
    /// How far the clock of the server is ahead.
    #[serde(default)]
    pub clock_ahead: Span,
    /// How long it has been running when the story begins.
    pub history: Span,
    /// Its local time minus UTC.
    #[serde(default)]
    pub utc_offset_minutes: i32,
    /// Version of its interpreter.
    pub interpreter: String,
    /// Connect Sync, where it is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<ConnectSync>,
    /// Agent of Cloud Sync, where it is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_agent: Option<CloudAgent>,
    /// What its directory holds beside the roots of domains.
    #[serde(default)]
    pub directory: Vec<Entry>,
    /// How large its event logs are.
    #[serde(default)]
    pub log: LogSize,
    /// Where everything that its interpreter is sent is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_input: Option<PathBuf>,
    /// What befalls it.
    #[serde(default)]
    pub troubles: Vec<Happening<Trouble>>,
    /// What its interpreter does wrong.
    #[serde(default)]
    pub faults: Vec<Happening<Fault>>,
}

/// Connect Sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectSync {
    /// Version of the product.
    pub version: String,
    /// It is in staging mode in the beginning.
    #[serde(default)]
    pub staging: bool,
    /// From the start of a cycle to that of the next.
    pub interval: Span,
    /// From one cycle of password hash sync to the next.
    pub password_interval: Span,
    /// Password hash sync says that it is alive when it had nothing to do for so long.
    pub ping_interval: Span,
    /// First label of the tenant's initial domain.
    pub tenant: String,
    /// Forests, each with a connector of its own.
    pub forests: Vec<Forest>,
    /// Space that the database takes, in megabytes.
    pub database_mb: f64,
}

/// A forest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forest {
    /// Name of the connector: that of the forest.
    pub name: String,
    /// Password hash sync is on.
    pub password_sync: bool,
    /// Domains that are synchronised; each is a partition of the connector.
    pub domains: Vec<Domain>,
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// DNS name.
    pub name: String,
    /// Containers that are in.
    #[serde(default)]
    pub included: Vec<String>,
    /// Containers that are out.
    #[serde(default)]
    pub excluded: Vec<String>,
}

/// Agent of Cloud Sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudAgent {
    /// Version of the product.
    pub version: String,
}

/// An object of the directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Distinguished name in the beginning.
    pub dn: String,
    /// `objectGUID`.
    pub id: String,
}

/// How large event logs are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSize {
    /// Records of ours that a log keeps; the oldest go first.
    pub keeps: usize,
    /// Number of the first record there ever was.
    pub first_record: u64,
}

/// Something that holds for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening<T> {
    /// From when on, counted from the begin of the story; negative before it.
    pub from: Span,
    /// Until when; for good when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Span>,
    /// What.
    pub what: T,
}

impl Default for LogSize {
    fn default() -> Self {
        Self {
            keeps: 20_000,
            first_record: 512_000,
        }
    }
}

impl Domain {
    /// Distinguished name of its root.
    #[must_use]
    pub fn dn(&self) -> String {
        let labels = self.name.split('.').map(|label| format!("DC={label}"));
        labels.collect::<Vec<_>>().join(",")
    }
}

impl SyncServer {
    /// A server with nothing on it that has been running for a day.
    #[must_use]
    pub fn bare(host: &str, begin_ms: i64) -> Self {
        Self {
            host: host.to_owned(),
            seed: host.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte)),
            begin_ms,
            now_ms: None,
            clock_ahead: Span::default(),
            history: Span::mins(26 * 60),
            utc_offset_minutes: 0,
            interpreter: "5.1.20348.2849".to_owned(),
            connect: None,
            cloud_agent: None,
            directory: Vec::new(),
            log: LogSize::default(),
            record_input: None,
            troubles: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// A Connect server of a tenant with the intervals of the product, for forests of one domain
    /// each; password hash sync is on for all.
    #[must_use]
    pub fn connect(host: &str, begin_ms: i64, tenant: &str, domains: &[&str]) -> Self {
        let forests = domains.iter().map(|name| Forest {
            name: (*name).to_owned(),
            password_sync: true,
            domains: vec![Domain {
                name: (*name).to_owned(),
                included: Vec::new(),
                excluded: Vec::new(),
            }],
        });
        Self {
            connect: Some(ConnectSync {
                version: "2.6.92.0".to_owned(),
                staging: false,
                interval: Span::mins(30),
                password_interval: Span::mins(2),
                ping_interval: Span::mins(30),
                tenant: tenant.to_owned(),
                forests: forests.collect(),
                database_mb: 2_340.5,
            }),
            ..Self::bare(host, begin_ms)
        }
    }

    /// The same in staging mode.
    #[must_use]
    pub fn in_staging(mut self) -> Self {
        if let Some(connect) = &mut self.connect {
            connect.staging = true;
        }
        self
    }

    /// The same with a trouble that lasts.
    #[must_use]
    pub fn with(mut self, from: Span, trouble: Trouble) -> Self {
        self.troubles.push(Happening {
            from,
            until: None,
            what: trouble,
        });
        self
    }

    /// The same with a misbehaviour of its interpreter from the begin of the story on, of one
    /// section or of all.
    #[must_use]
    pub fn failing(mut self, section: Option<&str>, kind: FaultKind) -> Self {
        self.faults.push(Happening {
            from: Span::default(),
            until: None,
            what: Fault {
                section: section.map(str::to_owned),
                kind,
            },
        });
        self
    }
}
