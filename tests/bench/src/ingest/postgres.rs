//! PostgreSQL: the whole way of the product beside `\copy` of the finished rows.

use std::time::Instant;

use anyhow::{Context, ensure};
use sqlx::{Connection, PgConnection};
use syncwatch_tests::peers::{Durability, Postgres};

use super::Sizes;
use super::bare::{Packer, ReadyRow};
use super::copy::CopyFiles;
use super::input::pages;
use super::ours::Ours;
use super::rounds::{Rates, show};
use crate::report::Report;

/// The least share of the speed of `\copy`.
const GOAL: f64 = 0.9;
/// All that is stored of the log, as one text.
const DIGEST: &str = "select count(*)::text || ' ' || coalesce(md5(string_agg(md5(row(occurred_at, id, job_ref, stream, action, \
     status, error_code, object_id, dictionary, raw)::text), '' order by occurred_at, id)), '') from observation";

pub(super) async fn measure(report: &mut Report, sizes: Sizes) -> anyhow::Result<()> {
    report.heading("PostgreSQL: page bytes -> parse -> Store::commit_poll");
    let server = Postgres::start(Durability::Full).await?;
    let pages = pages(sizes.pages, 0, sizes.pages, sizes.rows_per_page);
    let rows = u64::from(sizes.pages) * u64::from(sizes.rows_per_page);
    report.say(format!(
        "{rows} events in pages of {}, {} rounds in changing order, PostgreSQL's own durability, an empty database each.\n\
         psql copies the same rows, parsed and packed already, from files of one page each into the same tables; its\n\
         own start is part of its time. It neither parses nor packs nor looks for repetitions;\n\
         the last line adds the time of parsing and packing with the same code, as the loop on SQLite does.\n",
        sizes.rows_per_page, sizes.rounds
    ));
    let folder = tempfile::tempdir().context("a folder")?;
    let ready = ready_rows(&pages)?;
    let files = CopyFiles::write(folder.path(), ready.iter().map(Vec::as_slice))?;
    let (mut ours, mut copied, mut whole) = (Rates::default(), Rates::default(), Rates::default());
    for round in 0..sizes.rounds {
        let own = server.create_database(&format!("ours{round}")).await?;
        let other = server.create_database(&format!("copy{round}")).await?;
        files.create_tables(&other)?;
        for step in 0..2 {
            if (round + step) % 2 == 0 {
                let mut store = Ours::open(&own).await?;
                ours.add(rows, store.take_all(&pages).await?);
                store.close().await;
            } else {
                let started = Instant::now();
                ready_rows(&pages)?;
                let making = started.elapsed();
                let copying = files.copy(&other)?;
                copied.add(rows, copying);
                whole.add(rows, making + copying);
            }
        }
        let (own, other) = (digest(&own).await?, digest(&other).await?);
        ensure!(
            own == other && own.starts_with(&format!("{rows} ")),
            "{own} and {other} are stored"
        );
    }
    show(
        report,
        &[
            ("syncwatch", &ours),
            ("psql \\copy", &copied),
            ("parse, pack, then \\copy", &whole),
        ],
    );
    report.say("\nthe rows of both databases are the same, column by column");
    report.at_least("PostgreSQL, share of \\copy", ours.ratio_to(&copied), GOAL);
    Ok(())
}

/// Parses and packs all pages.
fn ready_rows(pages: &[String]) -> anyhow::Result<Vec<Vec<ReadyRow>>> {
    let mut packer = Packer::new()?;
    pages.iter().map(|page| packer.ready(page)).collect()
}

async fn digest(url: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(url).await.context("connect")?;
    let digest = sqlx::query_scalar(DIGEST)
        .fetch_one(&mut connection)
        .await
        .context("read the rows")?;
    connection.close().await.context("close")?;
    Ok(digest)
}
