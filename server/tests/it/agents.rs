//! Agents on sync servers, on every surface.

use serde_json::{Value, json};
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, ReadFailure, SourceKey};
use syncwatch_domain::sync_server::{Part, fact_name};
use syncwatch_store::{Fact, PollCommit, PollOutcome};

use crate::support::{Answer, Site, client, minutes_ago, now, said, syncwatch};

const AGENTS: &str = "[[tenant.agent]]\nhost = \"SYNC01\"\ntoken = \"tulip-agent-of-sync01\"\n\
    [[tenant.agent]]\nhost = \"SYNC02\"\ntoken = \"tulip-agent-of-sync02\"\n\
    [[tenant.agent]]\nhost = \"SYNC03\"\ntoken = \"tulip-agent-of-sync03\"\nsilent_after = \"1h\"\n";

fn record(seq: u64, section: &str, data: &Value) -> Value {
    json!({
        "seq": seq, "section": section, "collected_at": minutes_ago(2), "elapsed": {"run": "r", "ms": 480_000},
        "outcome": "read", "data": data,
    })
}

fn failed(seq: u64, section: &str, text: &str) -> Value {
    json!({
        "seq": seq, "section": section, "collected_at": minutes_ago(2), "elapsed": {"run": "r", "ms": 480_000},
        "outcome": "failed", "failure": "access_denied", "failure_text": text,
    })
}

