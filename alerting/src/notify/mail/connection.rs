//! Connections to the SMTP server: how they are made, and one mail over one of them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::dialogue;
use super::reply::{Failure, Progress, Step};
use super::stream::{SmtpStream, Wire};
use crate::config::{MailConfig, MailTls, ReceiverConfig, SecretSource};
use crate::notify::{NotifierError, reason, tls};

/// Makes connections that are ready to take a mail.
pub(super) struct Dialer {
    host: String,
    port: u16,
    protection: MailTls,
    login: Option<(String, SecretSource)>,
    hello: ClientId,
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dialer({}:{})", self.host, self.port)
    }
}

/// A connection that is signed in, and what must not be quoted from it.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    secrets: Vec<String>,
    /// Mails sent over it.
    pub(super) mails: u32,
}

/// What the server said of the recipients.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) accepted: Vec<Address>,
    /// Refused for now, with the reply.
    pub(super) deferred: Vec<(Address, Failure)>,
    /// Refused for good, with the reply.
    pub(super) refused: Vec<(Address, Failure)>,
}

impl Dialer {
    pub(super) fn new(
        receiver: &ReceiverConfig,
        settings: &MailConfig,
    ) -> Result<Self, NotifierError> {
        let tls = match settings.tls {
            MailTls::None => None,
            MailTls::StartTls | MailTls::Implicit => {
                Some(TlsConnector::from(Arc::new(tls::client_config(receiver)?)))
            }
        };
        let hello = settings
            .hello
            .clone()
            .map_or_else(ClientId::default, ClientId::Domain);
        Ok(Self {
            host: settings.host.clone(),
            port: settings.port,
            protection: settings.tls,
            login: settings.login.clone(),
            hello,
            tls,
        })
    }

    /// A new connection, encrypted and signed in as configured.
    pub(super) async fn connect(&self, progress: &Progress) -> Result<Connection, Failure> {
        let step = progress.at(Step::Connect);
        let lost = |error: std::io::Error| Failure::Lost {
            step,
            text: error.to_string(),
        };
        let mut tcp = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(lost)?;
        // lettre writes a mail and its final dot apart: with Nagle's algorithm the dot would wait
        // for an acknowledgement that the other side delays.
        tcp.set_nodelay(true).map_err(lost)?;
        let stream = match self.protection {
            MailTls::None => SmtpStream::new(Wire::Plain(tcp), Vec::new()),
            MailTls::Implicit => SmtpStream::new(self.secure(tcp, progress).await?, Vec::new()),
            MailTls::StartTls => {
                let greeting = dialogue::start_tls(&mut tcp, &self.hello, progress).await?;
                SmtpStream::new(self.secure(tcp, progress).await?, greeting)
            }
        };
        let step = progress.at(Step::Greet);
        let smtp = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello);
        let smtp = smtp.await.map_err(|error| Failure::of(step, &error, &[]))?;
        let mut connection = Connection {
            smtp,
            secrets: Vec::new(),
            mails: 0,
        };
        if let Some((username, password)) = &self.login {
            connection.sign_in(username, password, progress).await?;
        }
        Ok(connection)
    }

    async fn secure(&self, tcp: TcpStream, progress: &Progress) -> Result<Wire, Failure> {
        let step = progress.at(Step::Secure);
        let lost = |text: String| Failure::Lost { step, text };
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| lost(format!("{:?} cannot stand in a certificate", self.host)))?;
        let connector = self
            .tls
            .as_ref()
            .ok_or_else(|| lost("TLS is not set up".to_owned()))?;
        let stream = connector.connect(name, tcp).await;
        let stream = stream.map_err(|error| lost(reason::chain(&error)))?;
        Ok(Wire::Tls(Box::new(stream)))
    }
}

