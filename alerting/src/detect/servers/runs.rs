//! Runs of connectors: one alert per connector, not per run (history of runs of Connect Sync).
//!
//! Of each kind of run (import, synchronization, export) the newest counts: a full import of last
//! week says nothing once delta imports went well.

use std::collections::{BTreeMap, BTreeSet};

use syncwatch_domain::alert::{Condition, Respite, Rule, Subject};
use syncwatch_domain::cadence::{Levels, documented_interval};
use syncwatch_domain::lane::{Engine, LaneKind};
use syncwatch_domain::report::Section;
use syncwatch_domain::sync_server::{ConnectorRuns, Part, Run, Runs};
use syncwatch_domain::time::{Timestamp, span_of_millis};

use super::super::causes;
use super::super::words::{counted, cut, evidence, holds, known, named};
use super::grade::{Grade, Trouble, came_to_its_end, grade};
use super::look::{Look, connect_labels, level, over_about};
use super::view::Server;

const RULES: [Rule; 2] = [Rule::RunFailed, Rule::RunWithErrors];

pub(super) fn conditions(look: &Look<'_>, server: &Server<'_>) -> Vec<Condition> {
    let Some(seen) = server.part::<Runs>(Part::Runs) else {
        return Vec::new();
    };
    let connectors = seen.value.unwrap_or_default().connectors;
    let listed: BTreeSet<String> = connectors
        .iter()
        .map(|connector| subject(server, connector).path)
        .collect();
    let mut found = look.gone(server, &RULES, &listed, seen.read_at);
    for connector in &connectors {
        found.extend(of_connector(look, server, connector, seen.read_at));
    }
    found
}

fn subject(server: &Server<'_>, connector: &ConnectorRuns) -> Subject {
    let title = format!("Connector {} on {}", connector.name, server.host);
    let part = ("connector", connector.name.as_str());
    Subject::part_of_server(server.tenant, server.host, part, title)
}

/// The newest run of each kind.
pub(super) fn newest(connector: &ConnectorRuns) -> impl Iterator<Item = &Run> {
    let mut newest: BTreeMap<&str, &Run> = BTreeMap::new();
    for run in &connector.newest {
        let of_kind = newest.entry(kind(&run.profile)).or_insert(run);
        if of_kind.ended_at < run.ended_at {
            *of_kind = run;
        }
    }
    newest.into_values()
}

/// The kind of a run profile; a profile with a name of its own is a kind of its own.
pub(super) fn kind(profile: &str) -> &str {
    ["Import", "Synchronization", "Export"]
        .into_iter()
        .find(|kind| profile.contains(kind))
        .unwrap_or(profile)
}

fn of_connector(
    look: &Look<'_>,
    server: &Server<'_>,
    connector: &ConnectorRuns,
    read_at: Timestamp,
) -> Vec<Condition> {
    let bad: Vec<(&Run, Grade)> = newest(connector)
        .filter_map(|run| Some((run, grade(run, look.settings())?)))
        .filter(|(_, grade)| grade.trouble != Trouble::Deletions)
        .collect();
    let over = |rule, what| over_about(server, rule, subject(server, connector), read_at, what);
    let mut found = Vec::new();
    if bad.iter().all(|(run, _)| came_to_its_end(&run.result)) {
        found.push(over(Rule::RunFailed, "its runs come to their end again"));
    }
    if bad.is_empty() {
        found.push(over(
            Rule::RunWithErrors,
            "the newest run of each kind is without errors",
        ));
    }
    let worst = bad
        .into_iter()
        .max_by_key(|(run, grade)| (grade.severity, !came_to_its_end(&run.result), run.ended_at));
    if let Some((run, grade)) = worst {
        let rule = if came_to_its_end(&run.result) {
            Rule::RunWithErrors
        } else {
            Rule::RunFailed
        };
        found.push(told(rule, server, connector, run, grade));
    }
    found
}

fn told(
    rule: Rule,
    server: &Server<'_>,
    connector: &ConnectorRuns,
    run: &Run,
    grade: Grade,
) -> Condition {
    let subject = subject(server, connector);
    let mut labels = connect_labels(server);
    labels.insert("kind".into(), LaneKind::Objects.to_string());
    labels.insert("partition".into(), connector.name.clone());
    labels.insert("trouble".into(), grade.trouble.word().into());
    let since = run.bad_since.unwrap_or(run.began_at);
    let mut summary = format!(
        "{}: {} ended with {} at {}",
        named(&subject),
        run.profile,
        cut(&run.result),
        run.ended_at
    );
    if run.bad_in_a_row > 1 {
        let times = counted(i64::from(run.bad_in_a_row), "time");
        summary += &format!(", {times} in a row since {since}");
    }
    if run.export_failures > 0 && kind(&run.profile) == "Export" {
        let objects = counted(run.export_failures, "object");
        summary += &format!("; {objects} failed to export");
    }
    let facts = [
        Some(evidence("run profile", &run.profile)),
        Some(evidence("result", cut(&run.result))),
        Some(evidence("began", run.began_at)),
        Some(evidence("ended", run.ended_at)),
        Some(evidence("such runs in a row", run.bad_in_a_row)),
        known("since", run.bad_since),
        (run.export_failures > 0).then(|| evidence("failed exports", run.export_failures)),
        (run.export_failures > 0).then(|| {
            evidence(
                "failed exports of the run before",
                run.export_failures_before,
            )
        }),
    ];
    Condition {
        summary,
        mend: grade.trouble.mend().to_owned(),
        evidence: facts.into_iter().flatten().collect(),
        causes: causes::of(rule, &subject.path, &labels),
        respite: Some(respite(server)),
        labels,
        ..holds(rule, subject, level(server, grade.severity), since)
    }
}

/// Once what held it up is over, a connector gets as long as a lane may take before it is late.
fn respite(server: &Server<'_>) -> Respite {
    let interval = server.scheduler().map_or_else(
        || documented_interval(Engine::Connect, LaneKind::Objects),
        |scheduler| span_of_millis(scheduler.effective_interval_ms),
    );
    let late = Levels::documented(Engine::Connect, LaneKind::Objects).late;
    Respite::new(late.of(interval), server.section_key(Section::Runs))
}
