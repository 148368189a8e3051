//! What a story says: who exists, how fast things happen, how nasty the servers are, and what goes wrong when.

mod parts;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::times::Span;

pub use parts::{
    Agent, BulkRows, Client, Configuration, Connect, ConnectAccount, Directory, Federated,
    ForeignApp, Job, JobStart, Shape, SyncServerPart, Tenant,
};

/// A story that cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The file cannot be read.
    #[error("cannot read story {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is no story.
    #[error("story is not valid: {0}")]
    Parse(#[from] toml::de::Error),
    /// A step names something that does not exist, or a value makes no sense.
    #[error("story is not consistent: {0}")]
    Inconsistent(String),
}

/// The whole story.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Root of all chance.
    pub seed: u64,
    /// Instant at which the story begins when it is played on a stepped clock (RFC 3339). On the clock of the
    /// machine it begins when the simulator starts.
    #[serde(default)]
    pub start: Option<String>,
    /// Time after which the story is told.
    #[serde(default)]
    pub length: Option<Span>,
    /// Delays, shares and limits of the servers.
    #[serde(default)]
    pub settings: Settings,
    /// The tenants.
    #[serde(rename = "tenant")]
    pub tenants: Vec<Tenant>,
    /// What happens when.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// One timed action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Time since the story began.
    pub at: Span,
    /// What happens.
    #[serde(flatten)]
    pub action: Action,
}

// By hand: serde cannot refuse unknown keys of a flattened, tagged enum.
impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut table = toml::Table::deserialize(deserializer)?;
        let at = table
            .remove("at")
            .ok_or_else(|| D::Error::missing_field("at"))?
            .try_into()
            .map_err(D::Error::custom)?;
        let action = table.try_into().map_err(D::Error::custom)?;
        Ok(Self { at, action })
    }
}

/// Delays, shares and limits. The defaults are those of the real services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Least time until a log row becomes visible.
    pub log_delay: Span,
    /// Further random delay.
    pub log_jitter: Span,
    /// Share of rows that come much later.
    pub late_share: f64,
    /// How much later.
    pub late_by: Span,
    /// Share of rows delivered twice.
    pub duplicate_share: f64,
    /// Share of objects in the cycles of a job that fail.
    pub failure_share: f64,
    /// Share of log rows whose time has no fraction.
    pub whole_second_share: f64,
    /// Share of page boundaries with an empty page before the next rows.
    pub empty_page_share: f64,
    /// Life of a page token.
    pub page_token_life: Span,
    /// Life of a delta token.
    pub delta_token_life: Span,
    /// Life of an access token.
    pub token_life: Span,
    /// Calls to `auditLogs` per window, application and tenant; 0 means no limit.
    pub reports_limit: u32,
    /// That window.
    pub reports_window: Span,
    /// Share of reporting 429 answers that carry Retry-After.
    pub retry_after_share: f64,
    /// Resource units per 10 s, application and tenant; 0 means the documented figure by tenant size.
    pub directory_units: u32,
    /// Log queries over a wider window answer 504.
    pub wide_window: Span,
    /// Age at which a log row is forgotten.
    pub retention: Span,
    /// Waits between attempts of a job in quarantine; the last one repeats.
    pub quarantine_backoff: Vec<Span>,
    /// Time in quarantine after which a job is disabled.
    pub quarantine_limit: Span,
    /// Failed cycles in a row after which a job goes into quarantine; none means never by itself.
    pub quarantine_after: Option<u32>,
    /// Time after which an agent that is down shows as inactive.
    pub agent_inactive_after: Span,
    /// Time after which an agent that is down leaves the list.
    pub agent_gone_after: Span,
    /// Application permissions are accepted on the agent list.
    pub agents_for_apps: bool,
    /// Application permissions are accepted on `directory/onPremisesSynchronization`.
    pub connect_settings_for_apps: bool,
    /// Rows of password hash jobs appear in the provisioning log.
    pub password_rows: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_delay: Span::mins(2),
            log_jitter: Span::mins(10),
            late_share: 0.02,
            late_by: Span::mins(90),
            duplicate_share: 0.03,
            failure_share: 0.05,
            whole_second_share: 0.2,
            empty_page_share: 0.1,
            page_token_life: Span::mins(5),
            delta_token_life: Span::mins(7 * 24 * 60),
            token_life: Span::secs(3599),
            reports_limit: 5,
            reports_window: Span::secs(10),
            retry_after_share: 0.5,
            directory_units: 0,
            wide_window: Span::mins(7 * 24 * 60),
            retention: Span::mins(30 * 24 * 60),
            quarantine_backoff: vec![Span::mins(360), Span::mins(720), Span::mins(1440)],
            quarantine_limit: Span::mins(28 * 24 * 60),
            quarantine_after: None,
            agent_inactive_after: Span::mins(60),
            agent_gone_after: Span::mins(10 * 24 * 60),
            agents_for_apps: false,
            connect_settings_for_apps: false,
            password_rows: false,
        }
    }
}

impl Story {
    /// Reads a story file; certificate files are read relative to it.
    pub fn load(path: &Path) -> Result<Self, StoryError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| StoryError::Read {
                path: path.to_owned(),
                source,
            })
        };
        let mut story: Self = toml::from_str(&read(path)?)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for client in story
            .tenants
            .iter_mut()
            .flat_map(|tenant| &mut tenant.clients)
        {
            if let Some(file) = client.certificate_file.take() {
                client.certificate_pem = Some(read(&folder.join(file))?);
            }
        }
        story.check()?;
        Ok(story)
    }

    /// Reads a story from text.
    pub fn parse(text: &str) -> Result<Self, StoryError> {
        let story: Self = toml::from_str(text)?;
        story.check()?;
        Ok(story)
    }

    /// The migration of the `demo` command.
    #[must_use]
    pub fn demo() -> Self {
        Self::parse(include_str!("../stories/demo.toml"))
            .expect("the shipped story is checked by a test")
    }

    /// The instant at which the story begins on a stepped clock: `start`, or 2026-09-14T06:00:00Z.
    #[must_use]
    pub fn start_ms(&self) -> i64 {
        const DEFAULT_START_MS: i64 = 1_789_365_600_000;
        self.start
            .as_deref()
            .and_then(crate::times::parse_ms)
            .unwrap_or(DEFAULT_START_MS)
    }

    /// Finds everything that does not fit together; the simulator calls it on start too.
    pub fn check(&self) -> Result<(), StoryError> {
        let wrong = |text: String| Err(StoryError::Inconsistent(text));
        if let Some(start) = &self.start
            && crate::times::parse_ms(start).is_none()
        {
            return wrong(format!("start {start:?} is not an RFC 3339 instant"));
        }
        for tenant in &self.tenants {
            let jobs = tenant
                .configurations
                .iter()
                .flat_map(|configuration| &configuration.jobs)
                .chain(tenant.foreign_apps.iter().map(|app| &app.job));
            for job in jobs {
                if job.cadence.as_ms() <= job.takes.as_ms() || job.takes.as_ms() < 0 {
                    return wrong(format!(
                        "job {} of tenant {}: cadence must be longer than a cycle takes",
                        job.template, tenant.name
                    ));
                }
            }
            if tenant.domains.is_empty() {
                return wrong(format!("tenant {} has no domain", tenant.name));
            }
            if let Some(connect) = &tenant.connect
                && (connect.interval.as_ms() <= 0 || connect.password_interval.as_ms() <= 0)
            {
                return wrong(format!(
                    "connect of tenant {}: intervals must be positive",
                    tenant.name
                ));
            }
        }
        Ok(())
    }
}
