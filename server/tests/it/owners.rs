//! Owners of objects: from what both engines are told to the API, the command and the metrics.

use serde_json::{Value, json};
use syncwatch_domain::object::{Life, ObjectChange, Told, ToldFacts};
use syncwatch_domain::owner::ObjectType;
use syncwatch_domain::policy::LanePolicy;
use syncwatch_domain::source::{Poll, SourceKey};
use syncwatch_store::{ObjectPage, PollCommit, PollOutcome, Store};

use crate::support::{Site, minutes_ago, syncwatch, until};

fn user(id: &str) -> ObjectChange {
    ObjectChange {
        id: id.to_owned(),
        kind: ObjectType::User,
        life: Life::Present,
        facts: ToldFacts {
            dn: Told::Value(Some(format!(
                "CN={id},OU=Staff,DC=ad,DC=orchard,DC=example"
            ))),
            synced: Told::Value(Some(true)),
            ..ToldFacts::default()
        },
    }
}

async fn objects(store: &Store, changes: Vec<ObjectChange>) {
    let key = SourceKey {
        tenant: "orchard".into(),
        poll: Poll::Users,
        instance: String::new(),
    };
    let source = store.ensure_source(&key, minutes_ago(9)).await.unwrap();
    let commit = PollCommit {
        objects: Some(ObjectPage {
            kind: ObjectType::User,
            round: 1,
            ends_round: false,
            asked: Vec::new(),
            changes,
        }),
        ..PollCommit::bare(source.id, minutes_ago(8), minutes_ago(8), PollOutcome::Read)
    };
    let policy = LanePolicy::default();
    store.commit_poll(&commit, &policy).await.unwrap();
}

/// What a command that works prints.
fn told(command: &[&str]) -> String {
    let output = syncwatch(command);
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

async fn counts(site: &Site) -> Value {
    site.get("/api/v1/owners?tenant=orchard").await.json()["counts"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_are_counted_as_soon_as_objects_are_known() {
    let site = Site::start("", async |_| {}).await;
    let command = ["owners", "--url", &site.url];
    assert_eq!(told(&command), "no synced objects\n");
    let mut known = vec![user("a"), user("b")];
    known.push(ObjectChange {
        kind: ObjectType::Group,
        facts: ToldFacts {
            synced: Told::Value(Some(true)),
            ..ToldFacts::default()
        },
        ..user("g")
    });
    objects(&site.store, known).await;
    let expected = json!([
        {"tenant": "orchard", "domain": "", "type": "group", "owner": "unknown", "objects": 1},
        {"tenant": "orchard", "domain": "ad.orchard.example", "type": "user", "owner": "none", "objects": 2},
    ]);
    until("the owners", async || match counts(&site).await {
        counts if counts == expected => Ok(()),
        counts => Err(counts),
    })
    .await;

    let table = told(&command);
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0][..4],
        ["TENANT", "DOMAIN", "TYPE", "connect"],
        "{table}"
    );
    assert_eq!(lines[1][..3], ["orchard", "-", "group"], "{table}");
    assert_eq!(
        lines[2][..3],
        ["orchard", "ad.orchard.example", "user"],
        "{table}"
    );
    assert_eq!(
        lines[2][3..],
        ["-", "-", "-", "-", "2", "-", "-"],
        "{table}"
    );
    let metrics = site.get("/metrics").await.body;
    let sample = "syncwatch_objects{tenant=\"orchard\",domain=\"ad.orchard.example\",type=\"user\",owner=\"none\"} 2";
    assert!(metrics.contains(sample), "{metrics}");

    objects(
        &site.store,
        vec![ObjectChange {
            life: Life::Gone,
            ..user("a")
        }],
    )
    .await;
    until("the change", async || {
        let owners = site
            .get("/api/v1/owners?tenant=orchard&limit=1")
            .await
            .json();
        let change = &owners["changes"][0];
        if change["object_id"] == "a" && change["from"] == "none" && change["to"].is_null() {
            return Ok(());
        }
        Err(owners)
    })
    .await;
    assert_eq!(site.get("/api/v1/owners?limit=0").await.status, 400);
    site.end().await;
}
