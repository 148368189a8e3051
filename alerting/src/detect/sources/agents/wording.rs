//! Words for agents and their sections.

use syncwatch_domain::alert::Evidence;
use syncwatch_domain::source::{ReadFailure, SourceState};

use super::super::super::words::{counted, cut, evidence, known};

pub(super) fn facts(source: &SourceState) -> Vec<Evidence> {
    [
        Some(evidence("source", &source.key)),
        known("error", source.failure_text.as_deref().map(cut)),
        known("newest attempt", source.attempted_at),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) fn blind(lanes: &[String]) -> String {
    if lanes.is_empty() {
        return String::new();
    }
    let are = if lanes.len() == 1 { "is" } else { "are" };
    let lanes = counted(count(lanes.len()), "lane");
    format!("; {lanes} {are} blind, neither late nor recovered")
}

pub(super) fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

/// A failure in words, seen from the server.
pub(super) const fn failure_words(failure: Option<ReadFailure>) -> &'static str {
    match failure {
        Some(ReadFailure::Timeout) => "no answer in time",
        Some(ReadFailure::BadAnswer) => "what the server answered cannot be read",
        Some(ReadFailure::ServerError) => "PowerShell could not be started",
        _ => "the command failed",
    }
}

/// What to check first (parts of the ADSync module ask the cloud and can be slow; its cmdlets need
/// a group of Connect's, the event logs need Event Log Readers).
pub(super) const fn failure_mend(failure: Option<ReadFailure>) -> &'static str {
    match failure {
        Some(ReadFailure::Timeout) => {
            "Look whether the service ADSync runs and answers: a full synchronization, a database in trouble or a lost way to the cloud slows its commands down."
        }
        Some(ReadFailure::BadAnswer) => {
            "The error says what could not be read. Update the agent; if it stays, the output of `syncwatch-agent once` on the server shows the answer."
        }
        Some(ReadFailure::ServerError) => {
            "The agent could not start Windows PowerShell 5.1: look at its log, and whether a policy or a virus scanner forbids it."
        }
        _ => {
            "Look at the error. If access is denied, make the account of the agent a member of ADSyncAdmins and of Event Log Readers and restart the agent; else look whether the service ADSync runs. `syncwatch-agent once` on the server prints one report."
        }
    }
}
