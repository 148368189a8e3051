#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use syncwatch_domain::alert::{AlertId, NotificationEvent, Rule};
use syncwatch_domain::delivery::AttemptOutcome;

use super::*;
use crate::config::Channel;
use crate::notify::Notifier;
use crate::testing::http::{Answer, HttpSink};
use crate::testing::{START, alert, delivery, notification, snapshot, webhook_receiver};

const PATH: &str = "/in/4f2a77c0ffee4f2a?token=narcissus-and-rose";
const SECRETS: [&str; 4] = ["tulip", "daffodil", "narcissus", "4f2a77c0ffee4f2a"];

fn firing() -> Delivery {
    delivery(
        "hook",
        notification(NotificationEvent::Firing, alert(Rule::WindowMissed)),
    )
}

fn notifier(receiver: &ReceiverConfig) -> Notifier {
    let page = "https://sync.orchard.example/".parse().unwrap();
    Notifier::new(receiver, Some(&page)).unwrap()
}

async fn answered(answer: Answer) -> (AttemptResult, HttpSink) {
    let sink = HttpSink::start([answer]).await;
    let receiver = webhook_receiver("hook", &sink.url(PATH));
    (notifier(&receiver).send(&firing(), START).await, sink)
}

fn reason(result: &AttemptResult) -> &str {
    match result {
        AttemptResult::Delivered => "",
        AttemptResult::Retry { reason, .. } | AttemptResult::GiveUp { reason } => reason,
    }
}

#[tokio::test]
async fn the_message_is_signed_and_carries_its_key() {
    let (result, sink) = answered(Answer::status(204)).await;
    assert_eq!(result, AttemptResult::Delivered);
    let request = sink.requests().remove(0);
    assert_eq!(request.uri, PATH);
    assert_eq!(request.header("idempotency-key"), firing().idempotency_key);
    assert_eq!(request.header("authorization"), "Bearer daffodil");
    assert_eq!(request.header("content-type"), "application/json");
    assert!(request.header("user-agent").starts_with("syncwatch/"));
    let seconds = request.header("x-syncwatch-timestamp");
    assert_eq!(seconds, "1795334400");
    // Checked the way a receiver does, over the bytes as they came.
    let mut mac = Hmac::<Sha256>::new_from_slice(b"tulip").unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(&request.body);
    let signature = request
        .header("x-syncwatch-signature")
        .strip_prefix("v1=")
        .unwrap();
    let bytes: Vec<u8> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap())
        .collect();
    mac.verify_slice(&bytes).unwrap();
    assert_eq!(request.json()["id"], firing().idempotency_key);
}

#[test]
fn the_signature_is_what_other_tools_compute() {
    // printf '1795334400.{"version":1}' | openssl dgst -sha256 -hmac Jefe
    let secret = Secret::new("Jefe".to_owned());
    assert_eq!(
        signature(&secret, "1795334400", b"{\"version\":1}"),
        "v1=14780255f771e99e17e070b140c735fdb76f8114d017a516f48e27d69ee61064"
    );
}

#[tokio::test]
async fn answers_decide_what_follows() {
    let (result, _) = answered(Answer::status(429).header("retry-after", "17")).await;
    let AttemptResult::Retry { after, .. } = &result else {
        panic!("{result:?}");
    };
    assert_eq!(*after, Some(Duration::from_secs(17)));
    let date = "Sun, 22 Nov 2026 08:00:33 GMT";
    let busy = Answer::status(503)
        .header("retry-after", date)
        .header("date", "Sun, 22 Nov 2026 08:00:00 GMT");
    let (result, _) = answered(busy).await;
    let AttemptResult::Retry { after, .. } = &result else {
        panic!("{result:?}");
    };
    assert_eq!(*after, Some(Duration::from_secs(33)));
    let (result, _) = answered(Answer::status(400).body("no such queue")).await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    assert!(reason(&result).contains("no such queue"), "{result:?}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = HttpSink::start([]).await;
    let away = Answer::status(307).header("location", &elsewhere.url("/"));
    let (result, sink) = answered(away).await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    assert_eq!(sink.requests().len(), 1);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_tried_again() {
    let hang = Answer {
        hang: true,
        ..Answer::default()
    };
    let sink = HttpSink::start([hang]).await;
    let mut receiver = webhook_receiver("hook", &sink.url(PATH));
    receiver.timeout = Duration::from_millis(200);
    let result = notifier(&receiver).send(&firing(), START).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
    assert_eq!(reason(&result), "no answer within 200ms");
    let closed = webhook_receiver("hook", &format!("http://127.0.0.1:1{PATH}"));
    let result = notifier(&closed).send(&firing(), START).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&result).starts_with("cannot connect: "),
        "{result:?}"
    );
}

