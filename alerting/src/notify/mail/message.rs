//! The mail: headers that keep one conversation per alert, a text and an HTML form.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{MultiPart, SinglePart};
use syncwatch_domain::alert::{Notification, NotificationEvent, Severity};
use syncwatch_domain::delivery::Delivery;
use syncwatch_domain::time::Timestamp;
use thiserror::Error;
use url::Url;

use crate::config::MailConfig;
use crate::notify::wording;

/// Lines of each list in a mail.
const MOST_LINES: usize = 100;

/// Characters of a paragraph, and of a line of a list.
const PARAGRAPH: usize = 2_000;
const LINE: usize = 500;

/// The last second that a `Date` header can hold.
const END_OF_DATES: i64 = 253_402_300_799_000;

/// A mail that cannot be written.
#[derive(Debug, Error)]
pub(super) enum MessageError {
    /// A template failed.
    #[error("its template failed")]
    Template(#[from] askama::Error),
    /// A header is not acceptable.
    #[error("a header is not acceptable")]
    Header(#[from] lettre::error::Error),
}

/// What both forms show.
struct Contents {
    event: &'static str,
    severity: Severity,
    colour: &'static str,
    topic: String,
    summary: String,
    facts: Vec<(String, String)>,
    more_facts: usize,
    mend: String,
    children: Vec<String>,
    more_children: usize,
    link: Option<String>,
    alert_id: String,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    c: &'a Contents,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    c: &'a Contents,
}

/// The whole mail, as it goes over the wire. The same delivery always gives the same bytes.
pub(super) fn write(
    delivery: &Delivery,
    settings: &MailConfig,
    page: Option<&Url>,
) -> Result<Vec<u8>, MessageError> {
    let notification = &delivery.notification;
    let alert = &notification.alert;
    let host = settings.from.email.domain();
    let own_id = message_id(notification, host);
    let first_id = format!("<firing.{}@{host}>", alert.id);
    let topic = wording::topic(notification);
    let mut builder = Message::builder()
        .message_id(Some(own_id.clone()))
        .date(date(notification.decided_at))
        .from(settings.from.clone());
    for mailbox in &settings.to {
        builder = builder.to(mailbox.clone());
    }
    builder = if own_id == first_id {
        builder.subject(&topic)
    } else {
        // The same words, so that mail programs that go by the subject keep them together too.
        builder
            .subject(format!("Re: {topic}"))
            .in_reply_to(first_id.clone())
            .references(first_id)
    };
    for (name, value) in headers(delivery) {
        let name = HeaderName::new_from_ascii_str(name);
        builder = builder.raw_header(HeaderValue::new(name, value));
    }
    let contents = contents(notification, page);
    let parts = MultiPart::alternative()
        .boundary(format!("=_syncwatch_{}", delivery.idempotency_key))
        .singlepart(SinglePart::plain(Text { c: &contents }.render()?))
        .singlepart(SinglePart::html(Html { c: &contents }.render()?));
    Ok(builder.multipart(parts)?.formatted())
}

/// The same for every attempt at the same message.
fn message_id(notification: &Notification, host: &str) -> String {
    let alert = &notification.alert;
    match notification.event {
        NotificationEvent::Changed => format!("<changed-{}.{}@{host}>", alert.severity, alert.id),
        event => format!("<{event}.{}@{host}>", alert.id),
    }
}

fn headers(delivery: &Delivery) -> Vec<(&'static str, String)> {
    let notification = &delivery.notification;
    let alert = &notification.alert;
    let mut headers = vec![
        // RFC 3834: no holiday notices in return, please.
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Syncwatch-Alert", alert.id.to_string()),
        ("X-Syncwatch-Event", notification.event.to_string()),
        ("X-Syncwatch-Rule", alert.rule.to_string()),
        ("X-Syncwatch-Severity", alert.severity.to_string()),
        (
            "X-Syncwatch-Idempotency-Key",
            delivery.idempotency_key.clone(),
        ),
    ];
    if alert.severity == Severity::Critical && notification.event != NotificationEvent::Resolved {
        headers.push(("Importance", "high".to_owned()));
    }
    headers
}

fn date(at: Timestamp) -> SystemTime {
    let millis = at.as_millis().clamp(0, END_OF_DATES);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs())
}

fn contents(notification: &Notification, page: Option<&Url>) -> Contents {
    let alert = &notification.alert;
    let over = notification.event == NotificationEvent::Resolved;
    let facts = wording::facts(notification);
    let (shown_facts, more_facts) = wording::first(&facts, MOST_LINES);
    let (children, more_children) = wording::first(&notification.children, MOST_LINES);
    Contents {
        event: wording::event(notification.event),
        severity: alert.severity,
        colour: match (over, alert.severity) {
            (true, _) => "#1a7f37",
            (false, Severity::Critical) => "#b42318",
            (false, Severity::Warning) => "#9a6700",
            (false, Severity::Info) => "#0b5cad",
        },
        topic: wording::topic(notification),
        summary: wording::clip(&alert.summary, PARAGRAPH),
        facts: shown_facts
            .iter()
            .map(|(name, value)| (wording::clip(name, LINE), wording::clip(value, LINE)))
            .collect(),
        more_facts,
        mend: if over {
            String::new()
        } else {
            wording::clip(&alert.mend, PARAGRAPH)
        },
        children: children
            .iter()
            .map(|title| wording::clip(title, LINE))
            .collect(),
        more_children,
        link: wording::link(page, notification),
        alert_id: alert.id.to_string(),
    }
}

#[cfg(test)]
mod tests;
