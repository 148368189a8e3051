//! What a process has cost so far.

use std::time::Duration;

use anyhow::{Context, bail};

/// Ticks per second of the times in `/proc`; fixed for programs on every Linux architecture Rust supports in practice.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time and memory of one process.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// The most memory it ever held, in bytes.
    pub peak_memory: u64,
}

impl Usage {
    /// Reads the usage of a running process.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).with_context(|| format!("read {path}"))
        };
        Ok(Self {
            cpu: cpu(&read("stat")?)?,
            peak_memory: peak_memory(&read("status")?)?,
        })
    }
}

/// Fields 14 and 15 of `stat`; the second field, the name, may hold spaces, so they are counted from its bracket.
fn cpu(stat: &str) -> anyhow::Result<Duration> {
    let after_name = stat.rsplit_once(')').context("no name in stat")?.1;
    let fields = after_name.split_whitespace().collect::<Vec<_>>();
    let [user, system] = fields.get(11..13).context("stat is cut off")? else {
        bail!("stat is cut off")
    };
    let ticks =
        user.parse::<f64>().context("user time")? + system.parse::<f64>().context("system time")?;
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
}

fn peak_memory(status: &str) -> anyhow::Result<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM in status")?;
    let kib = line
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .context("VmHWM")?;
    Ok(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_spaces_and_brackets() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 4 0 1000 1 1";
        assert_eq!(cpu(stat).expect("well-formed"), Duration::from_secs(2));
    }

    #[test]
    fn own_usage_is_plausible() {
        let usage = Usage::of(std::process::id()).expect("we run");
        assert!(usage.peak_memory > 1024 * 1024, "{usage:?}");
    }
}
