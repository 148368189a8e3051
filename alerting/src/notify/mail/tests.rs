#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Instant;

use syncwatch_domain::alert::{NotificationEvent, Rule};
use syncwatch_domain::delivery::AttemptOutcome;
use syncwatch_domain::secret::Secret;

use super::*;
use crate::config::{Channel, MailTls, SecretSource};
use crate::testing::smtp::{Behaviour, SmtpSink};
use crate::testing::{alert, delivery, mail_settings, notification, receiver};

const PASSWORD: &str = "daffodil-7";

/// A notifier for `sink`, and how it signs in.
fn notifier(sink: &SmtpSink, tls: MailTls, login: bool) -> MailNotifier {
    let mut settings = mail_settings(sink.port());
    settings.tls = tls;
    settings.login = login.then(|| {
        let password = SecretSource::Inline(Secret::new(PASSWORD.to_owned()));
        ("monitor".to_owned(), password)
    });
    let mut receiver = receiver("noc-mail", Channel::Mail(settings.clone()));
    receiver.ca_file = Some(sink.ca_file());
    receiver.timeout = Duration::from_secs(5);
    MailNotifier::new(&receiver, &settings, None).unwrap()
}

fn firing(rule: Rule) -> Delivery {
    delivery(
        "noc-mail",
        notification(NotificationEvent::Firing, alert(rule)),
    )
}

fn reason(result: &AttemptResult) -> &str {
    match result {
        AttemptResult::Delivered => "",
        AttemptResult::Retry { reason, .. } | AttemptResult::GiveUp { reason } => reason,
    }
}

async fn attempt(behaviour: Behaviour, login: bool) -> (AttemptResult, SmtpSink) {
    let tls = behaviour.tls;
    let sink = SmtpSink::start(behaviour).await;
    let result = notifier(&sink, tls, login)
        .send(&firing(Rule::WindowMissed))
        .await;
    (result, sink)
}

#[tokio::test]
async fn every_kind_of_protection_delivers_and_signs_in() {
    for tls in [MailTls::None, MailTls::StartTls, MailTls::Implicit] {
        let (result, sink) = attempt(Behaviour::new(tls), true).await;
        assert_eq!(result, AttemptResult::Delivered, "{tls:?}");
        let mails = sink.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].encrypted, tls != MailTls::None);
        assert_eq!(
            mails[0].to,
            ["noc@orchard.example", "identity@orchard.example"]
        );
        assert!(
            mails[0].data.contains("X-Syncwatch-Alert: "),
            "{}",
            mails[0].data
        );
        let lines = sink.lines();
        let plain = STANDARD_LOGIN;
        assert!(lines.iter().any(|line| line == plain), "{lines:?}");
        let first = lines
            .iter()
            .position(|line| line.starts_with("EHLO monitor.orchard.example"));
        assert!(first.is_some(), "{lines:?}");
    }
}

/// `AUTH PLAIN` for `monitor` with the password above, computed with `printf | base64`.
const STANDARD_LOGIN: &str = "AUTH PLAIN AG1vbml0b3IAZGFmZm9kaWwtNw==";

#[tokio::test]
async fn login_is_used_where_plain_is_not_offered() {
    let mut behaviour = Behaviour::new(MailTls::StartTls).answers(&[
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        ("bW9uaXRvcg==", "334 UGFzc3dvcmQ6"),
        ("ZGFmZm9kaWwtNw==", "235 2.7.0 welcome"),
    ]);
    behaviour.features = vec!["AUTH LOGIN"];
    let (result, _) = attempt(behaviour, true).await;
    assert_eq!(result, AttemptResult::Delivered);
    let mut behaviour = Behaviour::new(MailTls::StartTls);
    behaviour.features = vec!["AUTH NTLM"];
    let (result, _) = attempt(behaviour, true).await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    assert!(
        reason(&result).contains("neither AUTH PLAIN nor AUTH LOGIN"),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing_in_plain_text() {
    let sink = SmtpSink::start(Behaviour::new(MailTls::None)).await;
    let result = notifier(&sink, MailTls::StartTls, true)
        .send(&firing(Rule::WindowMissed))
        .await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    assert!(
        reason(&result).contains("does not offer STARTTLS"),
        "{result:?}"
    );
    assert_eq!(sink.lines(), ["EHLO monitor.orchard.example"]);
}

#[tokio::test]
async fn words_between_plain_and_encrypted_are_not_believed() {
    let mut behaviour = Behaviour::new(MailTls::StartTls);
    behaviour.injection = "250 orchard\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 kept\r\n";
    let (result, sink) = attempt(behaviour, false).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&result).contains("starting TLS failed"),
        "{result:?}"
    );
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let sink = SmtpSink::start(Behaviour::new(MailTls::StartTls)).await;
    let other = SmtpSink::start(Behaviour::new(MailTls::StartTls)).await;
    let settings = notifier(&sink, MailTls::StartTls, false).settings;
    let mut receiver = receiver("noc-mail", Channel::Mail(settings.clone()));
    receiver.ca_file = Some(other.ca_file());
    let stranger = MailNotifier::new(&receiver, &settings, None).unwrap();
    let result = stranger.send(&firing(Rule::WindowMissed)).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&result).contains("UnknownIssuer; if the server's authority"),
        "{result:?}"
    );
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn a_refused_login_is_given_up_in_clear_words_and_without_the_password() {
    // Some servers repeat what they were sent.
    let echo = "535 5.7.8 Error: authentication failed: AG1vbml0b3IAZGFmZm9kaWwtNw== ZGFmZm9kaWwtNw== daffodil-7";
    let (result, sink) = attempt(
        Behaviour::new(MailTls::StartTls).answers(&[("AUTH", echo)]),
        true,
    )
    .await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    let said = reason(&result);
    assert!(
        said.contains("535 5.7.8 Error: authentication failed"),
        "{said}"
    );
    assert!(said.contains("check `username` and `password`"), "{said}");
    for secret in [PASSWORD, "ZGFmZm9kaWwtNw", "AG1vbml0b3IAZGFmZm9kaWwtNw=="] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(sink.mails().is_empty());
    let (result, _) = attempt(
        Behaviour::new(MailTls::StartTls).answers(&[("AUTH", "454 4.7.0 later")]),
        true,
    )
    .await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
}

