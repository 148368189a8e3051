//! Whoever floods the way in for reports costs neither memory nor lines in the log.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::program::Program;
use crate::support::{Answer, client};

const AGENT: &str = "[[tenant.agent]]\nhost = \"SYNC01\"\ntoken = \"tulip-agent-of-sync01\"\n";
const POSTS: usize = 100_000;
/// Requests that are under way on a connection at a time.
const AT_ONCE: usize = 200;
const CONNECTIONS: usize = 4;
/// What memory may grow by, in KiB: buffers of connections, and what the allocator keeps.
const GROWTH: u64 = 16 * 1024;

/// Sends `posts` requests on one connection; gives how many were answered with `status`.
async fn flood(address: String, request: String, posts: usize, status: &'static str) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let many = request.repeat(AT_ONCE);
    let expected = format!("HTTP/1.1 {status} ");
    let mut refused = 0;
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..posts / AT_ONCE {
        stream.write_all(many.as_bytes()).await.unwrap();
        let (mut answered, mut tail) = (0, String::new());
        while answered < AT_ONCE {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the connection was closed after {refused}");
            tail.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            // An answer may be cut anywhere: its beginning is kept for the next part.
            let whole = tail.rfind("HTTP/1.1").unwrap_or(0);
            let last = if tail.len() > whole + expected.len() {
                tail.len()
            } else {
                whole
            };
            let part: String = tail.drain(..last).collect();
            answered += part.matches("HTTP/1.1 ").count();
            refused += part.matches(&expected).count();
        }
    }
    refused
}

fn warnings(program: &Program) -> Vec<String> {
    let lines = program.lines_so_far().into_iter();
    lines.filter(|line| line.contains("turned away")).collect()
}

#[tokio::test]
async fn a_flood_of_posts_is_refused_in_flat_memory_with_one_line_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::run(&folder, AGENT);
    let url = program.url();
    let path = format!("{url}/agent/v1/reports");
    // It is warm once it has turned away each kind.
    for (token, body, status) in [
        (None, vec![b'x'; 100], 401),
        (Some("wrong"), vec![b'x'; 100], 401),
        (Some("tulip-agent-of-sync01"), vec![b'x'; 1_000_000], 400),
    ] {
        // Until the database is open, every report is sent away.
        for _ in 0..400 {
            let mut request = client().post(&path).body(body.clone());
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if Answer::of(request).await.status == status {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let before = program.memory();
    let address = url.trim_start_matches("http://").to_owned();
    let post = |more: &str| {
        format!("POST /agent/v1/reports HTTP/1.1\r\nhost: x\r\n{more}content-length: 2\r\n\r\n{{}}")
    };
    let kinds = [
        (post(""), "401"),
        (post("authorization: Bearer wrong\r\n"), "401"),
        (
            post("authorization: Bearer tulip-agent-of-sync01\r\n"),
            "400",
        ),
        (post("authorization: Basic eDp5\r\n"), "401"),
    ];
    let mut floods = tokio::task::JoinSet::new();
    for (request, status) in kinds {
        floods.spawn(flood(address.clone(), request, POSTS / CONNECTIONS, status));
    }
    for refused in floods.join_all().await {
        assert_eq!(refused, POSTS / CONNECTIONS);
    }
    for _ in 0..10 {
        let garbage = client()
            .post(&path)
            .bearer_auth("tulip-agent-of-sync01")
            .body(vec![0xf0; 10 * 1024 * 1024]);
        // The connection may be closed before all of it was sent.
        if let Ok(answer) = garbage.send().await {
            assert_eq!(answer.status().as_u16(), 413);
        }
    }
    let after = program.memory();
    assert!(
        after < before + GROWTH,
        "{before} KiB before, {after} after"
    );
    let warnings = warnings(&program);
    // One of each kind a minute: no token, wrong token, unreadable, too long, and at the very
    // start "not open yet". A slow machine may take two minutes.
    assert!((4..=10).contains(&warnings.len()), "{warnings:#?}");
    let page = Answer::of(client().get(format!("{url}/metrics"))).await;
    assert_eq!(page.status, 200);
}
