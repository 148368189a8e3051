//! Milliseconds from deadline to webhook, beside Prometheus with Alertmanager.

use std::time::Duration;

use clap::Parser;
use syncwatch_bench::latency::pair::{DEFAULT, Pace, TIGHTEST};
use syncwatch_bench::latency::round::{Both, Outcome, Plan, run};
use syncwatch_bench::report::{Report, short};
use syncwatch_bench::stats::{maximum, percentile};

#[derive(Parser)]
#[command(about)]
struct Options {
    /// Sizes of the fleet.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    lanes: Vec<usize>,
    /// Lanes that stop in each round.
    #[arg(long, default_value_t = 60)]
    stopped: usize,
    /// Seconds over which their deadlines are spread.
    #[arg(long, default_value_t = 60)]
    spread: u64,
    /// Seconds both systems get to know the fleet; 0 for what its size needs.
    #[arg(long, default_value_t = 0)]
    warm_up: u64,
    /// Only against the tightest pair.
    #[arg(long)]
    tightest_only: bool,
    /// A tiny round: proves that it works, says nothing about speed.
    #[arg(long)]
    smoke: bool,
    /// Root of all chance.
    #[arg(long, default_value_t = 2_026)]
    seed: u64,
}

fn row(name: &str, outcome: &Outcome) -> Vec<String> {
    let late = &outcome.late_ms;
    vec![
        name.to_owned(),
        short(percentile(late, 50)),
        short(percentile(late, 99)),
        short(maximum(late)),
        format!("{}/{}/{}", outcome.early, outcome.lost, outcome.wrong),
        short(outcome.cpu_percent),
        short(outcome.memory_mib),
    ]
}

fn judge(report: &mut Report, lanes: usize, pace: Pace, both: &Both) {
    let (ours, pair) = (&both.ours, &both.pair);
    let ratio = |f: fn(&[f64]) -> f64| f(&pair.late_ms) / f(&ours.late_ms).max(0.5);
    if pace.look == TIGHTEST.look {
        if lanes >= 100_000 {
            report.at_most("p50 in ms", percentile(&ours.late_ms, 50), 10.0);
            report.at_most("p99 in ms", percentile(&ours.late_ms, 99), 100.0);
            report.at_most(
                "share of the pair's processor time",
                ours.cpu_percent / pair.cpu_percent.max(0.01),
                0.1,
            );
            report.at_most(
                "share of the pair's memory",
                ours.memory_mib / pair.memory_mib,
                0.2,
            );
        } else {
            report.at_least(
                "p50, times lower",
                ratio(|late| percentile(late, 50)),
                100.0,
            );
            report.at_least("max, times lower", ratio(maximum), 50.0);
        }
    }
    let amiss = ours.early + ours.lost + ours.wrong;
    report.at_most(
        "early, lost or wrong",
        f64::from(u32::try_from(amiss).unwrap_or(u32::MAX)),
        0.0,
    );
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        options.lanes = vec![50];
        (options.stopped, options.spread, options.tightest_only) = (5, 5, true);
        options.warm_up = options.warm_up.max(30);
    }
    let mut report = Report::open("From deadline to webhook", options.smoke);
    report.say(
        "One fleet, shown to syncwatch as jobs of a Graph and to Prometheus as time stamps, in one run. Stopped lanes \
         have seeded deadlines; 2 % of what Graph lists is out of order. syncwatch: default settings, SQLite with full \
         sync, webhook over HTTP. Pair: each lane its own group.",
    );
    let paces: &[Pace] = if options.tightest_only {
        &[TIGHTEST]
    } else {
        &[TIGHTEST, DEFAULT]
    };
    for lanes in options.lanes.clone() {
        for pace in paces {
            let warm_up = if options.warm_up > 0 {
                options.warm_up
            } else {
                40 + lanes as u64 / 1_000
            };
            let plan = Plan {
                lanes,
                stopped: options.stopped,
                spread: Duration::from_secs(options.spread),
                warm_up: Duration::from_secs(warm_up),
                pace: *pace,
                seed: options.seed ^ lanes as u64,
            };
            let both = run(plan).await?;
            report.heading(&format!("{lanes} lanes, pair at {}", pace.name));
            let heads = [
                "",
                "p50 ms",
                "p99 ms",
                "max ms",
                "early/lost/wrong",
                "CPU % of a core",
                "peak MiB",
            ];
            report.table(&[
                heads.map(str::to_owned).to_vec(),
                row("syncwatch", &both.ours),
                row("Prometheus + Alertmanager", &both.pair),
            ]);
            judge(&mut report, lanes, *pace, &both);
        }
    }
    report.close()
}
