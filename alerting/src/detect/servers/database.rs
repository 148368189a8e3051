//! The size of LocalDB, which ends at 10 GB (`Get-ADSyncDatabaseConfiguration`). Full, every run
//! fails and the service may not start.

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::sync_server::{Database, Part};

use super::super::words::{evidence, holds, named};
use super::look::{Look, connect_labels, level, over, subject};
use super::view::Server;

pub(super) fn condition(look: &Look<'_>, server: &Server<'_>) -> Option<Condition> {
    const RULE: Rule = Rule::DatabaseFilling;
    let seen = server.part::<Database>(Part::Database)?;
    let settings = look.settings();
    let used = match &seen.value {
        None => {
            let what = "Connect Sync is not on this server any more";
            return Some(over(server, RULE, seen.read_at, what));
        }
        Some(database) if !database.local_db => {
            let what = "its database is not LocalDB, which has the limit";
            return Some(over(server, RULE, seen.read_at, what));
        }
        Some(database) => database.used_mb,
    };
    if used < settings.database_warning_mb {
        let what = format!("its database holds {used:.0} MB again");
        return Some(over(server, RULE, seen.read_at, &what));
    }
    let severity = if used >= settings.database_critical_mb {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let subject = subject(server);
    Some(Condition {
        summary: format!(
            "{}: the database of Connect Sync holds {used:.0} MB of the 10 GB that LocalDB can hold; when it is full, every run fails",
            named(&subject)
        ),
        mend: format!(
            "Look on {} whether the maintenance of the scheduler is enabled, and shorten its PurgeRunHistoryInterval: the history of runs fills the database. Then shrink it, or move it to a full SQL Server.",
            server.host
        ),
        evidence: vec![
            evidence("megabytes in use", format!("{used:.0}")),
            evidence("database last read", seen.read_at),
        ],
        labels: connect_labels(server),
        ..holds(RULE, subject, level(server, severity), seen.read_at)
    })
}
