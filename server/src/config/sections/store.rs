//! `[store]`: the database and how long things are kept.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::secret::Secret;
use syncwatch_domain::span::Span;
use syncwatch_store::Retention;

use super::{Fault, above_zero};

/// Where a database lives unless the configuration says otherwise.
const DEFAULT_URL: &str = "sqlite:syncwatch.db";

/// The database.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    /// `sqlite:<path>` or `postgres://user:password@host/database`. Relative paths start at the
    /// working directory. Without it: `sqlite:syncwatch.db`.
    /// Source of the default: design, one file and nothing to install.
    #[schemars(with = "Option<String>", example = &"sqlite:/var/lib/syncwatch/syncwatch.db")]
    pub url: Option<Secret<String>>,
    /// File that holds the url, for one with a password; read at start.
    #[schemars(example = &"/run/secrets/syncwatch-database-url")]
    pub url_file: Option<PathBuf>,
    /// How long things are kept.
    pub retention: RetentionSection,
}

/// How long things are kept; older ones are removed once an hour, in small steps.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSection {
    /// Rows of the provisioning log and of the directory audits.
    /// Source of the default: Microsoft Entra data retention, 30 days with P1 or P2.
    #[schemars(with = "String", extend("format" = "duration"))]
    pub observations: Span,
    /// Cycles and transitions of lanes.
    /// Source of the default: three times the log retention, so that a quarter can be looked back on.
    #[schemars(with = "String", extend("format" = "duration"))]
    pub cycles: Span,
    /// Resolved alerts with their messages, and the ledger of missed windows.
    /// Source of the default: a year and a month, so that one year's record is always whole.
    #[schemars(with = "String", extend("format" = "duration"))]
    pub alerts: Span,
}

impl Default for RetentionSection {
    fn default() -> Self {
        let days = |days: u64| Span::secs(days * 86_400);
        Self {
            observations: days(30),
            cycles: days(90),
            alerts: days(396),
        }
    }
}

/// `[store]`, checked.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the url is.
    pub url: StoreUrl,
    /// How long things are kept.
    pub retention: Retention,
}

/// A database url, or the file that holds it.
#[derive(Clone, Debug)]
pub enum StoreUrl {
    /// Written in the configuration.
    Written(Secret<String>),
    /// In a file, read at start.
    File(PathBuf),
}

impl StoreSection {
    /// Checks the section.
    ///
    /// # Errors
    /// With all its mistakes.
    pub fn check(&self) -> Result<StoreConfig, Vec<Fault>> {
        let mut faults = Vec::new();
        let url = match (&self.url, &self.url_file) {
            (Some(_), Some(file)) => {
                faults.push(Fault::new(
                    "url_file",
                    "url and url_file are both set",
                    "keep one of them",
                ));
                StoreUrl::File(file.clone())
            }
            (None, Some(file)) => StoreUrl::File(file.clone()),
            (Some(url), None) => StoreUrl::Written(url.clone()),
            (None, None) => StoreUrl::Written(Secret::new(DEFAULT_URL.to_owned())),
        };
        if let StoreUrl::Written(url) = &url
            && let Err(what) = known_scheme(url.expose())
        {
            faults.push(Fault::new(
                "url",
                what,
                "write sqlite:<path> or postgres://user@host/database",
            ));
        }
        let RetentionSection {
            observations,
            cycles,
            alerts,
        } = self.retention;
        above_zero(&mut faults, "retention.observations", Some(observations));
        above_zero(&mut faults, "retention.cycles", Some(cycles));
        above_zero(&mut faults, "retention.alerts", Some(alerts));
        if !faults.is_empty() {
            return Err(faults);
        }
        let retention = Retention {
            observations: observations.0,
            cycles: cycles.0,
            alerts: alerts.0,
        };
        Ok(StoreConfig { url, retention })
    }
}

/// Whether the store can open such a url; the text never repeats the url, it may hold a password.
fn known_scheme(url: &str) -> Result<(), &'static str> {
    match url.split_once(':') {
        Some(("sqlite", ":memory:" | "//:memory:")) => {
            Err("a database in memory forgets what it has accepted; it must be a file")
        }
        Some(("sqlite", path)) if !path.trim_start_matches('/').is_empty() => Ok(()),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(()),
        _ => Err("this is neither an SQLite nor a PostgreSQL url"),
    }
}
