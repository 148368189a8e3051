//! The Workflows endpoint of Teams: says 202 to almost everything, and the card may still never be shown.

use serde_json::Value;

use crate::sinks::card;

/// Size above which the message is refused.
pub(crate) const MOST_BYTES: usize = 28 * 1024;

/// One post to the Teams endpoint.
#[derive(Debug, Clone)]
pub struct TeamsPost {
    /// Time of arrival, simulated.
    pub at_ms: i64,
    /// The answer it got.
    pub status: u16,
    /// The body as sent.
    pub body: String,
    /// The card inside, if there was one.
    pub card: Option<Value>,
    /// Everything the flow would have stumbled over; empty for a card that is shown.
    pub violations: Vec<String>,
}

impl TeamsPost {
    /// All texts of the card in reading order, one per line: for assertions on what a person sees.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(card) = &self.card {
            collect_text(card, &mut lines);
        }
        lines.join("\n")
    }
}

fn collect_text(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let (Some(title), Some(text)) = (
                object.get("title").and_then(Value::as_str),
                object.get("value").and_then(Value::as_str),
            ) {
                lines.push(format!("{title}: {text}"));
            } else if let Some(text) = object
                .get("text")
                .or_else(|| object.get("title"))
                .and_then(Value::as_str)
            {
                lines.push(text.to_owned());
            }
            object.values().for_each(|inner| collect_text(inner, lines));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_text(inner, lines)),
        _ => {}
    }
}

/// Looks at a body the way the flow does.
pub(crate) fn examine(body: &[u8], content_type: &str) -> (Option<Value>, Vec<String>) {
    let mut violations = Vec::new();
    if !content_type
        .to_ascii_lowercase()
        .starts_with("application/json")
    {
        violations.push(format!(
            "content type is {content_type:?}, not application/json"
        ));
    }
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        violations.push("body is not JSON".to_owned());
        return (None, violations);
    };
    if message["type"] != "message" {
        violations.push("type must be \"message\"".to_owned());
    }
    let attachments = message["attachments"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if attachments.len() != 1 {
        violations.push(format!("{} attachments instead of one", attachments.len()));
    }
    let Some(attachment) = attachments.into_iter().next() else {
        return (None, violations);
    };
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" {
        violations.push("contentType of the attachment is not that of an adaptive card".to_owned());
    }
    if attachment
        .get("contentUrl")
        .is_some_and(|url| !url.is_null())
    {
        violations.push("contentUrl must be null".to_owned());
    }
    let card = attachment["content"].clone();
    violations.extend(card::validate_card(&card));
    (Some(card), violations)
}
