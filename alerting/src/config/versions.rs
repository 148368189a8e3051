//! What is known of the versions of Connect Sync and of the Cloud Sync agent: until when they are
//! supported, and what they can do. Data, not code: a file of the operator can take its place.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use syncwatch_domain::time::Timestamp;
use thiserror::Error;

/// The table of this build.
const EMBEDDED: &str = include_str!("../../data/versions.toml");

/// What the table of this build is called in errors.
const EMBEDDED_NAME: &str = "the table of this build";

const DAY: Duration = Duration::from_secs(86_400);

/// A version of four numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u32; 4]);

impl Version {
    /// Reads one to four numbers with dots between them; what is left out is 0.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 4];
        let mut parts = text.trim().split('.');
        for number in &mut numbers {
            let Some(part) = parts.next() else { break };
            *number = part.parse().ok()?;
        }
        parts.next().is_none().then_some(Self(numbers))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

/// Why a table of versions cannot be used.
#[derive(Debug, Error)]
pub enum VersionsError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML, or has other keys.
    #[error("cannot read {table}: {text}")]
    Form {
        /// Which table.
        table: String,
        /// Where and why.
        text: String,
    },
    /// A value is not what it should be.
    #[error("{table} has {found:?} as {key}: write {expected}")]
    Value {
        /// Which table.
        table: String,
        /// The key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
}

/// A version of Connect Sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectVersion {
    /// Which.
    pub version: Version,
    /// The instant its support ends; `None` while that is not known.
    pub support_ends: Option<Timestamp>,
    /// It was taken back.
    pub recalled: bool,
}

/// A build of the Cloud Sync agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentBuild {
    /// Which.
    pub version: Version,
    /// When it appeared.
    pub released: Timestamp,
}

/// What a kind of job needs of the Cloud Sync agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Template of the job.
    pub template: String,
    /// What it is, for people.
    pub what: String,
    /// The least build.
    pub version: Version,
}

/// The table; lists in the order of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// The day until which it knows what was published.
    pub as_of: String,
    /// Connect Sync below this version was stopped by the service, and since when.
    pub floor: Option<(Version, Timestamp)>,
    /// Versions of Connect Sync.
    pub connect: Vec<ConnectVersion>,
    /// Builds of the Cloud Sync agent.
    pub agent: Vec<AgentBuild>,
    /// What kinds of jobs need of it.
    pub features: Vec<Feature>,
}

impl Versions {
    /// The table of this build.
    ///
    /// # Errors
    /// Never, as a test holds.
    pub fn embedded() -> Result<Self, VersionsError> {
        Self::parse(EMBEDDED, EMBEDDED_NAME)
    }

    /// The table in a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is no such table.
    pub fn from_file(file: &Path) -> Result<Self, VersionsError> {
        let text = std::fs::read_to_string(file).map_err(|source| VersionsError::Read {
            file: file.to_owned(),
            source,
        })?;
        Self::parse(&text, &file.display().to_string())
    }

    fn parse(text: &str, table: &str) -> Result<Self, VersionsError> {
        let raw: RawVersions = toml::from_str(text).map_err(|error| VersionsError::Form {
            table: table.to_owned(),
            text: error.to_string().trim().replace('\n', " "),
        })?;
        raw.check(table)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVersions {
    as_of: String,
    connect: RawConnect,
    agent: RawAgent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConnect {
    floor: String,
    floor_since: String,
    version: Vec<RawConnectVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConnectVersion {
    version: String,
    support_ends: Option<String>,
    #[serde(default)]
    recalled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgent {
    build: Vec<RawBuild>,
    #[serde(default)]
    minimum: Vec<RawMinimum>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBuild {
    version: String,
    released: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMinimum {
    template: String,
    what: String,
    version: String,
}

impl RawVersions {
    fn check(self, table: &str) -> Result<Versions, VersionsError> {
        day(table, "as_of", &self.as_of)?;
        let floor = version(table, "floor", &self.connect.floor)?;
        let floor_since = day(table, "floor_since", &self.connect.floor_since)?;
        let mut connect = Vec::with_capacity(self.connect.version.len());
        for raw in self.connect.version {
            let ends = raw.support_ends.as_deref();
            let ends = ends.map(|text| day(table, "support_ends", text));
            connect.push(ConnectVersion {
                version: version(table, "version", &raw.version)?,
                support_ends: ends.transpose()?.map(|day| day + DAY),
                recalled: raw.recalled,
            });
        }
        let mut agent = Vec::with_capacity(self.agent.build.len());
        for raw in self.agent.build {
            agent.push(AgentBuild {
                version: version(table, "version", &raw.version)?,
                released: day(table, "released", &raw.released)?,
            });
        }
        let mut features = Vec::with_capacity(self.agent.minimum.len());
        for raw in self.agent.minimum {
            features.push(Feature {
                version: version(table, "version", &raw.version)?,
                template: raw.template,
                what: raw.what,
            });
        }
        connect.sort_by_key(|known| known.version);
        agent.sort_by_key(|known| known.version);
        Ok(Versions {
            as_of: self.as_of,
            floor: Some((floor, floor_since)),
            connect,
            agent,
            features,
        })
    }
}

fn version(table: &str, key: &'static str, text: &str) -> Result<Version, VersionsError> {
    Version::parse(text).ok_or_else(|| VersionsError::Value {
        table: table.to_owned(),
        key,
        found: text.to_owned(),
        expected: "up to four numbers with dots, such as \"2.6.84.0\"",
    })
}

/// The beginning of a day.
fn day(table: &str, key: &'static str, text: &str) -> Result<Timestamp, VersionsError> {
    Timestamp::parse(&format!("{}T00:00:00Z", text.trim())).ok_or_else(|| VersionsError::Value {
        table: table.to_owned(),
        key,
        found: text.to_owned(),
        expected: "a day such as \"2026-09-30\"",
    })
}

#[cfg(test)]
mod tests;
