//! Boards and alert rules ask for what the catalogue offers: names, labels, and the words of closed sets.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::catalogue::{FAMILIES, Family};

/// Labels that Prometheus adds, or that belong to a type.
const OTHERS: [&str; 3] = ["job", "instance", "le"];

/// What Prometheus calls a label of ours: the name it uses itself is taken.
fn scraped_name(label: &str) -> &str {
    if label == "job" {
        "exported_job"
    } else {
        label
    }
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../dashboards")
        .join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An expression, and the template of its legend.
struct Query {
    expr: String,
    legend: String,
}

/// What a board asks for: queries of panels and of variables.
fn of_board(text: &str) -> Vec<Query> {
    fn collect(value: &Value, found: &mut Vec<Query>) {
        let of = |key: &str| value.get(key).and_then(Value::as_str);
        if let Some(expr) = of("expr").or_else(|| of("query").filter(|query| query.contains('('))) {
            found.push(Query {
                expr: expr.to_owned(),
                legend: of("legendFormat").unwrap_or_default().to_owned(),
            });
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(
        &serde_json::from_str(text).expect("a board is JSON"),
        &mut found,
    );
    found
}

/// The expressions of a rule file: behind `expr:`, on the same line or as a block below it.
fn of_rules(text: &str) -> Vec<Query> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let begins = |(at, line): (usize, &&str)| {
        let expr = line.trim_start().strip_prefix("expr:")?.trim();
        if expr != "|" {
            return Some(expr.to_owned());
        }
        let block = lines[at + 1..]
            .iter()
            .take_while(|below| indent(below) > indent(line));
        Some(block.copied().collect::<Vec<_>>().join("\n"))
    };
    let found = lines.iter().enumerate().filter_map(begins);
    found
        .map(|expr| Query {
            expr,
            legend: String::new(),
        })
        .collect()
}

/// A metric in an expression: its family and what stands in the braces behind it.
struct Selector<'a> {
    name: &'a str,
    matchers: &'a str,
}

fn selectors(expr: &str) -> Vec<Selector<'_>> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts = expr
        .match_indices("syncwatch_")
        .chain(expr.match_indices("process_"));
    let whole = starts.filter(|(at, _)| !expr[..*at].ends_with(is_name));
    whole
        .map(|(at, _)| {
            let rest = &expr[at..];
            let name = &rest[..rest.find(|letter| !is_name(letter)).unwrap_or(rest.len())];
            let braces = rest[name.len()..]
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'));
            Selector {
                name,
                matchers: braces.map_or("", |(inside, _)| inside),
            }
        })
        .collect()
}

/// Label names of `by (...)`, `on (...)` and the like.
fn grouped(expr: &str) -> BTreeSet<&str> {
    let lists = [
        "by (",
        "without (",
        "on (",
        "ignoring (",
        "group_left (",
        "group_right (",
    ];
    let inside = lists
        .iter()
        .flat_map(|list| expr.split(list).skip(1))
        .filter_map(|rest| rest.split(')').next());
    inside
        .flat_map(|labels| labels.split(','))
        .map(str::trim)
        .collect()
}

/// What is wrong with a query.
fn problems(query: &Query) -> Vec<String> {
    let mut found = Vec::new();
    let mut offered = BTreeSet::from(OTHERS);
    for selector in selectors(&query.expr) {
        let family = FAMILIES.iter().find(|family| {
            family
                .sample_names()
                .iter()
                .any(|name| name == selector.name)
        });
        let Some(family) = family else {
            found.push(format!("{} does not exist", selector.name));
            continue;
        };
        let own = family.labels.iter().map(|label| label.name);
        for label in own.filter(|label| scraped_name(label) != *label) {
            // Grouping by the scrape in its place would be a silent mistake.
            offered.remove(label);
        }
        offered.extend(family.labels.iter().map(|label| scraped_name(label.name)));
        found.extend(wrong_matchers(family, selector.matchers));
    }
    let legend = query
        .legend
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next())
        .map(str::trim);
    let asked = grouped(&query.expr).into_iter().chain(legend);
    found.extend(
        asked
            .filter(|label| !offered.contains(label))
            .map(|label| format!("no label {label} in {:?}", query.expr)),
    );
    found
}

