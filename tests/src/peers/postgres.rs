//! PostgreSQL: one server for many tests, one database for each.

use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use anyhow::{Context, anyhow};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::port::Port;
use super::process::{Process, StopSignal};
use super::program::{as_plain_user, find_program, output, plain_user, user_id};
use super::usage::Usage;

/// The environment variable with the address of a server to share: a superuser's, ending in an existing database.
/// `tests/run` sets it.
pub const POSTGRES_URL: &str = "SYNCWATCH_TEST_POSTGRES_URL";

const SUPERUSER: &str = "app";
const PACKAGE: &str = "postgresql";

/// Whether a commit reaches the disk before it is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// No: quick, for tests that do not pull the plug on the database.
    Fast,
    /// Yes, PostgreSQL's defaults: for measurements.
    Full,
}

/// A server of its own, on an empty data folder.
#[derive(Debug)]
pub struct Postgres {
    // Stopped before its folder goes.
    process: Process,
    port: Port,
    _folder: TempDir,
}

impl Postgres {
    /// Creates the data folder and starts the server. As root it runs under a plain account: it refuses to be root.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn start(durability: Durability) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("syncwatch-postgres-")
            .tempdir()
            .context("a folder")?;
        if user_id()? == 0 {
            let (uid, gid) = plain_user()?;
            chown(folder.path(), Some(uid), Some(gid)).context("hand the folder over")?;
        }
        let data = folder.path().join("data");
        let mut initdb = as_plain_user(program("initdb")?)?;
        initdb.arg("-D").arg(&data).args([
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        output(initdb.current_dir(folder.path()))?;

        let port = Port::claim()?;
        let mut server = as_plain_user(program("postgres")?)?;
        server
            .current_dir(folder.path())
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.number().to_string()]);
        // No socket file: its path has a length limit that a deep temporary folder breaks.
        setting(&mut server, "listen_addresses=127.0.0.1");
        setting(&mut server, "unix_socket_directories=");
        setting(&mut server, "max_connections=300");
        if durability == Durability::Fast {
            setting(&mut server, "fsync=off");
            setting(&mut server, "full_page_writes=off");
            setting(&mut server, "synchronous_commit=off");
        }
        let log = folder.path().join("log");
        let process = Process::spawn("PostgreSQL", &mut server, log, StopSignal::Interrupt)?;
        let mut started = Self {
            process,
            port,
            _folder: folder,
        };
        let url = started.url("postgres");
        started
            .process
            .ready(async || PgConnection::connect(&url).await.map(drop))
            .await?;
        Ok(started)
    }

    /// The address of one of its databases, as superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@{}/{database}", self.port.addr())
    }

    /// Creates an empty database and returns its address.
    ///
    /// # Errors
    /// When the server is gone or the name is taken.
    pub async fn create_database(&self, name: &str) -> anyhow::Result<String> {
        administer(&self.url("postgres"), format!("create database \"{name}\"")).await?;
        Ok(self.url(name))
    }

    /// The process id of the server's first process; its sessions are children of it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What the first process has used; each session has a process of its own.
    ///
    /// # Errors
    /// When the server has died.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.process.usage()
    }
}

fn setting(command: &mut Command, setting: &str) {
    command.args(["-c", setting]);
}

/// An empty database of one test; dropped with its value, also under open connections.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    name: String,
    admin_url: String,
    _server: Option<Arc<Postgres>>,
}

impl TestDatabase {
    /// Creates the database on the server that [`POSTGRES_URL`] names; without that variable on one that this
    /// process starts and shares among its tests.
    ///
    /// # Errors
    /// When the server cannot be reached or started.
    pub async fn create() -> anyhow::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (admin_url, server) = match std::env::var(POSTGRES_URL) {
            Ok(url) => (url, None),
            Err(_) => {
                let server = shared_server().await?;
                (server.url("postgres"), Some(server))
            }
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("syncwatch_test_{}_{number}", std::process::id());
        let (server_url, _) = admin_url
            .rsplit_once('/')
            .with_context(|| format!("{POSTGRES_URL} names no database"))?;
        let url = format!("{server_url}/{name}");
        // A test process that was killed leaves its databases behind, and process ids come again.
        administer(&admin_url, drop_statement(&name)).await?;
        administer(&admin_url, format!("create database \"{name}\"")).await?;
        Ok(Self {
            url,
            name,
            admin_url,
            _server: server,
        })
    }

    /// The address, for a store's configuration.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends all sessions of the database except the caller's own, as a restart of the server would.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn end_sessions(&self) -> anyhow::Result<()> {
        let name = &self.name;
        let sql = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
        );
        administer(&self.admin_url, sql).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, sql) = (self.admin_url.clone(), drop_statement(&self.name));
        // A drop may happen inside a runtime, which cannot be blocked on: the statement gets a thread of its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(administer(&url, sql))
        });
        let outcome = dropped
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the thread panicked")));
        if let Err(error) = outcome {
            eprintln!("could not drop database {}: {error:#}", self.name);
        }
    }
}

fn drop_statement(name: &str) -> String {
    format!("drop database if exists \"{name}\" with (force)")
}

async fn administer(url: &str, sql: String) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url)
        .await
        .context("connect to PostgreSQL")?;
    sqlx::raw_sql(AssertSqlSafe(sql.clone()))
        .execute(&mut connection)
        .await
        .context(sql)?;
    connection
        .close()
        .await
        .context("close the connection to PostgreSQL")
}

/// The server of this process: lives as long as a database on it does.
async fn shared_server() -> anyhow::Result<Arc<Postgres>> {
    static SHARED: Mutex<Weak<Postgres>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(server) = shared.upgrade() {
        return Ok(server);
    }
    let server = Arc::new(Postgres::start(Durability::Fast).await?);
    *shared = Arc::downgrade(&server);
    Ok(server)
}

/// Debian keeps the server's programs off the search path, one folder per version.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path(),
            ))
        })
        .map(|(version, folder)| (version, folder.join("bin").join(name)))
        .filter(|(_, path)| path.is_file())
        .max();
    match newest {
        Some((_, path)) => Ok(path),
        None => find_program(&[name], PACKAGE),
    }
}
