//! Measures the ingest of provisioning logs. `cargo run --release -p syncwatch-bench --bin ingest`

use clap::Parser;
use syncwatch_bench::ingest::{Part, Sizes, run};

/// Page bytes to committed rows, beside a bare rusqlite loop and psql's \copy.
#[derive(Debug, Parser)]
struct Options {
    /// Everything once with tiny sizes; speed is not judged.
    #[arg(long)]
    smoke: bool,
    /// Only these parts.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Rounds in place of the usual number.
    #[arg(long)]
    rounds: Option<u32>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut sizes = if options.smoke {
        Sizes::smoke()
    } else {
        Sizes::full()
    };
    if let Some(rounds) = options.rounds {
        (sizes.rounds, sizes.long_rounds) = (rounds, rounds);
    }
    run(sizes, &options.parts).await
}
