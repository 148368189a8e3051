//! Measures how owners of objects are found. `cargo run --release -p syncwatch-bench --bin owners`

use clap::Parser;
use syncwatch_bench::owners::{Sizes, run};

/// Where a million objects lie in the scopes of two engines, beside one pass of memchr over the same bytes.
#[derive(Debug, Parser)]
struct Options {
    /// Everything once with tiny sizes; speed is not judged.
    #[arg(long)]
    smoke: bool,
}

fn main() -> anyhow::Result<()> {
    run(if Options::parse().smoke {
        Sizes::smoke()
    } else {
        Sizes::full()
    })
}
