//! The few plain words before `STARTTLS`.
//!
//! They are spoken here and not by lettre, because lettre keeps what it has read when it turns
//! to TLS: replies that an attacker put behind the plain "ready" would count as encrypted ones,
//! and a mail could seem to be accepted that no server ever saw.

use std::fmt::Display;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::reply::{Failure, Progress, Step};
use crate::notify::reason;

/// Longest reply that is read, of all its lines.
const REPLY_LIMIT: u64 = 16 * 1024;

/// A reply: its code, its lines as they came.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// Brings a fresh connection to the point where TLS begins. Returns the server's greeting.
pub(super) async fn start_tls(
    stream: &mut TcpStream,
    hello: &impl Display,
    progress: &Progress,
) -> Result<Vec<u8>, Failure> {
    let step = progress.at(Step::Greet);
    let mut stream = BufReader::new(stream);
    let greeting = read(&mut stream, step).await?;
    let greeting = expect(greeting, 220, step)?;
    say(&mut stream, &format!("EHLO {hello}\r\n"), step).await?;
    let features = expect(read(&mut stream, step).await?, 250, step)?;
    let offered = features.lines.iter().any(|line| {
        line.get(4..)
            .is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"))
    });
    if !offered {
        return Err(Failure::Refused(
            "the mail server does not offer STARTTLS, and nothing is sent unencrypted; set \
             tls = \"implicit\" if it speaks TLS from the first byte"
                .to_owned(),
        ));
    }
    let step = progress.at(Step::Secure);
    say(&mut stream, "STARTTLS\r\n", step).await?;
    expect(read(&mut stream, step).await?, 220, step)?;
    if !stream.buffer().is_empty() {
        return Err(Failure::Lost {
            step,
            text: "something spoke between the server's readiness for TLS and TLS itself"
                .to_owned(),
        });
    }
    Ok(greeting.lines.concat().into_bytes())
}

async fn say(
    stream: &mut BufReader<&mut TcpStream>,
    words: &str,
    step: Step,
) -> Result<(), Failure> {
    let sent = stream.get_mut().write_all(words.as_bytes()).await;
    sent.map_err(|error| Failure::Lost {
        step,
        text: error.to_string(),
    })
}

async fn read(stream: &mut BufReader<&mut TcpStream>, step: Step) -> Result<Reply, Failure> {
    let lost = |text: String| Failure::Lost { step, text };
    let mut limited = stream.take(REPLY_LIMIT);
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = limited.read_until(b'\n', &mut line).await;
        read.map_err(|error| lost(error.to_string()))?;
        if line.last() != Some(&b'\n') {
            return Err(lost("the connection ended within a reply".to_owned()));
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        let code = line.get(..3).and_then(|digits| digits.parse().ok());
        let Some(code) = code.filter(|code| (200..600).contains(code)) else {
            return Err(lost(format!(
                "{:?} is not a reply of a mail server",
                reason::quote(&line, &[])
            )));
        };
        let last = line.as_bytes().get(3) != Some(&b'-');
        lines.push(line);
        if last {
            return Ok(Reply { code, lines });
        }
    }
}

fn expect(reply: Reply, code: u16, step: Step) -> Result<Reply, Failure> {
    if reply.code == code {
        return Ok(reply);
    }
    let words: Vec<_> = reply
        .lines
        .iter()
        .filter_map(|line| line.get(4..))
        .collect();
    Err(Failure::Reply {
        step,
        code: reply.code,
        text: reason::quote(&words.concat(), &[]),
    })
}
