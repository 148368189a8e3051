//! `syncwatch lanes`.

use clap::Args;
use syncwatch_domain::cadence::IntervalBasis;
use syncwatch_domain::time::Timestamp;

use super::client::ClientArgs;
use super::table::Table;
use super::{Failed, Output, output};
use crate::http::shape::{Lane, Lanes};
use crate::words::distance_or;

/// Which lanes to list.
#[derive(Clone, Debug, Args)]
pub struct LanesArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only of this engine: connect, cloud.
    #[arg(long)]
    engine: Option<String>,
    /// Only of this kind: objects, password_hash.
    #[arg(long)]
    kind: Option<String>,
    /// Only with this status: unknown, on_time, late, missed, blind, paused.
    #[arg(long)]
    status: Option<String>,
}

/// Lists lanes.
pub(super) async fn run(args: &LanesArgs) -> Result<(), Failed> {
    let wanted = [
        ("tenant", &args.tenant),
        ("engine", &args.engine),
        ("kind", &args.kind),
        ("status", &args.status),
    ];
    let query: Vec<(&str, &str)> = wanted
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
        .collect();
    let lanes: Lanes = args.client.client()?.get("/api/v1/lanes", &query).await?;
    match args.client.output {
        Output::Json => output::json(&lanes)?,
        Output::Text if lanes.lanes.is_empty() => output::text("no lanes\n")?,
        Output::Text => output::text(&table(&lanes.lanes, lanes.now).render(0))?,
    }
    Ok(())
}

fn table(lanes: &[Lane], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "STATUS",
        "TENANT",
        "ENGINE",
        "KIND",
        "PARTITION",
        "LAST SUCCESS",
        "DEADLINE",
        "INTERVAL",
        "MISSED",
        "REMARK",
    ]);
    for lane in lanes {
        table.row(vec![
            lane.status.to_string(),
            lane.tenant.clone(),
            lane.engine.to_string(),
            lane.kind.to_string(),
            lane.partition.clone(),
            distance_or(lane.last_success_at, now, "never seen"),
            distance_or(lane.deadline_at, now, "-"),
            format!(
                "{} {}",
                lane.interval,
                lane.interval_basis
                    .map_or("documented", IntervalBasis::as_str)
            ),
            lane.missed_windows.to_string(),
            remark(lane, now),
        ]);
    }
    table
}

fn remark(lane: &Lane, now: Timestamp) -> String {
    if let Some(reason) = &lane.idle_reason {
        return reason.clone();
    }
    lane.source_failing_since.map_or_else(String::new, |since| {
        format!(
            "source not readable since {}",
            crate::words::span(now.since(since))
        )
    })
}
