//! Sockets and HTTP: accepts, hands over to the surfaces, and delivers answers whole, late, cut or never.

pub(crate) mod graph_surface;
pub(crate) mod other_surfaces;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::action::DownMode;
use crate::core::{Core, RequestRecord, Surface};
use crate::sinks::smtp;

/// Largest request body taken.
const MOST_BODY: usize = 8 << 20;

/// What listens on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Graph(usize),
    Login,
    Identity,
    Teams,
    Webhook,
    Smtp { implicit: bool },
}

/// How an answer reaches the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Half of the body, then the connection ends.
    Cut,
    /// Nothing, for ever.
    Hang,
    /// The connection ends without an answer.
    Reset,
}

/// An answer and how it travels.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
    pub(crate) delay_ms: u64,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
            delivery: Delivery::Whole,
            delay_ms: 0,
        }
    }

    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    pub(crate) fn without_answer(delivery: Delivery) -> Self {
        Self {
            delivery,
            ..Self::new(0, "", "")
        }
    }

    /// The answer of a server that is down, for modes that need no right answer to spoil.
    pub(crate) fn down(mode: DownMode) -> Option<Self> {
        const PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
        const PORTAL: &str = "<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body><form></form></body></html>";
        match mode {
            DownMode::Refuse => Some(Self::without_answer(Delivery::Reset)),
            DownMode::Hang => Some(Self::without_answer(Delivery::Hang)),
            DownMode::Html => Some(Self::new(502, "text/html", PAGE)),
            DownMode::Portal => Some(Self::new(200, "text/html; charset=utf-8", PORTAL)),
            _ => None,
        }
    }
}

/// A request whose body has been read.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) parts: axum::http::request::Parts,
    pub(crate) body: Vec<u8>,
    /// `http://127.0.0.1:port` of the socket it came to.
    pub(crate) base: String,
}

impl Inbound {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }

    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or("")
    }

    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }
}

/// The connection ends here.
#[derive(Debug, thiserror::Error)]
#[error("the story ends this connection")]
struct Ended;

/// Accepts until told to stop.
pub(crate) async fn accept(
    core: Arc<Core>,
    listener: TcpListener,
    service: Service,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors: give others the chance to close some.
            tokio::task::yield_now().await;
            continue;
        };
        if refuses(&core, service) {
            // Without lingering, closing sends a reset.
            if let Err(error) = stream.set_zero_linger() {
                tracing::debug!(%error, "cannot reset a connection");
            }
            continue;
        }
        let (core, stop) = (Arc::clone(&core), stop.clone());
        let base = listener
            .local_addr()
            .map(|at| format!("http://{at}"))
            .unwrap_or_default();
        tasks.spawn(async move {
            if let Err(error) = serve(core, stream, service, base, stop).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

fn refuses(core: &Core, service: Service) -> bool {
    match service {
        Service::Graph(tenant) => {
            core.world().tenants[tenant].faults.down == Some(DownMode::Refuse)
        }
        Service::Login => core.world().login_down == Some(DownMode::Refuse),
        Service::Smtp { .. } => core.refuses_mail(),
        Service::Identity | Service::Teams | Service::Webhook => false,
    }
}

async fn serve(
    core: Arc<Core>,
    stream: TcpStream,
    service: Service,
    base: String,
    stop: CancellationToken,
) -> io::Result<()> {
    if let Service::Smtp { implicit } = service {
        return tokio::select! {
            () = stop.cancelled() => Ok(()),
            served = smtp::serve(&core, stream, implicit) => served,
        };
    }
    stream.set_nodelay(true)?;
    let answering = stop.clone();
    let handler = service_fn(move |request: Request<Incoming>| {
        let (core, base, stop) = (Arc::clone(&core), base.clone(), answering.clone());
        async move { answer(&core, service, request, base, stop).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), handler);
    tokio::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            // An answer on its way may finish; nothing that hangs survives the stop.
            match tokio::time::timeout(Duration::from_millis(500), connection).await {
                Ok(served) => served,
                Err(_) => return Ok(()),
            }
        }
    };
    served.map_err(io::Error::other)
}

async fn answer(
    core: &Core,
    service: Service,
    request: Request<Incoming>,
    base: String,
    stop: CancellationToken,
) -> Result<Response<Body>, Ended> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), MOST_BODY)
        .await
        .map_err(|_| Ended)?;
    let incoming = Inbound {
        parts,
        body: body.to_vec(),
        base,
    };
    let (surface, (reply, mut record)) = match service {
        Service::Graph(tenant) => (
            Surface::Graph,
            graph_surface::answer(core, tenant, &incoming),
        ),
        Service::Login => (Surface::Login, other_surfaces::login(core, &incoming)),
        Service::Identity => (Surface::Identity, other_surfaces::identity(core, &incoming)),
        Service::Teams => (Surface::Teams, other_surfaces::teams(core, &incoming)),
        Service::Webhook => (Surface::Webhook, other_surfaces::webhook(core, &incoming)),
        Service::Smtp { .. } => return Err(Ended),
    };
    record.surface = surface;
    record.status = if reply.delivery == Delivery::Whole {
        reply.status
    } else {
        0
    };
    core.record(record);
    if reply.delay_ms > 0 {
        tokio::select! {
            () = stop.cancelled() => return Err(Ended),
            () = tokio::time::sleep(Duration::from_millis(reply.delay_ms)) => {}
        }
    }
    deliver(reply, stop).await
}

async fn deliver(reply: Reply, stop: CancellationToken) -> Result<Response<Body>, Ended> {
    let length = reply.body.len();
    let body = match reply.delivery {
        Delivery::Reset => return Err(Ended),
        Delivery::Hang => {
            stop.cancelled().await;
            return Err(Ended);
        }
        Delivery::Whole => Body::from(reply.body),
        Delivery::Cut => {
            let mut half = reply.body;
            half.truncate(length / 2);
            let parts = [
                Ok(half),
                Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            ];
            Body::from_stream(futures_util::stream::iter(parts))
        }
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !reply.content_type.is_empty() {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(reply.content_type),
        );
    }
    if reply.delivery == Delivery::Cut {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(lower(name)), value);
        }
    }
    Ok(response)
}

/// Header names in the form the library wants; every name used here is in the list.
fn lower(name: &'static str) -> &'static str {
    match name {
        "Retry-After" => "retry-after",
        "Location" => "location",
        "Date" => "date",
        other => other,
    }
}

/// A record to be completed.
pub(crate) fn record(core: &Core, incoming: &Inbound) -> RequestRecord {
    RequestRecord {
        at_ms: core.clock.now_ms(),
        surface: Surface::Graph,
        tenant: None,
        method: incoming.parts.method.to_string(),
        path: incoming.path().to_owned(),
        query: incoming.query().to_owned(),
        status: 0,
        client_request_id: incoming.header("client-request-id").map(str::to_owned),
        app: None,
    }
}
