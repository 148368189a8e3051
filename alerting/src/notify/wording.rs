//! The words of mails and cards: what both say about a notification.

use syncwatch_domain::alert::{Notification, NotificationEvent, Rule};
use syncwatch_domain::span::Span;
use url::Url;

/// What happened, as one word.
pub(super) const fn event(event: NotificationEvent) -> &'static str {
    match event {
        NotificationEvent::Firing => "Firing",
        NotificationEvent::Changed => "Changed",
        NotificationEvent::Resolved => "Resolved",
    }
}

/// The name of a rule as words, e.g. `window missed`.
pub(super) fn rule(rule: Rule) -> String {
    let mut words = String::new();
    for c in rule.as_str().chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// What and where. The same for every message about an alert, whatever becomes of it: mail
/// programs keep a conversation together by it.
pub(super) fn topic(notification: &Notification) -> String {
    let alert = &notification.alert;
    let subject = &alert.subject;
    let words = format!(
        "[{}] {}: {}",
        subject.tenant,
        subject.title,
        rule(alert.rule)
    );
    clip(&words, 200)
}

/// The facts of a notification: those every alert has, then its evidence.
pub(super) fn facts(notification: &Notification) -> Vec<(String, String)> {
    let alert = &notification.alert;
    let mut facts = vec![
        ("tenant".to_owned(), alert.subject.tenant.clone()),
        ("severity".to_owned(), alert.severity.to_string()),
        ("since".to_owned(), alert.occurred_at.to_string()),
        ("noticed".to_owned(), alert.detected_at.to_string()),
    ];
    if let Some(resolved_at) = alert.resolved_at {
        let lasted = Span(resolved_at.since(alert.occurred_at));
        facts.push(("resolved".to_owned(), resolved_at.to_string()));
        facts.push(("lasted".to_owned(), lasted.to_string()));
    }
    facts.extend(evidence(notification));
    facts
}

/// The evidence, as pairs.
fn evidence(notification: &Notification) -> impl Iterator<Item = (String, String)> {
    let evidence = notification.alert.evidence.iter();
    evidence.map(|fact| (fact.name.clone(), fact.value.clone()))
}

/// Where the alert stands on the status page.
pub(super) fn link(page: Option<&Url>, notification: &Notification) -> Option<String> {
    let mut url = page?.clone();
    url.set_fragment(Some(&format!("alert-{}", notification.alert.id)));
    Some(url.into())
}

/// The first `most` of `items`, and how many are left out.
pub(super) fn first<T>(items: &[T], most: usize) -> (&[T], usize) {
    let shown = items.len().min(most);
    (&items[..shown], items.len() - shown)
}

/// One line of at most `most` characters: texts of the outside world may hold anything. Line
/// ends, control characters and marks that turn the reading direction become one space.
pub(super) fn clip(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most * 4));
    let mut length = 0;
    for c in text.chars() {
        let c = if is_unprintable(c) { ' ' } else { c };
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if length == most {
            line.pop();
            line.push('…');
            return line;
        }
        line.push(c);
        length += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// Control characters, and the marks by which a text can show itself in another order than it is.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alert, notification};

    #[test]
    fn rules_read_as_words() {
        assert_eq!(rule(Rule::WindowMissed), "window missed");
        for one in Rule::ALL {
            let words = rule(*one);
            assert!(
                words.contains(' ') && words == words.to_lowercase(),
                "{words}"
            );
        }
    }

    #[test]
    fn the_topic_stays_the_same_whatever_becomes_of_the_alert() {
        let mut worse = alert(Rule::WindowMissed);
        let topic_of = |event, alert| topic(&notification(event, alert));
        let began = topic_of(NotificationEvent::Firing, worse.clone());
        assert_eq!(
            began,
            "[orchard] Cloud Sync password hashes of ad.orchard.example: window missed"
        );
        worse.severity = syncwatch_domain::alert::Severity::Info;
        worse.summary = "other".into();
        assert_eq!(topic_of(NotificationEvent::Changed, worse.clone()), began);
        assert_eq!(topic_of(NotificationEvent::Resolved, worse), began);
    }

    #[test]
    fn hostile_texts_become_one_short_line() {
        assert_eq!(clip("a\r\nBcc: b\t\u{0} c ", 50), "a Bcc: b c");
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
        assert_eq!(clip("\u{202e}gnp.exe", 50), "gnp.exe");
        assert_eq!(clip(&"日".repeat(9), 3), "日日…");
        assert_eq!(clip("", 3), "");
    }

    #[test]
    fn the_link_leads_to_the_alert_on_the_page() {
        let told = notification(NotificationEvent::Firing, alert(Rule::JobPaused));
        let page: Result<Url, _> = "https://sync.orchard.example/status/".parse();
        let link = link(page.as_ref().ok(), &told).unwrap_or_default();
        let end = format!(
            "https://sync.orchard.example/status/#alert-{}",
            told.alert.id
        );
        assert_eq!(link, end);
    }
}
