//! The section `[alerts]`: from when on something is worth an alert.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::schedule::Schedule;
use syncwatch_domain::span::Span;

use super::Problem;
use super::problem::Inspection;
use super::servers::{RawServerAlerts, ServerSettings};
use super::versions::Versions;

/// From when on something is worth an alert. When a lane is late or missed its window is decided
/// by `[lanes]`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Alerts")]
pub struct RawAlerts {
    /// A source is reported as unreachable when it failed at least twice and for this long. When
    /// nothing of a tenant can be read, one alert speaks for all of its sources.
    pub blind_after: String,
    /// From this many lanes of one tenant and engine that turn late or miss their window at the
    /// same moment, one message speaks for all of them. 0: every lane has its own message.
    pub group_from: u32,
    /// A job is reported as failing after this many executions in a row that failed as a whole
    /// (error codes that concern a whole job are alerted on at once, after 2 occurrences).
    pub job_failures: u32,
    /// Failing objects with an error that concerns the whole job (agent path, AD path, cloud
    /// credentials) are reported from this many on.
    pub object_errors_from: u32,
    /// Errors that say the service is busy are reported when they last this long (they are
    /// transient; Microsoft asks to wait, and to call support after 24 hours).
    pub service_load_after: String,
    /// When failing objects are listed (errors of single objects are a daily matter): a cron
    /// expression, seconds first, with an optional time zone in front, a duration, or `never`.
    pub digest: String,
    /// Failing objects are reported out of turn when they became this many times as many as last
    /// reported ...
    pub growth_factor: f64,
    /// ... and at least this many more.
    pub growth_at_least: u32,
    /// Warn this long before a credential ends.
    pub credential_warning: String,
    /// It is critical this long before a credential ends.
    pub credential_critical: String,
    /// Severity of a rule in place of its own: `JobPaused = "info"`.
    pub severity: BTreeMap<String, String>,
    /// File with the versions of Connect Sync and of the Cloud Sync agent and the end of their
    /// support, in place of the one this build brings along: dates change more often than syncwatch
    /// does. Read with the configuration. Its form is that of `alerting/data/versions.toml`.
    #[schemars(example = &"/etc/syncwatch/versions.toml")]
    pub versions_file: Option<PathBuf>,
    /// From when on something about a sync server is worth an alert. On a Connect server in staging
    /// mode every level is one step lower.
    pub servers: RawServerAlerts,
}

impl Default for RawAlerts {
    fn default() -> Self {
        Self {
            blind_after: "3m".into(),
            group_from: 10,
            job_failures: 2,
            object_errors_from: 2,
            service_load_after: "1h".into(),
            digest: "TZ=UTC 0 0 7 * * *".into(),
            growth_factor: 2.0,
            growth_at_least: 10,
            credential_warning: "30d".into(),
            credential_critical: "7d".into(),
            severity: BTreeMap::new(),
            versions_file: None,
            servers: RawServerAlerts::default(),
        }
    }
}

/// The section `[alerts]`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertSettings {
    /// How long a source must fail before it is called unreachable.
    pub blind_after: Duration,
    /// From how many lanes on one message speaks for all; 0 for never.
    pub group_from: usize,
    /// From how many failed executions in a row a job fails.
    pub job_failures: i64,
    /// From how many objects on errors of a whole job are reported.
    pub object_errors_from: i64,
    /// How long the service may be busy.
    pub service_load_after: Duration,
    /// When failing objects are listed; `None` for never.
    pub digest: Option<Schedule>,
    /// Growth that is reported out of turn: this many times as many ...
    pub growth_factor: f64,
    /// ... and this many more.
    pub growth_at_least: i64,
    /// Warn this long before a credential ends.
    pub credential_warning: Duration,
    /// Critical this long before a credential ends.
    pub credential_critical: Duration,
    /// Severities set by the operator.
    pub severity: BTreeMap<Rule, Severity>,
    /// What is known of versions.
    pub versions: Arc<Versions>,
    /// Levels of sync servers.
    pub servers: ServerSettings,
}

impl Default for AlertSettings {
    fn default() -> Self {
        RawAlerts::default()
            .check()
            .expect("the defaults are checked by a test")
    }
}

impl RawAlerts {
    /// What the section means.
    ///
    /// # Errors
    /// Every mistake in it, with key path and hint.
    pub fn check(self) -> Result<AlertSettings, Vec<Problem>> {
        let mut problems = Vec::new();
        let servers = self.servers.check(&mut problems);
        let mut look = Inspection::of("alerts".into(), &mut problems);
        let credential_warning = days(
            &mut look,
            "credential_warning",
            &self.credential_warning,
            30,
        );
        let credential_critical = days(
            &mut look,
            "credential_critical",
            &self.credential_critical,
            7,
        );
        if credential_critical > credential_warning {
            look.refuse(
                "credential_critical",
                "it would be critical before it is a warning",
                "make it shorter than credential_warning",
            );
        }
        let checked = AlertSettings {
            blind_after: look.span(
                "blind_after",
                Some(&self.blind_after),
                Span::minutes(3),
                (Span::secs(1), Span::minutes(24 * 60)),
            ),
            group_from: group(&mut look, self.group_from),
            job_failures: at_least_one(&mut look, "job_failures", self.job_failures),
            object_errors_from: at_least_one(
                &mut look,
                "object_errors_from",
                self.object_errors_from,
            ),
            service_load_after: look.span(
                "service_load_after",
                Some(&self.service_load_after),
                Span::minutes(60),
                (Span::secs(0), Span::minutes(7 * 24 * 60)),
            ),
            digest: digest(&mut look, &self.digest),
            growth_factor: growth(&mut look, self.growth_factor),
            growth_at_least: at_least_one(&mut look, "growth_at_least", self.growth_at_least),
            credential_warning,
            credential_critical,
            severity: severities(&mut look, &self.severity),
            versions: versions(&mut look, self.versions_file.as_deref()),
            servers,
        };
        if problems.is_empty() {
            Ok(checked)
        } else {
            Err(problems)
        }
    }
}