#[tokio::test]
async fn no_secret_is_in_any_reason() {
    let echo = format!("{PATH} Bearer daffodil signed with tulip, narcissus-and-rose");
    let mut seen = Vec::new();
    for status in [301, 400, 401, 404, 429, 500, 503] {
        let (result, _) = answered(Answer::status(status).body(&echo)).await;
        seen.push(result);
    }
    for url in [
        "http://127.0.0.1:1",
        "https://127.0.0.1:1",
        "https://nowhere.invalid",
    ] {
        let receiver = webhook_receiver("hook", &format!("{url}{PATH}"));
        let notifier = notifier(&receiver);
        assert!(!format!("{notifier:?}").contains("narcissus"));
        seen.push(notifier.send(&firing(), START).await);
    }
    let (tls_to_plain, sink) = answered(Answer::status(202)).await;
    assert_eq!(tls_to_plain, AttemptResult::Delivered);
    let https = sink.url(PATH).replace("http://", "https://");
    seen.push(
        notifier(&webhook_receiver("hook", &https))
            .send(&firing(), START)
            .await,
    );
    for result in seen {
        assert!(!reason(&result).is_empty(), "{result:?}");
        for secret in SECRETS {
            assert!(
                !format!("{result:?}").contains(secret),
                "{secret}: {result:?}"
            );
        }
    }
}

#[tokio::test]
async fn files_are_read_at_each_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sink = HttpSink::start([]).await;
    let mut receiver = webhook_receiver("hook", "");
    receiver.channel = Channel::Webhook(WebhookConfig {
        url: SecretSource::File(path("url")),
        secret: Some(SecretSource::File(path("secret"))),
        headers: Vec::new(),
        headers_file: Some(path("headers")),
    });
    let notifier = notifier(&receiver);
    let missing = notifier.send(&firing(), START).await;
    assert_eq!(missing.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&missing).contains("cannot read the secret file"),
        "{missing:?}"
    );

    std::fs::write(path("url"), "ftp://narcissus.example/").unwrap();
    let unusable = notifier.send(&firing(), START).await;
    assert_eq!(unusable.outcome(), AttemptOutcome::Retry);
    assert!(reason(&unusable).contains("https"), "{unusable:?}");
    assert!(!reason(&unusable).contains("narcissus"), "{unusable:?}");

    std::fs::write(path("url"), format!("{}\n", sink.url("/new"))).unwrap();
    std::fs::write(path("secret"), "one\n").unwrap();
    std::fs::write(
        path("headers"),
        "X-Team: identity\nAuthorization: Bearer a:b\n\n",
    )
    .unwrap();
    assert_eq!(
        notifier.send(&firing(), START).await,
        AttemptResult::Delivered
    );
    std::fs::write(path("secret"), "two\n").unwrap();
    assert_eq!(
        notifier.send(&firing(), START).await,
        AttemptResult::Delivered
    );
    let requests = sink.requests();
    assert_eq!(requests[0].header("x-team"), "identity");
    assert_eq!(requests[0].header("authorization"), "Bearer a:b");
    assert_eq!(requests[0].body, requests[1].body);
    let signatures = requests
        .iter()
        .map(|one| one.header("x-syncwatch-signature"));
    let signatures: std::collections::BTreeSet<_> = signatures.collect();
    assert_eq!(signatures.len(), 2);
}

#[test]
fn bodies_look_like_this() {
    let page = "https://sync.orchard.example/".parse().unwrap();
    for event in NotificationEvent::ALL {
        let mut told = notification(*event, alert(Rule::SourceUnreachable));
        told.children = vec!["Cloud Sync objects of ad.orchard.example".into()];
        told.alert.cause = Some(AlertId("0123456789abcdef0123456789abcdef".into()));
        let delivery = delivery("hook", told);
        let body = WebhookBody::new(&delivery, Some(&page));
        let text = serde_json::to_string_pretty(&body).unwrap();
        snapshot(&format!("webhook_{event}"), &text);
    }
}

#[test]
fn a_fleet_of_children_is_cut_and_counted() {
    let mut told = notification(NotificationEvent::Firing, alert(Rule::SourceUnreachable));
    told.children = (0..100_000).map(|n| format!("lane {n}")).collect();
    let delivery = delivery("hook", told);
    let body = WebhookBody::new(&delivery, None);
    assert_eq!((body.children.len(), body.children_total), (500, 100_000));
}

#[test]
fn the_document_names_every_key_and_header() {
    let document = include_str!("../../../../docs/webhook.md");
    let delivery = firing();
    let body = serde_json::to_value(WebhookBody::new(&delivery, None)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let mut expected = keys(&body);
    expected.extend(keys(&body["alert"]));
    expected.sort();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let (mut named, headers): (Vec<_>, Vec<_>) = rows
        .filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .partition(|name| !name.contains('-'));
    named.sort();
    assert_eq!(named, expected);
    assert_eq!(headers.len(), 3);
    for header in [IDEMPOTENCY_KEY, TIMESTAMP, SIGNATURE] {
        assert!(
            headers
                .iter()
                .any(|name| name.eq_ignore_ascii_case(header.as_str())),
            "{header}"
        );
    }
    assert!(document.contains(&format!("| `version` | `{BODY_VERSION}` |")));
    assert!(document.contains(&format!("at most {MOST_CHILDREN}")));
}