fn wrong_matchers(family: &Family, matchers: &str) -> Vec<String> {
    let mut found = Vec::new();
    // None of the values has a comma in it.
    for matcher in matchers
        .split(',')
        .map(str::trim)
        .filter(|matcher| !matcher.is_empty())
    {
        let (name, rest) = matcher
            .split_once(['=', '!'])
            .unwrap_or_else(|| panic!("no operator in {matcher:?}"));
        if OTHERS.contains(&name) {
            continue;
        }
        let Some(label) = family
            .labels
            .iter()
            .find(|label| scraped_name(label.name) == name)
        else {
            found.push(format!("{} has no label {name}", family.name()));
            continue;
        };
        let value = rest.trim_start_matches(['=', '~']).trim_matches('"');
        let words = value.split('|').filter(|word| !word.starts_with('$'));
        found.extend(
            words
                .filter(|word| !label.values.admits(word))
                .map(|word| format!("{}: no {name} is {word:?}", family.name())),
        );
    }
    found
}

/// The queries, after it was made sure that there are as many as expected at least.
fn check(file: &str, queries: &[Query], at_least: usize) {
    assert!(
        queries.len() >= at_least,
        "{file}: only {} queries were found",
        queries.len()
    );
    let found = queries.iter().flat_map(problems).collect::<Vec<_>>();
    assert!(found.is_empty(), "{file}:\n{}", found.join("\n"));
}

#[test]
fn board_asks_for_what_the_catalogue_offers() {
    check(
        "grafana/noc-wall.json",
        &of_board(&read("grafana/noc-wall.json")),
        48,
    );
}

#[test]
fn alert_rules_ask_for_what_the_catalogue_offers() {
    check(
        "prometheus/syncwatch.rules.yml",
        &of_rules(&read("prometheus/syncwatch.rules.yml")),
        19,
    );
}

#[test]
fn alert_rules_are_tested_with_series_that_exist() {
    let text = read("prometheus/syncwatch.rules.test.yml");
    let series = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- series:"));
    // Tests write `name{a="b", c="d"}` like a query does.
    let queries = series
        .map(|series| Query {
            expr: series.replace(", ", ","),
            legend: String::new(),
        })
        .collect::<Vec<_>>();
    check("prometheus/syncwatch.rules.test.yml", &queries, 60);
}

#[test]
fn mistakes_in_queries_are_found() {
    for (expr, legend, problem) in [
        (
            "syncwatch_lane_state",
            "",
            "syncwatch_lane_state does not exist",
        ),
        (
            r#"syncwatch_lane_status{state="late"}"#,
            "",
            "syncwatch_lane_status has no label state",
        ),
        (
            r#"syncwatch_lane_status{status=~"late|mised"}"#,
            "",
            r#"syncwatch_lane_status: no status is "mised""#,
        ),
        (
            "sum by (tennant) (syncwatch_alerts)",
            "",
            r#"no label tennant in "sum by (tennant) (syncwatch_alerts)""#,
        ),
        (
            "max by (job) (syncwatch_job_status)",
            "",
            r#"no label job in "max by (job) (syncwatch_job_status)""#,
        ),
        (
            "syncwatch_alerts",
            "{{lane}}",
            r#"no label lane in "syncwatch_alerts""#,
        ),
        (
            "rate(syncwatch_poll_duration_seconds[5m])",
            "",
            "syncwatch_poll_duration_seconds does not exist",
        ),
    ] {
        let query = Query {
            expr: expr.to_owned(),
            legend: legend.to_owned(),
        };
        assert_eq!(problems(&query), [problem]);
    }
}