fn days(look: &mut Inspection<'_>, key: &str, text: &str, default: u64) -> Duration {
    const DAY: u64 = 24 * 60;
    look.span(
        key,
        Some(text),
        Span::minutes(default * DAY),
        (Span::minutes(DAY), Span::minutes(365 * DAY)),
    )
}

fn at_least_one(look: &mut Inspection<'_>, key: &str, count: u32) -> i64 {
    if count == 0 {
        look.refuse(key, "0 would report what never happened", "write 1 or more");
    }
    i64::from(count)
}

/// A group of one lane is that lane.
fn group(look: &mut Inspection<'_>, count: u32) -> usize {
    if count == 1 {
        look.refuse(
            "group_from",
            "one lane is no group",
            "write 2 or more, or 0 for no groups",
        );
    }
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn growth(look: &mut Inspection<'_>, factor: f64) -> f64 {
    if !factor.is_finite() || factor < 1.0 {
        look.refuse(
            "growth_factor",
            format!("{factor} is no growth"),
            "write 1.0 or more",
        );
    }
    factor
}

fn digest(look: &mut Inspection<'_>, text: &str) -> Option<Schedule> {
    if text.trim() == "never" {
        return None;
    }
    match text.parse() {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            let error: syncwatch_domain::schedule::ScheduleError = error;
            look.refuse("digest", error.to_string(), "write `never` for no digest");
            None
        }
    }
}

fn versions(look: &mut Inspection<'_>, file: Option<&Path>) -> Arc<Versions> {
    let read = match file {
        Some(file) => Versions::from_file(file),
        None => Versions::embedded(),
    };
    Arc::new(read.unwrap_or_else(|error| {
        let why = std::error::Error::source(&error);
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        look.refuse(
            "versions_file",
            format!("{error}{why}"),
            "mend the file, or leave it out for the table of this build",
        );
        Versions::default()
    }))
}

fn severities(
    look: &mut Inspection<'_>,
    written: &BTreeMap<String, String>,
) -> BTreeMap<Rule, Severity> {
    let rules: Vec<_> = Rule::ALL
        .iter()
        .map(|rule| (rule.as_str(), *rule))
        .collect();
    let words: Vec<_> = Severity::ALL
        .iter()
        .map(|word| (word.as_str(), *word))
        .collect();
    written
        .iter()
        .filter_map(|(rule, severity)| {
            let key = format!("severity.{rule}");
            let rule = look.word(&key, rule, &rules);
            let severity = look.word(&key, severity, &words);
            Some((rule?, severity?))
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AlertSettings, Vec<Problem>> {
        toml::from_str::<RawAlerts>(text).unwrap().check()
    }

    #[test]
    fn the_defaults_are_good_and_those_of_the_reference() {
        let settings = read("").unwrap();
        assert_eq!(settings.blind_after, Duration::from_secs(180));
        assert_eq!(settings.group_from, 10);
        assert_eq!((settings.job_failures, settings.object_errors_from), (2, 2));
        assert_eq!(
            settings.credential_warning,
            Duration::from_secs(30 * 86_400)
        );
        assert_eq!(
            settings.credential_critical,
            Duration::from_secs(7 * 86_400)
        );
        assert!(settings.digest.is_some());
        assert!(!settings.versions.connect.is_empty());
    }

    #[test]
    fn what_is_written_wins() {
        let settings = read(
            "blind_after = '2s'\ngroup_from = 0\ndigest = 'never'\n[severity]\nJobPaused = 'info'",
        )
        .unwrap();
        assert_eq!(settings.blind_after, Duration::from_secs(2));
        assert_eq!((settings.group_from, settings.digest), (0, None));
        assert_eq!(settings.severity[&Rule::JobPaused], Severity::Info);
    }

    #[test]
    fn every_mistake_is_reported_at_once_with_place_and_hint() {
        let problems = read(
            "blind_after = '0s'\ngroup_from = 1\njob_failures = 0\nobject_errors_from = 0\n\
             service_load_after = 'long'\ndigest = 'daily'\ngrowth_factor = 0.5\ngrowth_at_least = 0\n\
             credential_warning = '7d'\ncredential_critical = '30d'\n\
             versions_file = '/nowhere/versions.toml'\n\
             [severity]\nJobPauzed = 'info'\nJobPaused = 'loud'\n[servers]\nclock_off = 'a lot'",
        )
        .unwrap_err();
        let lines: String = problems
            .iter()
            .map(|problem| format!("{}: {} ({})\n", problem.path, problem.message, problem.hint))
            .collect();
        insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("alerts_problems", lines);
        });
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = toml::from_str::<RawAlerts>("blind = '3m'").unwrap_err();
        assert!(error.message().contains("unknown field"), "{error}");
    }

    #[test]
    fn every_key_has_a_description_and_a_default_in_the_schema() {
        let schema = serde_json::to_value(schemars::schema_for!(RawAlerts)).unwrap();
        for (key, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{key}");
            let is_optional = key == "versions_file";
            assert!(is_optional || !property["default"].is_null(), "{key}");
        }
    }
}
