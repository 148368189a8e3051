//! Events that strike many lanes of an engine at once: one alert about the engine speaks for all.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Alert, Condition, Evidence, Finding, Rule, Severity, Subject};
use syncwatch_domain::lane::Engine;

use super::book::Book;
use super::firing::Key;
use crate::config::AlertSettings;
use crate::detect::causes::engine_subject;

/// Evidence of a group: lanes struck so far, and those that are over.
const STRUCK: &str = "lanes";
const OVER: &str = "lanes no longer affected";

/// Whether the subject is an engine as a whole.
pub(super) fn is_engine(subject: &Subject) -> bool {
    subject.path.starts_with("engine/")
}

/// Forms groups of the lanes that were struck in this judgement and that nothing else explains.
pub(super) fn form(book: &mut Book<'_>, settings: &AlertSettings) {
    if settings.group_from == 0 {
        return;
    }
    for ((rule, tenant, engine), lanes) in struck_alone(book) {
        if lanes.len() < settings.group_from {
            continue;
        }
        let members: Vec<&Alert> = lanes.iter().filter_map(|key| book.get(key)).collect();
        let Some(condition) = of(rule, &tenant, engine, &members) else {
            continue;
        };
        let parent = book.begin(condition, false);
        let Some(cause) = book.get(&parent).map(|alert| alert.id.clone()) else {
            continue;
        };
        for lane in &lanes {
            book.hang(lane, cause.clone());
        }
    }
}

type Struck = BTreeMap<(Rule, String, Engine), Vec<Key>>;

fn struck_alone(book: &Book<'_>) -> Struck {
    let mut struck = Struck::new();
    for key in book.untold() {
        let lane_rule = matches!(key.rule, Rule::LaneLate | Rule::WindowMissed);
        let engine = book
            .get(&key)
            .filter(|alert| lane_rule && !is_engine(&alert.subject))
            .and_then(|alert| Engine::from_word(alert.labels.get("engine")?));
        if let Some(engine) = engine {
            let of = (key.rule, key.tenant.clone(), engine);
            struck.entry(of).or_default().push(key);
        }
    }
    struck
}

/// The condition that speaks for all `lanes`.
fn of(rule: Rule, tenant: &str, engine: Engine, lanes: &[&Alert]) -> Option<Condition> {
    let first = lanes.iter().map(|lane| lane.occurred_at).min()?;
    let last = lanes.iter().map(|lane| lane.occurred_at).max()?;
    let severity = lanes
        .iter()
        .map(|lane| lane.severity)
        .max()
        .unwrap_or(Severity::Warning);
    let subject = engine_subject(tenant, engine);
    let count = lanes.len();
    let mut labels: BTreeMap<String, String> = [("engine".to_owned(), engine.to_string())].into();
    if let Some(kind) = shared(lanes, "kind") {
        labels.insert("kind".into(), kind);
    }
    let mut evidence = vec![fact(STRUCK, &count), fact("first at", &first)];
    if last > first {
        evidence.push(fact("last at", &last));
    }
    Some(Condition {
        finding: Finding::Holds,
        summary: summary(rule, &subject, count),
        mend: mend(engine).to_owned(),
        evidence,
        labels,
        causes: Vec::new(),
        respite: None,
        occurred_at: first,
        severity,
        rule,
        subject,
    })
}

fn summary(rule: Rule, subject: &Subject, count: usize) -> String {
    let what = if rule == Rule::LaneLate {
        "are late"
    } else {
        "missed their window"
    };
    format!(
        "{count} lanes of {} (tenant {}) {what} together",
        subject.title, subject.tenant
    )
}

const fn mend(engine: Engine) -> &'static str {
    match engine {
        Engine::Cloud => {
            "So many at once have one cause: look at what they share, such as the provisioning agents, their way to the internet, or the service health page."
        }
        Engine::Connect => {
            "So many at once have one cause: look at the Connect server first, at its service ADSync, its scheduler and its way to the internet."
        }
    }
}

