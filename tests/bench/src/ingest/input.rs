//! Pages of a provisioning log, and their rows as the store takes them.

use anyhow::Context;
use syncwatch_collector::parse::provisioning::{self, Row};
use syncwatch_domain::log::RowId;
use syncwatch_simulator::bulk::Source;
use syncwatch_store::{LogPage, LogRow, LogStream};

/// Where the events of a measurement come from.
pub(super) const SEED: u64 = 20_261_122;

/// Bodies of pages of a log, oldest first, as polls meet them in the course of a day: pages `first` to
/// `first + count` of `all`.
#[must_use]
pub(super) fn pages(all: u32, first: u32, count: u32, rows_per_page: u32) -> Vec<String> {
    let source = Source::new(SEED);
    let offset = |page: u32| (all - page - 1) * rows_per_page;
    (first..first + count)
        .map(|page| source.page(offset(page), rows_per_page, None))
        .collect()
}

/// Reads the rows of a page with the product's own parser.
///
/// # Errors
/// When the page is not what Graph sends.
pub(super) fn parse(body: &str) -> anyhow::Result<Vec<Row<'_>>> {
    let page = provisioning::rows(body.as_bytes()).context("split a page")?;
    page.collect::<Result<_, _>>().context("read a row")
}

/// The same rows in the form the store takes.
#[must_use]
pub(super) fn log_page<'a>(rows: &'a [Row<'a>]) -> LogPage<'a> {
    let rows = rows.iter().map(|row| LogRow {
        id: RowId::of(&row.id),
        occurred_at: row.occurred_at,
        job_id: row.job_id.as_deref().unwrap_or_default(),
        action: row.action,
        status: row.status,
        error_code: row.error_code.as_deref(),
        object_id: row.object_id.as_deref(),
        cycle_id: row.cycle_id.as_deref().map(RowId::of),
        raw: row.raw.as_bytes(),
    });
    LogPage {
        stream: LogStream::Provisioning,
        rows: rows.collect(),
    }
}
