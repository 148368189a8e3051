//! The yardstick on PostgreSQL: psql copies files of ready rows, one transaction per file.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use syncwatch_tests::peers::find_program;

use super::bare::ReadyRow;

/// The product's own schema.
const SCHEMA: &str = include_str!("../../../../store/migrations/postgres/0001_init.sql");
const COLUMNS: &str =
    "occurred_at, id, job_ref, stream, action, status, error_code, object_id, dictionary, raw";
const PACKAGE: &str = "postgresql-client";

/// Files of rows in PostgreSQL's text format, and the script that copies them.
#[derive(Debug)]
pub(super) struct CopyFiles {
    psql: PathBuf,
    script: PathBuf,
}

impl CopyFiles {
    /// Writes one file per page into `folder`.
    ///
    /// # Errors
    /// When psql is not installed or the disk refuses.
    pub(super) fn write<'a>(
        folder: &Path,
        pages: impl Iterator<Item = &'a [ReadyRow]>,
    ) -> anyhow::Result<Self> {
        let psql = find_program(&["psql"], PACKAGE)?;
        let mut script = String::new();
        for (number, rows) in pages.enumerate() {
            let file = folder.join(format!("{number}.copy"));
            std::fs::write(&file, text(rows)).context("write a file of rows")?;
            writeln!(
                script,
                "\\copy observation ({COLUMNS}) from '{}'",
                file.display()
            )?;
        }
        let path = folder.join("copy.sql");
        std::fs::write(&path, script).context("write the script")?;
        Ok(Self { psql, script: path })
    }

    /// Creates the product's tables in an empty database.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub(super) fn create_tables(&self, url: &str) -> anyhow::Result<()> {
        let file = self.script.with_file_name("schema.sql");
        std::fs::write(&file, SCHEMA).context("write the schema")?;
        self.run(url, &file)
    }

    /// Copies all files; psql's own start is part of the time.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub(super) fn copy(&self, url: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.run(url, &self.script)?;
        Ok(started.elapsed())
    }

    fn run(&self, url: &str, script: &Path) -> anyhow::Result<()> {
        let errors = script.with_extension("errors");
        let status = Command::new(&self.psql)
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--dbname",
                url,
                "--file",
            ])
            .arg(script)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&errors).context("a file for errors")?)
            .status()
            .context("run psql")?;
        let complaint = std::fs::read_to_string(&errors).unwrap_or_default();
        ensure!(status.success(), "psql: {complaint}");
        Ok(())
    }
}

/// Rows in the text format of `copy`.
fn text(rows: &[ReadyRow]) -> String {
    let mut text = String::with_capacity(rows.len() * 1200);
    for row in rows {
        write!(text, "{}\t", row.occurred_at).expect("writing to a String cannot fail");
        bytes(&mut text, &row.id);
        write!(text, "\t1\t0\t{}\t{}\t", row.action, row.status)
            .expect("writing to a String cannot fail");
        text.push_str(row.error_code.as_deref().unwrap_or("\\N"));
        text.push('\t');
        text.push_str(row.object_id.as_deref().unwrap_or("\\N"));
        text.push('\t');
        text.push_str("1\t");
        bytes(&mut text, &row.raw);
        text.push('\n');
    }
    text
}

fn bytes(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push_str("\\\\x");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
