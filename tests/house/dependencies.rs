//! What we build on: why each of it, under which licence, from where.

use std::collections::BTreeSet;

use cargo_metadata::Package;
use toml::{Table, Value};

use crate::workspace::{assert_none, files, metadata, read};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn table(file: &str) -> Table {
    read(file)
        .parse()
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The dependencies declared in the root, without our own crates.
fn declared() -> BTreeSet<String> {
    let root = table("Cargo.toml");
    let all = root["workspace"]["dependencies"].as_table().unwrap();
    all.iter()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name.clone())
        .collect()
}

/// The member packages' manifests with their dependency tables.
fn member_tables() -> Vec<(&'static String, Vec<Table>)> {
    let manifests = files().iter().filter(|file| file.ends_with("/Cargo.toml"));
    manifests
        .map(|file| {
            let manifest = table(file);
            let targets = manifest.get("target").and_then(Value::as_table);
            let targets = targets.into_iter().flat_map(Table::values);
            let parts: Vec<&Table> = std::iter::once(&manifest)
                .chain(targets.filter_map(Value::as_table))
                .collect();
            let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
            let tables = parts.into_iter().flat_map(|part| {
                let of = |name: &&str| part.get(*name).and_then(Value::as_table).cloned();
                kinds.iter().filter_map(of).collect::<Vec<_>>()
            });
            (file, tables.collect())
        })
        .collect()
}

/// First cells of the table in the document, which are crate names in backticks.
fn explained() -> BTreeSet<String> {
    let text = read("docs/dependencies.md");
    let rows = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_dependency_is_explained_in_one_line() {
    let (declared, explained) = (declared(), explained());
    let missing = declared
        .difference(&explained)
        .map(|name| format!("{name}: no line in docs/dependencies.md"));
    let stale = explained
        .difference(&declared)
        .map(|name| format!("{name}: explained, but not a dependency"));
    assert_none(
        "docs/dependencies.md",
        &missing.chain(stale).collect::<Vec<_>>(),
    );
}

#[test]
fn lines_about_dependencies_say_what_for_and_why() {
    let text = read("docs/dependencies.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let thin = rows.filter(|row| {
        row.split('|')
            .skip(1)
            .take(3)
            .any(|cell| cell.trim().is_empty())
    });
    assert_none(
        "rows with an empty cell",
        &thin.map(str::to_owned).collect::<Vec<_>>(),
    );
}

#[test]
fn members_take_their_dependencies_from_the_workspace() {
    let mut findings = Vec::new();
    for (file, tables) in member_tables() {
        let own = tables
            .iter()
            .flatten()
            .filter(|(_, value)| value.get("workspace").is_none());
        findings.extend(own.map(|(name, _)| format!("{file}: {name} has a version of its own")));
    }
    assert_none("dependencies outside the workspace's list", &findings);
}

#[test]
fn every_declared_dependency_is_used_by_a_member() {
    let used = member_tables()
        .into_iter()
        .flat_map(|(_, tables)| tables)
        .flat_map(|table| table.keys().cloned().collect::<Vec<_>>());
    let used = used.collect::<BTreeSet<_>>();
    let unused = declared().difference(&used).cloned().collect::<Vec<_>>();
    assert_none("declared in Cargo.toml and used by nobody", &unused);
}

fn foreign() -> impl Iterator<Item = &'static Package> {
    metadata()
        .packages
        .iter()
        .filter(|package| package.source.is_some())
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let deny = table("deny.toml");
    let allowed = deny["licenses"]["allow"].as_array().unwrap();
    let allowed = allowed
        .iter()
        .map(|name| spdx::license_id(name.as_str().unwrap()).unwrap())
        .collect::<Vec<_>>();
    let is_allowed = |package: &Package| {
        let text = package.license.as_deref().unwrap_or_default();
        let Ok(expression) = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX) else {
            return false;
        };
        expression.evaluate(|needed| needed.license.id().is_some_and(|id| allowed.contains(&id)))
    };
    let findings = metadata()
        .packages
        .iter()
        .filter(|package| !is_allowed(package));
    let findings = findings.map(|package| {
        format!(
            "{} {}: {:?}",
            package.name, package.version, package.license
        )
    });
    assert_none(
        "licences that are not allowed",
        &findings.collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_that_deny_toml_bans_is_built_in() {
    let deny = table("deny.toml");
    let banned = deny["bans"]["deny"].as_array().unwrap();
    let banned = banned
        .iter()
        .map(|entry| entry["crate"].as_str().unwrap())
        .collect::<BTreeSet<_>>();
    assert!(
        banned.contains("openssl-sys"),
        "the list of bans is not read"
    );
    let findings = foreign().filter(|package| banned.contains(package.name.as_str()));
    assert_none(
        "banned crates",
        &findings
            .map(|package| package.name.to_string())
            .collect::<Vec<_>>(),
    );
}

#[test]
fn everything_foreign_comes_from_the_crate_registry() {
    let elsewhere = foreign().filter(|package| package.source.as_ref().unwrap().repr != CRATES_IO);
    let findings = elsewhere.map(|package| format!("{} from {:?}", package.name, package.source));
    assert_none("crates from elsewhere", &findings.collect::<Vec<_>>());
    assert!(foreign().count() > 50, "the list of packages is not read");
}
