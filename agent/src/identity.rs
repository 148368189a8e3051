//! Who this agent is.

use std::io;
use std::path::{Path, PathBuf};

use syncwatch_domain::report::AgentIdentity;
use thiserror::Error;
use uuid::Uuid;

/// File with the agent's id in the data folder.
const NAME: &str = "agent-id";
const UNFINISHED: &str = "agent-id.new";
/// Where Linux says what the machine is called.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Why the agent does not know who it is.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The file with the id.
    #[error("cannot {action} {}: the account of the agent must be able to read and write there", path.display())]
    File {
        /// What was to be done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it was not.
        #[source]
        source: io::Error,
    },
    /// The name of the machine.
    #[error("the name of this machine cannot be found out: set host in [agent]")]
    NoName,
}

/// Who this agent is. `host` is the configured name of the machine, if there is one; `id` that of
/// [`kept_id`] or [`passing_id`].
///
/// # Errors
/// When the machine has no name.
pub fn identity(id: String, host: Option<&str>) -> Result<AgentIdentity, IdentityError> {
    let host = match host {
        Some(host) => host.to_owned(),
        None => name_of_machine().ok_or(IdentityError::NoName)?,
    };
    Ok(AgentIdentity {
        id,
        host,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        roles: std::collections::BTreeSet::new(),
    })
}

/// The id kept in the data folder; made and kept when there is none.
///
/// # Errors
/// When the folder cannot be used.
pub fn kept_id(folder: &Path) -> Result<String, IdentityError> {
    if let Some(id) = read_id(folder)? {
        return Ok(id);
    }
    let id = Uuid::new_v4().to_string();
    let (unfinished, path) = (folder.join(UNFINISHED), folder.join(NAME));
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| IdentityError::File {
            action,
            path,
            source,
        }
    };
    std::fs::create_dir_all(folder).map_err(failed("create", folder))?;
    write(&unfinished, &id).map_err(failed("write", &unfinished))?;
    std::fs::rename(&unfinished, &path).map_err(failed("write", &path))?;
    Ok(id)
}

/// The id kept in the data folder, or one for this time only.
#[must_use]
pub fn passing_id(folder: &Path) -> String {
    let kept = read_id(folder).ok().flatten();
    kept.unwrap_or_else(|| Uuid::new_v4().to_string())
}

fn read_id(folder: &Path) -> Result<Option<String>, IdentityError> {
    let path = folder.join(NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|id| Uuid::parse_str(id).is_ok())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdentityError::File {
            action: "read",
            path,
            source,
        }),
    }
}

fn write(path: &Path, id: &str) -> io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create(path)?;
    writeln!(file, "{id}")?;
    file.sync_all()
}

fn name_of_machine() -> Option<String> {
    let windows = std::env::var("COMPUTERNAME").ok();
    let name = windows.or_else(|| std::fs::read_to_string(HOST_NAME).ok())?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let passing = passing_id(&data);
        let id = kept_id(&data).unwrap();
        assert_ne!(passing, id, "nothing was kept before");
        assert_eq!(kept_id(&data).unwrap(), id);
        assert_eq!(passing_id(&data), id);
    }

    #[test]
    fn a_file_that_was_cut_off_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "0b").unwrap();
        let id = kept_id(folder.path()).unwrap();
        assert!(Uuid::parse_str(&id).is_ok());
        assert_eq!(kept_id(folder.path()).unwrap(), id);
    }

    #[test]
    fn the_configured_name_of_the_machine_wins() {
        let agent = identity("a".into(), Some("SYNC01")).unwrap();
        assert_eq!(agent.host, "SYNC01");
        assert!(!identity("a".into(), None).unwrap().host.is_empty());
    }
}
