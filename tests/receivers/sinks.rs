//! Messages before the simulator, whose rules come from the documents of the receivers and not from our code.

use std::time::Duration;

use syncwatch_domain::alert::{NotificationEvent, Rule, Severity};
use syncwatch_domain::delivery::AttemptResult;
use syncwatch_simulator::{Action, Ports, Running, Simulator, Story, SystemClock};

use crate::messages::{START, delivery, everything, notifier, told};

const LIMIT: Duration = Duration::from_secs(30);

async fn simulator() -> Running {
    let clock = std::sync::Arc::new(SystemClock);
    Simulator::start(Story::demo(), clock, Ports::free())
        .await
        .unwrap()
}

#[tokio::test]
async fn every_card_keeps_the_rules_of_adaptive_cards_and_of_teams() {
    let simulator = simulator().await;
    let url = simulator.teams_url();
    let notifier = notifier(&format!(
        "name = \"receiver\"\nkind = \"teams\"\nurl = {url:?}\npace = \"0s\""
    ));
    let mut messages = everything();
    let mut huge = told(
        NotificationEvent::Firing,
        Rule::SourceUnreachable,
        Severity::Critical,
    );
    huge.alert.summary = "\"\\日😀](".repeat(20_000);
    huge.alert.mend = huge.alert.summary.clone();
    huge.alert.evidence = vec![huge.alert.evidence[1].clone(); 1_000];
    huge.children = vec!["Cloud Sync objects of \u{202e}ad.meadow.example 日".repeat(50); 100_000];
    messages.push(huge);
    for message in &messages {
        let sent = notifier.send(&delivery(message.clone()), START).await;
        assert_eq!(
            sent,
            AttemptResult::Delivered,
            "{} {}",
            message.event,
            message.alert.rule
        );
    }
    let count = messages.len();
    let posts = simulator
        .teams()
        .wait_for(|posts| posts.len() == count, LIMIT)
        .await
        .unwrap();
    for post in &posts {
        assert_eq!(post.violations, Vec::<String>::new(), "{}", post.text());
        assert!(
            post.card.is_some() && post.body.len() <= 21_000,
            "{} bytes",
            post.body.len()
        );
    }
}

#[tokio::test]
async fn throttling_of_teams_is_understood() {
    let simulator = simulator().await;
    let url = simulator.teams_url();
    let notifier = notifier(&format!(
        "name = \"receiver\"\nkind = \"teams\"\nurl = {url:?}"
    ));
    let throttle = Action::Teams429 {
        retry_after: Some(23),
        count: 1,
    };
    simulator.apply(&throttle).unwrap();
    let message = delivery(told(
        NotificationEvent::Firing,
        Rule::WindowMissed,
        Severity::Critical,
    ));
    let AttemptResult::Retry { after, .. } = notifier.send(&message, START).await else {
        panic!("429 is not for good");
    };
    assert_eq!(after, Some(Duration::from_secs(23)));
    assert_eq!(
        notifier.send(&message, START).await,
        AttemptResult::Delivered
    );
}

#[tokio::test]
async fn every_webhook_is_signed_so_that_another_implementation_agrees() {
    let simulator = simulator().await;
    simulator.set_webhook_secret(Some("tulip"));
    let url = simulator.webhook_url();
    let receiver = format!("name = \"receiver\"\nkind = \"webhook\"\nurl = {url:?}");
    let signed = notifier(&format!("{receiver}\nsecret = \"tulip\""));
    for message in everything() {
        let message = delivery(message);
        assert_eq!(signed.send(&message, START).await, AttemptResult::Delivered);
    }
    let calls = simulator.webhook().arrivals();
    assert_eq!(calls.len(), everything().len());
    for (call, message) in calls.iter().zip(everything()) {
        let body = call.json().unwrap();
        assert_eq!(body["event"], message.event.as_str());
        assert_eq!(body["alert"]["summary"], message.alert.summary.as_str());
        assert_eq!(call.header("idempotency-key"), body["id"].as_str());
    }
    for other in ["\nsecret = \"rose\"", ""] {
        let stranger = notifier(&format!("{receiver}{other}"));
        let refused = stranger
            .send(&delivery(everything().remove(0)), START)
            .await;
        assert!(
            matches!(refused, AttemptResult::GiveUp { .. }),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn mails_arrive_through_both_doors_of_the_simulated_server() {
    let simulator = simulator().await;
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, simulator.smtp_ca_pem()).unwrap();
    let (user, password) = simulator.smtp_login();
    for (tls, address) in [
        ("starttls", simulator.smtp_addr()),
        ("implicit", simulator.smtps_addr()),
    ] {
        let notifier = notifier(&format!(
            "name = \"receiver\"\nkind = \"mail\"\nhost = \"127.0.0.1\"\nport = {}\ntls = {tls:?}\nca_file = {ca_file:?}\n\
             username = {user:?}\npassword = {password:?}\nfrom = \"syncwatch@meadow.example\"\nto = [\"noc@meadow.example\"]",
            address.port(),
        ));
        simulator.apply(&Action::Smtp451 { count: 1 }).unwrap();
        let message = delivery(told(
            NotificationEvent::Firing,
            Rule::WindowMissed,
            Severity::Critical,
        ));
        let deferred = notifier.send(&message, START).await;
        assert!(
            matches!(deferred, AttemptResult::Retry { .. }),
            "{deferred:?}"
        );
        assert_eq!(
            notifier.send(&message, START).await,
            AttemptResult::Delivered
        );
    }
    let accepted: Vec<_> = simulator
        .mail()
        .arrivals()
        .into_iter()
        .filter(|mail| mail.status == 250)
        .collect();
    assert_eq!(accepted.len(), 2, "{:?}", simulator.mail().arrivals());
    assert!(
        accepted
            .iter()
            .all(|mail| mail.tls && mail.user.as_deref() == Some(user.as_str()))
    );
}
