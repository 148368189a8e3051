//! What the rules are held against: the packages and the files of the workspace.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cargo_metadata::{Metadata, MetadataCommand};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// What cargo knows about the workspace and everything it is built from.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
        MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .other_options(["--locked".to_owned()])
            .exec()
            .unwrap()
    });
    &METADATA
}

/// Every file of the workspace, as a path from its root with `/`; build results and hidden folders are left out.
pub(crate) fn files() -> &'static [String] {
    static FILES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut found = Vec::new();
        let mut folders = vec![root()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                let skipped = name == "target" || (name.starts_with('.') && name != ".ci");
                if path.is_dir() && !skipped {
                    folders.push(path);
                } else if path.is_file() {
                    found.push(
                        path.strip_prefix(root())
                            .unwrap()
                            .to_str()
                            .unwrap()
                            .to_owned(),
                    );
                }
            }
        }
        found.sort();
        assert!(
            found.iter().any(|file| file == "Cargo.toml"),
            "the walk found nothing"
        );
        found
    });
    &FILES
}

/// The Rust files in the `src` folder of these rooms.
pub(crate) fn sources<'a>(rooms: &'a [&'a str]) -> impl Iterator<Item = &'static String> + 'a {
    files().iter().filter(|file| {
        file.ends_with(".rs")
            && rooms
                .iter()
                .any(|room| file.starts_with(&format!("{room}/src/")))
    })
}

/// A file's text.
pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Fails with every finding at once.
pub(crate) fn assert_none(rule: &str, findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{rule}:\n  {}\n",
        findings.join("\n  ")
    );
}
