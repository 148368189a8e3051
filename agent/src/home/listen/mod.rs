//! Listening: the service asks the agent for its reports.
//!
//! `POST /v1/reports` with an [`Answer`](syncwatch_domain::report::Answer) brings the batch behind
//! what the answer acknowledges. Everything else is refused, before a byte of a body is read where
//! that can be. Connections, bodies, batches in memory and times are bounded.

mod door;
mod held;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use self::door::Door;
use super::tls::{Pair, Server, TlsError, is_named};
use crate::shared::Shared;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 32;
/// Wait after the system refused a connection, which it does while it has no more files.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);
/// Longest life of a connection: nobody holds a place for ever.
const LONGEST_LIFE: Duration = Duration::from_secs(600);
/// What a connection buffers of a request's head, in bytes.
const HEAD: usize = 16 * 1024;

/// Where and how reports are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where to listen.
    pub addr: SocketAddr,
    /// The certificate; `None` on loopback only.
    pub pair: Option<Pair>,
    /// File with the token that lets in.
    pub token: Option<PathBuf>,
    /// Authority whose certificates let in.
    pub clients: Option<PathBuf>,
    /// DNS name that such a certificate must have; without it any of them lets in.
    pub client_name: Option<String>,
}

/// How long others may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a handshake.
    pub handshake: Duration,
    /// For the head of a request, also until the next one comes.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(20),
        }
    }
}

/// Why the agent cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The certificates.
    #[error("cannot listen securely")]
    Tls(#[from] TlsError),
    /// The machine has no randomness to give.
    #[error("no random numbers can be had")]
    Random,
}

/// Answers whoever asks for reports.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Server>,
    door: Arc<Door>,
    client_name: Option<Arc<str>>,
    patience: Patience,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("socket", &self.socket)
            .finish()
    }
}

impl Listener {
    /// Takes the address.
    ///
    /// # Errors
    /// When the address or a certificate cannot be used.
    pub async fn bind(
        shared: Arc<Shared>,
        listen: &Listen,
        patience: Patience,
    ) -> Result<Self, ListenError> {
        let needs_one = listen.token.is_none();
        let clients = listen.clients.as_deref();
        let pair = listen.pair.as_ref();
        let mut tls = pair.map(|pair| Server::new(pair, clients, needs_one));
        if let Some(tls) = &mut tls {
            // What is no good from the start is told at the start.
            tls.config()?;
        }
        let door = Door::new(shared, listen.token.clone(), patience.body);
        let door = door.map_err(|_| ListenError::Random)?;
        let addr = listen.addr;
        let socket = TcpListener::bind(addr).await;
        Ok(Self {
            socket: socket.map_err(|source| ListenError::Bind { addr, source })?,
            tls,
            door: Arc::new(door),
            client_name: listen.client_name.as_deref().map(Arc::from),
            patience,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers, for ever.
    pub async fn run(&mut self) {
        let mut connections = JoinSet::new();
        loop {
            while connections.len() >= CONNECTIONS {
                connections.join_next().await;
            }
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((stream, from)) => {
                    let config = self.tls.as_mut().map(Server::config).transpose();
                    let door = Arc::clone(&self.door);
                    match config {
                        Ok(config) => {
                            let secure = config.map(|config| Secure {
                                acceptor: TlsAcceptor::from(config),
                                client_name: self.client_name.clone(),
                            });
                            let patience = self.patience;
                            connections.spawn(connection(stream, from, secure, door, patience));
                        }
                        // Never after the start: what was good once stays in force.
                        Err(error) => door.handshake_failed(&crate::chain(&error)),
                    }
                }
                Err(error) => {
                    tracing::debug!(reason = %error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
            }
        }
    }
}

/// How a connection is secured.
struct Secure {
    acceptor: TlsAcceptor,
    /// The name that a certificate must have to let in.
    client_name: Option<Arc<str>>,
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    secure: Option<Secure>,
    door: Arc<Door>,
    patience: Patience,
) {
    let Some(secure) = secure else {
        return serve(stream, false, door, patience).await;
    };
    match tokio::time::timeout(patience.handshake, secure.acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            // Only certificates of the authority get this far.
            let certificates = stream.get_ref().1.peer_certificates();
            let shown = certificates.and_then(<[_]>::first);
            let is_known = shown.is_some_and(|certificate| {
                let name = secure.client_name.as_deref();
                name.is_none_or(|name| is_named(certificate, name))
            });
            serve(stream, is_known, door, patience).await;
        }
        Ok(Err(error)) => door.handshake_failed(&error.to_string()),
        Err(_) => tracing::debug!(%from, "a handshake took too long"),
    }
}

/// Answers the requests of a connection. `is_known` says that its certificate lets it in.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    is_known: bool,
    door: Arc<Door>,
    patience: Patience,
) {
    let service = service_fn(|request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, std::convert::Infallible>(door.answer(request, is_known).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(LONGEST_LIFE, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(reason = %error, "a connection ended early"),
        Err(_) => tracing::debug!("a connection became too old"),
    }
}
