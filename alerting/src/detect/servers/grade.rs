//! How grave the result of a run is, and what it is about (run results of Connect Sync).
//!
//! Results that nobody knows are kept as they came and graded by their beginning. From when on a
//! result that repeats itself is graver is set by the operator.

use syncwatch_domain::alert::Severity;
use syncwatch_domain::report::runs::grade::{Grade as Level, of as by_itself};
use syncwatch_domain::sync_server::Run;

use crate::config::ServerSettings;

/// What a result is about; the word is a label of the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Single objects.
    Objects,
    /// The guard against accidental deletes; told by a rule of its own.
    Deletions,
    /// The way to a directory.
    Connection,
    /// The account of a connector.
    Credentials,
    /// Connect's database.
    Database,
    /// The connector to Entra ID, or another extension.
    Extension,
    /// The connector was busy.
    Collision,
    /// The run profile.
    Profile,
    /// Somebody or something stopped it.
    Interrupted,
    /// A result that is not known here.
    Unknown,
}

impl Trouble {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Deletions => "deletions",
            Self::Connection => "connection",
            Self::Credentials => "credentials",
            Self::Database => "database",
            Self::Extension => "extension",
            Self::Collision => "collision",
            Self::Profile => "profile",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }

    /// What to check first.
    pub(super) const fn mend(self) -> &'static str {
        match self {
            Self::Objects => {
                "Look at the errors of the run in the Synchronization Service Manager, or at events 6941 and 6950 in the Application log: they name object and attribute. Mend the objects in AD."
            }
            Self::Deletions => "Look at the pending deletes.",
            Self::Connection => {
                "Look whether the server reaches the domain controllers of this connector (name, LDAP, firewall), and at events 6001 and 6050 in the Application log."
            }
            Self::Credentials => {
                "The account of the connector was refused: expired, locked or changed. Set its password anew with the configuration wizard."
            }
            Self::Database => {
                "Look at the database of Connect Sync: LocalDB ends at 10 GB, the disk may be full, the SQL server may be gone. Events 6062, 6073, 6075 and 6322 in the Application log say which."
            }
            Self::Extension => {
                "The connector to Entra ID failed: sign-in, proxy, TLS or the service itself. Look at events 106, 109 and 115 in the Application log, and whether miiserver.exe.config was changed (FIPS, proxy)."
            }
            Self::Collision => {
                "Another run held the connector: look for runs that somebody starts by hand or by a script beside the scheduler."
            }
            Self::Profile => {
                "The run profile is broken: compare it with the ones the configuration wizard makes, and let the wizard make it anew."
            }
            Self::Interrupted => {
                "Look who or what stopped it: a person, a restart of the service ADSync, or a shutdown. The next run goes on."
            }
            Self::Unknown => {
                "Look at the run in the Synchronization Service Manager and at the Application log of the same time."
            }
        }
    }
}

/// A run that is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grade {
    pub(super) severity: Severity,
    pub(super) trouble: Trouble,
}

/// Whether a run came to its end, with or without errors.
pub(super) fn came_to_its_end(result: &str) -> bool {
    result.starts_with("success") || result.starts_with("completed-")
}

/// How grave a run is; `None` when it is good.
pub(super) fn grade(run: &Run, settings: &ServerSettings) -> Option<Grade> {
    let result = run.result.trim().to_ascii_lowercase();
    let alone = match by_itself(&result) {
        Level::Ok => return None,
        Level::Info => Severity::Info,
        Level::Warning => Severity::Warning,
        Level::Critical => Severity::Critical,
    };
    let trouble = trouble(&result);
    let severity = match trouble {
        Trouble::Connection if run.bad_in_a_row >= settings.connection_failures => {
            Severity::Critical
        }
        Trouble::Collision if run.bad_in_a_row > settings.collisions => Severity::Warning,
        Trouble::Objects if exports_get_worse(&result, run, settings) => Severity::Critical,
        _ => alone,
    };
    Some(Grade { severity, trouble })
}

/// Objects that fail to export for a day, or more and more of them.
fn exports_get_worse(result: &str, run: &Run, settings: &ServerSettings) -> bool {
    if result != "completed-export-errors" {
        return false;
    }
    let lasts = run
        .bad_since
        .is_some_and(|since| run.ended_at.since(since) >= settings.export_errors_critical);
    let rises = run.bad_in_a_row > 1 && run.export_failures > run.export_failures_before;
    lasts || rises
}

/// What a result is about.
fn trouble(result: &str) -> Trouble {
    match result {
        "stopped-error-limit" => Trouble::Objects,
        "stopped-deletion-threshold-exceeded" => Trouble::Deletions,
        "stopped-server-down"
        | "stopped-server"
        | "stopped-connectivity"
        | "no-start-connection" => Trouble::Connection,
        "no-start-credentials" => Trouble::Credentials,
        "success-can-resume" | "aborted" => Trouble::Interrupted,
        "no-start-ma-already-running"
        | "no-start-ma-concurrent-operation-disallowed"
        | "no-start-ma-update-in-progress" => Trouble::Collision,
        "no-start-no-steps-in-profile"
        | "no-start-unknown-profile-name"
        | "no-start-ma-working-directory" => Trouble::Profile,
        _ => BEGINNINGS
            .iter()
            .find(|(beginning, _)| result.starts_with(beginning))
            .map_or(Trouble::Unknown, |(_, trouble)| *trouble),
    }
}

/// What results are about that begin like this.
const BEGINNINGS: [(&str, Trouble); 5] = [
    ("completed-", Trouble::Objects),
    ("stopped-database-", Trouble::Database),
    ("stopped-extension-dll-", Trouble::Extension),
    ("stopped-user-termination", Trouble::Interrupted),
    ("no-start-resume-", Trouble::Profile),
];

#[cfg(test)]
mod tests;
