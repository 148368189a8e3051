use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use syncwatch_tests::install_crypto;
use syncwatch_tests::peers::Postfix;

#[derive(Clone, Copy)]
enum Start {
    InTheClear,
    WithTls,
}

fn transport(
    server: &Postfix,
    start: Start,
    password: &str,
    trust: bool,
) -> AsyncSmtpTransport<Tokio1Executor> {
    install_crypto();
    let mut tls = TlsParameters::builder(server.host().to_owned());
    if trust {
        let ca = std::fs::read(server.ca_file()).unwrap();
        tls = tls.add_root_certificate(Certificate::from_pem(&ca).unwrap());
    }
    let tls = tls.build_rustls().unwrap();
    let (port, tls) = match start {
        Start::InTheClear => (server.starttls_port(), Tls::Required(tls)),
        Start::WithTls => (server.implicit_tls_port(), Tls::Wrapper(tls)),
    };
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host())
        .port(port)
        .tls(tls)
        .timeout(Some(Duration::from_secs(20)))
        .credentials(Credentials::new(
            server.user().to_owned(),
            password.to_owned(),
        ))
        .build()
}

async fn send(
    transport: &AsyncSmtpTransport<Tokio1Executor>,
    to: &str,
    subject: &str,
) -> Result<(), Error> {
    let mail = Message::builder()
        .from("syncwatch@example.test".parse().unwrap())
        .to(to.parse().unwrap())
        .subject(subject)
        .body("Password hashes of contoso were not synchronized.\r\n".to_owned())
        .unwrap();
    transport.send(mail).await.map(drop)
}

#[tokio::test]
async fn postfix_takes_mail_over_both_kinds_of_tls_and_refuses_what_it_should() {
    let server = Postfix::start().await.unwrap();
    let starttls = transport(&server, Start::InTheClear, server.password(), true);
    send(&starttls, "noc@example.test", "by STARTTLS")
        .await
        .unwrap();
    let implicit = transport(&server, Start::WithTls, server.password(), true);
    send(&implicit, "engineer@contoso.test", "by implicit TLS")
        .await
        .unwrap();
    let mut mails = server
        .wait_for_messages(2, Duration::from_secs(30))
        .await
        .unwrap();
    mails.sort_by_key(|mail| mail.header("subject"));
    let seen = mails.iter().map(|mail| {
        (
            mail.header("Subject").unwrap(),
            mail.header("Delivered-To").unwrap(),
        )
    });
    let expected = [
        ("by STARTTLS", "noc@example.test"),
        ("by implicit TLS", "engineer@contoso.test"),
    ];
    assert_eq!(
        seen.collect::<Vec<_>>(),
        expected.map(|(subject, to)| (subject.to_owned(), to.to_owned()))
    );
    assert!(
        mails[0].body().starts_with("Password hashes of contoso"),
        "{}",
        mails[0].raw
    );

    let refused = send(&starttls, Postfix::REFUSED, "to nobody")
        .await
        .unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    let deferred = send(&starttls, Postfix::DEFERRED, "to a busy one")
        .await
        .unwrap_err();
    assert!(deferred.is_transient(), "{deferred}");
    let wrong = transport(&server, Start::WithTls, "wrong", true);
    let wrong = send(&wrong, "noc@example.test", "with a wrong password")
        .await
        .unwrap_err();
    assert!(
        wrong.is_permanent() && wrong.to_string().contains("535"),
        "{wrong}"
    );
    let doubtful = transport(&server, Start::WithTls, server.password(), false);
    let doubtful = send(&doubtful, "noc@example.test", "without trust")
        .await
        .unwrap_err();
    assert!(
        !doubtful.is_permanent() && !doubtful.is_transient(),
        "a TLS failure, not an answer: {doubtful}"
    );
    assert_eq!(server.messages().unwrap().len(), 2);
}

#[tokio::test]
async fn postfix_asks_for_tls_and_a_login() {
    install_crypto();
    let server = Postfix::start().await.unwrap();
    let plain = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host())
        .port(server.starttls_port())
        .timeout(Some(Duration::from_secs(20)))
        .build();
    let error = send(&plain, "noc@example.test", "in the clear")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("STARTTLS"), "{error}");
}
