//! The card, always small enough: Teams refuses messages above 28 KB.

use serde_json::{Value, json};
use syncwatch_domain::alert::{Notification, NotificationEvent, Severity};
use url::Url;

use crate::notify::wording;

/// How large a card and its parts may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of the whole message.
    pub(super) bytes: usize,
    /// Characters of the heading.
    heading: usize,
    /// Characters of a paragraph.
    paragraph: usize,
    /// Characters of a fact or a line of a list.
    line: usize,
    /// Facts, and lines of a list.
    lines: usize,
}

/// Three quarters of what Teams takes, which leaves room for what the flow adds.
pub(super) const FULL: Limits = Limits {
    bytes: 21_000,
    heading: 200,
    paragraph: 600,
    line: 300,
    lines: 30,
};

/// For a flow that found the full card too large.
pub(super) const SMALL: Limits = Limits {
    bytes: 7_000,
    heading: 100,
    paragraph: 200,
    line: 100,
    lines: 5,
};

/// Room for the notes of what was left out.
const NOTES: usize = 400;

/// A link of absurd length would push out the card itself.
const LONGEST_LINK: usize = 1_500;

/// The body of the POST: one message with one card, at most `limits.bytes` long.
pub(super) fn message(notification: &Notification, page: Option<&Url>, limits: &Limits) -> Vec<u8> {
    let facts: Vec<_> = wording::facts(notification)
        .iter()
        .map(|(name, value)| fact(name, value, limits))
        .collect();
    let children: Vec<_> = notification
        .children
        .iter()
        .take(limits.lines)
        .map(|title| line(&format!("• {}", plain(title, limits.line))))
        .collect();
    let link = wording::link(page, notification).filter(|link| link.len() <= LONGEST_LINK);
    let card = |facts: &[Value], children: &[Value]| {
        let all = notification.children.len();
        write(notification, link.as_deref(), limits, facts, children, all)
    };
    let bare = card(&[], &[]).len();
    let room = limits.bytes.saturating_sub(bare + NOTES);
    // Facts first, but never so many that nothing is said of the children.
    let (shown_facts, used) = fitting(&facts, limits.lines, room * 2 / 3);
    let (shown_children, _) = fitting(&children, limits.lines, room - used);
    let mut shown_facts = facts[..shown_facts].to_vec();
    if shown_facts.len() < facts.len() {
        let more = facts.len() - shown_facts.len();
        shown_facts.push(fact("…", &format!("and {more} more"), limits));
    }
    card(&shown_facts, &children[..shown_children])
}

/// How many of `items` fit into `room` bytes, and how many bytes they take.
fn fitting(items: &[Value], most: usize, room: usize) -> (usize, usize) {
    let mut used = 0;
    for (count, item) in items.iter().enumerate() {
        let size = item.to_string().len() + 1;
        if count == most || used + size > room {
            return (count, used);
        }
        used += size;
    }
    (items.len(), used)
}

fn write(
    notification: &Notification,
    link: Option<&str>,
    limits: &Limits,
    facts: &[Value],
    children: &[Value],
    all_children: usize,
) -> Vec<u8> {
    let alert = &notification.alert;
    let topic = plain(&wording::topic(notification), limits.heading);
    let state = format!(
        "{} · {}",
        wording::event(notification.event),
        alert.severity
    );
    let mut body = vec![
        json!({
            "type": "Container",
            "style": style(notification.event, alert.severity),
            "bleed": true,
            "items": [
                { "type": "TextBlock", "text": topic, "size": "Large", "weight": "Bolder", "wrap": true },
                { "type": "TextBlock", "text": state, "spacing": "None", "wrap": true },
            ],
        }),
        json!({ "type": "TextBlock", "text": plain(&alert.summary, limits.paragraph), "wrap": true }),
        json!({ "type": "FactSet", "facts": facts }),
    ];
    if notification.event != NotificationEvent::Resolved && !alert.mend.trim().is_empty() {
        body.push(heading("What to check first"));
        body.push(line(&plain(&alert.mend, limits.paragraph)));
    }
    if all_children > 0 {
        body.push(heading(&format!("Speaks for {all_children} more")));
        body.extend_from_slice(children);
        if children.len() < all_children {
            body.push(line(&format!("and {} more", all_children - children.len())));
        }
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": format!("{state}: {topic}"),
        "msteams": { "width": "Full" },
        "body": body,
    });
    if let Some(link) = link {
        card["actions"] = json!([
            { "type": "Action.OpenUrl", "title": "Open the status page", "url": link },
        ]);
    }
    let message = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    });
    message.to_string().into_bytes()
}

/// The colour of the head.
const fn style(event: NotificationEvent, severity: Severity) -> &'static str {
    match (event, severity) {
        (NotificationEvent::Resolved, _) => "good",
        (_, Severity::Critical) => "attention",
        (_, Severity::Warning) => "warning",
        (_, Severity::Info) => "accent",
    }
}

fn fact(name: &str, value: &str, limits: &Limits) -> Value {
    // A fact needs both: an empty one is refused by the schema's renderers.
    let value = plain(value, limits.line);
    let value = if value.is_empty() {
        "-".to_owned()
    } else {
        value
    };
    json!({ "title": plain(name, limits.line.min(60)), "value": value })
}

fn line(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "spacing": "Small", "wrap": true })
}

fn heading(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "spacing": "Medium", "weight": "Bolder", "wrap": true })
}

/// One short line without links: cards read Markdown, and names come from outside.
fn plain(text: &str, most: usize) -> String {
    wording::clip(&text.replace("](", "] ("), most)
}