fn shared(lanes: &[&Alert], label: &str) -> Option<String> {
    let first = lanes.first()?.labels.get(label)?;
    lanes
        .iter()
        .all(|lane| lane.labels.get(label) == Some(first))
        .then(|| first.clone())
}

fn fact(name: &str, value: &impl ToString) -> Evidence {
    Evidence {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

fn count_of(alert: &Alert, name: &str) -> usize {
    let found = alert.evidence.iter().find(|fact| fact.name == name);
    found.and_then(|fact| fact.value.parse().ok()).unwrap_or(0)
}

fn set_count(alert: &mut Alert, name: &str, count: usize) {
    match alert.evidence.iter_mut().find(|fact| fact.name == name) {
        Some(fact) => fact.value = count.to_string(),
        None => alert.evidence.insert(1, fact(name, &count)),
    }
}

/// What became of a group in this judgement.
#[derive(Default)]
struct Turn {
    /// Lanes that hang under it from now on.
    joined: usize,
    /// Lanes that were seen to be over; others that left became something else.
    over: usize,
}

/// Keeps groups up to date: lanes that join are told, and the group ends with its last lane.
pub(super) fn keep(book: &mut Book<'_>) {
    for (parent, turn) in turns(book) {
        let Some(mut alert) = book.get(&parent).cloned() else {
            continue;
        };
        let struck = count_of(&alert, STRUCK) + turn.joined;
        let over = count_of(&alert, OVER) + turn.over;
        set_count(&mut alert, STRUCK, struck);
        if over > 0 {
            set_count(&mut alert, OVER, over);
        }
        alert.summary = summary(alert.rule, &alert.subject, struck);
        let empty = book.children(&alert.id).is_empty();
        book.change(&parent, alert.clone());
        if empty {
            end(book, &parent, &alert, struck, over);
        } else if turn.joined > 0 {
            book.announce_change(&parent);
        }
    }
}

/// Ends a group: with a word if any of it recovered, silently if all of it became something else.
fn end(book: &mut Book<'_>, parent: &Key, alert: &Alert, struck: usize, over: usize) {
    let at = book.now();
    if over == 0 {
        book.supersede(parent, Rule::WindowMissed, at);
        return;
    }
    let of = format!(
        "lanes of {} (tenant {})",
        alert.subject.title, alert.subject.tenant
    );
    let summary = if alert.rule == Rule::LaneLate {
        let missed = struck.saturating_sub(over);
        format!(
            "Of {struck} late {of} {over} recovered or were paused, {missed} missed their window"
        )
    } else {
        format!("All {struck} {of} that missed their window recovered or were paused")
    };
    let condition = Condition {
        finding: Finding::Clear,
        rule: alert.rule,
        subject: alert.subject.clone(),
        severity: alert.severity,
        occurred_at: at,
        summary,
        mend: String::new(),
        evidence: Vec::new(),
        labels: BTreeMap::new(),
        causes: Vec::new(),
        respite: None,
    };
    book.resolve(parent, &condition);
}

fn turns(book: &Book<'_>) -> BTreeMap<Key, Turn> {
    let mut turns: BTreeMap<Key, Turn> = BTreeMap::new();
    for key in book.hung() {
        if let Some(parent) = book.get(key).and_then(|lane| parent_of(book, lane)) {
            turns.entry(parent).or_default().joined += 1;
        }
    }
    for (key, lane) in book.closed() {
        if let Some(parent) = parent_of(book, lane) {
            turns.entry(parent).or_default().over += usize::from(!book.was_superseded(key));
        }
    }
    // A group that begins now has counted its lanes already.
    turns.retain(|parent, _| !book.has_begun(parent));
    turns
}

fn parent_of(book: &Book<'_>, lane: &Alert) -> Option<Key> {
    let cause = lane.cause.as_ref()?;
    let path = format!("engine/{}", lane.labels.get("engine")?);
    [Rule::LaneLate, Rule::WindowMissed]
        .map(|rule| Key {
            tenant: lane.subject.tenant.clone(),
            path: path.clone(),
            rule,
        })
        .into_iter()
        .find(|key| book.get(key).is_some_and(|parent| parent.id == *cause))
}
