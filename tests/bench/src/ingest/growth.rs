//! A long run: does it slow down, and how much does it write?

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::Sizes;
use super::bare::{Bare, Packer, Schema};
use super::input::pages;
use super::ours::Ours;
use crate::io::Written;
use crate::report::{Report, short};
use crate::stats::{median, number};

/// The last rows come in at this share of the speed of the first, or faster.
const DECAY_GOAL: f64 = 0.8;
/// Bytes written are at most this share of what the obvious tables write.
const WRITTEN_GOAL: f64 = 1.0 / 3.0;

/// One long run.
#[derive(Debug)]
struct Run {
    /// Time of each page.
    pages: Vec<Duration>,
    written: Written,
}

impl Run {
    /// Speed of the last pages as a share of that of the first.
    fn decay(&self, edge: usize) -> f64 {
        let first: Duration = self.pages.iter().take(edge).sum();
        let last: Duration = self.pages.iter().rev().take(edge).sum();
        first.as_secs_f64() / last.as_secs_f64()
    }

    fn rate(&self, rows: f64) -> f64 {
        rows / self.pages.iter().sum::<Duration>().as_secs_f64()
    }
}

pub(super) async fn measure(report: &mut Report, sizes: Sizes) -> anyhow::Result<()> {
    report.heading("SQLite: a long run");
    let rows = number(u64::from(sizes.long_pages) * u64::from(sizes.rows_per_page));
    let edge = usize::try_from(sizes.edge_pages).context("pages")?;
    let edge_rows = sizes.edge_pages * sizes.rows_per_page;
    report.say(format!(
        "{rows} events; last {edge_rows} against first {edge_rows}; bytes as the kernel counts them for this process,\n\
         closing included. The obvious tables have a unique random id, an index on the time and SQLite's default\n\
         checkpoint; a bare loop fills them with rows that are packed already, so only what they write compares.\n",
    ));
    let (mut ours, mut obvious) = (Vec::new(), Vec::new());
    for _ in 0..sizes.long_rounds {
        ours.push(of_store(sizes).await?);
        obvious.push(of_obvious(sizes)?);
    }
    let decay = |runs: &[Run]| median(&runs.iter().map(|run| run.decay(edge)).collect::<Vec<_>>());
    let rate = |runs: &[Run]| median(&runs.iter().map(|run| run.rate(rows)).collect::<Vec<_>>());
    let written = |runs: &[Run], of: fn(&Written) -> u64| {
        median(
            &runs
                .iter()
                .map(|run| number(of(&run.written)) / rows)
                .collect::<Vec<_>>(),
        )
    };
    let calls = |runs: &[Run]| written(runs, |written| written.calls);
    let disk = |runs: &[Run]| written(runs, |written| written.disk);
    let line = |name: &str, runs: &[Run]| {
        let figures = [rate(runs), decay(runs), calls(runs), disk(runs)].map(short);
        [vec![name.to_owned()], figures.to_vec()].concat()
    };
    let head = [
        "contender",
        "events/s",
        "last / first",
        "bytes by write calls",
        "bytes to disk",
    ];
    report.table(&[
        head.map(str::to_owned).to_vec(),
        line("syncwatch", &ours),
        line("obvious tables, bare loop", &obvious),
    ]);
    report.say("");
    report.at_least("no decay, last rows / first rows", decay(&ours), DECAY_GOAL);
    report.at_most(
        "bytes by write calls, share of the obvious tables'",
        calls(&ours) / calls(&obvious),
        WRITTEN_GOAL,
    );
    report.at_most(
        "bytes to disk, share of the obvious tables'",
        disk(&ours) / disk(&obvious),
        WRITTEN_GOAL,
    );
    Ok(())
}

/// Pages of the long run, made one by one: all at once would take a gigabyte.
fn page(sizes: Sizes, number: u32) -> anyhow::Result<String> {
    pages(sizes.long_pages, number, 1, sizes.rows_per_page)
        .pop()
        .context("a page")
}

async fn of_store(sizes: Sizes) -> anyhow::Result<Run> {
    let folder = tempfile::tempdir().context("a folder")?;
    let mut store = Ours::open(&format!(
        "sqlite:{}",
        folder.path().join("long.db").display()
    ))
    .await?;
    let before = Written::so_far()?;
    let mut times = Vec::new();
    let first = page(sizes, 0)?.into_bytes();
    let started = Instant::now();
    let mut ready = Some(store.ready(first).await?);
    let mut ahead = started.elapsed();
    while let Some(page_now) = ready.take() {
        let number = u32::try_from(times.len()).context("pages")? + 1;
        let next = (number < sizes.long_pages)
            .then(|| page(sizes, number))
            .transpose()?
            .map(String::into_bytes);
        let started = Instant::now();
        (_, ready) = store.take(&page_now, next).await?;
        times.push(started.elapsed() + std::mem::take(&mut ahead));
    }
    let stored = store.count().await?;
    ensure!(
        stored == i64::from(sizes.long_pages) * i64::from(sizes.rows_per_page),
        "{stored} rows are stored"
    );
    store.close().await;
    Ok(Run {
        pages: times,
        written: Written::so_far()?.since(before),
    })
}

fn of_obvious(sizes: Sizes) -> anyhow::Result<Run> {
    let folder = tempfile::tempdir().context("a folder")?;
    let mut bare = Bare::create(&folder.path().join("obvious.db"), Schema::Obvious)?;
    let mut packer = Packer::new()?;
    let before = Written::so_far()?;
    let mut times = Vec::new();
    for number in 0..sizes.long_pages {
        let rows = packer.ready(&page(sizes, number)?)?;
        let started = Instant::now();
        bare.store(&rows)?;
        times.push(started.elapsed());
    }
    drop(bare);
    Ok(Run {
        pages: times,
        written: Written::so_far()?.since(before),
    })
}
