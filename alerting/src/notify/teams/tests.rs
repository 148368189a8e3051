#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;
use syncwatch_domain::alert::{Evidence, Notification, NotificationEvent, Rule, Severity};
use syncwatch_domain::delivery::AttemptOutcome;
use syncwatch_domain::secret::Secret;

use super::*;
use crate::config::{Channel, SecretSource};
use crate::notify::Notifier;
use crate::testing::http::{Answer, HttpSink};
use crate::testing::{START, alert, delivery, notification, receiver, snapshot};

const PATH: &str = "/workflows/4f2a77c0ffee4f2a/triggers/manual/paths/invoke?api-version=1&sig=tulip-daffodil-rose";

fn teams(url: &str) -> Notifier {
    let settings = TeamsConfig {
        url: SecretSource::Inline(Secret::new(url.to_owned())),
        pace: Duration::from_secs(2),
    };
    let mut receiver = receiver("noc-teams", Channel::Teams(settings));
    receiver.timeout = Duration::from_secs(5);
    let page = "https://sync.orchard.example/".parse().unwrap();
    Notifier::new(&receiver, Some(&page)).unwrap()
}

fn firing() -> Delivery {
    let told = notification(NotificationEvent::Firing, alert(Rule::WindowMissed));
    delivery("noc-teams", told)
}

async fn answered(script: impl IntoIterator<Item = Answer>) -> (AttemptResult, HttpSink) {
    let sink = HttpSink::start(script).await;
    let result = teams(&sink.url(PATH)).send(&firing(), START).await;
    (result, sink)
}

#[tokio::test]
async fn an_accepted_card_is_delivered() {
    let (result, sink) = answered([Answer::status(202)]).await;
    assert_eq!(result, AttemptResult::Delivered);
    let request = sink.requests().remove(0);
    assert_eq!(request.uri, PATH);
    let body = request.json();
    assert_eq!(body["attachments"][0]["content"]["type"], "AdaptiveCard");
}

#[tokio::test]
async fn a_card_that_is_too_large_is_sent_once_more_and_smaller() {
    let (result, sink) = answered([Answer::status(413), Answer::status(202)]).await;
    assert_eq!(result, AttemptResult::Delivered);
    let sizes: Vec<_> = sink.requests().iter().map(|one| one.body.len()).collect();
    assert_eq!(sizes.len(), 2);
    assert!(sizes[1] <= card::SMALL.bytes);
    let (result, sink) = answered([Answer::status(413), Answer::status(413)]).await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    assert_eq!(sink.requests().len(), 2);
}

#[tokio::test]
async fn throttling_is_honoured_also_where_it_hides_behind_success() {
    let hidden =
        "Webhook message delivery failed with error: the endpoint returned HTTP error 429.";
    for (answer, expected) in [
        (Answer::status(429).header("retry-after", "41"), Some(41)),
        (
            Answer::status(200).body(hidden).header("retry-after", "41"),
            Some(41),
        ),
        (Answer::status(200).body(hidden), None),
    ] {
        let (result, _) = answered([answer]).await;
        let AttemptResult::Retry { after, .. } = result else {
            panic!("{result:?}");
        };
        assert_eq!(after, expected.map(Duration::from_secs));
    }
    for body in ["1", "", "{\"runId\":\"0842942900\"}", "id 429", "no error"] {
        let (result, _) = answered([Answer::status(200).body(body)]).await;
        assert_eq!(result, AttemptResult::Delivered, "{body}");
    }
}

