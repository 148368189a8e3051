//! Measures how pages of the provisioning log are read. `cargo run --release -p syncwatch-bench --bin parse`

use clap::Parser;
use syncwatch_bench::parse::{Sizes, run};

/// The product's parser beside serde_json into owned structs: speed and heap.
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
