#![expect(clippy::unwrap_used, reason = "tests")]

use syncwatch_domain::alert::{Alert, Evidence, Rule};

use super::*;
use crate::testing::{START, alert, delivery, mail_settings, notification, snapshot};

fn page() -> Url {
    "https://sync.orchard.example/".parse().unwrap()
}

fn told(event: NotificationEvent, alert: Alert) -> String {
    let delivery = delivery("noc-mail", notification(event, alert));
    String::from_utf8(write(&delivery, &mail_settings(25), Some(&page())).unwrap()).unwrap()
}

/// The value of a header, unfolded.
fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail.split("\r\n\r\n").next()?.replace("\r\n ", " ");
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
    Some(value.to_owned())
}

#[test]
fn mails_look_like_this() {
    for event in NotificationEvent::ALL {
        snapshot(
            &format!("mail_{event}"),
            &told(*event, alert(Rule::WindowMissed)).replace('\r', ""),
        );
    }
    let mut many = alert(Rule::SourceUnreachable);
    many.severity = Severity::Warning;
    many.summary = "Microsoft Graph antwortet nicht: Zeitüberschreitung".into();
    let mut notification = notification(NotificationEvent::Firing, many);
    notification.children = (1..=102)
        .map(|n| format!("Cloud Sync objects of site{n}.orchard.example"))
        .collect();
    let delivery = delivery("noc-mail", notification);
    let mail = write(&delivery, &mail_settings(25), None).unwrap();
    snapshot(
        "mail_with_children",
        &String::from_utf8(mail).unwrap().replace('\r', ""),
    );
}

#[test]
fn texts_for_each_rule_look_like_this() {
    let mut all = String::new();
    for rule in Rule::ALL {
        let told = notification(NotificationEvent::Firing, alert(*rule));
        let contents = contents(&told, None);
        all.push_str(&Text { c: &contents }.render().unwrap());
        all.push_str("\n========\n");
    }
    snapshot("mail_texts", &all);
}

#[test]
fn all_messages_about_an_alert_are_one_conversation() {
    let first = told(NotificationEvent::Firing, alert(Rule::WindowMissed));
    let id = header(&first, "Message-ID").unwrap();
    assert!(id.ends_with("@orchard.example>"), "{id}");
    assert_eq!(header(&first, "In-Reply-To"), None);
    let mut ids = vec![id.clone()];
    for (event, severity) in [
        (NotificationEvent::Changed, Severity::Warning),
        (NotificationEvent::Changed, Severity::Critical),
        (NotificationEvent::Resolved, Severity::Critical),
    ] {
        let mut alert = alert(Rule::WindowMissed);
        alert.severity = severity;
        let next = told(event, alert);
        assert_eq!(header(&next, "In-Reply-To").as_ref(), Some(&id));
        assert_eq!(header(&next, "References").as_ref(), Some(&id));
        let began = header(&first, "Subject").unwrap();
        assert_eq!(header(&next, "Subject"), Some(format!("Re: {began}")));
        ids.push(header(&next, "Message-ID").unwrap());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(
        ids.len(),
        count,
        "every message has an id of its own: {ids:?}"
    );
}

#[test]
fn the_same_delivery_is_always_the_same_mail() {
    let mail = || told(NotificationEvent::Firing, alert(Rule::JobQuarantined));
    assert_eq!(mail(), mail());
}

#[test]
fn names_from_outside_cannot_write_headers_or_markup() {
    let mut alert = alert(Rule::WindowMissed);
    alert.subject.title = "x\r\nBcc: thief@evil.example\r\n\r\n<b>".into();
    alert.summary = "<script>alert(1)</script>\r\n.\r\n".into();
    alert.evidence = vec![Evidence {
        name: "<i>".into(),
        value: "a&b".into(),
    }];
    let told = notification(NotificationEvent::Firing, alert);
    let contents = contents(&told, None);
    let html = Html { c: &contents }.render().unwrap();
    assert!(
        !html.contains("<script>") && !html.contains("<i>") && !html.contains("<b>"),
        "{html}"
    );
    let mail = write(&delivery("noc-mail", told), &mail_settings(25), None).unwrap();
    let mail = String::from_utf8(mail).unwrap();
    assert_eq!(header(&mail, "Bcc"), None);
    assert!(
        header(&mail, "Subject")
            .unwrap()
            .starts_with("[orchard] x Bcc: thief"),
        "{mail}"
    );
}

#[test]
fn absurd_dates_do_not_break_a_mail() {
    for millis in [i64::MIN, -1, 0, i64::MAX] {
        let mut told = notification(NotificationEvent::Firing, alert(Rule::LaneLate));
        told.decided_at = Timestamp::from_millis(millis);
        let mail = write(&delivery("noc-mail", told), &mail_settings(25), None).unwrap();
        assert!(header(&String::from_utf8(mail).unwrap(), "Date").is_some());
    }
    let exact = told(NotificationEvent::Firing, alert(Rule::LaneLate));
    assert!(
        header(&exact, "Date")
            .unwrap()
            .starts_with("Sun, 22 Nov 2026 08:00:00"),
        "{START}"
    );
}
