//! A service that takes reports, in turns as nasty as a test wants them.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use syncwatch_agent::home::push::Service;
use syncwatch_agent::home::tls::{self, ClientFiles};
use syncwatch_domain::report::{Answer, Batch, Gap, SCHEMA, Wishes};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificates::Authority;
use super::http::{self, Message, Stream};
use super::{START, text};

/// The token of the tests.
pub(crate) const TOKEN: &str = "bluebell-9f31c6d2";

/// What the service does with a report.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    /// Commits it and says so.
    Take,
    /// Commits it; the answer is lost.
    TakeAndCut,
    /// Closes without an answer.
    Cut,
    /// Never answers.
    Hang,
    /// Answers with this status line and these headers.
    Refuse(&'static str),
    /// Takes no body beyond so many bytes, also later.
    Narrow(usize),
    /// Answers with something that is no answer.
    Garbage,
    /// Answers about another spool.
    OtherSpool,
    /// Commits nothing and says so.
    Nothing,
    /// Says that it has records that were never written.
    Ahead,
    /// Speaks a newer format.
    Newer,
}

/// What the service has.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) turns: VecDeque<Turn>,
    /// Data of each record by spool and number.
    pub(crate) committed: BTreeMap<(String, u64), Value>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) wishes: Vec<String>,
    /// Bytes and records of each report that came, and whether it came with a token.
    pub(crate) came: Vec<(usize, usize)>,
    pub(crate) connections: usize,
    narrow: Option<usize>,
    authorized: Vec<bool>,
}

/// A running service.
pub(crate) struct FakeService {
    pub(crate) authority: Authority,
    pub(crate) addr: SocketAddr,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

impl FakeService {
    /// Listens with TLS; with `clients` every agent must show a certificate of the authority.
    pub(crate) async fn start(clients: bool) -> Self {
        let authority = Authority::new();
        let clients = clients.then(|| authority.file());
        let config = tls::server(&authority.sign("service"), clients.as_deref(), true).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = socket.local_addr().unwrap();
        std::fs::write(authority.folder().join("token"), TOKEN).unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(socket, acceptor, Arc::clone(&state)));
        Self {
            authority,
            addr,
            state,
            _tasks: tasks,
        }
    }

    /// How an agent reaches it.
    pub(crate) fn settings(&self, timeout: Duration) -> Service {
        Service {
            url: format!("https://127.0.0.1:{}/base/", self.addr.port())
                .parse()
                .unwrap(),
            token: Some(self.authority.folder().join("token")),
            files: ClientFiles {
                authorities: Some(self.authority.file()),
                pair: None,
            },
            timeout,
        }
    }

    /// Says what comes next; afterwards everything is taken.
    pub(crate) fn turns(&self, turns: impl IntoIterator<Item = Turn>) {
        self.with(|state| state.turns = turns.into_iter().collect());
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// Numbers that were committed, of all spools.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.with(|state| state.committed.keys().map(|(_, seq)| *seq).collect())
    }

    /// Every report came with the token.
    pub(crate) fn were_authorized(&self) -> bool {
        self.with(|state| state.authorized.iter().all(|yes| *yes))
    }
}

async fn listen(socket: TcpListener, acceptor: TlsAcceptor, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = socket.accept().await {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        connections.spawn(async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                state.lock().unwrap().connections += 1;
                while let Some(report) = http::read(&mut stream).await {
                    if !answer(&mut stream, &report, &state).await {
                        return;
                    }
                }
            }
        });
    }
}

/// Answers one report; whether the connection goes on.
async fn answer(stream: &mut dyn Stream, report: &Message, state: &Mutex<State>) -> bool {
    let said = state.lock().unwrap().take(report).unwrap_or_default();
    match said.as_str() {
        "" => return false,
        "hang" => pending::<()>().await,
        _ => {}
    }
    let _gone = stream.write_all(said.as_bytes()).await;
    let _gone = stream.flush().await;
    true
}

impl State {
    /// What is answered; `None` closes.
    fn take(&mut self, report: &Message) -> Option<String> {
        assert!(
            report
                .head
                .starts_with("POST /base/agent/v1/reports HTTP/1.1")
        );
        let authorization = report.header("authorization");
        self.authorized
            .push(authorization == Some(&format!("Bearer {TOKEN}")));
        let batch: Batch = serde_json::from_slice(&report.body).unwrap();
        batch.check().unwrap();
        self.came.push((report.body.len(), batch.records.len()));
        let turn = self.turns.pop_front().unwrap_or(Turn::Take);
        if let Turn::Narrow(bytes) = turn {
            self.narrow = Some(bytes);
        }
        if self.narrow.is_some_and(|most| report.body.len() > most) {
            return Some("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n".into());
        }
        match turn {
            Turn::Take | Turn::Narrow(_) => Some(self.commit(&batch)),
            Turn::TakeAndCut => {
                self.commit(&batch);
                None
            }
            Turn::Cut => None,
            Turn::Hang => Some("hang".into()),
            Turn::Refuse(head) => Some(format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n")),
            Turn::Garbage => Some(ok("<html>welcome to the proxy</html>")),
            Turn::OtherSpool => Some(acknowledging(SCHEMA, "another", 1, &[])),
            Turn::Nothing => Some(acknowledging(SCHEMA, &batch.spool.id, 0, &[])),
            Turn::Ahead => Some(acknowledging(SCHEMA, &batch.spool.id, 1 << 40, &[])),
            Turn::Newer => Some(acknowledging(SCHEMA + 1, &batch.spool.id, 0, &[])),
        }
    }

    fn commit(&mut self, batch: &Batch) -> String {
        let spool = &batch.spool.id;
        self.gaps.clone_from(&batch.spool.gaps);
        for record in &batch.records {
            let key = (spool.clone(), record.seq);
            let value = serde_json::to_value(record).unwrap();
            let before = self.committed.insert(key, value.clone());
            assert!(
                before.is_none_or(|before| before == value),
                "{} means two records",
                record.seq
            );
        }
        let of_spool = self.committed.keys().filter(|(of, _)| of == spool);
        let newest = of_spool.map(|(_, seq)| *seq).max().unwrap_or(0);
        acknowledging(SCHEMA, spool, newest, &self.wishes)
    }

    /// Sections that were committed, with the times of their readings.
    pub(crate) fn sections(&self) -> Vec<(String, String)> {
        let all = self.committed.values();
        all.map(|one| {
            (
                text(one, "/section").into(),
                text(one, "/collected_at").into(),
            )
        })
        .collect()
    }
}

fn acknowledging(schema: u32, spool: &str, acknowledged: u64, wishes: &[String]) -> String {
    let answer = Answer {
        schema,
        spool: Some(spool.to_owned()),
        acknowledged,
        now: START,
        wishes: Wishes {
            containers: wishes.to_vec(),
        },
    };
    ok(&serde_json::to_string(&answer).unwrap())
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}
