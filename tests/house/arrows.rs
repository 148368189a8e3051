//! Which crate may import which.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Package, PackageId};

use crate::rooms::non_test_code;
use crate::workspace::{assert_none, metadata, sources};

const EVERYTHING: &[&str] = &[
    "syncwatch-domain",
    "syncwatch-store",
    "syncwatch-collector",
    "syncwatch-alerting",
    "syncwatch-exporters",
    "syncwatch",
    "syncwatch-agent",
    "syncwatch-simulator",
    "syncwatch-tests",
];

/// Each crate of ours with those of ours it may import. Collector, alerting and exporters meet in the store; the
/// simulator knows nothing of ours, so that it cannot agree with our mistakes.
const ARROWS: &[(&str, &[&str])] = &[
    ("syncwatch-domain", &[]),
    ("syncwatch-store", &["syncwatch-domain"]),
    (
        "syncwatch-collector",
        &["syncwatch-store", "syncwatch-domain"],
    ),
    (
        "syncwatch-alerting",
        &["syncwatch-store", "syncwatch-domain"],
    ),
    (
        "syncwatch-exporters",
        &["syncwatch-store", "syncwatch-domain"],
    ),
    (
        "syncwatch",
        &[
            "syncwatch-domain",
            "syncwatch-store",
            "syncwatch-collector",
            "syncwatch-alerting",
            "syncwatch-exporters",
            "syncwatch-agent",
            "syncwatch-simulator",
        ],
    ),
    // What stands on a sync server brings no database and no alerting with it.
    ("syncwatch-agent", &["syncwatch-domain"]),
    ("syncwatch-simulator", &[]),
    ("syncwatch-tests", EVERYTHING),
    ("syncwatch-bench", EVERYTHING),
];

/// What a pure crate cannot be built on: runtimes, databases, protocols, sockets.
const NOT_PURE: &[&str] = &[
    "async-io",
    "axum",
    "h2",
    "http",
    "hyper",
    "lettre",
    "mio",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
    "tower",
    "ureq",
];

/// Database drivers, and who may import one.
const DRIVERS: &[&str] = &["sqlx", "rusqlite"];
const SQL_ROOMS: &[&str] = &["syncwatch-store", "syncwatch-tests", "syncwatch-bench"];

fn members() -> Vec<&'static Package> {
    metadata().workspace_packages()
}

/// Crates of the workspace that a crate names in any of its dependency tables.
fn imports(package: &Package) -> BTreeSet<&str> {
    let ours = members()
        .into_iter()
        .map(|member| member.name.as_str())
        .collect::<BTreeSet<_>>();
    package
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| ours.contains(name))
        .collect()
}

#[test]
fn every_crate_imports_only_what_its_room_allows() {
    let allowed = ARROWS.iter().copied().collect::<BTreeMap<_, _>>();
    let mut findings = Vec::new();
    for package in members() {
        let Some(may) = allowed.get(package.name.as_str()) else {
            findings.push(format!(
                "{} has no line in the table of arrows",
                package.name
            ));
            continue;
        };
        let forbidden = imports(package)
            .into_iter()
            .filter(|name| !may.contains(name));
        findings.extend(forbidden.map(|name| format!("{} must not import {name}", package.name)));
    }
    assert_none("arrows between crates", &findings);
}

#[test]
fn every_room_of_the_table_exists() {
    let names = members()
        .into_iter()
        .map(|package| package.name.as_str())
        .collect::<BTreeSet<_>>();
    let missing = ARROWS
        .iter()
        .filter(|(name, _)| !names.contains(name))
        .map(|(name, _)| (*name).to_owned());
    assert_none(
        "crates of the table that do not exist",
        &missing.collect::<Vec<_>>(),
    );
}

/// Everything `start` is built on at run time, directly or not.
fn run_time_closure(start: &PackageId) -> BTreeSet<&'static str> {
    let metadata = metadata();
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node.id == *id).unwrap();
        for dependency in &node.deps {
            let at_run_time = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if at_run_time && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen.into_iter()
        .map(|id| metadata[id].name.as_str())
        .collect()
}

#[test]
fn domain_is_built_on_no_runtime_database_or_protocol() {
    let closure = |name: &str| {
        let package = members()
            .into_iter()
            .find(|package| package.name == name)
            .unwrap();
        run_time_closure(&package.id)
    };
    let domain = closure("syncwatch-domain");
    let findings = NOT_PURE
        .iter()
        .filter(|name| domain.contains(*name))
        .map(ToString::to_string);
    assert_none(
        "impure crates under the domain",
        &findings.collect::<Vec<_>>(),
    );
    assert!(
        closure("syncwatch-store").contains("tokio"),
        "the closure finds nothing"
    );
}

#[test]
fn database_drivers_are_imported_by_the_store_alone() {
    let mut findings = Vec::new();
    for package in members()
        .into_iter()
        .filter(|package| !SQL_ROOMS.contains(&package.name.as_str()))
    {
        // A test may hold a lock on the database, as another program would.
        let drivers = package.dependencies.iter().filter(|dependency| {
            dependency.kind != DependencyKind::Development
                && DRIVERS.contains(&dependency.name.as_str())
        });
        findings.extend(drivers.map(|driver| format!("{} imports {}", package.name, driver.name)));
    }
    assert_none("only the store speaks SQL", &findings);
}

#[test]
fn of_the_server_only_the_demo_imports_the_simulator_and_the_agent() {
    let others = sources(&["server"]).filter(|file| !file.starts_with("server/src/demo"));
    let findings = others.filter(|file| {
        non_test_code(file).iter().any(|(_, line)| {
            line.contains("syncwatch_simulator") || line.contains("syncwatch_agent")
        })
    });
    assert_none(
        "only the demo may import the simulator and the agent",
        &findings.cloned().collect::<Vec<_>>(),
    );
}
