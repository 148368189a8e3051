//! A Connect server that stalls because its wizard was left open, password hashes that are lost for
//! one of two domains, and a second server that is promoted out of staging: real agents, a real
//! service, three alerts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use syncwatch_domain::clock::{Clock, SystemClock};
use syncwatch_simulator::sync_server::{SyncServer, Trouble};
use syncwatch_simulator::{Ports, Running, Simulator, Span, Story};
use syncwatch_store::LaneFilter;
use syncwatch_tests::wait::until;

use crate::post::Post;
use crate::site::Site;

const PATIENCE: Duration = Duration::from_secs(90);
const DOMAINS: [&str; 2] = ["ad.hauser.example", "lab.hauser.example"];

/// Real seconds in place of hours, in the proportions of the defaults: the wizard is noticed before
/// the next cycle is late, five failures of password hashes before their window is missed.
const TERMS: &str = r#"
[lanes.connect.objects]
interval = "5s"
late_after = "40s"
grace = "55s"
[lanes.connect.password_hash]
interval = "1s"
late_after = "40s"
grace = "60s"
[alerts.servers]
suspended_after = "8s"
stalled_intervals = 4.0
"#;

/// Every section as often as an agent may.
fn sections() -> String {
    let sections = syncwatch_domain::report::Section::ALL.iter();
    sections
        .map(|section| format!("[sections.{section}]\ninterval = \"5s\"\n"))
        .collect()
}

async fn sink() -> Running {
    let story = r#"
seed = 1
start = "2026-09-14T06:00:00Z"
[[tenant]]
name = "hauser"
id = "3b0d4a52-6f7e-4c19-9a1d-52d6f0c8b741"
display_name = "Hauser"
prefix = "hauser"
domains = ["hauser.example"]
[[tenant.client]]
id = "8d1c0f3e-2a6b-4f57-b0d9-41c7e95a6b02"
secret = "nobody~Asks"
secret_ends = "200d"
roles = []
"#;
    let story = Story::parse(story).expect("a story");
    let clock = Arc::new(syncwatch_simulator::SystemClock);
    Simulator::start(story, clock, Ports::free())
        .await
        .expect("a sink")
}

/// A server with quick cycles that has been at it for a while.
fn server(host: &str, begin_ms: i64) -> SyncServer {
    let mut server = SyncServer::connect(host, begin_ms, "hauser", &DOMAINS);
    server.history = Span::mins(5);
    if let Some(connect) = &mut server.connect {
        connect.interval = Span::secs(5);
        connect.password_interval = Span::secs(1);
        connect.ping_interval = Span::secs(3);
    }
    server
}

/// Messages of an event that the webhook took.
fn told(sink: &Running, event: &str) -> Vec<Value> {
    let calls = sink.webhook().arrivals();
    let taken = calls.iter().filter(|call| call.status < 300);
    taken
        .filter_map(syncwatch_simulator::WebhookCall::json)
        .filter(|message| message["event"] == event)
        .collect()
}

fn brief(messages: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let brief = messages.iter().map(|message| {
        let alert = &message["alert"];
        format!(
            "{} {} {}: {}",
            text(&alert["severity"]),
            text(&alert["rule"]),
            text(&alert["subject"]),
            text(&alert["summary"])
        )
    });
    brief.collect()
}

/// The two servers with what befalls them, and an agent on each.
fn posts(folder: &Path, service: &str) -> Vec<Post> {
    let begin_ms = SystemClock.now().as_millis();
    let first = server("SYNC01", begin_ms)
        .with(
            Span::secs(15),
            Trouble::PasswordSyncLost {
                domain: DOMAINS[1].to_owned(),
            },
        )
        .with(Span::secs(20), Trouble::WizardOpen);
    let second = server("SYNC02", begin_ms)
        .in_staging()
        .with(Span::secs(30), Trouble::Active);
    [(&first, "SYNC01"), (&second, "SYNC02")]
        .into_iter()
        .map(|(server, host)| {
            let mut post = Post::new(&folder.join(host), host, service, &sections()).on(server);
            post.start();
            post
        })
        .collect()
}

#[tokio::test]
async fn a_stalled_server_a_lost_domain_and_a_promoted_copy_give_three_alerts() {
    let sink = sink().await;
    let more = format!(
        "{TERMS}[[receiver]]\nname = \"webhook\"\nkind = \"webhook\"\nurl = \"{}\"\n",
        sink.webhook_url()
    );
    let site = Site::start(Arc::new(SystemClock), &["SYNC01", "SYNC02"], &more).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut posts = posts(folder.path(), &site.url);
    let expected = [
        ("PasswordHashFailing", DOMAINS[1]),
        ("SchedulerSuspended", "SYNC01"),
        ("TwoActiveServers", "SYNC01"),
    ];
    let heard = until("three alerts", PATIENCE, async || {
        let firing = told(&sink, "firing");
        let missing = expected.iter().any(|(rule, _)| {
            !firing
                .iter()
                .any(|message| message["alert"]["rule"] == *rule)
        });
        if missing {
            return Err(format!("{:#?}", brief(&firing)));
        }
        Ok(())
    });
    if let Err(error) = heard.await {
        let logs: Vec<String> = posts.iter().map(Post::log).collect();
        let facts = site.store.facts(None).await.expect("facts");
        panic!("{error}\n{logs:#?}\n{facts:#?}");
    }
    let firing = told(&sink, "firing");
    assert_eq!(firing.len(), expected.len(), "{:#?}", brief(&firing));
    for (rule, subject) in expected {
        let about = firing.iter().find(|message| {
            message["alert"]["rule"] == rule
                && message["alert"]["summary"]
                    .as_str()
                    .is_some_and(|summary| summary.contains(subject))
        });
        assert!(about.is_some(), "{rule} {subject}: {:#?}", brief(&firing));
    }
    let promoted = brief(&firing)
        .into_iter()
        .find(|line| line.contains("TwoActive"));
    assert!(
        promoted
            .as_ref()
            .is_some_and(|line| line.contains("SYNC02")),
        "{promoted:?}"
    );
    assert_eq!(brief(&told(&sink, "resolved")), Vec::<String>::new());
    // Both domains have lanes of objects and of password hashes, and so has the way to Entra ID.
    let lanes = site
        .store
        .lanes(&LaneFilter::default())
        .await
        .expect("lanes");
    let names: Vec<String> = lanes.iter().map(|lane| lane.key.to_string()).collect();
    assert_eq!(names.len(), 5, "{names:#?}");
    for post in &mut posts {
        post.kill();
    }
    site.running.stop();
}
