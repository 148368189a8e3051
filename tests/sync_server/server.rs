//! A simulated server in a folder of its own, and the agent's host that asks it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use syncwatch_agent::count::{ScriptedCount, Times};
use syncwatch_agent::host::{Asked, Bookmarks, Host as _, Reading, Wanted};
use syncwatch_agent::powershell::PowerShell;
use syncwatch_domain::clock::ScriptedClock;
use syncwatch_domain::report::forms::Forms;
use syncwatch_domain::report::{Outcome, Section};
use syncwatch_domain::time::Timestamp;
use syncwatch_simulator::Span;
use syncwatch_simulator::sync_server::{Entry, STATE_FILE_BESIDE, SyncServer};
use syncwatch_tests::programs;

pub(crate) const STAFF: &str = "OU=Staff,DC=ad,DC=hauser,DC=example";
pub(crate) const STAFF_ID: &str = "0b6f3c52-74ce-4d0c-9a53-0a4b5f3c1d01";
const BEGIN: &str = "2026-11-17T08:00:00Z";

/// The instant so many minutes after the begin of the story.
pub(crate) fn after(minutes: u64) -> Timestamp {
    Timestamp::parse(BEGIN).unwrap() + Duration::from_secs(60 * minutes)
}

/// A Connect server with two forests.
pub(crate) fn connect_server() -> SyncServer {
    let domains = ["ad.hauser.example", "nordwall.example"];
    let mut server = SyncServer::connect("SYNC01", after(0).as_millis(), "hauser", &domains);
    server.directory.push(Entry {
        dn: STAFF.to_owned(),
        id: STAFF_ID.to_owned(),
    });
    server
}

/// A name to look up of which nothing is known.
pub(crate) fn wanted(name: &str) -> Wanted {
    Wanted {
        name: name.to_owned(),
        known_id: None,
    }
}

/// What the host is asked with when nothing special is wanted.
pub(crate) fn asked() -> Asked {
    Asked {
        timeout: Duration::from_secs(20),
        containers: vec![wanted(STAFF)],
        bookmarks: Bookmarks::default(),
        most_events: 10_000,
        user_names: false,
    }
}

/// A server, and the host that asks it.
#[derive(Debug)]
pub(crate) struct Asking {
    folder: tempfile::TempDir,
    server: SyncServer,
    host: PowerShell,
    count: Arc<ScriptedCount>,
}

impl Asking {
    /// Starts nothing yet: the host does, when it is asked.
    pub(crate) fn new(server: SyncServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("powershell");
        let fake = programs::built("syncwatch-fake-powershell").unwrap();
        std::os::unix::fs::symlink(fake, &program).unwrap();
        let count = Arc::new(ScriptedCount::default());
        let clock = Arc::new(ScriptedClock::new(after(0)));
        let times = Times::new(clock, Arc::clone(&count) as _);
        let mut asking = Self {
            host: PowerShell::new(program, times),
            folder,
            server,
            count,
        };
        asking.at(5);
        asking
    }

    /// It is so many minutes after the begin.
    pub(crate) fn at(&mut self, minutes: u64) {
        self.change(|server| server.now_ms = Some(after(minutes).as_millis()));
    }

    /// Something changes on the server.
    pub(crate) fn change(&mut self, how: impl FnOnce(&mut SyncServer)) {
        how(&mut self.server);
        self.server.save(&self.path(STATE_FILE_BESIDE)).unwrap();
    }

    /// A file in the server's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets the agent's count run on.
    pub(crate) fn wait(&self, span: Duration) {
        self.count.advance(span);
    }

    pub(crate) async fn read(&mut self, section: Section) -> Reading {
        self.read_as(section, &asked()).await
    }

    pub(crate) async fn read_as(&mut self, section: Section, asked: &Asked) -> Reading {
        self.host.read(section, asked).await
    }

    /// The rows of a section that was read, and nothing was wrong with any part of it.
    pub(crate) async fn rows(&mut self, section: Section) -> Vec<Value> {
        let reading = self.read(section).await;
        assert_eq!(reading.failure_text, None, "{section}");
        assert_eq!(reading.outcome, Outcome::Read, "{section}");
        reading.data
    }

    /// What must be known to read rows of this server.
    pub(crate) fn forms(&self) -> Forms {
        let now = Timestamp::from_millis(self.server.now_ms.unwrap());
        Forms::with_offset(self.server.utc_offset_minutes, now)
    }
}

/// So many minutes, as stories write them.
pub(crate) const fn mins(minutes: i64) -> Span {
    Span::mins(minutes)
}
