//! What the sentences of several detectors share.

use std::collections::BTreeMap;

use syncwatch_domain::alert::{Condition, Evidence, Finding, Rule, Severity, Subject};
use syncwatch_domain::time::Timestamp;

/// A fact under a name.
#[expect(
    clippy::needless_pass_by_value,
    reason = "most values are made for the call"
)]
pub(super) fn evidence(name: &str, value: impl ToString) -> Evidence {
    Evidence {
        name: name.to_owned(),
        value: value.to_string(),
    }
}

/// A fact under a name, where it is known.
pub(super) fn known(name: &str, value: Option<impl ToString>) -> Option<Evidence> {
    value.map(|value| evidence(name, value))
}

/// Routing labels.
pub(super) fn labels<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The calendar day of an instant, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.to_utc()
        .map_or_else(|| at.to_string(), |utc| utc.format("%Y-%m-%d").to_string())
}

/// Subject and tenant as one phrase.
pub(super) fn named(subject: &Subject) -> String {
    format!("{} (tenant {})", subject.title, subject.tenant)
}

/// A text that is not ours, cut to what a message can carry.
pub(super) fn cut(text: &str) -> String {
    const MOST: usize = 300;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(MOST) {
        None => flat,
        Some((at, _)) => format!("{} ...", flat[..at].trim_end()),
    }
}

/// A word with its count: `1 object`, `3 objects`.
pub(super) fn counted(count: i64, word: &str) -> String {
    if count == 1 {
        format!("1 {word}")
    } else {
        format!("{count} {word}s")
    }
}

/// The first few of `names`, and how many more there are.
pub(super) fn few(names: &[String], most: usize) -> String {
    let shown = names
        .iter()
        .take(most)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

/// A condition that holds; the caller fills in the rest.
pub(super) fn holds(
    rule: Rule,
    subject: Subject,
    severity: Severity,
    occurred_at: Timestamp,
) -> Condition {
    Condition {
        finding: Finding::Holds,
        rule,
        subject,
        severity,
        occurred_at,
        summary: String::new(),
        mend: String::new(),
        evidence: Vec::new(),
        labels: BTreeMap::new(),
        causes: Vec::new(),
        respite: None,
    }
}

/// A condition that was seen to be over. Its severity is that of the alert it ends.
pub(super) fn clear(
    rule: Rule,
    subject: Subject,
    occurred_at: Timestamp,
    summary: String,
) -> Condition {
    Condition {
        finding: Finding::Clear,
        summary,
        ..holds(rule, subject, Severity::Info, occurred_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_texts_are_cut_at_a_letter_and_put_on_one_line() {
        assert_eq!(cut(" a\r\n\tb "), "a b");
        let long = "ä".repeat(1_000);
        let short = cut(&long);
        assert!(
            short.starts_with("äää") && short.ends_with(" ..."),
            "{short}"
        );
        assert_eq!(short.chars().count(), 304);
    }

    #[test]
    fn few_of_many_say_how_many_more() {
        let names: Vec<_> = (1..=5).map(|n| n.to_string()).collect();
        assert_eq!(few(&names, 5), "1, 2, 3, 4, 5");
        assert_eq!(few(&names, 2), "1, 2 and 3 more");
        assert_eq!(few(&[], 2), "");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            (counted(1, "object"), counted(0, "object")),
            ("1 object".into(), "0 objects".into())
        );
    }
}
