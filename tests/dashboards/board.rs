//! What the board asks for, as Prometheus gets to see it.

use anyhow::Context;
use serde_json::Value;

/// Grafana's own variables, and those of the board with "All" picked.
const VARIABLES: [(&str, &str); 3] = [
    ("$__rate_interval", "30s"),
    ("$tenant", ".*"),
    ("$engine", ".*"),
];

/// A query of the board.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// Title of its panel, or name of its variable.
    pub(crate) place: String,
    pub(crate) expr: String,
}

/// Every query of a board: of its panels and of its variables.
pub(crate) fn queries(board: &str) -> anyhow::Result<Vec<Query>> {
    let board: Value = serde_json::from_str(board).context("the board is no JSON")?;
    let panels = board["panels"]
        .as_array()
        .context("the board has no panels")?;
    let mut queries = Vec::new();
    for panel in panels {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expr = target["expr"]
                .as_str()
                .with_context(|| format!("a query without expression: {target}"))?;
            queries.push(Query {
                place: text(&panel["title"]),
                expr: filled(expr),
            });
        }
    }
    for variable in board["templating"]["list"]
        .as_array()
        .context("the board has no variables")?
    {
        if variable["type"] == "query" {
            let expr = values_of(&text(&variable["query"]["query"]))?;
            queries.push(Query {
                place: format!("${}", text(&variable["name"])),
                expr,
            });
        }
    }
    Ok(queries)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn filled(expr: &str) -> String {
    VARIABLES
        .iter()
        .fold(expr.to_owned(), |expr, (name, value)| {
            expr.replace(name, value)
        })
}

/// `label_values(metric, label)` is Grafana's own function: it lists the values that this expression groups by.
fn values_of(query: &str) -> anyhow::Result<String> {
    let inside = query
        .strip_prefix("label_values(")
        .and_then(|rest| rest.strip_suffix(')'));
    let (metric, label) = inside
        .and_then(|inside| inside.split_once(','))
        .with_context(|| format!("unknown query {query:?}"))?;
    Ok(format!("count by ({}) ({metric})", label.trim()))
}
