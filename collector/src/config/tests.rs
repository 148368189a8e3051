#![expect(clippy::unwrap_used, reason = "tests")]

mod agents;

use serde_json::{Value, json};

use super::*;

const GUID: &str = "8e61b7d4-93a0-4f5c-b2c8-07f1a6d3e594";

/// A section that holds together, with `changes` on top; `null` removes a key.
fn section(changes: &Value) -> TenantSection {
    let mut section = json!({
        "name": "larch", "id": "larch.example", "client_id": GUID, "client_secret": "damson"
    });
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            section.as_object_mut().unwrap().remove(key);
        } else {
            section[key] = value.clone();
        }
    }
    serde_json::from_value(section).unwrap()
}

fn paths(changes: &Value) -> Vec<String> {
    let problems = section(changes).check().err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.path).collect()
}

#[test]
fn a_short_section_is_enough() {
    let tenant = section(&json!({})).check().unwrap();
    assert_eq!(tenant.graph_url.as_str(), "https://graph.microsoft.com/");
    assert_eq!(
        tenant.login_url.as_str(),
        "https://login.microsoftonline.com/"
    );
    assert_eq!(
        tenant.poll(Poll::Jobs),
        PollSettings::documented(Poll::Jobs)
    );
    assert_eq!(tenant.client_id(), Some(GUID));
    assert!(!format!("{tenant:?}").contains("damson"));
}

#[test]
fn every_cloud_has_its_hosts() {
    for (cloud, graph, login) in [
        ("global", "graph.microsoft.com", "login.microsoftonline.com"),
        ("us_gov", "graph.microsoft.us", "login.microsoftonline.us"),
        (
            "us_gov_dod",
            "dod-graph.microsoft.us",
            "login.microsoftonline.us",
        ),
        (
            "china",
            "microsoftgraph.chinacloudapi.cn",
            "login.chinacloudapi.cn",
        ),
    ] {
        let tenant = section(&json!({ "cloud": cloud })).check().unwrap();
        assert_eq!(tenant.graph_url.host_str(), Some(graph));
        assert_eq!(tenant.login_url.host_str(), Some(login));
        assert_eq!(tenant.scope(), format!("https://{graph}/.default"));
    }
    let partner =
        json!({ "cloud": "china", "login_url": "https://login.partner.microsoftonline.cn" });
    let tenant = section(&partner).check().unwrap();
    assert!(
        Cloud::China
            .login_urls()
            .iter()
            .any(|url| tenant.login_url.as_str().starts_with(url))
    );
}

#[test]
fn a_proxy_in_front_of_graph_changes_no_scope() {
    let tenant = section(&json!({ "graph_url": "https://proxy.larch.example/graph" }))
        .check()
        .unwrap();
    assert_eq!(tenant.scope(), "https://graph.microsoft.com/.default");
}

