//! `[[route]]`.

use syncwatch_domain::alert::{Rule, Severity};
use syncwatch_domain::job::ErrorGroup;
use syncwatch_domain::lane::{Engine, LaneKind};

use super::problem::Inspection;
use super::{Problem, RawRoute, Route};

/// Labels a route can match on. Rule and severity have keys of their own.
pub const ROUTE_LABELS: &[&str] = &[
    "tenant",
    "engine",
    "kind",
    "partition",
    "job",
    "source",
    "server",
    "error_group",
];

/// The checked route; `None` after at least one problem was noted.
pub(super) fn check(
    index: usize,
    raw: RawRoute,
    known: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<Route> {
    let before = problems.len();
    let mut look = Inspection::of(format!("route[{index}]"), problems);
    let min_severity = match raw.min_severity.as_deref() {
        None => Some(Severity::Info),
        Some(text) => look.word("min_severity", text, &severities()),
    };
    let rules: Vec<_> = raw
        .rules
        .iter()
        .enumerate()
        .filter_map(|(n, text)| look.word(&format!("rules[{n}]"), text, &rules()))
        .collect();
    if raw.receivers.is_empty() {
        look.refuse(
            "receivers",
            "a route without receivers tells nobody",
            "name at least one receiver; to tell nobody, leave out the route",
        );
    }
    for (n, name) in raw.receivers.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            look.refuse(
                &format!("receivers[{n}]"),
                format!("there is no receiver {name:?}"),
                known_hint(known),
            );
        }
    }
    let labels = raw
        .labels
        .into_iter()
        .map(|(label, values)| (label, values.into_vec()))
        .inspect(|(label, values)| check_label(label, values, &mut look))
        .collect();
    let route = Route {
        labels,
        min_severity: min_severity?,
        rules,
        receivers: raw.receivers,
        go_on: raw.go_on,
        send_resolved: raw.send_resolved.unwrap_or(true),
    };
    (problems.len() == before).then_some(route)
}

fn severities() -> Vec<(&'static str, Severity)> {
    Severity::ALL
        .iter()
        .map(|word| (word.as_str(), *word))
        .collect()
}

fn rules() -> Vec<(&'static str, Rule)> {
    Rule::ALL
        .iter()
        .map(|word| (word.as_str(), *word))
        .collect()
}

/// A label that is misspelt, or a value outside its closed set, would never match, silently.
fn check_label(label: &str, values: &[String], look: &mut Inspection<'_>) {
    let key = format!("match.{label}");
    if !ROUTE_LABELS.contains(&label) {
        let hint = match label {
            "rule" | "rules" => "write rules = [\"WindowMissed\"] beside `match`".to_owned(),
            "severity" => "write min_severity = \"critical\" beside `match`".to_owned(),
            _ => format!("labels are: {}", ROUTE_LABELS.join(", ")),
        };
        look.refuse(&key, format!("alerts have no label {label:?}"), hint);
        return;
    }
    if values.is_empty() {
        look.refuse(
            &key,
            "an empty list matches nothing",
            "name a value or leave out the label",
        );
    }
    let closed: Option<Vec<(&'static str, ())>> = match label {
        "engine" => Some(Engine::ALL.iter().map(|word| (word.as_str(), ())).collect()),
        "kind" => Some(
            LaneKind::ALL
                .iter()
                .map(|word| (word.as_str(), ()))
                .collect(),
        ),
        "error_group" => Some(
            ErrorGroup::ALL
                .iter()
                .map(|word| (word.as_str(), ()))
                .collect(),
        ),
        _ => None,
    };
    for value in closed.iter().flat_map(|_| values) {
        look.word(&key, value, closed.as_deref().unwrap_or_default());
    }
}

/// Which receivers there are, as a hint.
pub(super) fn known_hint(known: &[&str]) -> String {
    if known.is_empty() {
        "there are no receivers yet: add a [[receiver]]".to_owned()
    } else {
        format!("receivers are: {}", known.join(", "))
    }
}
