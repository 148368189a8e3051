//! `promtool`: the checks Prometheus ships for metrics, rules and configurations.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::program::{find_program, output};

const PACKAGE: &str = "prometheus";

/// Checks a `/metrics` page in the text format: syntax and naming.
///
/// # Errors
/// With what `promtool` complains about, be it only a lint.
pub fn check_metrics(page: &str) -> anyhow::Result<()> {
    let mut child = command()?
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("start promtool")?;
    let mut stdin = child.stdin.take().context("promtool's input")?;
    let page = page.to_owned();
    // From a thread: with both pipes full, writing here and reading there would wait for one another.
    let writer = std::thread::spawn(move || stdin.write_all(page.as_bytes()));
    let output = child.wait_with_output().context("wait for promtool")?;
    // It may stop reading at the first error; that error is what counts.
    drop(writer.join());
    let complaint = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() || !complaint.trim().is_empty() {
        bail!(
            "promtool check metrics ({}): {}",
            output.status,
            complaint.trim()
        );
    }
    Ok(())
}

/// Checks a rule file.
///
/// # Errors
/// With what `promtool` complains about.
pub fn check_rules(file: &Path) -> anyhow::Result<()> {
    output(
        command()?
            .args(["check", "rules", "--lint-fatal"])
            .arg(file),
    )
    .map(drop)
}

/// Runs the unit tests of rules.
///
/// # Errors
/// With the expectations that failed.
pub fn test_rules(file: &Path) -> anyhow::Result<()> {
    output(command()?.args(["test", "rules"]).arg(file)).map(drop)
}

/// Checks a configuration of Prometheus with the rule files it names.
///
/// # Errors
/// With what `promtool` complains about.
pub fn check_config(file: &Path) -> anyhow::Result<()> {
    output(command()?.args(["check", "config"]).arg(file)).map(drop)
}

fn command() -> anyhow::Result<Command> {
    Ok(Command::new(find_program(&["promtool"], PACKAGE)?))
}
