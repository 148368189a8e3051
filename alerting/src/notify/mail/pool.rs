//! Connections kept for the next mail of a burst.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::connection::Connection;

/// Servers close idle connections after minutes; well before that it is our turn.
const IDLE_LIMIT: Duration = Duration::from_secs(15);

/// Servers limit the mails of a connection, some to a hundred.
const MAILS_PER_CONNECTION: u32 = 100;

/// Connections kept at most; one more than this is closed after its mail.
const MOST_IDLE: usize = 8;

/// A goodbye is polite, not needed.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// Idle connections, the last used at the end.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<(Connection, Instant)>>);

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({})", self.lock().len())
    }
}

impl Pool {
    /// The connection used last, unless it has been idle for long.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        let (connection, since) = idle.pop()?;
        (since.elapsed() < IDLE_LIMIT).then_some(connection)
    }

    /// Keeps a connection that works.
    pub(super) fn keep(&self, connection: Connection) {
        let mut idle = self.lock();
        if connection.mails < MAILS_PER_CONNECTION && idle.len() < MOST_IDLE {
            idle.push((connection, Instant::now()));
        }
    }

    /// Closes what has been idle for long.
    pub(super) async fn close_idle(&self) {
        let old: Vec<_> = self
            .lock()
            .extract_if(.., |(_, since)| since.elapsed() >= IDLE_LIMIT)
            .collect();
        for (connection, _) in old {
            drop(tokio::time::timeout(GOODBYE_LIMIT, connection.quit()).await);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
    }
}
