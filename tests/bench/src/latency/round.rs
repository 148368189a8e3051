//! One fleet, both systems, one measured time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncwatch_tests::peers::Usage;

use super::fleet::{Fleet, now_ms};
use super::graph::Graph;
use super::ours::Ours;
use super::pair::{Pace, Pair};
use super::sink::{Arrivals, Sink};

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Lanes of the fleet.
    pub lanes: usize,
    /// How many of them stopped.
    pub stopped: usize,
    /// Over which time their deadlines are spread.
    pub spread: Duration,
    /// How long both systems get to know the fleet.
    pub warm_up: Duration,
    /// How the pair works.
    pub pace: Pace,
    /// Root of all chance.
    pub seed: u64,
}

/// What one system did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Milliseconds from deadline to arrival, of every lane that was told.
    pub late_ms: Vec<f64>,
    /// Told before the deadline.
    pub early: usize,
    /// Never told.
    pub lost: usize,
    /// Told about a lane that had not stopped, or about no lane.
    pub wrong: usize,
    /// Processor time over the measured time, in percent of one core.
    pub cpu_percent: f64,
    /// Peak memory in MiB.
    pub memory_mib: f64,
}

/// Both, measured at the same time.
#[derive(Clone, Debug)]
pub struct Both {
    /// syncwatch.
    pub ours: Outcome,
    /// Prometheus and Alertmanager together.
    pub pair: Outcome,
}

/// Runs both side by side.
///
/// # Errors
/// When a program is missing or does not do its part.
pub async fn run(plan: Plan) -> anyhow::Result<Both> {
    let warm_up = i64::try_from(plan.warm_up.as_millis())?;
    let spread = i64::try_from(plan.spread.as_millis())?;
    let begin_ms = now_ms() + warm_up;
    let fleet = Arc::new(Fleet::new(
        plan.lanes,
        plan.seed,
        plan.stopped,
        begin_ms,
        spread,
    ));
    let graph = Graph::start(Arc::clone(&fleet)).await?;
    let sink = Sink::start().await?;
    let ours = Ours::start(plan.lanes, graph.addr, sink.addr, plan.warm_up).await?;
    let pair = Pair::start(plan.pace, graph.addr, sink.addr).await?;
    anyhow::ensure!(
        now_ms() < begin_ms,
        "{:?} were not enough to get to know {} lanes",
        plan.warm_up,
        plan.lanes
    );
    wait_until(begin_ms - 1_000).await;
    let before = (ours.usage()?, pair.usage()?, now_ms());
    wait_until(begin_ms + spread).await;
    let after = (ours.usage()?, pair.usage()?, now_ms());
    let tail = plan.pace.look * 3 + plan.pace.wait + Duration::from_secs(5);
    wait_until(begin_ms + spread + i64::try_from(tail.as_millis())?).await;
    let took_ms = after.2 - before.2;
    Ok(Both {
        ours: outcome(&fleet, &sink.ours, &before.0, &after.0, took_ms),
        pair: outcome(&fleet, &sink.pair, &before.1, &after.1, took_ms),
    })
}

async fn wait_until(at_ms: i64) {
    let left = u64::try_from(at_ms - now_ms()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(left)).await;
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds and bytes of a measurement are far below 2^53"
)]
fn outcome(
    fleet: &Fleet,
    arrivals: &Arrivals,
    before: &Usage,
    after: &Usage,
    took_ms: i64,
) -> Outcome {
    let first = arrivals.first();
    let stopped: BTreeMap<usize, i64> = fleet.stopped().iter().copied().collect();
    let mut outcome = Outcome {
        wrong: first
            .keys()
            .filter(|lane| !stopped.contains_key(lane))
            .count()
            + arrivals.strange().len(),
        cpu_percent: (after.cpu.saturating_sub(before.cpu)).as_secs_f64() * 100_000.0
            / took_ms.max(1) as f64,
        memory_mib: after.peak_memory as f64 / 1024.0 / 1024.0,
        ..Outcome::default()
    };
    for (lane, deadline_ms) in &stopped {
        match first.get(lane) {
            None => outcome.lost += 1,
            Some(at) if at < deadline_ms => outcome.early += 1,
            Some(at) => outcome.late_ms.push((at - deadline_ms) as f64),
        }
    }
    outcome
}
