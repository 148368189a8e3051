//! The program itself, as a process, with what it logs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::support::config_text;

/// Longest wait for a line of the log.
pub(crate) const LINE_LIMIT: Duration = Duration::from_secs(20);
/// Lines read ahead of the test; the reader waits when nobody looks.
const LINES: usize = 1_000;

/// The program itself, with the lines it logs.
pub(crate) struct Program {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Program {
    pub(crate) fn run(folder: &tempfile::TempDir, more: &str) -> Self {
        let path = folder.path().join("syncwatch.toml");
        let text = config_text(folder, more).replace("[store]", "log_format = \"json\"\n[store]");
        std::fs::write(&path, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_syncwatch"))
            .args(["run", "--config", path.to_str().unwrap()])
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            log.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Waits until it listens; gives its address.
    pub(crate) fn url(&mut self) -> String {
        let started = self.line_with("syncwatch is starting");
        let started: serde_json::Value = serde_json::from_str(&started).unwrap();
        started["http.url"].as_str().unwrap().to_owned()
    }

    /// Lines that were logged and not looked at yet.
    pub(crate) fn lines_so_far(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Memory it holds, in KiB (`VmRSS`).
    pub(crate) fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn line_with(&mut self, part: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(LINE_LIMIT) {
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line has {part:?}: {seen:#?}");
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &id])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
