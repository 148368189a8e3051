//! Every mistake in one report, with place and hint.

use syncwatch::config::{Place, load};

fn report_with(text: &str, variables: &[(&str, &str)]) -> String {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    match load("syncwatch.toml", text, variables) {
        Ok(config) => panic!("there is no mistake in it: {config:?}"),
        Err(report) => report.to_string(),
    }
}

fn report(text: &str) -> String {
    report_with(text, &[])
}

/// A mistake in every section, of every kind.
const WRONG: &str = r#"
[server]
lisen = "127.0.0.1:9747"
log_format = "jsn"
log_level = "chatty"
shutdown_grace = 25
external_url = "ftp://watch.orchard.example"
instance = " "

[store]
url = "mysql://root:tulip@db/x"
url_file = "/run/secrets/url"
[store.retention]
cycles = "3 months"
alerts = "0s"

[[tenant]]
nam = "orchard"
id = "common"
client_id = "x"
client_secret = 734512
polls.jobs.schedule = "often"
polls.jbs.enabled = true
provisioning_page_size = 5000
service_principals = ["y", 5]

[[tenant.agent]]
url = "https://agent.orchard.example"

[[tenant]]
name = "meadow"
cloud = "mars"

[lanes.cloud.objects]
interval = "20m"
late_after = "10h"
grace = "15 minutes"

[lanes.connect.password_hash]
interval = "2m"
late_after = "1h"
grace = "10m"

[[lanes.override]]
tenant = "nobody"
kind = "objekts"

[[lanes.override]]
engine = "cloud"
interval = "0s"

[[lanes.override]]
engine = "connect"

[alerts]
blind_after = 180
group_from = -1
digest = "daily"

[[receiver]]
name = "noc"
kind = "mail"
host = "smtp.orchard.example"
port = "25"
from = "x"
to = "noc@orchard.example"

[[receiver]]
kind = "pager"

[[route]]
receivers = ["nocc"]
min_severity = "hig"
match = { tenant = 5 }

[[maintenance]]
from = 2026-01-01

[report]
at = "08:00"

[colour]
x = 1
"#;

#[test]
fn every_mistake_of_every_section_is_in_one_report() {
    let variables = [
        ("SYNCWATCH__SERVER__PORT", "1"),
        ("SYNCWATCH__TENANT__7__NAME", "x"),
        ("SYNCWATCH__ALERTS__JOB_FAILURES", "many"),
        ("SYNCWATCH__", "x"),
        ("SYNCWATCH_CONFIG", "not an override"),
    ];
    let report = report_with(WRONG, &variables);
    assert!(
        !report.contains("tulip") && !report.contains("734512"),
        "{report}"
    );
    insta::assert_snapshot!(report);
}

#[test]
fn an_empty_file_lacks_a_tenant_and_nothing_else() {
    insta::assert_snapshot!(report(""));
}

#[test]
fn broken_toml_does_not_hide_mistakes_on_other_lines() {
    insta::assert_snapshot!(report(
        "[server]\nlisten = 127.0.0.1:9747\ncolour = 1\n\n[store\nurl = \"sqlite:a.db\"\n\n\
         [[receiver]]\nname = \"noc\nkind = \"mail\"\nhots = \"x\"\n"
    ));
}

#[test]
fn one_missing_key_is_one_problem() {
    let tenant = |line: &str| {
        format!(
            "[[tenant]]\nname = \"orchard\"\nid = \"orchard.example\"\n\
             client_id = \"00000000-0000-4000-8000-000000000002\"\n{line}\n"
        )
    };
    for line in [
        "client_secrt_file = \"x\"",
        "client_secret_file = 5",
        "client_secret = [\"a\"]",
    ] {
        let report = report(&tenant(line));
        assert!(report.contains("1 problem\n"), "{line}: {report}");
        assert!(report.contains("line 5"), "{line}: {report}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_needs_no_quotes() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n[[tenant]]\nname = \"orchard\"\nid = \"orchard.example\"\n";
    let variables = [
        ("SYNCWATCH__SERVER__LISTEN", "127.0.0.1:2"),
        ("SYNCWATCH__SERVER__LOG_FORMAT", "json"),
        (
            "SYNCWATCH__TENANT__0__CLIENT_ID",
            "00000000-0000-4000-8000-000000000002",
        ),
        ("SYNCWATCH__TENANT__0__CLIENT_SECRET", "12345"),
        ("SYNCWATCH__TENANT__0__PROVISIONING_PAGE_SIZE", "500"),
        ("SYNCWATCH__TENANT__0__POLLS__JOBS__ENABLED", "false"),
        ("SYNCWATCH__LANES__CLOUD__OBJECTS__INTERVAL", "10m"),
        ("SYNCWATCH__RECEIVER__0__NAME", "noc"),
        ("SYNCWATCH__RECEIVER__0__KIND", "mail"),
        ("SYNCWATCH__RECEIVER__0__HOST", "smtp.orchard.example"),
        ("SYNCWATCH__RECEIVER__0__FROM", "a@orchard.example"),
        ("SYNCWATCH__RECEIVER__0__TO", "[\"b@orchard.example\"]"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config =
        load("syncwatch.toml", text, variables).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.tenants[0].provisioning_page_size, 500);
    assert_eq!(config.notifications.receivers[0].name, "noc");
    let printed = format!("{config:?}");
    assert!(!printed.contains("12345"), "{printed}");
}

#[test]
fn places_count_lines_and_characters() {
    let text = "# ä\n[server]\nlisten = \"x\"\n";
    assert_eq!(
        syncwatch::config::place_of(text, "server.listen"),
        Place::File { line: 3, column: 1 }
    );
    assert_eq!(
        syncwatch::config::place_of(text, "server.instance"),
        Place::File { line: 2, column: 2 }
    );
    assert_eq!(
        syncwatch::config::place_of(text, "tenant[0].id"),
        Place::Whole
    );
}

#[test]
fn the_defaults_are_those_of_the_reference() {
    let text = "[[tenant]]\nname = \"orchard\"\nid = \"orchard.example\"\nclient_secret = \"x\"\n\
                client_id = \"00000000-0000-4000-8000-000000000002\"\n";
    let config = load("syncwatch.toml", text, []).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9747");
    assert_eq!(config.store.retention.observations.as_secs(), 30 * 86_400);
    assert_eq!(
        config.lanes.rules.len(),
        4,
        "one rule per engine and kind, all empty"
    );
    assert!(
        config
            .lanes
            .rules
            .iter()
            .all(|rule| rule.interval.is_none() && rule.paused.is_none())
    );
}
