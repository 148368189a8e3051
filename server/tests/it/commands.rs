//! The commands, as people and scripts call them.

use crate::support::{Site, config_text, orchard, said, syncwatch};

/// Runs a command beside a running service without keeping its runtime from working.
async fn beside(site: &Site, args: &[&str]) -> std::process::Output {
    let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    args.extend(["--url".to_owned(), site.url.clone()]);
    tokio::task::spawn_blocking(move || {
        syncwatch(&args.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await
    .unwrap()
}

/// The same text whatever port the service got.
fn told(output: &std::process::Output, site: &Site) -> String {
    said(output)
        .replace(&site.url, "http://service")
        .replace(env!("CARGO_PKG_VERSION"), "*")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reading_commands_print_aligned_tables() {
    let site = Site::start("", orchard).await.judged().await;
    insta::assert_snapshot!("status", told(&beside(&site, &["status"]).await, &site));
    insta::assert_snapshot!(
        "nagios",
        told(&beside(&site, &["status", "--nagios"]).await, &site)
    );
    insta::assert_snapshot!("lanes_table", told(&beside(&site, &["lanes"]).await, &site));
    insta::assert_snapshot!(
        "alerts_table",
        told(&beside(&site, &["alerts", "--all"]).await, &site)
    );
    let none = beside(&site, &["lanes", "--tenant", "meadow"]).await;
    assert_eq!(String::from_utf8_lossy(&none.stdout), "no lanes\n");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_output_is_what_the_api_says() {
    let site = Site::start("", orchard).await.judged().await;
    for (command, path) in [
        ("lanes", "/api/v1/lanes"),
        ("alerts", "/api/v1/alerts"),
        ("status", "/api/v1/status"),
        ("agents", "/api/v1/agents"),
    ] {
        let output = beside(&site, &[command, "--output", "json"]).await;
        let printed: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        assert_eq!(printed, site.get(path).await.json(), "{command}");
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_on_time_is_good_and_no_lane_at_all_cannot_be_told() {
    let site = Site::start("", async |_| {}).await;
    assert_eq!(beside(&site, &["status"]).await.status.code(), Some(3));
    assert_eq!(
        beside(&site, &["status", "--nagios"]).await.status.code(),
        Some(3)
    );
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_a_failure_with_the_reason() {
    let site = Site::start("", async |_| {}).await;
    let output = beside(&site, &["lanes", "--status", "down"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("on_time"), "{}", said(&output));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn test_notify_tells_each_receiver_and_exits_with_the_outcome() {
    let site = Site::start(
        "\n[[receiver]]\nname = \"tickets\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/tulip\"\n",
        async |_| {},
    )
    .await;
    let output = beside(&site, &["test-notify"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("not delivered") && !said(&output).contains("tulip"),
        "{}",
        said(&output)
    );
    let unknown = beside(&site, &["test-notify", "--receiver", "nobody"]).await;
    assert!(
        said(&unknown).contains("receivers are: tickets"),
        "{}",
        said(&unknown)
    );
    site.end().await;
}

#[test]
fn a_service_that_is_not_there_is_said_in_one_sentence() {
    for args in [
        &["status"][..],
        &["lanes"],
        &["alerts"],
        &["agents"],
        &["test-notify"],
    ] {
        let output = syncwatch(&[args, &["--url", "http://127.0.0.1:9"]].concat());
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(
            said(&output).contains("cannot reach the service at http://127.0.0.1:9"),
            "{}",
            said(&output)
        );
    }
    let nagios = syncwatch(&["status", "--nagios", "--url", "http://127.0.0.1:9"]);
    assert_eq!(nagios.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&nagios.stdout).starts_with("SYNCWATCH UNKNOWN - cannot reach"),
        "{}",
        said(&nagios)
    );
}

#[test]
fn the_address_is_taken_from_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syncwatch.toml");
    let text = config_text(&folder, "").replace("127.0.0.1:0", "0.0.0.0:9");
    std::fs::write(&path, text).unwrap();
    let output = syncwatch(&["lanes", "--config", path.to_str().unwrap()]);
    assert!(
        said(&output).contains("http://127.0.0.1:9"),
        "{}",
        said(&output)
    );
}

#[test]
fn check_config_tells_good_from_bad() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syncwatch.toml");
    let path_text = path.to_str().unwrap();
    let check = || syncwatch(&["check-config", "--config", path_text]);

    std::fs::write(&path, config_text(&folder, "")).unwrap();
    let good = check();
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(
        said(&good).contains("1 tenant, 0 receivers") && said(&good).contains("remark: "),
        "{}",
        said(&good)
    );
    assert!(!said(&good).contains("tulip"), "{}", said(&good));

    let missing =
        "\n[[receiver]]\nname = \"noc\"\nkind = \"teams\"\nurl_file = \"/nowhere/teams\"\n";
    std::fs::write(&path, config_text(&folder, missing)).unwrap();
    let missing = check();
    assert_eq!(missing.status.code(), Some(78));
    assert!(
        said(&missing).contains("receiver[0].url_file") && said(&missing).contains("line "),
        "{}",
        said(&missing)
    );

    std::fs::write(&path, "[server]\nlisen = \"x\"\n").unwrap();
    let bad = syncwatch(&["check-config", "--config", path_text, "--output", "json"]);
    assert_eq!(bad.status.code(), Some(78));
    let report: serde_json::Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(
        report["problems"].as_array().map(Vec::len),
        Some(2),
        "{report}"
    );
    assert_eq!(report["problems"][0]["key"], "server.lisen");

    let nowhere = syncwatch(&["check-config", "--config", "/nowhere/syncwatch.toml"]);
    assert_eq!(nowhere.status.code(), Some(78));
}

/// A configuration for the tenant of a simulated Graph.
fn simulated(
    folder: &tempfile::TempDir,
    sim: &syncwatch_simulator::Running,
    secret: &str,
) -> String {
    let credentials = &sim.credentials()[0];
    let path = folder.path().join("live.toml");
    let text = format!(
        "[[tenant]]\nname = \"{}\"\nid = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{secret}\"\n\
         graph_url = \"{}\"\nlogin_url = \"{}\"\n",
        credentials.tenant,
        credentials.tenant_id,
        credentials.client_id,
        credentials.graph_url,
        credentials.login_url
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_config_live_signs_in_and_lists_the_rights() {
    syncwatch::install_crypto();
    let clock = std::sync::Arc::new(syncwatch_simulator::SystemClock);
    let story = syncwatch_simulator::Story::demo();
    let sim =
        syncwatch_simulator::Simulator::start(story, clock, syncwatch_simulator::Ports::free())
            .await
            .unwrap();
    let secret = sim.credentials()[0].client_secret.clone().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let check = async |path: String, output: &'static str| {
        let run = move || {
            syncwatch(&[
                "check-config",
                "--live",
                "--config",
                &path,
                "--output",
                output,
            ])
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };

    let path = simulated(&folder, &sim, &secret);
    let good = check(path.clone(), "text").await;
    assert!(!said(&good).contains(&secret), "{}", said(&good));
    insta::assert_snapshot!("check_config_live", said(&good).replace(&path, "live.toml"));
    let json: serde_json::Value =
        serde_json::from_slice(&check(path, "json").await.stdout).unwrap();
    assert_eq!(json["tenants"][0]["signed_in"], true, "{json}");

    let wrong = check(simulated(&folder, &sim, "tulip-wrong"), "text").await;
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    assert!(
        said(&wrong).contains("cannot sign in") && !said(&wrong).contains("tulip"),
        "{}",
        said(&wrong)
    );
    sim.stop().await;
}

#[test]
fn every_command_refuses_a_bad_configuration_in_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syncwatch.toml");
    std::fs::write(&path, "[store]\nurl = \"mysql://root:tulip@db/x\"\n").unwrap();
    for command in [
        "run",
        "check-config",
        "migrate",
        "status",
        "lanes",
        "alerts",
        "agents",
        "test-notify",
    ] {
        let output = syncwatch(&[command, "--config", path.to_str().unwrap()]);
        assert_eq!(
            output.status.code(),
            Some(78),
            "{command}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains("line 2, column 1: store.url"),
            "{command}: {}",
            said(&output)
        );
        assert!(
            !said(&output).contains("tulip"),
            "{command}: {}",
            said(&output)
        );
    }
}

#[test]
fn migrate_makes_the_database_and_may_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syncwatch.toml");
    std::fs::write(&path, config_text(&folder, "")).unwrap();
    for _ in 0..2 {
        let output = syncwatch(&["migrate", "--config", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("has schema"), "{}", said(&output));
    }
    let text = config_text(&folder, "").replace("syncwatch.db", "no/such/folder/syncwatch.db");
    std::fs::write(&path, text).unwrap();
    let output = syncwatch(&["migrate", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("check the rights of the file and of its folder"),
        "{}",
        said(&output)
    );
}

#[test]
fn usage_errors_exit_2_and_version_tells_the_build() {
    assert_eq!(syncwatch(&["lanez"]).status.code(), Some(2));
    assert_eq!(
        syncwatch(&["status", "--nagios", "--output", "json"])
            .status
            .code(),
        Some(2)
    );
    let version = syncwatch(&["version", "--output", "json"]);
    let version: serde_json::Value = serde_json::from_slice(&version.stdout).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}
