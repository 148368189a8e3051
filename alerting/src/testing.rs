//! Alerts and receivers for tests.

pub(crate) mod http;
pub(crate) mod smtp;

use std::collections::BTreeMap;
use std::time::Duration;

use syncwatch_domain::alert::{
    Alert, AlertId, AlertState, Evidence, Notification, NotificationEvent, Rule, Severity, Subject,
};
use syncwatch_domain::backoff::Backoff;
use syncwatch_domain::delivery::{Delivery, DeliveryState};
use syncwatch_domain::lane::{Engine, LaneKey, LaneKind};
use syncwatch_domain::secret::Secret;
use syncwatch_domain::span::Span;
use syncwatch_domain::time::Timestamp;

use crate::config::{
    Channel, Fallback, MailConfig, MailTls, ReceiverConfig, SecretSource, WebhookConfig,
};

/// 2026-11-22T08:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_334_400_000);

/// A lane's alert of `rule`, firing.
pub(crate) fn alert(rule: Rule) -> Alert {
    let subject = Subject::lane(&LaneKey {
        tenant: "orchard".into(),
        engine: Engine::Cloud,
        kind: LaneKind::PasswordHash,
        partition: "ad.orchard.example".into(),
    });
    let labels = [
        ("tenant", "orchard"),
        ("engine", "cloud"),
        ("kind", "password_hash"),
        ("partition", "ad.orchard.example"),
        ("rule", rule.as_str()),
        ("severity", "critical"),
    ];
    Alert {
        id: AlertId::of(rule, &subject, START),
        rule,
        severity: Severity::Critical,
        state: AlertState::Firing,
        occurred_at: START,
        detected_at: START + Duration::from_millis(7),
        resolved_at: None,
        summary: format!(
            "{} has had no success since 2026-11-22T07:30:00Z",
            subject.title
        ),
        mend: "Check that the provisioning agent service runs on its servers.".into(),
        evidence: vec![
            Evidence {
                name: "last success".into(),
                value: "2026-11-22T07:30:00Z".into(),
            },
            Evidence {
                name: "window".into(),
                value: "30m, from the job's schedule".into(),
            },
        ],
        labels: labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        cause: None,
        speaks_at: None,
        respite: None,
        subject,
    }
}

/// What a receiver is told about `alert`.
pub(crate) fn notification(event: NotificationEvent, mut alert: Alert) -> Notification {
    if event == NotificationEvent::Resolved {
        alert.state = AlertState::Resolved;
        alert.resolved_at = Some(START + Duration::from_secs(47 * 60));
    }
    Notification {
        event,
        decided_at: alert.detected_at,
        alert,
        children: Vec::new(),
    }
}

/// `notification` on its way to `receiver`.
pub(crate) fn delivery(receiver: &str, notification: Notification) -> Delivery {
    Delivery {
        id: 1,
        idempotency_key: notification.idempotency_key(receiver),
        receiver: receiver.to_owned(),
        created_at: notification.decided_at,
        due_at: notification.decided_at,
        notification,
        state: DeliveryState::Pending,
        attempts: 0,
        finished_at: None,
        last_error: None,
    }
}

/// A receiver with short limits.
pub(crate) fn receiver(name: &str, channel: Channel) -> ReceiverConfig {
    ReceiverConfig {
        name: name.to_owned(),
        channel,
        timeout: Duration::from_secs(10),
        backoff: Backoff {
            first: Span::secs(2),
            cap: Span::minutes(5),
        },
        give_up_after: Duration::from_secs(24 * 3_600),
        fallback: Fallback::Another,
        ca_file: None,
    }
}

/// A webhook receiver that signs with the key `tulip`.
pub(crate) fn webhook_receiver(name: &str, url: &str) -> ReceiverConfig {
    let channel = Channel::Webhook(WebhookConfig {
        url: SecretSource::Inline(Secret::new(url.to_owned())),
        secret: Some(SecretSource::Inline(Secret::new("tulip".to_owned()))),
        headers: BTreeMap::from([(
            "Authorization".to_owned(),
            Secret::new("Bearer daffodil".to_owned()),
        )])
        .into_iter()
        .collect(),
        headers_file: None,
    });
    receiver(name, channel)
}

/// A mail server on this machine, with two recipients.
pub(crate) fn mail_settings(port: u16) -> MailConfig {
    let mailbox = |text: &str| text.parse().expect("an address");
    MailConfig {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        login: None,
        from: mailbox("syncwatch <syncwatch@orchard.example>"),
        to: vec![
            mailbox("noc@orchard.example"),
            mailbox("Identity Team <identity@orchard.example>"),
        ],
        hello: Some("monitor.orchard.example".to_owned()),
    }
}

/// Compares with `alerting/snapshots/<name>.snap`.
pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
