//! `syncwatch owners`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use syncwatch_domain::owner::{ObjectType, Owner};

use super::client::ClientArgs;
use super::table::Table;
use super::{Failed, Output, output};
use crate::http::shape::{Count, Owners};

/// Which owners to list.
#[derive(Clone, Debug, Args)]
pub struct OwnersArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// Only of this tenant; with JSON then also what changed last.
    #[arg(long)]
    tenant: Option<String>,
}

/// Lists how many objects each owner has.
pub(super) async fn run(args: &OwnersArgs) -> Result<(), Failed> {
    let query: Vec<(&str, &str)> = args
        .tenant
        .iter()
        .map(|tenant| ("tenant", tenant.as_str()))
        .collect();
    let owners: Owners = args.client.client()?.get("/api/v1/owners", &query).await?;
    match args.client.output {
        Output::Json => output::json(&owners)?,
        Output::Text if owners.counts.is_empty() => output::text("no synced objects\n")?,
        Output::Text => output::text(&table(&owners.counts).render(0))?,
    }
    Ok(())
}

/// One line per tenant, domain and type; one column per owner.
fn table(counts: &[Count]) -> Table {
    let mut head = vec!["TENANT", "DOMAIN", "TYPE"];
    head.extend(Owner::ALL.iter().map(|owner| owner.as_str()));
    let mut table = Table::new(&head);
    let lines: BTreeSet<(&str, &str, ObjectType)> = counts
        .iter()
        .map(|count| (count.tenant.as_str(), count.domain.as_str(), count.kind))
        .collect();
    let known: BTreeMap<_, i64> = counts
        .iter()
        .map(|count| {
            let line = (count.tenant.as_str(), count.domain.as_str(), count.kind);
            ((line, count.owner), count.objects)
        })
        .collect();
    for line in lines {
        let (tenant, domain, kind) = line;
        let domain = if domain.is_empty() { "-" } else { domain };
        let mut cells = vec![tenant.to_owned(), domain.to_owned(), kind.to_string()];
        cells.extend(Owner::ALL.iter().map(|owner| {
            let objects = known.get(&(line, *owner));
            objects.map_or_else(|| "-".to_owned(), ToString::to_string)
        }));
        table.row(cells);
    }
    table
}