impl Connection {
    async fn sign_in(
        &mut self,
        username: &str,
        password: &SecretSource,
        progress: &Progress,
    ) -> Result<(), Failure> {
        const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
        let step = progress.at(Step::SignIn);
        if self
            .smtp
            .server_info()
            .get_auth_mechanism(MECHANISMS)
            .is_none()
        {
            return Err(Failure::Refused(
                "the mail server offers neither AUTH PLAIN nor AUTH LOGIN; remove `username` if it \
                 wants no login"
                    .to_owned(),
            ));
        }
        let password = password.read().await;
        let password = password.map_err(|error| Failure::Lost {
            step,
            text: reason::chain(&error),
        })?;
        let password = password.expose();
        // A server may repeat what it was sent, also in the form it was sent in.
        self.secrets = vec![
            STANDARD.encode(format!("\0{username}\0{password}")),
            STANDARD.encode(password),
            password.clone(),
        ];
        let credentials = Credentials::new(username.to_owned(), password.clone());
        let answer = self.smtp.auth(MECHANISMS, &credentials).await;
        answer
            .map(drop)
            .map_err(|error| Failure::of(step, &error, &self.secrets))
    }

    /// Names sender and recipients. `Err`: the server takes none of them, nothing was sent.
    pub(super) async fn offer(
        &mut self,
        from: &Address,
        to: &[Address],
        mail: &[u8],
        progress: &Progress,
    ) -> Result<Verdicts, Failure> {
        let step = progress.at(Step::Sender);
        let options = self.options(from, to, mail)?;
        let answer = self
            .smtp
            .command(Mail::new(Some(from.clone()), options))
            .await;
        answer.map_err(|error| Failure::of(step, &error, &self.secrets))?;
        let step = progress.at(Step::Recipient);
        let mut verdicts = Verdicts::default();
        for address in to {
            let answer = self
                .smtp
                .command(Rcpt::new(address.clone(), Vec::new()))
                .await;
            let Err(error) = answer else {
                verdicts.accepted.push(address.clone());
                continue;
            };
            match Failure::of(step, &error, &self.secrets) {
                failure @ Failure::Reply { code: 421, .. } => return Err(failure),
                failure @ (Failure::Lost { .. } | Failure::Refused(_)) => return Err(failure),
                failure if failure.is_temporary() => {
                    verdicts.deferred.push((address.clone(), failure));
                }
                failure => verdicts.refused.push((address.clone(), failure)),
            }
        }
        Ok(verdicts)
    }

    /// Sends the mail to those who were accepted. `Err`: nobody was, or the mail was refused.
    pub(super) async fn transmit(
        &mut self,
        mut verdicts: Verdicts,
        mail: &[u8],
        progress: &Progress,
    ) -> Result<Verdicts, Failure> {
        let step = progress.at(Step::Content);
        if verdicts.accepted.is_empty() {
            let deferred = verdicts.deferred.drain(..);
            let failures = deferred
                .chain(verdicts.refused.drain(..))
                .map(|(_, failure)| failure);
            let nobody = || Failure::Refused("there is nobody to write to".to_owned());
            return Err(failures.into_iter().next().unwrap_or_else(nobody));
        }
        let failed = |error| Failure::of(step, &error, &self.secrets);
        self.smtp.command(Data).await.map_err(failed)?;
        self.smtp.message(mail).await.map_err(failed)?;
        self.mails += 1;
        Ok(verdicts)
    }

    fn options(
        &self,
        from: &Address,
        to: &[Address],
        mail: &[u8],
    ) -> Result<Vec<MailParameter>, Failure> {
        let server = self.smtp.server_info();
        let mut options = Vec::new();
        let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !ascii(from) || !to.iter().all(ascii) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure::Refused(
                    "an address has letters beyond ASCII, and the mail server does not take those \
                     (SMTPUTF8)"
                        .to_owned(),
                ));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !mail.is_ascii() && server.supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(options)
    }

    /// Says goodbye.
    pub(super) async fn quit(mut self) {
        // Whatever it answers, the connection is over.
        drop(self.smtp.quit().await);
    }
}
