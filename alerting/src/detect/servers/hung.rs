//! A run that takes far longer than its like (`Get-ADSyncScheduler` and the history of runs).

use std::time::Duration;

use syncwatch_domain::alert::{Condition, Rule, Severity};
use syncwatch_domain::span::Span;
use syncwatch_domain::sync_server::{ConnectorRuns, Part, Running, Runs, Scheduler};
use syncwatch_domain::time::{Timestamp, span_of_millis};

use super::super::words::{evidence, holds, known, named};
use super::look::{Look, connect_labels, level, over, subject};
use super::view::Server;
use crate::config::ServerSettings;

pub(super) fn conditions(look: &mut Look<'_>, server: &Server<'_>) -> Vec<Condition> {
    let scheduler = server.part::<Scheduler>(Part::Scheduler);
    let Some((scheduler, scheduler_at)) =
        scheduler.and_then(|seen| Some((seen.value?, seen.read_at)))
    else {
        return Vec::new();
    };
    if !scheduler.in_progress {
        let what = "no cycle is in progress any more";
        return vec![over(server, Rule::SchedulerHung, scheduler_at, what)];
    }
    let Some((runs, read_at)) = server
        .part::<Runs>(Part::Runs)
        .and_then(|seen| Some((seen.value?, seen.read_at)))
    else {
        return Vec::new();
    };
    let longest = runs
        .connectors
        .iter()
        .filter_map(|connector| Some((connector, connector.running.as_ref()?)))
        .find(|(_, running)| {
            let limit = limit(running, look.settings());
            look.reached(read_at, running.began_at + limit)
        });
    let found = match longest {
        Some((connector, running)) => hung(look, server, connector, running, read_at),
        None => {
            let what = "the run that took so long has ended";
            over(server, Rule::SchedulerHung, read_at, what)
        }
    };
    vec![found]
}

/// How long a run may take. Of a profile without a record nothing is known: it gets as many times
/// the least limit as others get of their median.
fn limit(running: &Running, settings: &ServerSettings) -> Duration {
    let usual = running.median_ms.map(span_of_millis);
    let times = usual
        .unwrap_or(settings.hung_after)
        .mul_f64(settings.hung_factor.max(0.0));
    times.max(settings.hung_after)
}

fn hung(
    look: &Look<'_>,
    server: &Server<'_>,
    connector: &ConnectorRuns,
    running: &Running,
    read_at: Timestamp,
) -> Condition {
    let subject = subject(server);
    let limit = limit(running, look.settings());
    let median = running.median_ms.map(|ms| Span(span_of_millis(ms)));
    let usually = median.map_or_else(String::new, |median| format!(", usually it takes {median}"));
    let summary = format!(
        "{}: {} of connector {} has been running since {}{usually}; no other cycle starts meanwhile",
        named(&subject),
        running.profile,
        connector.name,
        running.began_at
    );
    let facts = [
        Some(evidence("connector", &connector.name)),
        Some(evidence("run profile", &running.profile)),
        Some(evidence("running since", running.began_at)),
        known("median", median),
        Some(evidence("limit", Span(limit))),
        Some(evidence("runs last read", read_at)),
    ];
    Condition {
        summary,
        mend: format!(
            "Look in the Synchronization Service Manager on {} whether the counters of the run still move. If they do, wait; if not, stop the run, and if that does not help restart the service ADSync.",
            server.host
        ),
        evidence: facts.into_iter().flatten().collect(),
        labels: connect_labels(server),
        ..holds(
            Rule::SchedulerHung,
            subject,
            level(server, Severity::Warning),
            running.began_at + limit,
        )
    }
}
