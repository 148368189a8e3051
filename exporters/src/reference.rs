//! The reference of the metrics, generated from the catalogue.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::catalogue::{FAMILIES, Family, Kind, Label, Section, Values};

const INTRODUCTION: &str = "\
# Metrics

<!-- Made by `syncwatch generate` from the metric catalogue. Do not edit. -->

`/metrics` answers in the Prometheus text format 0.0.4 or in OpenMetrics 1.0.0, whichever the `Accept` header wants
more, and compresses with gzip where `Accept-Encoding` allows it. Instants are Unix time in seconds: an age is
`time() - <metric>`. Values that do not exist are left out, not zero. Labels come from closed sets or name things of
the config and the fleet; no user or object is ever a label. A label without a value is left out.

`syncwatch_lane_status` and `syncwatch_job_status` are state sets: one series per status, 1 for the one that holds.
They have the type gauge in both formats, because OpenMetrics would want the label to be named like the family. So is
`syncwatch_server_role`, only that a server can have several roles at once.

Prometheus keeps the label `job` for the name of the scrape: unless `honor_labels` is set, it calls the `job` of these
metrics `exported_job`. The board and the rules in `dashboards/` expect that.
";

/// The whole of `docs/metrics.md`.
#[must_use]
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in Section::ALL {
        let families = FAMILIES.iter().filter(|family| family.section == section);
        text.push_str("\n## ");
        text.push_str(section.title());
        text.push_str("\n\n| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n");
        families.for_each(|family| row(&mut text, family));
    }
    text.push_str("\n## Labels\n\n| Label | Values | In |\n| --- | --- | --- |\n");
    labels(&mut text);
    text
}

fn row(text: &mut String, family: &Family) {
    let names = family
        .labels
        .iter()
        .map(|label| format!("`{}`", label.name))
        .collect::<Vec<_>>()
        .join(", ");
    let kind = match family.head.kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        Kind::Info => "info",
        Kind::Untyped => "untyped",
    };
    writeln!(
        text,
        "| `{}` | {kind} | {names} | {} |",
        family.head.name, family.head.help
    )
    .expect("writing to memory does not fail");
}

/// One row per label and set of values: `status` means different things for lanes and for jobs.
fn labels(text: &mut String) {
    let mut rows = BTreeSet::new();
    for label in FAMILIES.iter().flat_map(|family| family.labels) {
        rows.insert((label.name, values(label)));
    }
    for (name, values) in rows {
        let has = |family: &&&Family| {
            family
                .labels
                .iter()
                .any(|label| label.name == name && self::values(label) == values)
        };
        let users = FAMILIES.iter().filter(has).collect::<Vec<_>>();
        let users = match users.as_slice() {
            [one] => format!("`{}`", one.head.name),
            several => format!("{} metrics", several.len()),
        };
        writeln!(text, "| `{name}` | {values} | {users} |")
            .expect("writing to memory does not fail");
    }
}

fn values(label: &Label) -> String {
    let quoted = |words: &[&str]| {
        words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match label.values {
        Values::Words(words) => quoted(words),
        Values::Names(what) => what.to_owned(),
        Values::CodeOr(words) => format!("HTTP status code, or {}", quoted(words)),
    }
}
