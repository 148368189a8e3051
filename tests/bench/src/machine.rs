//! What a measurement ran on.

use std::path::Path;
use std::process::Command;

/// One line about machine, system and build; every report begins with it.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let model =
        proc_value("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = proc_value("/proc/meminfo", "MemTotal")
        .and_then(|text| gibibytes(&text))
        .unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    let build = if cfg!(debug_assertions) {
        "debug build: figures mean nothing"
    } else {
        "release build"
    };
    format!(
        "{model}, {cores} cores, {memory:.0} GiB, Linux {kernel}, load {load} at the start, {build}"
    )
}

/// Which version of a program answers, first line only.
#[must_use]
pub fn version_of(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output
        .map(|output| [output.stdout, output.stderr].concat())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().next().unwrap_or("unknown version").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn proc_value(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn gibibytes(text: &str) -> Option<f64> {
    let kib: f64 = text.split(' ').next()?.parse().ok()?;
    Some(kib / 1024.0 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_is_told_from_what_the_kernel_says() {
        let line = machine();
        assert!(
            line.contains(" cores, ") && line.contains("Linux "),
            "{line}"
        );
        assert!(
            !line.contains(" 0 cores") && !line.contains(" 0 GiB"),
            "{line}"
        );
    }
}
