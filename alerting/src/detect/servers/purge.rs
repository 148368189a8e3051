//! No cycle has succeeded for days: soon, or already, everything must be read anew (Connect Sync
//! scheduler documentation: the 7-day rule). It holds for servers in staging mode as well, and for
//! one that is kept to go back to.

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::sync_server::{Part, Runs};

use super::super::LAST_REPORTED;
use super::super::words::{evidence, holds, named};
use super::look::{Look, connect_labels, level, over, subject};
use super::view::Server;

pub(super) fn condition(look: &mut Look<'_>, server: &Server<'_>) -> Option<Condition> {
    let seen = server.part::<Runs>(Part::Runs)?;
    let success_at = seen.value?.last_success_at?;
    let settings = look.settings();
    let (warn_at, full_at) = (
        success_at + settings.purge_critical,
        success_at + settings.purge_full,
    );
    if !look.reached(seen.read_at, warn_at) {
        let what = format!("a cycle succeeded at {success_at}");
        return Some(over(server, Rule::PurgeRisk, seen.read_at, &what));
    }
    let is_too_late = look.reached(seen.read_at, full_at);
    let subject = subject(server);
    let (what, reported) = if is_too_late {
        (
            format!("a full import and a full synchronization have been needed since {full_at}"),
            full_at,
        )
    } else {
        (
            format!("from {full_at} on a full import and a full synchronization will be needed"),
            warn_at,
        )
    };
    // A scheduler that was disabled on purpose is no emergency.
    let scheduler = server.scheduler();
    let severity = if scheduler.is_some_and(|scheduler| !scheduler.sync_cycle_enabled) {
        Severity::Info
    } else {
        level(server, Severity::Critical)
    };
    Some(Condition {
        summary: format!(
            "{}: no cycle has succeeded since {success_at}; {what}",
            named(&subject)
        ),
        mend: format!(
            "Mend what holds the cycles of {host} up. Once the time is over, it needs an initial cycle, with a full import and a full synchronization of every connector; expect that to take hours.",
            host = server.host
        ),
        evidence: vec![
            evidence("last success", success_at),
            evidence("full synchronization needed from", full_at),
            evidence("runs last read", seen.read_at),
            evidence(LAST_REPORTED, reported),
        ],
        labels: connect_labels(server),
        ..holds(Rule::PurgeRisk, subject, severity, warn_at)
    })
}