#[tokio::test]
async fn replies_at_every_step_decide_what_follows() {
    let retired = "550 5.7.30 Basic authentication is not supported for Client Submission.";
    for (word, answer, outcome, words) in [
        (
            "GREETING",
            "421 busy",
            AttemptOutcome::Retry,
            "421 busy while greeting",
        ),
        (
            "GREETING",
            "554 go away",
            AttemptOutcome::GivenUp,
            "554 go away while greeting",
        ),
        (
            "EHLO",
            "421 busy",
            AttemptOutcome::Retry,
            "421 busy while greeting",
        ),
        (
            "STARTTLS",
            "454 no key",
            AttemptOutcome::Retry,
            "454 no key while starting TLS",
        ),
        (
            "AUTH",
            retired,
            AttemptOutcome::GivenUp,
            "Exchange Online retires",
        ),
        (
            "MAIL",
            "452 full",
            AttemptOutcome::Retry,
            "452 full while naming the sender",
        ),
        (
            "MAIL",
            "550 no",
            AttemptOutcome::GivenUp,
            "550 no while naming the sender",
        ),
        (
            "MAIL",
            "530 5.7.0 sign in",
            AttemptOutcome::GivenUp,
            "the server wants a login",
        ),
        (
            "DATA",
            "451 later",
            AttemptOutcome::Retry,
            "451 later while sending the mail",
        ),
        (
            "CONTENT",
            "554 spam",
            AttemptOutcome::GivenUp,
            "554 spam while sending the mail",
        ),
        (
            "CONTENT",
            "what?",
            AttemptOutcome::Retry,
            "sending the mail failed",
        ),
    ] {
        let behaviour = Behaviour::new(MailTls::StartTls).answers(&[(word, answer)]);
        let (result, sink) = attempt(behaviour, true).await;
        assert_eq!(result.outcome(), outcome, "{word} {answer}: {result:?}");
        assert!(
            reason(&result).contains(words),
            "{word} {answer}: {result:?}"
        );
        let kept = usize::from(answer == "what?");
        assert!(sink.mails().len() <= kept, "{word} {answer}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_tried_again() {
    for (word, step) in [
        ("EHLO", "greeting"),
        ("AUTH", "signing in"),
        ("DATA", "sending the mail"),
    ] {
        let mut behaviour = Behaviour::new(MailTls::Implicit);
        behaviour.hang_at = Some(word);
        let sink = SmtpSink::start(behaviour).await;
        let mut notifier = notifier(&sink, MailTls::Implicit, true);
        notifier.timeout = Duration::from_millis(300);
        let result = notifier.send(&firing(Rule::WindowMissed)).await;
        assert_eq!(result.outcome(), AttemptOutcome::Retry);
        assert_eq!(
            reason(&result),
            format!("no answer within 300ms while {step}")
        );
    }
    let sink = SmtpSink::start(Behaviour::new(MailTls::None)).await;
    let mut notifier = notifier(&sink, MailTls::None, false);
    notifier.dialer = Dialer::new(
        &receiver("m", Channel::Mail(mail_settings(1))),
        &mail_settings(1),
    )
    .unwrap();
    let result = notifier.send(&firing(Rule::WindowMissed)).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&result).starts_with("connecting failed: "),
        "{result:?}"
    );
}

