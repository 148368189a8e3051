//! `[[receiver]]`: what all kinds have in common.

use std::collections::BTreeMap;

use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::span::Span;

use super::problem::Inspection;
use super::{Fallback, Problem, RawReceiver, ReceiverConfig, channel};

const TIMEOUT: Span = Span::secs(10);
const MAIL_TIMEOUT: Span = Span::secs(30);
const TIMEOUT_RANGE: (Span, Span) = (Span::secs(1), Span::minutes(5));
const RETRY_FIRST: Span = Span::secs(2);
const RETRY_CAP: Span = Span::minutes(5);
const RETRY_RANGE: (Span, Span) = (Span::secs(1), Span::minutes(24 * 60));
const GIVE_UP_AFTER: Span = Span::minutes(24 * 60);
const GIVE_UP_RANGE: (Span, Span) = (Span::secs(1), Span::minutes(30 * 24 * 60));
const LONGEST_NAME: usize = 64;
/// In place of the name of a fallback.
const NOBODY: &str = "none";

/// The kinds, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mail,
    Teams,
    Webhook,
}

const KINDS: &[(&str, Kind)] = &[
    ("mail", Kind::Mail),
    ("teams", Kind::Teams),
    ("webhook", Kind::Webhook),
];

/// The checked receiver; `None` after at least one problem was noted.
pub(super) fn check(
    index: usize,
    raw: RawReceiver,
    known: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<ReceiverConfig> {
    let before = problems.len();
    let mut look = Inspection::of(format!("receiver[{index}]"), problems);
    let name = look.text(
        "name",
        raw.name.clone(),
        "name the receiver, e.g. name = \"noc-mail\"",
    );
    if let Some(name) = &name {
        check_name(name, &mut look);
    }
    let kind = look.required("kind", raw.kind.clone(), "use one of: mail, teams, webhook");
    let kind = kind.and_then(|kind| look.word("kind", &kind, KINDS));
    let default = if kind == Some(Kind::Mail) {
        MAIL_TIMEOUT
    } else {
        TIMEOUT
    };
    let timeout = look.span("timeout", raw.timeout.as_deref(), default, TIMEOUT_RANGE);
    let backoff = check_backoff(&raw, &mut look);
    let give_up_after = raw.give_up_after.as_deref();
    let give_up_after = look.span("give_up_after", give_up_after, GIVE_UP_AFTER, GIVE_UP_RANGE);
    let fallback = check_fallback(raw.fallback.clone(), name.as_deref(), known, &mut look);
    let ca_file = raw.ca_file.clone();
    let channel = channel::check(kind?, raw, &mut look);
    let receiver = ReceiverConfig {
        name: name?,
        channel: channel?,
        timeout,
        backoff,
        give_up_after,
        fallback,
        ca_file,
    };
    (problems.len() == before).then_some(receiver)
}

/// A name is a metric label and a word of the command line.
fn check_name(name: &str, look: &mut Inspection<'_>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name == NOBODY || name.len() > LONGEST_NAME || !name.chars().all(plain) {
        look.refuse(
            "name",
            format!("{name:?} cannot be a name"),
            format!("use at most {LONGEST_NAME} letters, digits, `-`, `_` and `.`, not {NOBODY:?}"),
        );
    }
}

fn check_backoff(raw: &RawReceiver, look: &mut Inspection<'_>) -> Backoff {
    let first = look.span(
        "retry_first",
        raw.retry_first.as_deref(),
        RETRY_FIRST,
        RETRY_RANGE,
    );
    // A first wait beyond the default cap takes the cap with it.
    let cap_default = Span(first.max(RETRY_CAP.0));
    let cap = look.span(
        "retry_cap",
        raw.retry_cap.as_deref(),
        cap_default,
        RETRY_RANGE,
    );
    if cap < first {
        look.refuse(
            "retry_cap",
            format!(
                "the longest wait, {}, is shorter than the first, {}",
                Span(cap),
                Span(first)
            ),
            "make `retry_cap` at least as long as `retry_first`",
        );
    }
    Backoff {
        first: Span(first),
        cap: Span(cap),
    }
}

fn check_fallback(
    fallback: Option<String>,
    own: Option<&str>,
    known: &[&str],
    look: &mut Inspection<'_>,
) -> Fallback {
    let Some(fallback) = fallback else {
        return Fallback::Another;
    };
    if fallback == NOBODY {
        return Fallback::Nobody;
    }
    if own == Some(fallback.as_str()) {
        look.refuse(
            "fallback",
            "a receiver cannot stand in for itself",
            "name another receiver, best one of another kind",
        );
    } else if !known.contains(&fallback.as_str()) {
        look.refuse(
            "fallback",
            format!("there is no receiver {fallback:?}"),
            super::route::known_hint(known),
        );
    }
    Fallback::Named(fallback)
}

/// Two receivers on one flow would each keep the pace and together break it.
pub(super) fn refuse_shared_flows(receivers: &[RawReceiver], problems: &mut Vec<Problem>) {
    let mut flows = BTreeMap::new();
    for (index, raw) in receivers.iter().enumerate() {
        if raw.kind.as_deref() != Some("teams") {
            continue;
        }
        let url = raw.url.as_ref().map(|url| url.expose().trim().to_owned());
        let key = (url, raw.url_file.clone());
        if key == (None, None) {
            continue;
        }
        if let Some(first) = flows.get(&key) {
            problems.push(Problem {
                path: format!("receiver[{index}].url"),
                message: format!("receiver[{first}] posts to the same flow"),
                hint: "use one receiver in several routes, so that its pace holds".into(),
            });
        } else {
            flows.insert(key, index);
        }
    }
}
