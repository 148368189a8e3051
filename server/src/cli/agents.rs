//! `syncwatch agents`.

use clap::Args;
use syncwatch_domain::time::Timestamp;

use super::client::ClientArgs;
use super::table::Table;
use super::{Failed, Output, output};
use crate::http::shape::{Agent, Agents, Way};
use crate::words::{count, distance_or};

/// Which agents to list.
#[derive(Clone, Debug, Args)]
pub struct AgentsArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<String>,
}

/// Lists agents.
pub(super) async fn run(args: &AgentsArgs) -> Result<(), Failed> {
    let query: Vec<(&str, &str)> = args
        .tenant
        .iter()
        .map(|tenant| ("tenant", tenant.as_str()))
        .collect();
    let agents: Agents = args.client.client()?.get("/api/v1/agents", &query).await?;
    match args.client.output {
        Output::Json => output::json(&agents)?,
        Output::Text if agents.agents.is_empty() => output::text("no agents\n")?,
        Output::Text => output::text(&table(&agents.agents, agents.now).render(0))?,
    }
    Ok(())
}

fn table(agents: &[Agent], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        "STATE",
        "TENANT",
        "SERVER",
        "ROLES",
        "VERSION",
        "WAY",
        "LAST REPORT",
        "CLOCK",
        "WAITING",
        "LOST",
        "REMARK",
    ]);
    for agent in agents {
        let of_spool = |number: fn(&crate::http::shape::Spool) -> u64| {
            let spool = agent.spool.as_ref();
            spool.map_or_else(|| "-".to_owned(), |spool| number(spool).to_string())
        };
        table.row(vec![
            agent.health.as_str().to_owned(),
            agent.tenant.clone(),
            agent.host.clone(),
            or_dash(agent.roles_in_words()),
            or_dash(agent.version.clone().unwrap_or_default()),
            agent.way.map_or("-", Way::as_str).to_owned(),
            distance_or(agent.reported_at, now, "never"),
            or_dash(agent.clock_in_words()),
            of_spool(|spool| spool.waiting),
            of_spool(|spool| spool.lost),
            remark(agent),
        ]);
    }
    table
}

fn or_dash(text: String) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}

/// Why the agent is silent, or else which sections cannot be read.
fn remark(agent: &Agent) -> String {
    if agent.silent_since.is_some() {
        return agent.error.clone().unwrap_or_default();
    }
    let failing: Vec<&str> = agent
        .failing_sections()
        .map(|section| section.section.as_str())
        .collect();
    if failing.is_empty() {
        return String::new();
    }
    format!(
        "{} not read: {}",
        count(failing.len(), "section"),
        failing.join(", ")
    )
}
