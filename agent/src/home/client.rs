//! One connection to the service, kept while it lasts.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use syncwatch_domain::secret::Secret;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::tls::{Client as Tls, ClientFiles, TlsError};

/// Where reports go, below the configured address.
const PATH: &str = "agent/v1/reports";
/// Longest answer: wishes may be many.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum ClientError {
    /// No connection.
    #[error("cannot connect to {to}")]
    Connect {
        /// Host and port.
        to: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Certificates.
    #[error("the connection cannot be secured")]
    Tls(#[from] TlsError),
    /// The name in the address.
    #[error("{host} is no name of a server")]
    Name {
        /// What stands there.
        host: String,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Http(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("the request cannot be written")]
    Request(#[from] hyper::http::Error),
    /// An answer without end.
    #[error("the answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    /// The answer was cut off.
    #[error("the answer was cut off")]
    CutOff(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
}

/// What the service said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

type Driver = http1::Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>;

/// A connection that is open.
struct Open {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Moves the bytes; `None` when it has ended. It runs only while somebody waits for it.
    driver: Option<Pin<Box<Driver>>>,
}

/// The way to the service.
pub(super) struct Client {
    url: Uri,
    patience: Duration,
    tls: Tls,
    open: Option<Open>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("url", &self.url).finish()
    }
}

impl Client {
    /// `patience` is the longest time for one report, from the connection to the answer.
    pub(super) fn new(url: Uri, files: ClientFiles, patience: Duration) -> Self {
        Self {
            url,
            patience,
            tls: Tls::new(files),
            open: None,
        }
    }

    /// Posts a report.
    pub(super) async fn post(
        &mut self,
        body: Bytes,
        token: Option<&Secret<String>>,
    ) -> Result<Said, ClientError> {
        let patience = self.patience;
        let said = tokio::time::timeout(patience, self.try_post(body, token)).await;
        let said = said.unwrap_or(Err(ClientError::Timeout(patience)));
        if said.is_err() {
            self.open = None;
        }
        said
    }

    async fn try_post(
        &mut self,
        body: Bytes,
        token: Option<&Secret<String>>,
    ) -> Result<Said, ClientError> {
        if let Some(open) = self.open.take() {
            // It may have been closed meanwhile. A report may safely be sent twice.
            match self.exchange(open, body.clone(), token).await {
                Err(ClientError::Http(_)) => {}
                other => return other,
            }
        }
        let open = self.connect().await?;
        self.exchange(open, body, token).await
    }

    async fn exchange(
        &mut self,
        mut open: Open,
        body: Bytes,
        token: Option<&Secret<String>>,
    ) -> Result<Said, ClientError> {
        let request = self.request(body, token)?;
        let sending = open.sender.send_request(request);
        let answer = drive(&mut open.driver, sending).await?;
        let (head, body) = answer.into_parts();
        let collecting = Limited::new(body, LONGEST_ANSWER).collect();
        let body = drive(&mut open.driver, collecting).await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ClientError::TooLong
            } else {
                ClientError::CutOff(error)
            }
        })?;
        let closes = head
            .headers
            .get(header::CONNECTION)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        if open.driver.is_some() && !closes {
            self.open = Some(open);
        }
        Ok(Said {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    fn request(
        &self,
        body: Bytes,
        token: Option<&Secret<String>>,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let base = self.url.path().trim_end_matches('/');
        let authority = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{base}/{PATH}"))
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
                .map_err(hyper::http::Error::from)?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        Ok(request.body(Full::new(body))?)
    }

    async fn connect(&mut self) -> Result<Open, ClientError> {
        let host = self.url.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = self.url.scheme_str() != Some("http");
        let port = self.url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let failed = |source| ClientError::Connect {
            to: format!("{host}:{port}"),
            source,
        };
        let stream = TcpStream::connect((host, port)).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let stream: Box<dyn Stream> = if is_tls {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| ClientError::Name {
                host: host.to_owned(),
            })?;
            let connector = TlsConnector::from(self.tls.config()?);
            Box::new(connector.connect(name, stream).await.map_err(failed)?)
        } else {
            Box::new(stream)
        };
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Open {
            sender,
            driver: Some(Box::pin(driver)),
        })
    }
}

/// Waits for something that the connection brings, and moves its bytes meanwhile.
async fn drive<T>(driver: &mut Option<Pin<Box<Driver>>>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Some(running) = driver {
        tokio::select! {
            biased;
            done = &mut work => return done,
            // How it ended shows in what was waited for.
            _ended = running => *driver = None,
        }
    }
    work.await
}
