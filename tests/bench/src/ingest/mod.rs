//! From page bytes to committed rows: as fast as a bare loop, without slowing down, without wearing the disk, and
//! every row exactly once.

mod bare;
mod copy;
mod exact;
mod growth;
mod input;
mod ours;
mod postgres;
mod rounds;
mod sqlite;

use crate::report::Report;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Rows of a page, as Graph is asked for them.
    pub rows_per_page: u32,
    /// Pages per contender and round.
    pub pages: u32,
    /// Rounds; every contender runs once in each.
    pub rounds: u32,
    /// Pages of the long run that shows decay and wear.
    pub long_pages: u32,
    /// Pages at its beginning and end that are compared.
    pub edge_pages: u32,
    /// Rounds of the long run.
    pub long_rounds: u32,
    /// Events that are served three times.
    pub exact_rows: u32,
    /// Too small to judge speed.
    pub smoke: bool,
}

impl Sizes {
    /// The sizes the goals speak of.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            rows_per_page: 1000,
            pages: 60,
            rounds: 7,
            long_pages: 300,
            edge_pages: 50,
            long_rounds: 3,
            exact_rows: 100_000,
            smoke: false,
        }
    }

    /// Everything once, as small as it can be.
    #[must_use]
    pub const fn smoke() -> Self {
        Self {
            rows_per_page: 40,
            pages: 3,
            rounds: 1,
            long_pages: 6,
            edge_pages: 2,
            long_rounds: 1,
            exact_rows: 600,
            smoke: true,
        }
    }
}

/// The parts of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Every row exactly once, through the collector.
    Exact,
    /// Speed on SQLite.
    Sqlite,
    /// Decay and bytes written.
    Growth,
    /// Speed on PostgreSQL.
    Postgres,
}

/// Runs the parts that are wanted, all of them when none is named.
///
/// # Errors
/// When something does not work, rows differ, or a goal is missed.
pub async fn run(sizes: Sizes, wanted: &[Part]) -> anyhow::Result<()> {
    let mut report = Report::open("ingest: from page bytes to committed rows", sizes.smoke);
    let wants = |part| wanted.is_empty() || wanted.contains(&part);
    if wants(Part::Exact) {
        exact::prove(&report, sizes.exact_rows).await?;
    }
    if wants(Part::Sqlite) {
        sqlite::measure(&mut report, sizes).await?;
    }
    if wants(Part::Growth) {
        growth::measure(&mut report, sizes).await?;
    }
    if wants(Part::Postgres) {
        postgres::measure(&mut report, sizes).await?;
    }
    report.close()
}
