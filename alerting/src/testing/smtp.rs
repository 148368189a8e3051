//! An SMTP server that answers as it is told and keeps what it got.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::config::MailTls;

/// How the server behaves.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    pub(crate) tls: MailTls,
    /// Lines of the answer to EHLO after the first.
    pub(crate) features: Vec<&'static str>,
    /// Answers to the next line that begins with the word, one by one; else the usual answer.
    pub(crate) script: Vec<(&'static str, &'static str)>,
    /// Sent in plain text in one piece with the answer to STARTTLS.
    pub(crate) injection: &'static str,
    /// Never answer the line that begins with this word.
    pub(crate) hang_at: Option<&'static str>,
}

impl Behaviour {
    pub(crate) fn new(tls: MailTls) -> Self {
        Self {
            tls,
            features: vec!["8BITMIME", "AUTH PLAIN LOGIN"],
            script: Vec::new(),
            injection: "",
            hang_at: None,
        }
    }

    pub(crate) fn answers(mut self, script: &[(&'static str, &'static str)]) -> Self {
        self.script = script.to_vec();
        self
    }
}

/// A mail that was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
    /// Number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) encrypted: bool,
}

#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    script: Mutex<VecDeque<(&'static str, &'static str)>>,
    mails: Mutex<Vec<Mail>>,
    lines: Mutex<Vec<String>>,
    acceptor: TlsAcceptorHolder,
}

struct TlsAcceptorHolder(TlsAcceptor);

impl std::fmt::Debug for TlsAcceptorHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

/// The server; it ends with the test's runtime.
#[derive(Debug)]
pub(crate) struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    folder: tempfile::TempDir,
}

impl SmtpSink {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shared = Arc::new(Shared {
            script: Mutex::new(behaviour.script.iter().copied().collect()),
            behaviour,
            mails: Mutex::default(),
            lines: Mutex::default(),
            acceptor: TlsAcceptorHolder(acceptor(&folder.path().join("ca.pem"))),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let accepting = Arc::clone(&shared);
        let tracker = TaskTracker::new();
        tracker.clone().spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&accepting);
                tracker.spawn(async move { serve(stream, &shared, number).await });
                number += 1;
            }
        });
        Self {
            address,
            shared,
            folder,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.shared.mails.lock().expect("not poisoned").clone()
    }

    /// Everything clients said, mails aside.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.shared.lines.lock().expect("not poisoned").clone()
    }
}

/// A certificate for 127.0.0.1 by an authority whose certificate is written to `ca_file`.
fn acceptor(ca_file: &Path) -> TlsAcceptor {
    let ca_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let name = ca_file.display().to_string();
    params.distinguished_name.push(DnType::CommonName, name);
    let ca = params.self_signed(&ca_key).expect("signed");
    std::fs::write(ca_file, ca.pem()).expect("written");
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("signed");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of ring")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate with its key");
    TlsAcceptor::from(Arc::new(config))
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn serve(tcp: TcpStream, shared: &Shared, number: usize) -> Option<()> {
    let acceptor = &shared.acceptor.0;
    if shared.behaviour.tls == MailTls::Implicit {
        let stream = acceptor.accept(tcp).await.ok()?;
        return converse(stream, shared, number, true, true).await.map(drop);
    }
    let plain = converse(tcp, shared, number, false, true).await??;
    let stream = acceptor.accept(plain).await.ok()?;
    converse(stream, shared, number, true, false)
        .await
        .map(drop)
}

/// Speaks SMTP. Gives the stream back when it is to be encrypted.
async fn converse<S: Stream>(
    stream: S,
    shared: &Shared,
    number: usize,
    encrypted: bool,
    greet: bool,
) -> Option<Option<S>> {
    let mut stream = BufStream::new(stream);
    if greet {
        say(
            &mut stream,
            &shared.answer_to("GREETING", "220 orchard ready"),
        )
        .await?;
    }
    let mut mail = Mail {
        connection: number,
        encrypted,
        ..Mail::default()
    };
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return Some(None);
        }
        let said = line.trim_end().to_owned();
        shared
            .lines
            .lock()
            .expect("not poisoned")
            .push(said.clone());
        if shared
            .behaviour
            .hang_at
            .is_some_and(|word| said.starts_with(word))
        {
            std::future::pending::<()>().await;
        }
        let word = said.split([' ', ':']).next().unwrap_or_default();
        let usual = match word {
            "EHLO" => shared.features(encrypted),
            "AUTH" => "235 2.7.0 welcome".to_owned(),
            "DATA" => "354 go on".to_owned(),
            "STARTTLS" => format!("220 go on\r\n{}", shared.behaviour.injection)
                .trim_end()
                .to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
        let answer = shared.answer_to(&said, &usual);
        if word == "RCPT" && answer.starts_with('2') {
            mail.to.push(said[8..].trim_matches(['<', '>']).to_owned());
        }
        say(&mut stream, &answer).await?;
        match word {
            "STARTTLS" if answer.starts_with('2') => return Some(Some(stream.into_inner())),
            "QUIT" => return Some(None),
            "DATA" if answer.starts_with('3') => {
                mail.data = content(&mut stream).await?;
                let verdict = shared.answer_to("CONTENT", "250 kept");
                if verdict.starts_with('2') {
                    shared
                        .mails
                        .lock()
                        .expect("not poisoned")
                        .push(mail.clone());
                }
                mail.to.clear();
                say(&mut stream, &verdict).await?;
            }
            _ => {}
        }
    }
}

async fn say<S: Stream>(stream: &mut BufStream<S>, words: &str) -> Option<()> {
    stream
        .write_all(format!("{words}\r\n").as_bytes())
        .await
        .ok()?;
    stream.flush().await.ok()
}

async fn content<S: Stream>(stream: &mut BufStream<S>) -> Option<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

impl Shared {
    fn answer_to(&self, said: &str, usual: &str) -> String {
        let mut script = self.script.lock().expect("not poisoned");
        let Some(at) = script.iter().position(|(word, _)| said.starts_with(word)) else {
            return usual.to_owned();
        };
        script
            .remove(at)
            .map_or_else(String::new, |(_, answer)| answer.to_owned())
    }

    fn features(&self, encrypted: bool) -> String {
        let mut lines = vec!["orchard"];
        lines.extend(&self.behaviour.features);
        if self.behaviour.tls == MailTls::StartTls && !encrypted {
            lines.push("STARTTLS");
        }
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate();
        let lines =
            lines.map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }
}
