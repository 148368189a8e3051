//! The guard against accidental deletes stopped Connect's export (event 116, and the result of the
//! run). The run alone is not told: the event has the numbers.

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::report::Section;
use syncwatch_domain::sync_server::{DeletionStop, Part, PendingExports, Run, Runs};

use super::super::words::{counted, evidence, holds, known, named};
use super::grade::came_to_its_end;
use super::look::{connect_labels, level, over, subject};
use super::runs::{kind, newest};
use super::view::Server;

const STOPPED: &str = "stopped-deletion-threshold-exceeded";

pub(super) fn condition(server: &Server<'_>) -> Option<Condition> {
    let runs = server.part::<Runs>(Part::Runs);
    let export = runs.as_ref().and_then(|seen| {
        let connectors = &seen.value.as_ref()?.connectors;
        let cloud = connectors.iter().find(|connector| connector.cloud)?;
        newest(cloud).find(|run| kind(&run.profile) == "Export")
    });
    let passed = export.filter(|run| came_to_its_end(&run.result));
    let told = server
        .part::<DeletionStop>(Part::DeletionStop)
        .and_then(|seen| seen.value);
    if let Some(stop) = told.filter(|stop| passed.is_none_or(|run| run.ended_at <= stop.at)) {
        return Some(stopped(server, &stop));
    }
    if let Some(run) = passed {
        let what = format!("the export of {} went through", run.ended_at);
        return Some(over(server, Rule::DeletionsStopped, run.ended_at, &what));
    }
    let run = export.filter(|run| run.result.trim() == STOPPED)?;
    is_untold(server, run).then(|| {
        let stop = DeletionStop {
            at: run.ended_at,
            pending: None,
            limit: None,
        };
        stopped(server, &stop)
    })
}

/// The event of a run that was stopped would have been read by now, or cannot be read.
fn is_untold(server: &Server<'_>, run: &Run) -> bool {
    server
        .section_read_at(Section::Events)
        .is_none_or(|read_at| read_at >= run.ended_at)
}

fn stopped(server: &Server<'_>, stop: &DeletionStop) -> Condition {
    let subject = subject(server);
    let numbers = match (stop.pending, stop.limit) {
        (Some(pending), Some(limit)) => {
            let wait = if pending == 1 { "waits" } else { "wait" };
            format!(
                ": {} {wait}, at most {limit} are let through",
                counted(pending, "delete")
            )
        }
        _ => String::new(),
    };
    let pending: Option<i64> = server
        .part::<PendingExports>(Part::PendingExports)
        .and_then(|seen| seen.value)
        .map(|pending| pending.connectors.iter().map(|one| one.deletes).sum());
    let facts = [
        Some(evidence("stopped at", stop.at)),
        known("deletes that wait", stop.pending),
        known("threshold", stop.limit),
        known("pending deletes of all connectors", pending),
    ];
    Condition {
        summary: format!(
            "{}: the guard against accidental deletes stopped the export to Microsoft Entra ID at {}{numbers}; nothing at all is exported until somebody decides",
            named(&subject),
            stop.at
        ),
        mend: format!(
            "Look at the pending deletes of the connector to Microsoft Entra ID on {} before anything else: an OU that was renamed, moved or unselected deletes everything in it. If they are not meant, mend the scope or bring the objects back; if they are, lift the export deletion threshold for one cycle and set it again.",
            server.host
        ),
        evidence: facts.into_iter().flatten().collect(),
        labels: connect_labels(server),
        ..holds(
            Rule::DeletionsStopped,
            subject,
            level(server, Severity::Critical),
            stop.at,
        )
    }
}
