//! Programs of this workspace, as `tests/run` or `cargo build` made them.

use std::path::PathBuf;

/// A program by its name.
///
/// # Errors
/// When it is not built.
pub fn built(name: &str) -> anyhow::Result<PathBuf> {
    let usual = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/debug");
    let folder = std::env::var_os("SYNCWATCH_TEST_PROGRAMS")
        .map_or_else(|| PathBuf::from(usual), PathBuf::from);
    let program = folder.join(name);
    anyhow::ensure!(
        program.exists(),
        "there is no {}: cargo build --workspace --bins",
        program.display()
    );
    Ok(program)
}
