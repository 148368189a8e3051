//! SQLite: the whole way of the product beside a bare loop.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::Sizes;
use super::bare::{Bare, Packer, ReadyRow, Schema, same_rows};
use super::input::pages;
use super::ours::Ours;
use super::rounds::{Rates, show};
use crate::report::Report;

/// The least share of the bare loop's speed.
const GOAL: f64 = 0.8;

pub(super) async fn measure(report: &mut Report, sizes: Sizes) -> anyhow::Result<()> {
    report.heading("SQLite: page bytes -> parse -> Store::commit_poll");
    let pages = pages(sizes.pages, 0, sizes.pages, sizes.rows_per_page);
    let rows = u64::from(sizes.pages) * u64::from(sizes.rows_per_page);
    report.say(format!(
        "{rows} events of {} bytes in pages of {}, {} rounds in changing order, synchronous=FULL, an empty database each.\n\
         The loop parses and packs with the same code and stores the same rows in the same tables by a prepared\n\
         rusqlite statement, one transaction per page; \"stores only\" gets rows that are parsed and packed already.\n",
        pages.iter().map(String::len).sum::<usize>() as u64 / rows,
        sizes.rows_per_page,
        sizes.rounds
    ));
    let mut packer = Packer::new()?;
    let ready = pages
        .iter()
        .map(|page| packer.ready(page))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (mut ours, mut whole, mut only) = (Rates::default(), Rates::default(), Rates::default());
    for round in 0..sizes.rounds {
        let folder = tempfile::tempdir().context("a folder")?;
        let file = |name: &str| folder.path().join(name);
        for step in 0..3 {
            match (round + step) % 3 {
                0 => ours.add(rows, of_store(&file("ours.db"), &pages).await?),
                1 => whole.add(rows, of_loop(&file("whole.db"), &pages)?),
                _ => only.add(rows, of_ready_rows(&file("only.db"), &ready)?),
            }
        }
        for other in ["whole.db", "only.db"] {
            let same = same_rows(&file("ours.db"), &file(other))?;
            ensure!(
                u64::try_from(same)? == rows,
                "{same} rows are stored, not {rows}"
            );
        }
    }
    show(
        report,
        &[
            ("syncwatch", &ours),
            ("loop: parse, pack, store", &whole),
            ("loop: stores only", &only),
        ],
    );
    report.say("\nthe rows of all three databases are the same, column by column");
    report.at_least(
        "SQLite, share of a bare rusqlite loop",
        ours.ratio_to(&whole),
        GOAL,
    );
    Ok(())
}

async fn of_store(file: &Path, pages: &[String]) -> anyhow::Result<Duration> {
    let mut store = Ours::open(&format!("sqlite:{}", file.display())).await?;
    let took = store.take_all(pages).await?;
    store.close().await;
    Ok(took)
}

fn of_loop(file: &Path, pages: &[String]) -> anyhow::Result<Duration> {
    let mut packer = Packer::new()?;
    let mut bare = Bare::create(file, Schema::Same)?;
    let started = Instant::now();
    for page in pages {
        bare.store(&packer.ready(page)?)?;
    }
    Ok(started.elapsed())
}

fn of_ready_rows(file: &Path, pages: &[Vec<ReadyRow>]) -> anyhow::Result<Duration> {
    let mut bare = Bare::create(file, Schema::Same)?;
    let started = Instant::now();
    for page in pages {
        bare.store(page)?;
    }
    Ok(started.elapsed())
}