#[tokio::test]
async fn one_full_mailbox_neither_stops_nor_repeats_the_mail_for_others() {
    let behaviour = Behaviour::new(MailTls::None).answers(&[
        ("RCPT TO:<noc@", "452 4.2.2 mailbox full"),
        ("RCPT TO:<noc@", "452 4.2.2 mailbox full"),
    ]);
    let sink = SmtpSink::start(behaviour).await;
    let notifier = notifier(&sink, MailTls::None, false);
    let delivery = firing(Rule::WindowMissed);
    let result = notifier.send(&delivery).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&result).contains("1 of 2 recipients are deferred"),
        "{result:?}"
    );
    let result = notifier.send(&delivery).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry, "still full");
    assert_eq!(notifier.send(&delivery).await, AttemptResult::Delivered);
    let to: Vec<_> = sink.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [["identity@orchard.example"], ["noc@orchard.example"]]);
}

#[tokio::test]
async fn a_recipient_refused_for_good_does_not_stop_the_mail_for_others() {
    let refusal = ("RCPT TO:<noc@", "550 5.1.1 no such user");
    let (result, sink) = attempt(Behaviour::new(MailTls::None).answers(&[refusal]), false).await;
    assert_eq!(result, AttemptResult::Delivered);
    assert_eq!(sink.mails()[0].to, ["identity@orchard.example"]);
    let both = [refusal, ("RCPT", "550 5.1.1 no such user")];
    let (result, sink) = attempt(Behaviour::new(MailTls::None).answers(&both), false).await;
    assert_eq!(result.outcome(), AttemptOutcome::GivenUp);
    assert!(
        reason(&result).contains("550 5.1.1 no such user"),
        "{result:?}"
    );
    assert!(sink.mails().is_empty());
    let mixed = [("RCPT", "550 no such user"), ("RCPT", "450 later")];
    let (result, _) = attempt(Behaviour::new(MailTls::None).answers(&mixed), false).await;
    assert_eq!(result.outcome(), AttemptOutcome::Retry);
}

#[tokio::test]
async fn a_burst_uses_one_connection_and_does_not_wait_for_acknowledgements() {
    const COUNT: usize = 60;
    let sink = SmtpSink::start(Behaviour::new(MailTls::StartTls)).await;
    let notifier = notifier(&sink, MailTls::StartTls, true);
    let delivery = firing(Rule::WindowMissed);
    assert_eq!(notifier.send(&delivery).await, AttemptResult::Delivered);
    let mut took = Vec::new();
    for _ in 1..COUNT {
        let began = Instant::now();
        assert_eq!(notifier.send(&delivery).await, AttemptResult::Delivered);
        took.push(began.elapsed());
    }
    took.sort();
    // With Nagle's algorithm every single mail waits about 44 ms; a busy machine delays some.
    let quick = took[took.len() / 4];
    assert!(quick < Duration::from_millis(20), "{took:?}");
    let mails = sink.mails();
    assert_eq!(mails.len(), COUNT);
    assert!(mails.iter().all(|mail| mail.connection == 0));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced_within_the_attempt() {
    let behaviour = Behaviour::new(MailTls::None)
        .answers(&[("MAIL", "250 ok"), ("MAIL", "421 idle for too long")]);
    let sink = SmtpSink::start(behaviour).await;
    let notifier = notifier(&sink, MailTls::None, false);
    for _ in 0..2 {
        assert_eq!(
            notifier.send(&firing(Rule::WindowMissed)).await,
            AttemptResult::Delivered
        );
    }
    let connections: Vec<_> = sink.mails().iter().map(|mail| mail.connection).collect();
    assert_eq!(connections, [0, 1]);
}

#[tokio::test]
async fn the_password_file_is_read_at_each_sign_in() {
    let sink = SmtpSink::start(Behaviour::new(MailTls::Implicit)).await;
    let path = sink.ca_file().with_file_name("password");
    let mut settings = notifier(&sink, MailTls::Implicit, false).settings;
    settings.login = Some(("monitor".to_owned(), SecretSource::File(path.clone())));
    let mut receiver = receiver("noc-mail", Channel::Mail(settings.clone()));
    receiver.ca_file = Some(sink.ca_file());
    let notifier = MailNotifier::new(&receiver, &settings, None).unwrap();
    let missing = notifier.send(&firing(Rule::WindowMissed)).await;
    assert_eq!(missing.outcome(), AttemptOutcome::Retry);
    assert!(
        reason(&missing).contains("cannot read the secret file"),
        "{missing:?}"
    );
    std::fs::write(&path, format!("{PASSWORD}\n")).unwrap();
    assert_eq!(
        notifier.send(&firing(Rule::WindowMissed)).await,
        AttemptResult::Delivered
    );
    assert!(sink.lines().iter().any(|line| line == STANDARD_LOGIN));
}
