//! `syncwatch alerts`.

use clap::Args;
use syncwatch_domain::alert::Alert;
use syncwatch_domain::time::Timestamp;

use super::client::ClientArgs;
use super::table::Table;
use super::{Failed, Output, output};
use crate::http::shape::Alerts;
use crate::words::{distance, waits};

/// Which alerts to list.
#[derive(Clone, Debug, Args)]
pub struct AlertsArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// Also those that are over.
    #[arg(long)]
    all: bool,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<String>,
}

/// Lists alerts.
pub(super) async fn run(args: &AlertsArgs) -> Result<(), Failed> {
    let mut query = vec![("state", if args.all { "all" } else { "firing" })];
    query.extend(args.tenant.as_deref().map(|tenant| ("tenant", tenant)));
    let alerts: Alerts = args.client.client()?.get("/api/v1/alerts", &query).await?;
    match args.client.output {
        Output::Json => output::json(&alerts)?,
        Output::Text if alerts.alerts.is_empty() => output::text("no alerts\n")?,
        Output::Text => output::text(&table(&alerts.alerts, alerts.now).render(0))?,
    }
    Ok(())
}

/// Alerts as a table, in the order given.
pub(super) fn table(alerts: &[Alert], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "STATE", "SEVERITY", "BEGAN", "RULE", "TENANT", "SUBJECT", "SUMMARY",
    ]);
    for alert in alerts {
        table.row(vec![
            alert.state.to_string(),
            alert.severity.to_string(),
            distance(alert.occurred_at, now),
            alert.rule.to_string(),
            alert.subject.tenant.clone(),
            alert.subject.title.clone(),
            summary(alert, now),
        ]);
    }
    table
}

fn summary(alert: &Alert, now: Timestamp) -> String {
    match alert.speaks_at {
        Some(at) => format!("{} ({})", alert.summary, waits(at, now)),
        None => alert.summary.clone(),
    }
}
