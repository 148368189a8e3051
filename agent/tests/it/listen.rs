//! Listening against peers of all kinds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_agent::home::listen::{Listen, Listener, Patience};
use syncwatch_agent::home::tls::{ClientFiles, Pair};
use syncwatch_agent::shared::Shared;
use syncwatch_domain::report::{Answer, Batch, SCHEMA, Wishes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::support::certificates::Authority;
use crate::support::http::{self, Message};
use crate::support::{Hands, START, identity, mark_of, open, record};

const TOKEN: &str = "foxglove-77aa01";

struct Bench {
    authority: Authority,
    addr: SocketAddr,
    shared: Arc<Shared>,
    files: ClientFiles,
    _folder: tempfile::TempDir,
    _tasks: JoinSet<()>,
}

impl Bench {
    async fn new(records: u64) -> Self {
        Self::with(records, |_| {}, Patience::default()).await
    }

    async fn with(records: u64, change: impl FnOnce(&mut Listen), patience: Patience) -> Self {
        let authority = Authority::new();
        let token = authority.folder().join("token");
        std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
        let mut listen = Listen {
            addr: "127.0.0.1:0".parse().unwrap(),
            pair: Some(authority.sign("agent")),
            token: Some(token),
            clients: Some(authority.file()),
            client_name: None,
        };
        change(&mut listen);
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        for mark in 0..records {
            spool.append(&mut record(mark, 100), None).unwrap();
        }
        let times = Hands::new().times;
        let shared = Arc::new(Shared::new(times, identity(), spool));
        let listener = Listener::bind(Arc::clone(&shared), &listen, patience).await;
        let mut listener = listener.unwrap();
        let addr = listener.addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { listener.run().await });
        let files = ClientFiles {
            authorities: Some(authority.file()),
            pair: None,
        };
        Self {
            authority,
            addr,
            shared,
            files,
            _folder: folder,
            _tasks: tasks,
        }
    }

    /// Sends a request on a connection of its own.
    async fn send(&self, request: &[u8]) -> Option<Message> {
        let mut stream = http::connect(self.addr, Some(&self.files)).await.unwrap();
        http::exchange(&mut stream, request).await
    }

    async fn status(&self, request: &[u8]) -> u16 {
        self.send(request).await.unwrap().status()
    }

    async fn ask(&self, answer: &Answer) -> Batch {
        let body = serde_json::to_vec(answer).unwrap();
        let request = http::post("/v1/reports", Some(TOKEN), &body);
        let message = self.send(&request).await.unwrap();
        assert_eq!(message.status(), 200);
        serde_json::from_slice(&message.body).unwrap()
    }

    fn left(&self) -> u64 {
        let state = self.shared.with_spool(|spool| spool.state());
        state.next - state.first
    }
}

fn said(spool: Option<String>, acknowledged: u64) -> Answer {
    Answer {
        schema: SCHEMA,
        spool,
        acknowledged,
        now: START,
        wishes: Wishes::default(),
    }
}

#[tokio::test]
async fn who_asks_gets_what_is_behind_what_it_has() {
    let bench = Bench::new(4).await;
    let batch = bench.ask(&said(None, 0)).await;
    batch.check().unwrap();
    let marks: Vec<u64> = batch.records.iter().map(mark_of).collect();
    assert_eq!(marks, [0, 1, 2, 3]);
    assert_eq!(batch.agent, identity());
    let spool = batch.spool.id.clone();
    assert_eq!(
        bench.left(),
        4,
        "nothing is forgotten before it is acknowledged"
    );

    let again = bench.ask(&said(Some(spool.clone()), 0)).await;
    assert_eq!(again.records, batch.records, "asked twice, the same twice");
    let rest = bench.ask(&said(Some(spool.clone()), 3)).await;
    assert_eq!(rest.records.len(), 1);
    assert_eq!(bench.left(), 1);
    let none = bench.ask(&said(Some(spool), 4)).await;
    assert_eq!(none.records, []);
    assert_eq!((none.spool.first, none.spool.next), (5, 5));
}

