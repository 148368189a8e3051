//! An agent on its post: its folder, its configuration, its process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use syncwatch_simulator::sync_server::{STATE_FILE, SyncServer};
use syncwatch_tests::programs::built;

/// Token that agent and service share.
pub(crate) const TOKEN: &str = "marigold-of-the-sync-servers";

/// An agent's folder; the process can be started there again and again.
pub(crate) struct Post {
    folder: PathBuf,
    /// Program that stands in for PowerShell, and the file with the server it speaks for.
    server: Option<PathBuf>,
    child: Option<Child>,
}

impl Post {
    /// Writes the configuration: reports go to `service`, `more` stands behind it.
    pub(crate) fn new(folder: &Path, host: &str, service: &str, more: &str) -> Self {
        let home = format!("[service]\nurl = \"{service}\"\ntoken_file = \"token\"\n");
        Self::with(folder, host, &format!("{home}{more}"))
    }

    /// Writes the configuration with these sections, which say how reports come home.
    pub(crate) fn with(folder: &Path, host: &str, sections: &str) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(folder.join("token"), format!("{TOKEN}-{host}")).expect("a token");
        let text = format!(
            "[agent]\ndata_dir = \"data\"\nhost = \"{host}\"\ninterpreter = \"{}\"\n{sections}",
            built("syncwatch-fake-powershell")
                .expect("an interpreter")
                .display()
        );
        std::fs::write(folder.join("syncwatch-agent.toml"), text).expect("a configuration");
        Self {
            folder: folder.to_owned(),
            server: None,
            child: None,
        }
    }

    /// The agent stands on this server.
    pub(crate) fn on(mut self, server: &SyncServer) -> Self {
        let file = self.folder.join("server.json");
        server.save(&file).expect("a server");
        self.server = Some(file);
        self
    }

    /// Where the agent keeps what it has not brought home.
    pub(crate) fn spool(&self) -> PathBuf {
        self.folder.join("data/spool")
    }

    pub(crate) fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .expect("a log");
        let child = Command::new(built("syncwatch-agent").expect("the agent"))
            .args(["run", "--config", "syncwatch-agent.toml"])
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.server.iter().map(|file| (STATE_FILE, file)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the agent starts");
        self.child = Some(child);
    }

    /// `kill -9`, unless it is gone already.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// What the agent has said, for a test that failed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.kill();
    }
}
