//! What Connect says about the certificate it signs in with (events 1011 and 1012).
//!
//! Where Microsoft Graph shows that certificate, it is the better witness: the rule about
//! credentials tells its end, and this one speaks only of a certificate that has ended.

use std::time::Duration;

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::sync_server::{CertificateNotice, CertificateWord, Part, Runs, Scheduler};
use syncwatch_domain::time::Timestamp;

use super::super::words::{evidence, holds, known, named};
use super::grade::came_to_its_end;
use super::look::{Look, connect_labels, level, over, subject};
use super::runs::newest;
use super::view::Server;

/// Event 1011 says that no more than this is left.
const LEFT: Duration = Duration::from_secs(150 * 86_400);

pub(super) fn condition(look: &Look<'_>, server: &Server<'_>) -> Option<Condition> {
    let seen = server.part::<CertificateNotice>(Part::Certificate)?;
    let Some(notice) = seen.value else {
        let what = "it says nothing about its certificate any more";
        return Some(over(server, Rule::CertificateEnding, seen.read_at, what));
    };
    if let Some(what) = renewed(look, server, &notice) {
        return Some(over(server, Rule::CertificateEnding, seen.read_at, &what));
    }
    let known_to_graph = look.beyond.certificate_ends_at.is_some();
    let is_told_elsewhere = known_to_graph && notice.word == CertificateWord::Ending;
    (!is_told_elsewhere).then(|| told(look, server, &notice))
}

/// What shows that there is a newer certificate.
fn renewed(look: &Look<'_>, server: &Server<'_>, notice: &CertificateNotice) -> Option<String> {
    if let Some(ends_at) = look.beyond.certificate_ends_at
        && ends_at > notice.at + LEFT
    {
        return Some(format!("it has a certificate that is good until {ends_at}"));
    }
    // What works after the certificate must have ended does not work with that certificate.
    let must_have_ended = match notice.word {
        CertificateWord::Ending => notice.at + LEFT,
        CertificateWord::Expired => notice.at,
    };
    let signed_in_at = signed_in_at(server).filter(|at| *at > must_have_ended)?;
    Some(format!(
        "it signed in to Microsoft Entra ID at {signed_in_at}"
    ))
}

/// The newest run of the connector to Entra ID that came to its end.
fn signed_in_at(server: &Server<'_>) -> Option<Timestamp> {
    let runs = server.part::<Runs>(Part::Runs)?.value?;
    let cloud = runs.connectors.iter().find(|connector| connector.cloud)?;
    // A synchronization asks nobody; an import and an export do.
    newest(cloud)
        .filter(|run| came_to_its_end(&run.result) && !run.profile.contains("Synchronization"))
        .map(|run| run.ended_at)
        .max()
}

fn told(look: &Look<'_>, server: &Server<'_>, notice: &CertificateNotice) -> Condition {
    let subject = subject(server);
    let maintains = server
        .part::<Scheduler>(Part::Scheduler)
        .and_then(|seen| seen.value)
        .map(|scheduler| scheduler.maintenance_enabled);
    let (what, severity) = match (notice.word, maintains) {
        (CertificateWord::Expired, _) => (
            "the certificate Connect signs in with has ended: nothing reaches Microsoft Entra ID",
            Severity::Critical,
        ),
        (CertificateWord::Ending, Some(false)) => (
            "the certificate Connect signs in with ends within 150 days, and the maintenance that would renew it is disabled",
            Severity::Warning,
        ),
        (CertificateWord::Ending, _) => (
            "the certificate Connect signs in with ends within 150 days; its maintenance should renew it",
            Severity::Info,
        ),
    };
    let facts = [
        Some(evidence("told at", notice.at)),
        known("maintenance enabled", maintains),
        known(
            "certificate on record until",
            look.beyond.certificate_ends_at,
        ),
    ];
    Condition {
        summary: format!("{}: {what} (told at {})", named(&subject), notice.at),
        mend: format!(
            "Look on {} whether MaintenanceEnabled is true in Get-ADSyncScheduler: the maintenance renews a certificate that Connect made itself. One of your own must be renewed by you.",
            server.host
        ),
        evidence: facts.into_iter().flatten().collect(),
        labels: connect_labels(server),
        ..holds(
            Rule::CertificateEnding,
            subject,
            level(server, severity),
            notice.at,
        )
    }
}
