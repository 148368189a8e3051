//! Reading a page of the provisioning log: the product's way beside owned structs.

mod owned;

use std::hint::black_box;
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure, opt_out};
use anyhow::{Context, ensure};
use syncwatch_collector::parse::provisioning;
use syncwatch_simulator::bulk::Source;

use crate::report::{Report, short};
use crate::stats::{median, number};

/// At least so many times as fast as owned structs.
const SPEED_GOAL: f64 = 2.5;
/// At most this share of the heap of owned structs.
const HEAP_GOAL: f64 = 1.0 / 50.0;
const SEED: u64 = 20_261_122;
/// The most rows a page can be asked to have.
const MOST_ROWS: usize = 1000;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Rows of a page, as Graph is asked for them.
    pub rows_per_page: u32,
    /// Pages per contender and round.
    pub pages: u32,
    /// Rounds; every contender runs once in each.
    pub rounds: usize,
    /// Too small to judge speed.
    pub smoke: bool,
}

impl Sizes {
    /// The sizes the goals speak of.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            rows_per_page: 1000,
            pages: 50,
            rounds: 9,
            smoke: false,
        }
    }

    /// Everything once, as small as it can be.
    #[must_use]
    pub const fn smoke() -> Self {
        Self {
            rows_per_page: 200,
            pages: 2,
            rounds: 1,
            smoke: true,
        }
    }
}

/// A way to read a page; gives how many of its rows failed, so that no way can do without reading.
struct Contender {
    name: &'static str,
    read: fn(&[u8]) -> anyhow::Result<u64>,
}

const CONTENDERS: [Contender; 4] = [
    Contender {
        name: "syncwatch",
        read: of_product,
    },
    Contender {
        name: "syncwatch, one row at a time",
        read: of_product_streamed,
    },
    Contender {
        name: "serde_json, owned structs",
        read: owned::failures,
    },
    Contender {
        name: "serde_json::Value",
        read: of_value,
    },
];
/// The contender that the goals compare with.
const YARDSTICK: usize = 2;

/// As the poll reads a page: every row in hand at the same time, in the form that the store takes.
fn of_product(page: &[u8]) -> anyhow::Result<u64> {
    let page = black_box(provisioning::wanted(page, MOST_ROWS, |_| true)?);
    let failed = page.rows.iter().filter(|row| row.error_code.is_some());
    Ok(failed.count() as u64)
}

/// Row by row, none kept.
fn of_product_streamed(page: &[u8]) -> anyhow::Result<u64> {
    let mut failures = 0;
    for row in provisioning::rows(page)? {
        failures += u64::from(black_box(row?).error_code.is_some());
    }
    Ok(failures)
}

fn of_value(page: &[u8]) -> anyhow::Result<u64> {
    let page: serde_json::Value = black_box(serde_json::from_slice(page)?);
    let rows = page["value"].as_array().context("no rows")?;
    Ok(rows
        .iter()
        .filter(|row| row["provisioningStatusInfo"]["errorInformation"].is_object())
        .count() as u64)
}

/// Measures all contenders.
///
/// # Errors
/// When a page cannot be read, contenders disagree, or a goal is missed.
pub fn run(sizes: Sizes) -> anyhow::Result<()> {
    let mut report = Report::open("parse: pages of the provisioning log", sizes.smoke);
    let source = Source::new(SEED);
    let pages: Vec<String> = (0..sizes.pages)
        .map(|page| source.page(page * sizes.rows_per_page, sizes.rows_per_page, None))
        .collect();
    let bytes = number(pages.iter().map(String::len).sum::<usize>() as u64);
    let rows = u64::from(sizes.pages) * u64::from(sizes.rows_per_page);
    report.say(format!(
        "{} pages of {} events, {} bytes each, the same for all, one process, {} rounds in changing order.\n\
         Heap: the most a reader holds at a time while it reads one page, the page itself not counted; allocations are\n\
         counted by the allocator of this process, which the timed rounds tell not to count.\n",
        sizes.pages,
        sizes.rows_per_page,
        short(bytes / number(rows)),
        sizes.rounds
    ));
    let expected = (CONTENDERS[YARDSTICK].read)(pages.first().context("a page")?.as_bytes())?;
    let times = times(&pages, sizes.rounds)?;
    let heaps: Vec<AllocationInfo> = CONTENDERS
        .iter()
        .map(|way| heap(way, &pages[0], expected))
        .collect::<Result<_, _>>()?;
    let rate = |at: usize| bytes / 1e6 / median(&times[at]);
    let speed = |at: usize| {
        let ratios: Vec<f64> = times[YARDSTICK]
            .iter()
            .zip(&times[at])
            .map(|(owned, own)| owned / own)
            .collect();
        median(&ratios)
    };
    let share = |at: usize| number(heaps[at].bytes_max) / number(heaps[YARDSTICK].bytes_max);
    let mut table = vec![
        [
            "reader",
            "MB/s",
            "times owned",
            "heap KiB",
            "owned is x of it",
            "allocations per event",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for (at, way) in CONTENDERS.iter().enumerate() {
        table.push(vec![
            way.name.to_owned(),
            short(rate(at)),
            short(speed(at)),
            short(number(heaps[at].bytes_max) / 1024.0),
            short(1.0 / share(at)),
            short(number(heaps[at].count_total) / f64::from(sizes.rows_per_page)),
        ]);
    }
    report.table(&table);
    report.say("");
    report.at_least("speed, times owned structs", speed(0), SPEED_GOAL);
    report.at_most("heap, share of owned structs'", share(0), HEAP_GOAL);
    report.close()
}

/// Seconds each contender took for all pages, one figure per round.
fn times(pages: &[String], rounds: usize) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::new(); CONTENDERS.len()];
    for round in 0..rounds {
        for step in 0..CONTENDERS.len() {
            let at = (round + step) % CONTENDERS.len();
            times[at].push(time(&CONTENDERS[at], pages)?.as_secs_f64());
        }
    }
    Ok(times)
}

fn time(way: &Contender, pages: &[String]) -> anyhow::Result<Duration> {
    let mut outcome = Ok(0);
    let mut took = Duration::ZERO;
    opt_out(|| {
        let started = Instant::now();
        outcome = pages.iter().map(|page| (way.read)(page.as_bytes())).sum();
        took = started.elapsed();
    });
    ensure!(
        outcome.with_context(|| way.name.to_owned())? > 0,
        "{} found no failure",
        way.name
    );
    Ok(took)
}

fn heap(way: &Contender, page: &str, expected: u64) -> anyhow::Result<AllocationInfo> {
    let mut outcome = Ok(0);
    let info = measure(|| outcome = (way.read)(page.as_bytes()));
    let found = outcome?;
    ensure!(
        found == expected,
        "{} found {found} failures, others {expected}",
        way.name
    );
    Ok(info)
}
