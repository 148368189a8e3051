//! Ids of the containers that were found: by its id one that was renamed is found again, also after
//! a restart of the agent.
//!
//! They stand in a small file in the data folder, written in one step whenever they change. One
//! that is lost or damaged costs this knowledge and nothing else: ids are learned again with the
//! next look.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::host::Wanted;
use crate::shared::MOST_WISHES;

const NAME: &str = "containers.json";
const UNFINISHED: &str = "containers.json.new";
/// No file of ours is longer, in bytes: the longest names, each with its id.
const LONGEST_FILE: u64 = 8 * 1024 * 1024;

/// Ids of what was last found under a name, by the name in lower case: names in a directory are
/// compared without regard to case.
#[derive(Debug)]
pub struct Containers {
    folder: PathBuf,
    ids: BTreeMap<String, String>,
}

impl Containers {
    /// What is known in a data folder.
    #[must_use]
    pub fn load(folder: &Path) -> Self {
        let path = folder.join(NAME);
        let ids = read(&path).unwrap_or_else(|error| {
            tracing::warn!(
                file = %path.display(),
                reason = %error,
                "the ids of containers cannot be read and are learned again"
            );
            BTreeMap::new()
        });
        Self {
            folder: folder.to_owned(),
            ids,
        }
    }

    /// Names to look up, each with the id that is known.
    #[must_use]
    pub fn wanted(&self, names: &[String]) -> Vec<Wanted> {
        let names = names.iter();
        names
            .map(|name| Wanted {
                name: name.clone(),
                known_id: self.ids.get(&name.to_lowercase()).cloned(),
            })
            .collect()
    }

    /// Learns from a reading of `names`, and writes it down where it is new.
    pub fn learn(&mut self, names: &[String], data: &[Value]) {
        let found = data.iter().filter(|row| row["Exists"] == true);
        let found = found.filter_map(|row| {
            let name = row["DistinguishedName"].as_str()?.to_lowercase();
            Some((name, row["ObjectGuid"].as_str()?.to_owned()))
        });
        let before = self.ids.clone();
        self.ids.extend(found);
        if self.ids.len() > MOST_WISHES {
            // Names that nobody asks for any more make room.
            let wanted: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
            self.ids.retain(|name, _| wanted.contains(name));
        }
        if self.ids != before
            && let Err(error) = self.save()
        {
            tracing::warn!(
                folder = %self.folder.display(),
                reason = %error,
                "the ids of containers cannot be kept: after a restart a renamed one is not found again"
            );
        }
    }

    /// After a crash there is the old file or the new one.
    fn save(&self) -> io::Result<()> {
        let unfinished = self.folder.join(UNFINISHED);
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(&self.ids)?)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.folder.join(NAME))
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, String>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(LONGEST_FILE).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    const STAFF: &str = "OU=Staff,DC=ad,DC=hauser,DC=example";

    fn row(name: &str, exists: bool, id: Option<&str>) -> Value {
        json!({ "DistinguishedName": name, "Exists": exists, "ObjectGuid": id, "MovedTo": null })
    }

    fn id_of(containers: &Containers, name: &str) -> Option<String> {
        containers.wanted(&[name.to_owned()])[0].known_id.clone()
    }

    #[test]
    fn what_was_found_is_known_after_a_restart_also_when_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut containers = Containers::load(folder.path());
        assert_eq!(id_of(&containers, STAFF), None);
        let names = [STAFF.to_owned()];
        containers.learn(&names, &[row(STAFF, true, Some("one"))]);
        let mut again = Containers::load(folder.path());
        assert_eq!(id_of(&again, &STAFF.to_uppercase()).as_deref(), Some("one"));
        // It is gone: what is known of it is what it was.
        again.learn(&names, &[row(STAFF, false, Some("one"))]);
        assert_eq!(id_of(&again, STAFF).as_deref(), Some("one"));
        // Something else has taken its name.
        again.learn(&names, &[row(STAFF, true, Some("two"))]);
        let third = Containers::load(folder.path());
        assert_eq!(id_of(&third, STAFF).as_deref(), Some("two"));
    }

    #[test]
    fn a_file_that_is_cut_off_is_nothing_known_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), r#"{"ou=staff"#).unwrap();
        std::fs::write(folder.path().join(UNFINISHED), "{").unwrap();
        let mut containers = Containers::load(folder.path());
        assert_eq!(id_of(&containers, STAFF), None);
        containers.learn(&[STAFF.to_owned()], &[row(STAFF, true, Some("one"))]);
        let again = Containers::load(folder.path());
        assert_eq!(id_of(&again, STAFF).as_deref(), Some("one"));
    }

    #[test]
    fn names_that_nobody_asks_for_go_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let mut containers = Containers::load(folder.path());
        let names = |from: usize| -> Vec<String> {
            let numbers = from..from + MOST_WISHES;
            numbers.map(|number| format!("OU={number},DC=x")).collect()
        };
        let rows = |names: &[String]| -> Vec<Value> {
            names
                .iter()
                .map(|name| row(name, true, Some("id")))
                .collect()
        };
        let first = names(0);
        containers.learn(&first, &rows(&first));
        let second = names(1);
        containers.learn(&second, &rows(&second));
        assert_eq!(containers.ids.len(), MOST_WISHES);
        assert_eq!(id_of(&containers, "OU=0,DC=x"), None);
        assert_eq!(id_of(&containers, "OU=1,DC=x").as_deref(), Some("id"));
        assert_eq!(Containers::load(folder.path()).ids, containers.ids);
    }
}
