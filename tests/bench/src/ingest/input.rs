//! Pages of a provisioning log, and their rows as the store takes them.

use anyhow::Context;
use syncwatch_collector::parse::provisioning;
use syncwatch_simulator::bulk::Source;
use syncwatch_store::LogRow;

/// Where the events of a measurement come from.
pub(super) const SEED: u64 = 20_261_122;
/// The most rows a page can be asked to have.
pub(super) const MOST_ROWS: usize = 1000;

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
pub(super) fn parse(body: &str) -> anyhow::Result<Vec<LogRow<'_>>> {
    let page = provisioning::wanted(body.as_bytes(), MOST_ROWS, |_| true);
    Ok(page.context("read a page")?.rows)
}
