//! Mail through Postfix: TLS, login, refusals and conversations as a real server has them.

use std::time::Duration;

use syncwatch_alerting::notify::Notifier;
use syncwatch_domain::alert::{NotificationEvent, Rule, Severity};
use syncwatch_domain::delivery::AttemptResult;
use syncwatch_tests::peers::Postfix;
use syncwatch_tests::tls::Authority;

use crate::messages::{START, delivery, notifier, told};

const LIMIT: Duration = Duration::from_secs(30);

/// What differs between the receivers of these tests.
struct Receiver<'a> {
    server: &'a Postfix,
    tls: &'a str,
    password_file: &'a std::path::Path,
    to: &'a [&'a str],
    ca_file: std::path::PathBuf,
}

impl<'a> Receiver<'a> {
    fn new(server: &'a Postfix, password_file: &'a std::path::Path) -> Self {
        std::fs::write(password_file, format!("{}\n", server.password())).unwrap();
        Self {
            server,
            tls: "starttls",
            password_file,
            to: &["noc@example.test"],
            ca_file: server.ca_file(),
        }
    }

    fn notifier(&self) -> Notifier {
        let server = self.server;
        let port = match self.tls {
            "implicit" => server.implicit_tls_port(),
            _ => server.starttls_port(),
        };
        notifier(&format!(
            "name = \"receiver\"\nkind = \"mail\"\nhost = {:?}\nport = {port}\ntls = {:?}\nusername = {:?}\n\
             password_file = {:?}\nca_file = {:?}\nfrom = \"syncwatch <syncwatch@example.test>\"\nto = {:?}\n\
             hello = \"monitor.example.test\"",
            server.host(),
            self.tls,
            server.user(),
            self.password_file,
            self.ca_file,
            self.to,
        ))
    }
}

#[tokio::test]
async fn mail_reaches_the_mailbox_over_both_kinds_of_tls_as_one_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    let server = Postfix::start().await.unwrap();
    let mut receiver = Receiver::new(&server, &password_file);
    let began = told(
        NotificationEvent::Firing,
        Rule::WindowMissed,
        Severity::Critical,
    );
    let sent = receiver.notifier().send(&delivery(began), START).await;
    assert_eq!(sent, AttemptResult::Delivered);
    receiver.tls = "implicit";
    let over = told(
        NotificationEvent::Resolved,
        Rule::WindowMissed,
        Severity::Critical,
    );
    let sent = receiver.notifier().send(&delivery(over), START).await;
    assert_eq!(sent, AttemptResult::Delivered);

    let mut mails = server.wait_for_messages(2, LIMIT).await.unwrap();
    mails.sort_by_key(|mail| mail.header("X-Syncwatch-Event"));
    let [began, over] = &mails[..] else {
        panic!("{} mails", mails.len());
    };
    let subject = "[meadow] Cloud Sync objects of ad.meadow.example: window missed";
    assert_eq!(began.header("Subject").as_deref(), Some(subject));
    assert_eq!(over.header("Subject"), Some(format!("Re: {subject}")));
    assert_eq!(began.header("In-Reply-To"), None);
    assert_eq!(over.header("In-Reply-To"), began.header("Message-ID"));
    assert_eq!(over.header("References"), began.header("Message-ID"));
    assert_eq!(
        began.header("Auto-Submitted").as_deref(),
        Some("auto-generated")
    );
    assert_eq!(
        began.header("Delivered-To").as_deref(),
        Some("noc@example.test")
    );
    for part in ["text/plain", "text/html", "=C3=BCberf=C3=A4llig"] {
        assert!(began.body().contains(part), "{}", began.raw);
    }
}

#[tokio::test]
async fn a_wrong_password_is_given_up_in_clear_words_and_a_new_one_is_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    let server = Postfix::start().await.unwrap();
    let receiver = Receiver::new(&server, &password_file);
    std::fs::write(&password_file, "wrong-tulip\n").unwrap();
    let notifier = receiver.notifier();
    let message = delivery(told(
        NotificationEvent::Firing,
        Rule::JobPaused,
        Severity::Warning,
    ));
    let AttemptResult::GiveUp { reason } = notifier.send(&message, START).await else {
        panic!("a refused login is for good");
    };
    assert!(reason.contains("535 5.7.8"), "{reason}");
    assert!(
        reason.contains("the login is refused, check `username` and `password`"),
        "{reason}"
    );
    assert!(!reason.contains("wrong-tulip"), "{reason}");
    std::fs::write(&password_file, server.password()).unwrap();
    assert_eq!(
        notifier.send(&message, START).await,
        AttemptResult::Delivered
    );
    server.wait_for_messages(1, LIMIT).await.unwrap();
}

#[tokio::test]
async fn refused_and_deferred_recipients_do_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    let server = Postfix::start().await.unwrap();
    let mut receiver = Receiver::new(&server, &password_file);
    let message = delivery(told(
        NotificationEvent::Firing,
        Rule::JobFailing,
        Severity::Critical,
    ));

    receiver.to = &["noc@example.test", Postfix::REFUSED];
    assert_eq!(
        receiver.notifier().send(&message, START).await,
        AttemptResult::Delivered
    );

    receiver.to = &[Postfix::REFUSED];
    let refused = receiver.notifier().send(&message, START).await;
    assert!(
        matches!(&refused, AttemptResult::GiveUp { reason } if reason.contains("550")),
        "{refused:?}"
    );

    receiver.to = &[Postfix::DEFERRED, "identity@example.test"];
    let notifier = receiver.notifier();
    for _ in 0..2 {
        let deferred = notifier.send(&message, START).await;
        assert!(
            matches!(&deferred, AttemptResult::Retry { reason, .. } if reason.contains("450")),
            "{deferred:?}"
        );
    }
    let mails = server.wait_for_messages(2, LIMIT).await.unwrap();
    let mut to: Vec<_> = mails
        .iter()
        .filter_map(|mail| mail.header("Delivered-To"))
        .collect();
    to.sort();
    assert_eq!(
        to,
        ["identity@example.test", "noc@example.test"],
        "nobody twice"
    );
}

#[tokio::test]
async fn a_server_whose_authority_is_not_trusted_gets_neither_login_nor_mail() {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    let server = Postfix::start().await.unwrap();
    let mut receiver = Receiver::new(&server, &password_file);
    receiver.ca_file = folder.path().join("another-ca.pem");
    std::fs::write(&receiver.ca_file, Authority::new().unwrap().ca_pem()).unwrap();
    for tls in ["starttls", "implicit"] {
        receiver.tls = tls;
        let message = delivery(told(
            NotificationEvent::Firing,
            Rule::JobDisabled,
            Severity::Critical,
        ));
        let AttemptResult::Retry { reason, .. } = receiver.notifier().send(&message, START).await
        else {
            panic!("a certificate may be mended");
        };
        assert!(reason.starts_with("starting TLS failed: "), "{reason}");
    }
    assert!(server.messages().unwrap().is_empty());
}
