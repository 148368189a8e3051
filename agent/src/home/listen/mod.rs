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
use super::tls::{self, Pair, TlsError};
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
    acceptor: Option<TlsAcceptor>,
    door: Arc<Door>,
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
        let acceptor = match &listen.pair {
            Some(pair) => {
                let needs_one = listen.token.is_none();
                let config = tls::server(pair, listen.clients.as_deref(), needs_one)?;
                Some(TlsAcceptor::from(Arc::new(config)))
            }
            None => None,
        };
        let door = Door::new(shared, listen.token.clone(), patience.body);
        let door = door.map_err(|_| ListenError::Random)?;
        let addr = listen.addr;
        let socket = TcpListener::bind(addr).await;
        Ok(Self {
            socket: socket.map_err(|source| ListenError::Bind { addr, source })?,
            acceptor,
            door: Arc::new(door),
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
                    let (acceptor, door) = (self.acceptor.clone(), Arc::clone(&self.door));
                    connections.spawn(connection(stream, from, acceptor, door, self.patience));
                }
                Err(error) => {
                    tracing::debug!(reason = %error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    door: Arc<Door>,
    patience: Patience,
) {
    let Some(acceptor) = acceptor else {
        return serve(stream, false, door, patience).await;
    };
    match tokio::time::timeout(patience.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            // Only certificates of the authority get this far.
            let certificates = stream.get_ref().1.peer_certificates();
            let is_known = certificates.is_some_and(|chain| !chain.is_empty());
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