/// Sends what the agent on `host` has read; `change` makes the batch a special one.
async fn report(site: &Site, host: &str, records: &[Value], change: impl FnOnce(&mut Value)) {
    let mut batch = json!({
        "schema": 1,
        "agent": {"id": format!("agent on {host}"), "host": host, "version": "0.1.0", "system": "Windows Server 2022",
                  "roles": ["connect_active", "cloud_agent"]},
        "sent_at": now(), "elapsed": {"run": "r", "ms": 600_000},
        "spool": {"id": "spool-1", "first": 1, "next": records.len() + 1},
        "records": records,
    });
    change(&mut batch);
    let request = client()
        .post(format!("{}/agent/v1/reports", site.url))
        .header("content-type", "application/json")
        .bearer_auth(format!("tulip-agent-of-{}", host.to_lowercase()))
        .body(batch.to_string());
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// A server that is well but for one section, one whose agent fell silent, one that never reported.
async fn site() -> Site {
    let site = Site::start(AGENTS, async |_| {}).await;
    let records = [
        record(
            41,
            "scheduler",
            &json!([{
                "AllowedSyncCycleInterval": "00:30:00", "CurrentlyEffectiveSyncCycleInterval": "00:30:00",
                "CustomizedSyncCycleInterval": null, "NextSyncCyclePolicyType": "Delta",
                "NextSyncCycleStartTimeInUTC": "2026-03-10T12:13:30.0000000Z", "SyncCycleEnabled": true,
                "MaintenanceEnabled": true, "StagingModeEnabled": false, "SchedulerSuspended": true, "SyncCycleInProgress": false,
            }]),
        ),
        record(
            42,
            "versions",
            &json!([
                {"Product": "connect", "Version": "2.6.92.0"}, {"Product": "provisioning_agent", "Version": "1.1.2102.0"},
            ]),
        ),
        record(
            43,
            "database",
            &json!([{"IsLocalDBInstalled": true, "UsedSpaceInMb": 6912.44}]),
        ),
        record(
            44,
            "services",
            &json!([
                {"Name": "ADSync", "DisplayName": "Microsoft Entra ID Sync", "Status": "Running", "StartType": "Automatic"},
                {"Name": "AADConnectProvisioningAgent", "DisplayName": "Agent", "Status": "Stopped", "StartType": "Automatic"},
                {"Name": "AzureADConnectAgentUpdater", "DisplayName": "Updater", "Status": "Stopped", "StartType": "Manual"},
            ]),
        ),
        record(
            45,
            "reachability",
            &json!([
                {"FullName": "ad.orchard.example", "IsReachable": true, "ExceptionMessage": ""},
                {"FullName": "west.orchard.example", "IsReachable": false, "ExceptionMessage": "no such domain"},
            ]),
        ),
        failed(46, "runs", "Get-ADSyncRunProfileResult: access is denied"),
    ];
    report(&site, "SYNC01", &records, |batch| {
        batch["spool"] = json!({"id": "spool-1", "first": 41, "next": 60, "gaps": [
            {"from": 31, "to": 40, "oldest_at": minutes_ago(90), "newest_at": minutes_ago(80)},
        ]});
    })
    .await;
    report(&site, "SYNC02", &[], |batch| {
        batch["agent"]["roles"] = json!(["connect_staging"]);
        batch["sent_at"] = json!(now() - std::time::Duration::from_secs(90));
    })
    .await;
    silence(&site, "SYNC02").await;
    site
}

/// What the watch for silence commits.
async fn silence(site: &Site, host: &str) {
    let key = SourceKey {
        tenant: "orchard".into(),
        poll: Poll::AgentReports,
        instance: host.into(),
    };
    let source = site.store.ensure_source(&key, now()).await.unwrap();
    let outcome = PollOutcome::Failed {
        failure: ReadFailure::Timeout,
        text: format!("the last report from {host} came too long ago"),
    };
    let commit = PollCommit::bare(source.id, minutes_ago(4), minutes_ago(4), outcome);
    let policy = LanePolicy::default();
    site.store.commit_poll(&commit, &policy).await.unwrap();
}

async fn command(site: &Site, args: &[&str]) -> std::process::Output {
    let mut args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    args.extend(["--url".to_owned(), site.url.clone()]);
    tokio::task::spawn_blocking(move || {
        syncwatch(&args.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_command_tell_every_agent_with_what_it_reported() {
    let site = site().await;
    let told = site.get("/api/v1/agents").await.json();
    insta::assert_snapshot!("agents", serde_json::to_string_pretty(&told).unwrap());
    insta::assert_snapshot!("agents_table", said(&command(&site, &["agents"]).await));
    let printed = command(&site, &["agents", "--output", "json"]).await;
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed, told);
    let others = command(&site, &["agents", "--tenant", "meadow"]).await;
    assert_eq!(String::from_utf8_lossy(&others.stdout), "no agents\n");
    let refused = site.get("/api/v1/agents?colour=red").await;
    assert_eq!(refused.status, 400);
    site.end().await;
}

/// Facts of every part of a server, with everything in them that can be there.
fn every_part() -> Vec<Fact> {
    let at = now();
    let run = json!({"profile": "Delta Import", "result": "success", "began_at": at, "ended_at": at, "bad_in_a_row": 1,
                     "bad_since": at, "export_failures": 0, "export_failures_before": 0});
    let running = json!({"profile": "Export", "began_at": at, "median_ms": 5});
    let connector = json!({"id": "c", "name": "ad.orchard.example", "cloud": false, "newest": [run], "counted_to": 7,
                           "running": running});
    let parts = [
        (
            Part::Scheduler,
            json!({"effective_interval_ms": 1, "allowed_interval_ms": 1, "customized_interval_ms": 1,
            "next_policy": "delta", "next_start_at": at, "sync_cycle_enabled": true, "maintenance_enabled": true,
            "staging_mode": true, "suspended": true, "suspended_since": at, "in_progress": true, "in_progress_since": at}),
        ),
        (
            Part::Runs,
            json!({"connectors": [connector], "last_success_at": at}),
        ),
        (
            Part::PasswordSync,
            json!({"domains": [{"domain": "ad", "connector_id": "c", "enabled": true, "alive_at": at,
            "state_as_told": at, "counted_at": at, "failed_at": [at], "failure_text": "x", "state_not_stored_at": at}]}),
        ),
        (Part::CloudFeatures, json!({"password_hash_sync": true})),
        (Part::Database, json!({"local_db": true, "used_mb": 1.0})),
        (
            Part::Reachability,
            json!({"domains": [{"domain": "ad", "reachable": true, "since": at, "message": "x"}]}),
        ),
        (
            Part::Services,
            json!({"services": [{"kind": "connect", "name": "ADSync", "display_name": "x", "state": "running",
            "since": at, "start_type": "automatic"}]}),
        ),
        (
            Part::Versions,
            json!({"connect": "2.6.92.0", "provisioning_agent": "1.1.2102.0"}),
        ),
        (
            Part::DeletionStop,
            json!({"at": at, "pending": 600, "limit": 500}),
        ),
        (Part::Certificate, json!({"at": at, "word": "ending"})),
        (
            Part::PendingExports,
            json!({"connectors": [{"connector": "ad", "adds": 1, "updates": 2, "deletes": 3}]}),
        ),
    ];
    let facts = parts.into_iter().map(|(part, value)| Fact {
        name: fact_name("agent on SYNC01", part),
        value,
    });
    facts.collect()
}

#[tokio::test]
async fn every_key_that_is_said_of_agents_is_documented() {
    let site = site().await;
    let key = SourceKey {
        tenant: "orchard".into(),
        poll: Poll::AgentSection,
        instance: "SYNC01/scheduler".into(),
    };
    let source = site.store.ensure_source(&key, now()).await.unwrap();
    let mut commit = PollCommit::bare(source.id, now(), now(), PollOutcome::Read);
    commit.facts = every_part();
    let policy = LanePolicy::default();
    site.store.commit_poll(&commit, &policy).await.unwrap();
    let told = site.get("/api/v1/agents").await.json();
    let server = told["agents"][0]["server"].as_object().unwrap();
    let absent: Vec<_> = server.iter().filter(|(_, part)| part.is_null()).collect();
    assert!(absent.is_empty(), "{absent:?}");
    let mut said = std::collections::BTreeSet::new();
    crate::surface::keys(&told, &mut said);
    assert!(said.len() > 80, "{said:?}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let is_missing = |key: &&String| !page.contains(&format!("`{key}`"));
    let missing: Vec<_> = said.iter().filter(is_missing).collect();
    assert!(
        missing.is_empty(),
        "docs/api.md says nothing of {missing:?}"
    );
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_counts_agents_by_whether_they_are_heard() {
    let site = site().await;
    let status = site.get("/api/v1/status").await.json();
    let expected = json!({ "reporting": 1, "silent": 1, "waiting": 1 });
    assert_eq!(status["agents"], expected);
    let text = said(&command(&site, &["status"]).await);
    let line = "agents   3: 1 reporting, 1 silent, 1 waiting\n";
    assert!(text.contains(line), "{text}");
    let nagios = said(&command(&site, &["status", "--nagios"]).await);
    assert!(nagios.contains(" agents_silent=1 "), "{nagios}");
    site.end().await;
}

#[tokio::test]
async fn the_status_page_has_a_section_for_servers_with_the_age_of_all_it_says() {
    let site = site().await;
    let page = site.get("/").await.body;
    let (_, section) = page
        .split_once("<h2>Sync servers and agents</h2>")
        .unwrap_or_else(|| panic!("{page}"));
    let (section, _) = section.split_once("<h2>").unwrap();
    insta::assert_snapshot!("servers_on_the_page", section);
    site.end().await;
}

#[tokio::test]
async fn metrics_tell_agents_from_provisioning_agents() {
    let site = site().await;
    let page = site.get("/metrics").await.body;
    for line in [
        r#"syncwatch_agent_up{tenant="orchard",agent="SYNC01",kind="syncwatch"} 1"#,
        r#"syncwatch_agent_up{tenant="orchard",agent="SYNC02",kind="syncwatch"} 0"#,
        r#"syncwatch_agent_clock_skew_seconds{tenant="orchard",agent="SYNC02"} -90"#,
        r#"syncwatch_agent_waiting_records{tenant="orchard",agent="SYNC01"} 13"#,
        r#"syncwatch_agent_lost_records_total{tenant="orchard",agent="SYNC01"} 10"#,
        r#"syncwatch_server_role{tenant="orchard",server="SYNC02",role="connect_staging"} 1"#,
    ] {
        let found = page.lines().any(|found| found == line);
        assert!(found, "{line} is not in {page}");
    }
    let never_heard = r#"syncwatch_agent_up{tenant="orchard",agent="SYNC03""#;
    assert!(!page.contains(never_heard), "{page}");
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_agents_no_surface_speaks_of_them() {
    let site = Site::start("", async |_| {}).await;
    assert_eq!(site.get("/api/v1/agents").await.json()["agents"], json!([]));
    let page = site.get("/").await.body;
    assert!(!page.contains("Sync servers"), "{page}");
    let table = command(&site, &["agents"]).await;
    assert_eq!(table.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&table.stdout), "no agents\n");
    let status = said(&command(&site, &["status"]).await);
    assert!(!status.contains("\nagents "), "{status}");
    site.end().await;
}

#[tokio::test]
async fn what_an_agent_says_cannot_become_markup_and_no_surface_tells_its_token() {
    let site = Site::start(AGENTS, async |_| {}).await;
    let records = [
        record(
            1,
            "reachability",
            &json!([{"FullName": "<img src=x>", "IsReachable": false, "ExceptionMessage": "<script>alert(1)"}]),
        ),
        failed(2, "runs", "\"><script>alert(2)</script>"),
    ];
    report(&site, "SYNC01", &records, |batch| {
        batch["agent"]["version"] = json!("<script>alert(3)</script>");
    })
    .await;
    let page = site.get("/").await.body;
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    for told in ["img src=x", "alert(2)", "alert(3)"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    for path in ["/", "/metrics", "/api/v1/agents", "/api/v1/status"] {
        let answer = site.get(path).await;
        assert!(!answer.body.contains("tulip"), "{path}: {}", answer.body);
    }
    site.end().await;
}
