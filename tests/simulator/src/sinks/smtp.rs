//! The connections of the mail server: STARTTLS on one port, TLS from the first byte on another.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::core::Core;
use crate::sinks::smtp_session::{Account, MOST_BYTES, Next, Session};

/// Longest line of a command or message.
const MOST_LINE: usize = 64 * 1024;

/// One message that was offered.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Time of arrival, simulated.
    pub at_ms: i64,
    /// The answer the message got (250, 451, 550, 552).
    pub status: u16,
    /// Envelope sender.
    pub from: String,
    /// Envelope recipients.
    pub to: Vec<String>,
    /// User that authenticated, if any.
    pub user: Option<String>,
    /// The message came over TLS.
    pub tls: bool,
    /// The message as sent, dot-unstuffed.
    pub raw: String,
}

impl Mail {
    /// A header of the message by name, unfolded; the first one if there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self
            .raw
            .split("\r\n\r\n")
            .next()?
            .replace("\r\n ", " ")
            .replace("\r\n\t", " ");
        head.split("\r\n").find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

/// Certificate and acceptor of the mail server.
pub(crate) struct MailTls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

/// Makes a certificate authority and a server certificate for loopback.
pub(crate) fn make_tls() -> Result<MailTls, String> {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    };
    let told = |error: &dyn std::fmt::Display| {
        format!("cannot make the certificate of the mail server: {error}")
    };
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name
        .push(DnType::CommonName, "syncwatch simulator CA");
    let ca_key = KeyPair::generate().map_err(|error| told(&error))?;
    let ca_cert = ca.self_signed(&ca_key).map_err(|error| told(&error))?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names).map_err(|error| told(&error))?;
    let leaf_key = KeyPair::generate().map_err(|error| told(&error))?;
    let issuer = Issuer::new(ca, ca_key);
    let leaf_cert = leaf
        .signed_by(&leaf_key, &issuer)
        .map_err(|error| told(&error))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| told(&error))?
        .with_no_client_auth()
        .with_single_cert(vec![leaf_cert.der().clone()], key)
        .map_err(|error| told(&error))?;
    Ok(MailTls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_pem: ca_cert.pem(),
    })
}

/// Serves one connection from the first byte on.
pub(crate) async fn serve(core: &Core, stream: TcpStream, implicit: bool) -> io::Result<()> {
    if implicit {
        let stream = core.mail_tls.acceptor.accept(stream).await?;
        return converse(core, BufReader::new(stream), true)
            .await
            .map(|_| ());
    }
    if let Some(stream) = converse(core, BufReader::new(stream), false).await? {
        // Bytes sent ahead of the handshake would be a command injection: they are dropped with the buffer.
        let stream = core.mail_tls.acceptor.accept(stream.into_inner()).await?;
        let mut secured = Conversation::new(core, BufReader::new(stream), true);
        secured.run(false).await?;
    }
    Ok(())
}

async fn converse<S>(
    core: &Core,
    stream: BufReader<S>,
    tls: bool,
) -> io::Result<Option<BufReader<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut conversation = Conversation::new(core, stream, tls);
    let upgrade = conversation.run(true).await?;
    Ok(upgrade.then_some(conversation.stream))
}

struct Conversation<'a, S> {
    core: &'a Core,
    stream: BufReader<S>,
    session: Session,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Conversation<'a, S> {
    fn new(core: &'a Core, stream: BufReader<S>, tls: bool) -> Self {
        let account = Account {
            user: core.mail_user.clone(),
            password: core.mail_password.clone(),
        };
        Self {
            core,
            stream,
            session: Session::new(account, core.mail_auth, tls),
        }
    }

    /// Talks until the end; true if the client wants TLS now.
    async fn run(&mut self, greet: bool) -> io::Result<bool> {
        if greet {
            self.say("220 simulator.invalid ESMTP").await?;
        }
        while let Some(line) = read_line(&mut self.stream).await? {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            match self.session.line(&line) {
                Next::Reply(text) => self.say(&text).await?,
                Next::Quit(text) => {
                    self.say(&text).await?;
                    return Ok(false);
                }
                Next::StartTls(text) => {
                    self.say(&text).await?;
                    return Ok(true);
                }
                Next::Data(text) => {
                    self.say(&text).await?;
                    self.message().await?;
                }
            }
        }
        Ok(false)
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream
            .write_all(format!("{text}\r\n").as_bytes())
            .await?;
        self.stream.flush().await
    }

    async fn message(&mut self) -> io::Result<()> {
        let mut raw = Vec::new();
        let mut too_big = false;
        loop {
            let Some(line) = read_line(&mut self.stream).await? else {
                // The client went away in the middle: the message does not exist.
                return Ok(());
            };
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
            too_big |= raw.len() + unstuffed.len() > MOST_BYTES;
            if !too_big {
                raw.extend_from_slice(unstuffed);
            }
        }
        let (fault, slow_ms) = self.core.mail_fault();
        if slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(slow_ms)).await;
        }
        let (status, text) = match fault {
            Some(451) => (
                451,
                "451 4.3.2 Temporary server error. Please try again later",
            ),
            Some(_) => (550, "550 5.7.1 Message rejected"),
            None if too_big => (
                552,
                "552 5.3.4 Message size exceeds fixed maximum message size",
            ),
            None => (250, "250 2.0.0 OK queued"),
        };
        self.core.mail.push(Mail {
            at_ms: self.core.clock.now_ms(),
            status,
            from: self.session.from.clone().unwrap_or_default(),
            to: self.session.to.clone(),
            user: self.session.authenticated.clone(),
            tls: self.session.tls,
            raw: String::from_utf8_lossy(&raw).into_owned(),
        });
        self.session.reset();
        self.say(text).await
    }
}

/// Reads one line with its end; none at the end of the stream. Longer lines end the connection.
async fn read_line<S: AsyncBufRead + Unpin>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let available = stream.fill_buf().await?;
        if available.is_empty() {
            return Ok(None);
        }
        let end = available
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| at + 1);
        let taken = end.unwrap_or(available.len());
        line.extend_from_slice(&available[..taken]);
        stream.consume(taken);
        if end.is_some() {
            return Ok(Some(line));
        }
        if line.len() > MOST_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "line too long"));
        }
    }
}