#[tokio::test]
async fn numbers_of_another_spool_forget_nothing() {
    let bench = Bench::new(3).await;
    let batch = bench.ask(&said(Some("another".into()), 3)).await;
    assert_eq!(batch.records.len(), 3);
    assert_eq!(bench.left(), 3);
    let id = batch.spool.id;
    let batch = bench.ask(&said(Some(id.clone()), 999)).await;
    assert_ne!(
        batch.spool.id, id,
        "the service has what was never written here"
    );
    assert_eq!(batch.records.len(), 3);
}

#[tokio::test]
async fn a_connection_serves_many_questions() {
    let bench = Bench::new(2).await;
    let mut stream = http::connect(bench.addr, Some(&bench.files)).await.unwrap();
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    for _ in 0..5 {
        let request = http::post("/v1/reports", Some(TOKEN), &body);
        let message = http::exchange(&mut stream, &request).await.unwrap();
        assert_eq!(message.status(), 200);
        assert_eq!(message.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn without_the_token_nothing_is_told() {
    let bench = Bench::new(1).await;
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    for token in [
        None,
        Some(""),
        Some("foxglove-77aa0"),
        Some("foxglove-77aa012"),
    ] {
        let request = http::post("/v1/reports", token, &body);
        let message = bench.send(&request).await.unwrap();
        assert_eq!(message.status(), 401, "{token:?}");
        assert_eq!(message.header("www-authenticate"), Some("Bearer"));
        assert!(!String::from_utf8_lossy(&message.body).contains("foxglove"));
    }
    // Not even what there is.
    assert_eq!(bench.status(&http::post("/", None, b"")).await, 401);
    let basic = b"POST /v1/reports HTTP/1.1\r\nHost: a\r\nAuthorization: Basic Zm94\r\n\r\n";
    assert_eq!(bench.status(basic).await, 401);
    assert_eq!(bench.left(), 1);
}

#[tokio::test]
async fn a_token_that_cannot_be_read_lets_nobody_in() {
    let bench = Bench::new(1).await;
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    let file = bench.authority.folder().join("token");
    for text in ["", "\n"] {
        std::fs::write(&file, text).unwrap();
        for token in ["x", TOKEN] {
            let request = http::post("/v1/reports", Some(token), &body);
            assert_eq!(bench.status(&request).await, 503, "{text:?} {token:?}");
        }
    }
    std::fs::write(&file, "another").unwrap();
    let request = http::post("/v1/reports", Some("another"), &body);
    assert_eq!(bench.status(&request).await, 200, "it is read at each use");
}

#[tokio::test]
async fn anything_but_the_one_question_is_refused() {
    let bench = Bench::new(1).await;
    let line = |line: &str| {
        format!("{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n").into_bytes()
    };
    for (request, status) in [
        (line("GET /v1/reports"), 405),
        (line("DELETE /v1/reports"), 405),
        (line("POST /v1/reports/"), 404),
        (line("POST /metrics"), 404),
        (line("GET /"), 404),
        (http::post("/v1/reports", Some(TOKEN), b""), 400),
        (http::post("/v1/reports", Some(TOKEN), b"{}"), 400),
        (
            http::post("/v1/reports", Some(TOKEN), b"\xff\x00garbage"),
            400,
        ),
        (
            http::post("/v1/reports", Some(TOKEN), &vec![b'['; 500_000]),
            400,
        ),
    ] {
        assert_eq!(bench.status(&request).await, status, "{}", request.len());
    }
    let mut newer = said(None, 0);
    newer.schema = SCHEMA + 1;
    let body = serde_json::to_vec(&newer).unwrap();
    let request = http::post("/v1/reports", Some(TOKEN), &body);
    assert_eq!(bench.status(&request).await, 400);
    assert_eq!(bench.left(), 1);
}

#[tokio::test]
async fn a_huge_body_is_refused_whether_it_says_its_length_or_not() {
    let bench = Bench::new(1).await;
    let announced = format!(
        "POST /v1/reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 10485760\r\n\r\n"
    );
    assert_eq!(
        bench.status(announced.as_bytes()).await,
        413,
        "before a byte came"
    );
    let mut chunked = format!(
        "POST /v1/reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..160 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend(std::iter::repeat_n(b'x', 65_536));
        chunked.extend_from_slice(b"\r\n");
    }
    let mut stream = http::connect(bench.addr, Some(&bench.files)).await.unwrap();
    // The answer comes while the body is still on its way.
    let (mut reading, mut writing) = tokio::io::split(&mut stream);
    let (_, answer) = tokio::join!(
        async { writing.write_all(&chunked).await.is_ok() },
        http::read(&mut reading)
    );
    assert_eq!(answer.unwrap().status(), 413);
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    let request = http::post("/v1/reports", Some(TOKEN), &body);
    assert_eq!(bench.status(&request).await, 200, "others are served");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let bench = Bench::new(0).await;
    let mut request = b"POST /v1/reports HTTP/1.1\r\nHost: a\r\n".to_vec();
    for number in 0..20_000 {
        request.extend_from_slice(format!("X-{number}: {number}\r\n").as_bytes());
    }
    let answer = bench.send(&request).await;
    assert!(answer.is_none_or(|message| message.status() == 431));
}

#[tokio::test]
async fn who_says_nothing_is_put_out() {
    let patience = Patience {
        handshake: Duration::from_millis(100),
        head: Duration::from_millis(100),
        body: Duration::from_millis(100),
    };
    let bench = Bench::with(1, |_| {}, patience).await;
    let mut rest = Vec::new();
    // No handshake, a handshake and no head, a head and no body.
    let mut silent = http::connect(bench.addr, None).await.unwrap();
    silent.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
    let mut headless = http::connect(bench.addr, Some(&bench.files)).await.unwrap();
    assert!(
        http::read(&mut headless)
            .await
            .is_none_or(|said| said.status() == 408)
    );
    let head = format!(
        "POST /v1/reports HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 5\r\n\r\n"
    );
    assert_eq!(bench.status(head.as_bytes()).await, 408);
    // More of them than there are places.
    let mut many = Vec::new();
    for _ in 0..40 {
        many.push(http::connect(bench.addr, None).await.unwrap());
    }
    bench.ask(&said(None, 0)).await;
}

#[tokio::test]
async fn who_speaks_no_tls_is_told_nothing() {
    let bench = Bench::new(1).await;
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    let request = http::post("/v1/reports", Some(TOKEN), &body);
    let mut plain = http::connect(bench.addr, None).await.unwrap();
    plain.write_all(&request).await.unwrap();
    let mut rest = Vec::new();
    let _reset = plain.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
}

async fn status_with(bench: &Bench, pair: Option<Pair>) -> Option<u16> {
    status_as(bench, &bench.authority, pair).await
}

/// What is answered to who trusts this authority and shows this certificate.
async fn status_as(bench: &Bench, trusted: &Authority, pair: Option<Pair>) -> Option<u16> {
    let files = ClientFiles {
        authorities: Some(trusted.file()),
        pair,
    };
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    let request = http::post("/v1/reports", None, &body);
    let mut stream = http::connect(bench.addr, Some(&files)).await.ok()?;
    Some(http::exchange(&mut stream, &request).await?.status())
}

#[tokio::test]
async fn a_certificate_of_the_authority_lets_in_without_a_token() {
    let stranger = Authority::new();
    for needs_one in [false, true] {
        let change = |listen: &mut Listen| {
            if needs_one {
                listen.token = None;
            }
        };
        let bench = Bench::with(1, change, Patience::default()).await;
        let known = bench.authority.sign("collector");
        let ended = bench.authority.sign_ended("ended");
        assert_eq!(status_with(&bench, Some(known)).await, Some(200));
        assert_eq!(status_with(&bench, Some(ended)).await, None);
        let other = stranger.sign("collector");
        assert_eq!(status_with(&bench, Some(other)).await, None);
        let without = if needs_one { None } else { Some(401) };
        assert_eq!(status_with(&bench, None).await, without);
    }
}

#[tokio::test]
async fn with_a_name_only_the_certificate_of_that_name_lets_in() {
    let change = |listen: &mut Listen| {
        listen.token = None;
        listen.client_name = Some("Syncwatch.hauser.example".to_owned());
    };
    let bench = Bench::with(1, change, Patience::default()).await;
    let named = |file: &str, name: &str| bench.authority.sign_for(file, &[name]);
    for (file, name, status) in [
        ("right", "syncwatch.hauser.example", 200),
        ("other", "sync02.hauser.example", 401),
        ("wildcard", "*.hauser.example", 401),
        ("part", "hauser.example", 401),
    ] {
        let answered = status_with(&bench, Some(named(file, name))).await;
        assert_eq!(answered, Some(status), "{name}");
    }
    assert_eq!(status_with(&bench, None).await, None);
    assert_eq!(bench.left(), 1);
}

/// Whether a handshake with this trust succeeds.
async fn trusts(bench: &Bench, authorities: PathBuf) -> bool {
    let files = ClientFiles {
        authorities: Some(authorities),
        pair: None,
    };
    http::connect(bench.addr, Some(&files)).await.is_ok()
}

#[tokio::test]
async fn a_certificate_that_was_renewed_is_shown_without_a_restart() {
    let bench = Bench::new(1).await;
    let folder = bench.authority.folder();
    let next = Authority::new();
    assert!(trusts(&bench, bench.authority.file()).await);
    assert!(!trusts(&bench, next.file()).await);
    // Half of a change: a certificate without its key. What was in force stays.
    let renewed = next.sign("renewed");
    std::fs::copy(&renewed.certificate, folder.join("agent.pem")).unwrap();
    assert!(trusts(&bench, bench.authority.file()).await);
    std::fs::copy(&renewed.key, folder.join("agent.key")).unwrap();
    assert!(trusts(&bench, next.file()).await);
    assert!(!trusts(&bench, bench.authority.file()).await);
    // And the authority of those who ask.
    let old = bench.authority.sign("old");
    let answered = status_as(&bench, &next, Some(old.clone())).await;
    assert_eq!(answered, Some(200));
    std::fs::copy(next.file(), folder.join("ca.pem")).unwrap();
    let answered = status_as(&bench, &next, Some(next.sign("new"))).await;
    assert_eq!(answered, Some(200));
    assert_eq!(status_as(&bench, &next, Some(old)).await, None);
}

#[tokio::test]
async fn on_loopback_it_may_be_plain() {
    let change = |listen: &mut Listen| {
        listen.pair = None;
        listen.clients = None;
    };
    let bench = Bench::with(2, change, Patience::default()).await;
    let mut stream = http::connect(bench.addr, None).await.unwrap();
    let body = serde_json::to_vec(&said(None, 0)).unwrap();
    let request = http::post("/v1/reports", Some(TOKEN), &body);
    let message = http::exchange(&mut stream, &request).await.unwrap();
    assert_eq!(message.status(), 200);
}

#[tokio::test]
async fn files_that_are_no_good_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let shared = Shared::new(Hands::new().times, identity(), open(folder.path()));
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let listen = Listen {
        addr: "127.0.0.1:0".parse().unwrap(),
        pair: Some(Pair {
            certificate: empty,
            key: PathBuf::from("/nowhere/key"),
        }),
        token: None,
        clients: None,
        client_name: None,
    };
    let bound = Listener::bind(Arc::new(shared), &listen, Patience::default()).await;
    let text = syncwatch_agent::chain(&bound.unwrap_err());
    assert!(text.contains("empty.pem"), "{text}");
}