#[tokio::test]
async fn no_part_of_the_url_is_in_any_reason() {
    let mut seen = Vec::new();
    let echo = format!("no flow at {PATH}");
    for status in [302, 400, 404, 429, 500] {
        seen.push(answered([Answer::status(status).body(&echo)]).await.0);
    }
    for host in [
        "https://127.0.0.1:1",
        "https://nowhere.invalid",
        "http://elsewhere.example",
        "https://x.webhook.office.com",
    ] {
        let notifier = teams(&format!("{host}{PATH}"));
        assert!(!format!("{notifier:?}").contains("daffodil"));
        seen.push(notifier.send(&firing(), START).await);
    }
    for result in seen {
        let printed = format!("{result:?}");
        assert!(!matches!(result, AttemptResult::Delivered), "{printed}");
        for secret in ["daffodil", "4f2a77c0ffee4f2a"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

#[test]
fn cards_look_like_this() {
    let page = "https://sync.orchard.example/".parse().unwrap();
    for rule in Rule::ALL {
        let told = notification(NotificationEvent::Firing, alert(*rule));
        snapshot(
            &format!("card_{rule}"),
            &pretty(&card::message(&told, Some(&page), &card::FULL)),
        );
    }
    let mut told = notification(NotificationEvent::Changed, alert(Rule::SourceUnreachable));
    told.alert.severity = Severity::Warning;
    told.children = (1..=40)
        .map(|n| format!("Cloud Sync objects of site{n}.orchard.example"))
        .collect();
    snapshot(
        "card_changed_with_children",
        &pretty(&card::message(&told, None, &card::FULL)),
    );
    let told = notification(NotificationEvent::Resolved, alert(Rule::WindowMissed));
    snapshot(
        "card_resolved",
        &pretty(&card::message(&told, Some(&page), &card::FULL)),
    );
}

fn pretty(message: &[u8]) -> String {
    let message: Value = serde_json::from_slice(message).unwrap();
    serde_json::to_string_pretty(&message).unwrap()
}

/// What Adaptive Cards 1.4 asks of the elements that are used.
fn check_card(message: &[u8]) {
    let message: Value = serde_json::from_slice(message).unwrap();
    let card = &message["attachments"][0]["content"];
    assert_eq!(card["version"], "1.4");
    let mut elements: Vec<&Value> = card["body"].as_array().unwrap().iter().collect();
    while let Some(element) = elements.pop() {
        match element["type"].as_str().unwrap() {
            "Container" => {
                let styles = ["good", "attention", "warning", "accent"];
                assert!(styles.contains(&element["style"].as_str().unwrap()));
                elements.extend(element["items"].as_array().unwrap());
            }
            "TextBlock" => assert!(!element["text"].as_str().unwrap().contains("](")),
            "FactSet" => {
                let facts = element["facts"].as_array().unwrap();
                assert!(!facts.is_empty());
                for fact in facts {
                    assert!(!fact["title"].as_str().unwrap().is_empty());
                    assert!(!fact["value"].as_str().unwrap().is_empty());
                }
            }
            other => panic!("unexpected element {other}"),
        }
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        Just('a'),
        Just('"'),
        Just('\\'),
        Just('\n'),
        Just('\u{0}'),
        Just('日'),
        Just('😀'),
        Just('\u{202e}'),
        Just('é'),
        Just('['),
        Just(']'),
        Just('('),
        any::<char>(),
    ];
    (proptest::collection::vec(character, 0..40), 0..100_usize)
        .prop_map(|(characters, times)| characters.iter().collect::<String>().repeat(times))
}

fn hostile() -> impl Strategy<Value = Notification> {
    let evidence = proptest::collection::vec((hostile_text(), hostile_text()), 0..60);
    let children = (hostile_text(), prop_oneof![0..50_usize, Just(100_000)]);
    let texts = proptest::array::uniform4(hostile_text());
    (texts, evidence, children, 0..3_usize, 0..3_usize).prop_map(
        |([title, summary, mend, tenant], evidence, (child, count), event, severity)| {
            let mut told = notification(
                NotificationEvent::ALL[event],
                alert(Rule::SourceUnreachable),
            );
            let alert = &mut told.alert;
            alert.subject.title = title;
            alert.subject.tenant = tenant;
            alert.summary = summary;
            alert.mend = mend;
            alert.severity = Severity::ALL[severity];
            alert.evidence = evidence
                .into_iter()
                .map(|(name, value)| Evidence {
                    name: format!("n{name}"),
                    value,
                })
                .collect();
            let child: String = child.chars().take(500).collect();
            told.children = vec![child; count];
            told
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_card_always_fits_and_counts_what_it_leaves_out(told in hostile()) {
        let page: Url = format!("https://sync.orchard.example/{}", "x".repeat(1_000)).parse().unwrap();
        for limits in [card::FULL, card::SMALL] {
            let message = card::message(&told, Some(&page), &limits);
            prop_assert!(message.len() <= limits.bytes, "{} of {}", message.len(), limits.bytes);
            prop_assert!(message.len() < 28 * 1_024);
            check_card(&message);
            let text = String::from_utf8(message).unwrap();
            if told.children.len() > 50 {
                prop_assert!(text.contains("Speaks for 100000 more"), "{text}");
                prop_assert!(text.contains(" more\""), "{text}");
            }
        }
    }
}