#[test]
fn each_mistake_is_found_at_its_key() {
    for (changes, path) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "La rch"}), "name"),
        (json!({"id": "larch"}), "id"),
        (json!({"id": "common"}), "id"),
        (json!({"id": "-x.example"}), "id"),
        (json!({"client_id": "my app"}), "client_id"),
        (json!({"client_id": null}), "client_id"),
        (json!({"client_secret": "  "}), "client_secret"),
        (json!({"client_secret": null}), "client_secret_file"),
        (json!({"client_secret_file": "/x"}), "client_secret_file"),
        (
            json!({"federated_token_file": "/x"}),
            "federated_token_file",
        ),
        (
            json!({"client_secret": null, "certificate_file": "/x"}),
            "private_key_file",
        ),
        (
            json!({"client_secret": null, "private_key_file": "/x"}),
            "certificate_file",
        ),
        (
            json!({"client_secret": null, "managed_identity": {"kind": "vm"}}),
            "client_id",
        ),
        (
            json!({"client_secret": null, "client_id": null, "managed_identity": {"client_id": "x"}}),
            "managed_identity.client_id",
        ),
        (
            json!({"client_secret": null, "client_id": null, "managed_identity": {"endpoint": "http://10.0.0.1"}}),
            "managed_identity.endpoint",
        ),
        (json!({"graph_url": "graph.microsoft.com"}), "graph_url"),
        (
            json!({"graph_url": "http://graph.microsoft.com"}),
            "graph_url",
        ),
        (
            json!({"graph_url": "http://127.0.0.1.evil.example"}),
            "graph_url",
        ),
        (
            json!({"graph_url": "https://u:p@graph.microsoft.com"}),
            "graph_url",
        ),
        (
            json!({"graph_url": "https://graph.microsoft.com?x=1"}),
            "graph_url",
        ),
        (json!({"graph_url": "ftp://127.0.0.1"}), "graph_url"),
        (json!({"login_url": "http://192.168.1.1"}), "login_url"),
        (
            json!({"service_principals": [GUID, "x"]}),
            "service_principals[1]",
        ),
        (
            json!({"provisioning_page_size": 0}),
            "provisioning_page_size",
        ),
        (
            json!({"provisioning_page_size": 1001}),
            "provisioning_page_size",
        ),
        (json!({"log_overlap": "31d"}), "log_overlap"),
        (json!({"log_requests": 0}), "log_requests"),
        (json!({"request_timeout": "500ms"}), "request_timeout"),
        (json!({"request_timeout": "56s"}), "request_timeout"),
        (
            json!({"connect_actors": ["", "svc-sync"]}),
            "connect_actors[0]",
        ),
    ] {
        assert_eq!(paths(&changes), [path], "{changes}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let changes =
        json!({"name": "", "id": "", "graph_url": "x", "login_url": "y", "log_requests": 0});
    assert_eq!(
        paths(&changes),
        ["name", "id", "log_requests", "graph_url", "login_url"]
    );
    assert!(
        section(&changes)
            .check()
            .unwrap_err()
            .iter()
            .all(|problem| problem.hint.is_some())
    );
}

#[test]
fn loopback_addresses_may_be_plain_http() {
    for url in [
        "http://127.0.0.1:9",
        "http://localhost:9",
        "http://[::1]:9",
        "http://127.8.0.1",
    ] {
        section(&json!({ "graph_url": url, "login_url": url }))
            .check()
            .unwrap();
    }
}

#[test]
fn keys_and_words_that_do_not_exist_are_refused() {
    for wrong in [
        json!({"secret": "x"}),
        json!({"cloud": "mars"}),
        json!({"polls": {"printers": {}}}),
        json!({"polls": {"jobs": {"period": "5s"}}}),
        json!({"polls": {"jobs": {"schedule": "0s"}}}),
        json!({"log_overlap": "2 hours"}),
        json!({"managed_identity": {"kind": "arc"}}),
        json!({"connect_lanes": "always"}),
    ] {
        assert!(
            serde_json::from_value::<TenantSection>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_poll_keeps_its_schedule_when_it_is_switched_off() {
    let polls = json!({"polls": {"agents": {"enabled": false}, "jobs": {"schedule": "5s"}}});
    let tenant = section(&polls).check().unwrap();
    assert!(!tenant.poll(Poll::Agents).enabled);
    assert_eq!(
        tenant.poll(Poll::Agents).schedule,
        default_schedule(Poll::Agents)
    );
    assert_eq!(tenant.poll(Poll::Jobs).schedule, "5s".parse().unwrap());
}

#[test]
fn two_tenants_of_one_name_are_refused() {
    let checked = check_all(&[
        section(&json!({})),
        section(&json!({})),
        section(&json!({"name": "fir"})),
    ]);
    let found: Vec<_> = checked
        .problems
        .iter()
        .map(|(index, problem)| (*index, problem.path.as_str()))
        .collect();
    assert_eq!(found, [(1, "name")]);
}

#[test]
fn files_of_the_credential_are_looked_at() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/auth/fixtures/");
    let check = |certificate: &str, key: &str| {
        let files = json!({
            "client_secret": null,
            "certificate_file": format!("{folder}{certificate}"),
            "private_key_file": format!("{folder}{key}"),
        });
        let problems = section(&files).check().unwrap().check_files();
        problems
            .into_iter()
            .map(|problem| problem.path)
            .collect::<Vec<_>>()
    };
    assert!(check("rsa.cert.pem", "rsa.pkcs1.pem").is_empty());
    assert_eq!(
        check("other.cert.pem", "rsa.pkcs1.pem"),
        ["private_key_file"]
    );
    assert_eq!(
        check("rsa.pkcs1.pem", "rsa.pkcs1.pem"),
        ["certificate_file"]
    );
    assert_eq!(
        check("none.pem", "none.pem"),
        ["certificate_file", "private_key_file"]
    );
}

#[test]
fn the_schema_explains_every_key_and_knows_the_defaults() {
    let schema = serde_json::to_value(schemars::schema_for!(TenantSection)).unwrap();
    for (key, property) in schema["properties"].as_object().unwrap() {
        assert!(
            property["description"]
                .as_str()
                .is_some_and(|text| text.len() > 15),
            "{key}"
        );
    }
    assert_eq!(schema["properties"]["log_overlap"]["default"], "2h");
    assert_eq!(schema["additionalProperties"], false);
}
