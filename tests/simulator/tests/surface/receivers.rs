//! Mail, Teams and webhook as a sender sees them.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use syncwatch_simulator::{Action, Receiver, SignatureCheck};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::setup::Setup;

const LONG: Duration = Duration::from_secs(10);

struct Talk<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Reads one reply, however many lines it has.
    async fn hear(&mut self) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).await.unwrap_or(0);
            all.push_str(&line);
            if read == 0 || line.as_bytes().get(3) == Some(&b' ') {
                return all;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.stream
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .unwrap();
        self.stream.flush().await.unwrap();
        self.hear().await
    }

    async fn log_in(&mut self, setup: &Setup) {
        let (user, password) = setup.running.smtp_login();
        let response = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("\0{user}\0{password}"),
        );
        assert!(self.say("EHLO test").await.contains("SIZE"));
        assert!(
            self.say(&format!("AUTH PLAIN {response}"))
                .await
                .starts_with("235")
        );
    }
}

async fn secured(
    setup: &Setup,
    stream: TcpStream,
) -> Talk<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(setup.running.smtp_ca_pem().as_bytes()).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    Talk {
        stream: BufReader::new(stream),
    }
}

#[tokio::test]
async fn mail_goes_through_starttls_and_is_kept_as_sent() {
    let setup = Setup::start().await;
    let mut plain = Talk {
        stream: BufReader::new(TcpStream::connect(setup.running.smtp_addr()).await.unwrap()),
    };
    assert!(plain.hear().await.starts_with("220"));
    assert!(plain.say("EHLO test").await.contains("STARTTLS"));
    assert!(plain.say("STARTTLS").await.starts_with("220"));
    let mut talk = secured(&setup, plain.stream.into_inner()).await;
    talk.log_in(&setup).await;
    // All commands of the envelope at once: the server announces PIPELINING.
    let envelope = "MAIL FROM:<watch@nordwall.example> BODY=8BITMIME\r\nRCPT TO:<noc@nordwall.example>\r\nRCPT TO:<lead@nordwall.example>\r\nDATA";
    assert!(talk.say(envelope).await.starts_with("250"));
    assert!(talk.hear().await.starts_with("250") && talk.hear().await.starts_with("250"));
    assert!(talk.hear().await.starts_with("354"));
    let message = "Subject: Missed\r\n window\r\n\r\nGrüße\r\n..dots\r\n.";
    assert!(talk.say(message).await.starts_with("250"));
    assert!(talk.say("QUIT").await.starts_with("221"));
    let mail = setup
        .running
        .mail()
        .wait_for(|all| all.len() == 1, LONG)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (mail.status, mail.tls, mail.from.as_str()),
        (250, true, "watch@nordwall.example")
    );
    assert_eq!(mail.to, ["noc@nordwall.example", "lead@nordwall.example"]);
    assert_eq!(mail.header("subject").as_deref(), Some("Missed window"));
    assert!(mail.raw.ends_with("Grüße\r\n.dots\r\n"), "{:?}", mail.raw);
    setup.stop().await;
}

#[tokio::test]
async fn implicit_tls_and_told_refusals() {
    let setup = Setup::start().await;
    setup.apply(&Action::SmtpRefuse { count: 1 });
    let refused = TcpStream::connect(setup.running.smtps_addr())
        .await
        .unwrap();
    let mut line = String::new();
    let read = BufReader::new(refused).read_line(&mut line).await;
    assert!(matches!(read, Ok(0) | Err(_)), "the connection is reset");
    setup.apply(&Action::Smtp451 { count: 1 });
    let stream = TcpStream::connect(setup.running.smtps_addr())
        .await
        .unwrap();
    let mut talk = secured(&setup, stream).await;
    assert!(talk.hear().await.starts_with("220"));
    talk.log_in(&setup).await;
    for code in ["451", "250"] {
        assert!(talk.say("MAIL FROM:<a@b.example>").await.starts_with("250"));
        assert!(talk.say("RCPT TO:<c@d.example>").await.starts_with("250"));
        assert!(talk.say("DATA").await.starts_with("354"));
        assert!(talk.say("Subject: x\r\n\r\ny\r\n.").await.starts_with(code));
    }
    let statuses: Vec<u16> = setup
        .running
        .mail()
        .arrivals()
        .iter()
        .map(|mail| mail.status)
        .collect();
    assert_eq!(statuses, [451, 250]);
    setup.stop().await;
}

fn card(text: &str) -> Value {
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text}]},
    }]})
}

#[tokio::test]
async fn teams_says_yes_to_bad_cards_and_no_to_big_ones() {
    let setup = Setup::start().await;
    let url = setup.running.teams_url();
    let post = |body: Value| setup.client.post(&url).json(&body).send();
    assert_eq!(post(card("fine")).await.unwrap().status(), 202);
    let mut bad = card("bad");
    bad["attachments"][0]["content"]["body"][0]["colour"] = json!("red");
    assert_eq!(post(bad).await.unwrap().status(), 202, "as the real flow");
    assert_eq!(
        post(card(&"x".repeat(28 * 1024))).await.unwrap().status(),
        413
    );
    setup.apply(&Action::Teams429 {
        retry_after: Some(3),
        count: 1,
    });
    let throttled = post(card("again")).await.unwrap();
    assert_eq!(
        (
            throttled.status().as_u16(),
            throttled.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "3")
    );
    let unsigned = url.split("&sig=").next().unwrap().to_owned();
    assert_eq!(
        setup
            .client
            .post(unsigned)
            .json(&card("x"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let posts = setup.running.teams().arrivals();
    let seen: Vec<(u16, usize)> = posts
        .iter()
        .map(|post| (post.status, post.violations.len()))
        .collect();
    assert_eq!(seen, [(202, 0), (202, 1), (413, 0), (429, 0), (401, 0)]);
    assert_eq!(posts[0].text(), "fine");
    assert!(
        setup
            .running
            .requests()
            .iter()
            .all(|request| !request.query.contains("sig=")),
        "the URL is a secret"
    );
    setup.stop().await;
}

#[tokio::test]
async fn the_webhook_checks_signatures_and_does_as_told() {
    let setup = Setup::start().await;
    let url = setup.running.webhook_url();
    let post = || {
        setup
            .client
            .post(&url)
            .header("x-test", "1")
            .body("{\"a\":1}")
            .send()
    };
    assert_eq!(post().await.unwrap().status(), 200);
    setup.apply(&Action::WebhookStatus {
        code: 500,
        count: 1,
        retry_after: None,
    });
    assert_eq!(post().await.unwrap().status(), 500);
    assert_eq!(post().await.unwrap().status(), 200);
    setup.running.set_webhook_secret(Some("geheim"));
    assert_eq!(post().await.unwrap().status(), 401);
    let calls = setup.running.webhook().arrivals();
    assert_eq!(
        (calls[0].header("x-test"), calls[0].json()),
        (Some("1"), Some(json!({"a": 1})))
    );
    assert_eq!(calls[3].signature, SignatureCheck::Missing);
    setup.apply(&Action::ReceiverSlow {
        receiver: Receiver::Webhook,
        ms: 60_000,
    });
    let slow = setup
        .client
        .post(&url)
        .timeout(Duration::from_millis(300))
        .send()
        .await;
    assert!(slow.unwrap_err().is_timeout());
    let nothing = setup
        .running
        .webhook()
        .wait_for(|all| all.len() > 99, Duration::from_millis(20))
        .await;
    assert_eq!(nothing.unwrap_err().arrivals.len(), 5);
    setup.stop().await;
}
