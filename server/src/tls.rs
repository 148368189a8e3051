//! A listener that speaks TLS; connections come out when their handshake is done.

mod certificates;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

pub use self::certificates::{Certificates, TlsError};

/// Connections at a time, handshakes included; more wait to be accepted.
const CONNECTIONS_AT_ONCE: usize = 256;
/// Connections that are through and wait to be served.
const READY_AT_ONCE: usize = 16;
/// Longest life of a connection: who says nothing must not keep a place. Agents connect again.
const LONGEST_LIFE: Duration = Duration::from_secs(120);
/// Longest handshake: who says nothing must not keep a place.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wait after the system refused a connection, which it does while it has no more files.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// A listener that speaks TLS.
#[derive(Debug)]
pub struct TlsListener {
    addr: SocketAddr,
    ready: mpsc::Receiver<(Held, SocketAddr)>,
    /// Accepts; it ends with this value at the latest.
    _accepting: JoinSet<()>,
}

impl TlsListener {
    /// Accepts connections at `addr`, where `listener` listens, until `stop`.
    #[must_use]
    pub fn new(
        listener: TcpListener,
        addr: SocketAddr,
        certificates: Certificates,
        stop: CancellationToken,
    ) -> Self {
        let (sender, ready) = mpsc::channel(READY_AT_ONCE);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, certificates, sender, stop));
        Self {
            addr,
            ready,
            _accepting: accepting,
        }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = Held;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Told to stop: so is whoever serves.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.addr)
    }
}

/// A connection with its place among those that are held at a time.
#[derive(Debug)]
pub struct Held {
    stream: TlsStream<TcpStream>,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Held {
    fn new(stream: TlsStream<TcpStream>, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            end: Box::pin(tokio::time::sleep(LONGEST_LIFE)),
            _place: place,
        }
    }
}

/// DNS names in the certificate that the other side of a connection showed. Its authority was
/// checked with the handshake, and that it is in force.
#[derive(Clone, Debug)]
pub struct Shown(pub(crate) Arc<[String]>);

impl Connected<IncomingStream<'_, TlsListener>> for Shown {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let (_, connection) = stream.io().stream.get_ref();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self(shown.map(certificates::names).unwrap_or_default().into())
    }
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

async fn accept(
    listener: TcpListener,
    certificates: Certificates,
    ready: mpsc::Sender<(Held, SocketAddr)>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_AT_ONCE));
    let mut handshakes = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            // What is through is forgotten.
            Some(_) = handshakes.join_next() => continue,
            accepted = next(&listener, &places) => accepted,
        };
        let Some((stream, from, place)) = accepted else {
            tokio::time::sleep(AFTER_REFUSAL).await;
            continue;
        };
        let acceptor = TlsAcceptor::from(certificates.current());
        let ready = ready.clone();
        handshakes.spawn(async move {
            match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                // Nobody listens any more when the service stops.
                Ok(Ok(stream)) => drop(ready.send((Held::new(stream, place), from)).await),
                Ok(Err(error)) => {
                    tracing::debug!(%from, reason = %error, "a connection spoke no TLS");
                }
                Err(_) => tracing::debug!(%from, "a handshake took too long"),
            }
        });
    }
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => Some((stream, from, place)),
        Err(error) => {
            tracing::debug!(reason = %error, "a connection could not be accepted");
            None
        }
    }
}
