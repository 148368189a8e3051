//! Finding what is installed, and running it as somebody who may.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow, bail};

/// The account that peers run under which refuse to be root.
const PLAIN_USER: &str = "nobody";

/// Folders of system programs; a plain user's search path often lacks them.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Finds the first of `names` on the search path.
///
/// # Errors
/// When none is installed; the text names the Debian `package`.
pub fn find_program(names: &[&str], package: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path)
        .chain(SYSTEM_FOLDERS.map(PathBuf::from))
        .collect::<Vec<_>>();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| is_program(candidate))
        .ok_or_else(|| {
            anyhow!(
                "{} is not installed: apt-get install {package}",
                names.join(" or ")
            )
        })
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0)
}

/// The id of the user this process runs as.
pub(super) fn user_id() -> anyhow::Result<u32> {
    Ok(std::fs::metadata("/proc/self")
        .context("read /proc/self")?
        .uid())
}

/// User and group id of the account that stands in for root.
pub(super) fn plain_user() -> anyhow::Result<(u32, u32)> {
    account(PLAIN_USER)
}

/// User and group id of a local account.
pub(super) fn account(name: &str) -> anyhow::Result<(u32, u32)> {
    let table = std::fs::read_to_string("/etc/passwd").context("read /etc/passwd")?;
    let fields = table
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .with_context(|| format!("there is no account {name}"))?;
    let [_, _, uid, gid, ..] = fields[..] else {
        bail!("the entry of account {name} in /etc/passwd is cut off")
    };
    Ok((
        uid.parse().context("user id")?,
        gid.parse().context("group id")?,
    ))
}

/// A command that runs `program` as a plain user, when we are root, else as ourselves.
pub(super) fn as_plain_user(program: impl AsRef<OsStr>) -> anyhow::Result<Command> {
    if user_id()? != 0 {
        return Ok(Command::new(program));
    }
    let (uid, gid) = plain_user()?;
    let mut command = Command::new(find_program(&["setpriv"], "util-linux")?);
    command
        .arg(format!("--reuid={uid}"))
        .arg(format!("--regid={gid}"))
        .arg("--clear-groups")
        .arg("--")
        .arg(program);
    Ok(command)
}

/// A command that runs `program` as root: as ourselves or through `sudo` without a password.
pub(super) fn as_root(program: impl AsRef<OsStr>, why: &str) -> anyhow::Result<Command> {
    if user_id()? == 0 {
        return Ok(Command::new(program));
    }
    let sudo = find_program(&["sudo"], "sudo")
        .with_context(|| format!("{why}: run as root or install sudo"))?;
    let allowed = Command::new(&sudo)
        .args(["-n", "true"])
        .output()
        .context("ask sudo")?;
    if !allowed.status.success() {
        bail!("{why}: run as root or with a sudo that asks for no password");
    }
    let mut command = Command::new(sudo);
    command.arg("-n").arg("--").arg(program);
    Ok(command)
}

/// Runs a command to its end and returns what it printed.
pub(super) fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("start {program}"))?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!("{program} failed ({}): {}", output.status, text.trim());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_that_is_not_installed_names_its_package() {
        let error = find_program(&["no-such-program", "nor-this"], "some-package")
            .expect_err("not installed");
        assert_eq!(
            error.to_string(),
            "no-such-program or nor-this is not installed: apt-get install some-package"
        );
    }

    #[test]
    fn account_ids_come_from_the_table() {
        assert_eq!(account("root").expect("every machine has root"), (0, 0));
        assert!(account("no such account").is_err());
    }

    #[test]
    fn failing_command_says_what_it_printed() {
        let error = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]))
            .expect_err("exit 3");
        let text = error.to_string();
        assert!(
            text.contains("exit status: 3") && text.contains("out\nerr"),
            "{text}"
        );
    }
}
