//! HTTP by hand: what peers really send and see.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls_pki_types::ServerName;
use syncwatch_agent::home::tls::{self, ClientFiles};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A stream of either kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Head and body of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// The status in the first line of an answer.
    pub(crate) fn status(&self) -> u16 {
        let word = self.head.split(' ').nth(1).unwrap();
        word.parse().unwrap()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Reads a message with a length; `None` when the peer closes before it is whole.
pub(crate) async fn read(stream: &mut (dyn AsyncRead + Send + Unpin)) -> Option<Message> {
    let mut bytes = Vec::new();
    let mut part = [0; 16 * 1024];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut message = Message {
        head,
        body: bytes[end + 4..].to_vec(),
    };
    let length = message.header("content-length").unwrap_or("0");
    let length: usize = length.parse().unwrap();
    while message.body.len() < length {
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => message.body.extend_from_slice(&part[..count]),
            _ => return None,
        }
    }
    Some(message)
}

/// A connection, secured where files are given.
pub(crate) async fn connect(
    addr: SocketAddr,
    files: Option<&ClientFiles>,
) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(addr).await?;
    let Some(files) = files else {
        return Ok(Box::new(stream));
    };
    let connector = TlsConnector::from(Arc::new(tls::client(files).unwrap()));
    let name = ServerName::try_from("127.0.0.1").unwrap();
    Ok(Box::new(connector.connect(name, stream).await?))
}

/// Sends a request and reads the answer; `None` when the peer closes instead. What the peer does
/// not want to read any more is no failure.
pub(crate) async fn exchange(stream: &mut dyn Stream, request: &[u8]) -> Option<Message> {
    let _may_be_cut_off = stream.write_all(request).await;
    let _may_be_cut_off = stream.flush().await;
    read(stream).await
}

/// A request with a body.
pub(crate) fn post(path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let token = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: agent\r\n{token}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
