#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::at::At;
use super::forms::{Forms, cut_off};
use super::sections::{Printed, needs, run};
use super::*;
use crate::times::{Span, parse_ms};

mod logs;
mod story;

const SECTIONS: [&str; 15] = [
    "scheduler",
    "connector_status",
    "runs",
    "password_sync",
    "events",
    "connectors",
    "rules",
    "settings",
    "company_features",
    "database",
    "reachability",
    "services",
    "versions",
    "pending_exports",
    "containers",
];
const STAFF: &str = "OU=Staff,DC=ad,DC=hauser,DC=example";

fn begin() -> i64 {
    parse_ms("2026-11-17T08:00:00Z").unwrap()
}

/// Instant so many minutes after the begin.
fn after(minutes: i64) -> i64 {
    begin() + minutes * 60_000
}

fn server() -> SyncServer {
    let domains = ["ad.hauser.example", "nordwall.example"];
    let mut server = SyncServer::connect("SYNC01", begin(), "hauser", &domains);
    server.directory.push(Entry {
        dn: STAFF.to_owned(),
        id: "0b6f3c52-74ce-4d0c-9a53-0a4b5f3c1d01".to_owned(),
    });
    server
}

fn arguments(section: &str) -> Value {
    match section {
        "runs" => json!({ "most": 40, "userNames": false }),
        "events" => json!({ "most": 10_000, "hours": 24, "userNames": false, "bookmarks": [] }),
        "containers" => {
            json!({ "containers": [{ "DistinguishedName": STAFF, "ObjectGuid": null }] })
        }
        _ => json!({}),
    }
}

fn forms(server: &SyncServer, raw: bool) -> Forms {
    Forms {
        raw,
        offset_ms: i64::from(server.utc_offset_minutes) * 60_000,
        ahead_ms: server.clock_ahead.as_ms(),
    }
}

fn ask(server: &SyncServer, now: i64, section: &str, arguments: &Value) -> Printed {
    run(
        &At::new(server, now),
        forms(server, false),
        section,
        arguments,
    )
}

/// Rows of a section that was read without an error.
fn rows(server: &SyncServer, now: i64, section: &str) -> Vec<Value> {
    let printed = ask(server, now, section, &arguments(section));
    assert_eq!(printed.errors, Vec::<Value>::new(), "{section}");
    printed.rows
}

fn row(server: &SyncServer, now: i64, section: &str) -> Value {
    let mut rows = rows(server, now, section);
    assert_eq!(rows.len(), 1, "{section}");
    rows.remove(0)
}

#[test]
fn the_same_file_and_time_give_the_same_answers() {
    let written = serde_json::to_string(&server()).unwrap();
    let read: SyncServer = serde_json::from_str(&written).unwrap();
    for section in SECTIONS {
        assert!(needs(section).is_some(), "{section}");
        let found = rows(&server(), after(7), section);
        assert_eq!(found, rows(&read, after(7), section), "{section}");
        // At that moment no connector happens to be busy.
        assert_eq!(found.is_empty(), section == "connector_status", "{section}");
    }
}

#[test]
fn what_comes_later_changes_nothing_that_was() {
    let troubles = [
        Trouble::WizardOpen,
        Trouble::CycleHung,
        Trouble::Staging,
        Trouble::PasswordSyncLost {
            domain: "nordwall.example".to_owned(),
        },
        Trouble::ExportErrors { count: 2 },
        Trouble::ServiceStopped {
            name: "ADSync".to_owned(),
        },
    ];
    for trouble in troubles {
        let changed = server().with(Span::mins(60), trouble.clone());
        for section in SECTIONS {
            let before = rows(&server(), after(59), section);
            assert_eq!(
                before,
                rows(&changed, after(59), section),
                "{trouble:?} {section}"
            );
        }
    }
}

#[test]
fn other_servers_have_other_chances_and_the_same_shape() {
    let other = SyncServer::connect("SYNC02", begin(), "hauser", &["ad.hauser.example"]);
    let ids = |server: &SyncServer| {
        let rows = rows(server, after(7), "runs");
        let ids = rows
            .iter()
            .map(|row| row["RunHistoryId"].as_str().unwrap().to_owned());
        ids.collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&server()).len(), 40, "every run has an id of its own");
    assert!(ids(&server()).is_disjoint(&ids(&other)));
}

#[test]
fn without_connect_its_sections_are_absent_and_the_others_read() {
    let mut agent = SyncServer::bare("SYNC03", begin());
    agent.cloud_agent = Some(CloudAgent {
        version: "1.1.1370.0".to_owned(),
    });
    for section in SECTIONS {
        let printed = ask(&agent, after(7), section, &arguments(section));
        let absent = printed
            .errors
            .iter()
            .any(|error| error["ErrorId"] == "SyncwatchAbsent");
        let of_connect = !["services", "versions", "events", "containers"].contains(&section);
        assert_eq!(absent, of_connect, "{section}");
    }
    let names: Vec<_> = rows(&agent, after(7), "services")
        .iter()
        .map(|row| row["Name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["AzureADConnectAgentUpdater", "AADConnectProvisioningAgent"]
    );
}

#[test]
fn values_that_nobody_casts_are_those_of_windows_powershell() {
    let mut server = server();
    server.utc_offset_minutes = 60;
    let at = At::new(&server, after(7));
    let raw = run(&at, forms(&server, true), "runs", &arguments("runs"));
    let cast = run(&at, forms(&server, false), "runs", &arguments("runs"));
    let ticks = raw.rows[0]["StartDate"].as_str().unwrap();
    let ticks: i64 = ticks
        .trim_start_matches("/Date(")
        .trim_end_matches(")/")
        .parse()
        .unwrap();
    let true_ms = parse_ms(cast.rows[0]["StartDate"].as_str().unwrap()).unwrap();
    assert_eq!(ticks, true_ms - 3_600_000, "taken for local time");
    let scheduler = run(&at, forms(&server, true), "scheduler", &json!({}));
    let interval = &scheduler.rows[0]["AllowedSyncCycleInterval"];
    assert_eq!(
        (&interval["Minutes"], &interval["Ticks"]),
        (&json!(30), &json!(18_000_000_000_i64))
    );
    assert_eq!(scheduler.rows[0]["NextSyncCyclePolicyType"], 1);
}

#[test]
fn what_lies_too_deep_becomes_the_name_of_its_type() {
    let cut = cut_off(rows(&server(), after(7), "connectors").remove(0), 3);
    let partition = &cut["Partitions"][0];
    assert_eq!(partition["DN"], "DC=ad,DC=hauser,DC=example");
    let scope = partition["ConnectorPartitionScope"].as_str().unwrap();
    assert!(
        scope.starts_with("Microsoft.IdentityManagement."),
        "{scope}"
    );
    assert_eq!(partition["PreferredDCs"], "dc01.ad.hauser.example");
}

#[test]
fn a_clock_that_is_ahead_shows_in_every_instant() {
    let mut ahead = server();
    ahead.clock_ahead = Span::mins(9);
    let next = |server: &SyncServer| {
        let next = row(server, after(7), "scheduler")["NextSyncCycleStartTimeInUTC"].take();
        parse_ms(next.as_str().unwrap()).unwrap()
    };
    assert_eq!(next(&ahead), next(&server()) + 9 * 60_000);
}
