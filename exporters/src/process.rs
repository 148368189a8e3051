//! The process as Linux describes it in `/proc`. What cannot be read, or is not there on another system, is left out.
//!
//! Read here rather than by the `process` feature of the prometheus crate: that one counts processor time in whole
//! seconds, too coarse to see what a quiet service uses.

use std::fs;
use std::path::{Path, PathBuf};

use crate::catalogue::{self, Family};
use crate::page::Page;
use crate::value::Value;

/// Ticks per second in `/proc`: the kernel's `USER_HZ`, which is 100 on every architecture Rust's standard library
/// supports on Linux.
const TICKS_PER_SECOND: i64 = 100;

/// Milliseconds of a tick.
const TICK_MS: i64 = 1000 / TICKS_PER_SECOND;

/// Reads a process from a `/proc` folder.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    root: PathBuf,
}

impl Process {
    /// This process.
    pub(crate) fn own() -> Self {
        Self {
            root: PathBuf::from("/proc"),
        }
    }

    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Writes what can be read.
    pub(crate) fn render(&self, page: &mut Page) {
        let own = self.root.join("self");
        let stat = Stat::read(&own.join("stat"));
        let status = fs::read_to_string(own.join("status")).unwrap_or_default();
        let started = stat
            .as_ref()
            .and_then(|stat| Some(boot_ms(&self.root)? + stat.started_ms));
        let mut write = |family: &'static Family, value: Option<Value>| {
            if let Some(value) = value {
                page.family(family).sample("", value);
            }
        };
        write(
            &catalogue::PROCESS_CPU,
            stat.as_ref().map(|stat| Value::Millis(stat.cpu_ms)),
        );
        write(
            &catalogue::PROCESS_OPEN_FDS,
            open_files(&own).map(Value::Int),
        );
        write(
            &catalogue::PROCESS_MAX_FDS,
            most_files(&own).map(Value::Int),
        );
        write(
            &catalogue::PROCESS_VIRTUAL_MEMORY,
            kilobytes(&status, "VmSize:").map(Value::Int),
        );
        write(
            &catalogue::PROCESS_RESIDENT_MEMORY,
            kilobytes(&status, "VmRSS:").map(Value::Int),
        );
        write(&catalogue::PROCESS_START_TIME, started.map(Value::Millis));
        write(
            &catalogue::PROCESS_THREADS,
            stat.as_ref().map(|stat| Value::Int(stat.threads)),
        );
    }
}

/// What `stat` tells (proc_pid_stat(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_ms: i64,
    threads: i64,
    /// Since the machine was started.
    started_ms: i64,
}

impl Stat {
    fn read(file: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(file).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in brackets, which may itself hold spaces and brackets.
        let fields = text
            .get(text.rfind(')')? + 1..)?
            .split_whitespace()
            .collect::<Vec<_>>();
        // Fields are numbered from 1 in the manual; the first one here is number 3.
        let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
        let (user, system) = (field(14)?, field(15)?);
        Some(Self {
            cpu_ms: user.saturating_add(system).saturating_mul(TICK_MS),
            threads: field(20)?,
            started_ms: field(22)?.saturating_mul(TICK_MS),
        })
    }
}

/// When the machine was started.
fn boot_ms(root: &Path) -> Option<i64> {
    let text = fs::read_to_string(root.join("stat")).ok()?;
    let seconds = text
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse::<i64>()
        .ok()?;
    seconds.checked_mul(1000)
}

fn open_files(own: &Path) -> Option<i64> {
    i64::try_from(fs::read_dir(own.join("fd")).ok()?.count()).ok()
}

/// The soft limit; `None` for "unlimited".
fn most_files(own: &Path) -> Option<i64> {
    let text = fs::read_to_string(own.join("limits")).ok()?;
    let limits = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    limits.split_whitespace().next()?.parse().ok()
}

/// A line of `status`, in bytes.
fn kilobytes(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim()
        .strip_suffix(" kB")?
        .trim()
        .parse::<i64>()
        .ok()?
        .checked_mul(1024)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::testing::parse;

    fn page_of(process: &Process) -> String {
        let mut page = Page::new(Format::Text, false);
        process.render(&mut page);
        String::from_utf8(page.finish()).unwrap()
    }

    /// A process named `a) (b`, so that splitting at the first bracket or at spaces goes wrong.
    fn sample_folder() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("self");
        fs::create_dir_all(own.join("fd")).unwrap();
        for name in ["0", "1", "2"] {
            fs::write(own.join("fd").join(name), "").unwrap();
        }
        let stat = "4711 (a) (b) S 1 4711 4711 0 -1 4194304 900 0 3 0 123 45 0 0 20 0 6 0 360012 228589568 3000 18446744073709551615 1 1 0\n";
        fs::write(own.join("stat"), stat).unwrap();
        fs::write(
            own.join("status"),
            "Name:\ta) (b\nVmSize:\t  223232 kB\nVmRSS:\t   12000 kB\n",
        )
        .unwrap();
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n";
        fs::write(own.join("limits"), limits).unwrap();
        fs::write(
            root.path().join("stat"),
            "cpu  1 2 3\nbtime 1790000000\nprocesses 5\n",
        )
        .unwrap();
        root
    }

    #[test]
    fn files_of_the_kernel_become_the_usual_families() {
        let root = sample_folder();
        let values = parse(&page_of(&Process::at(root.path())), Format::Text).values();
        let expected = [
            ("process_cpu_seconds_total", 1.68),
            ("process_open_fds", 3.0),
            ("process_max_fds", 1024.0),
            ("process_virtual_memory_bytes", 228_589_568.0),
            ("process_resident_memory_bytes", 12_288_000.0),
            ("process_start_time_seconds", 1_790_003_600.12),
            ("process_threads", 6.0),
        ];
        assert_eq!(
            values,
            expected
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let root = sample_folder();
        let limits = "Max open files            unlimited            unlimited            files\n";
        fs::write(root.path().join("self/limits"), limits).unwrap();
        fs::remove_file(root.path().join("stat")).unwrap();
        fs::write(root.path().join("self/status"), "VmRSS: many kB\n").unwrap();
        let page = page_of(&Process::at(root.path()));
        let names = parse(&page, Format::Text)
            .values()
            .into_keys()
            .collect::<Vec<_>>();
        assert_eq!(
            names,
            [
                "process_cpu_seconds_total",
                "process_open_fds",
                "process_threads"
            ]
        );
        assert_eq!(page_of(&Process::at(Path::new("/nowhere"))), "");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_is_described_in_full() {
        let page = page_of(&Process::own());
        let values = parse(&page, Format::Text).values();
        for name in [
            "process_open_fds",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "process_threads",
        ] {
            assert!(values[name] >= 1.0, "{name} in\n{page}");
        }
        assert!(values["process_virtual_memory_bytes"] >= values["process_resident_memory_bytes"]);
    }
}
