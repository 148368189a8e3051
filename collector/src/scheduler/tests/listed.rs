//! Lists of objects: who is managed in Entra ID, and members of groups that scopes name.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use syncwatch_domain::object::Life;
use syncwatch_domain::object::{ObjectChange, Told, ToldFacts};
use syncwatch_domain::owner::ObjectType;
use syncwatch_store::{ObjectPage, PollCommit, PollOutcome};

use super::*;
use crate::testing::graph::page_before;

const USERS: &str = "/v1.0/users";
const GROUPS: &str = "/v1.0/groups";
const MEMBERS: &str = "/v1.0/groups/g1/members";
const PILOT: &str = "cn=pilot's group,dc=rowan,dc=example";

fn ids(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({"id": id})).collect()
}

impl World {
    /// Users of which a delta query told.
    async fn told(&self, ids: &[&str]) {
        let key = SourceKey {
            tenant: "rowan".to_owned(),
            poll: Poll::Users,
            instance: String::new(),
        };
        let source = self
            .store
            .ensure_source(&key, Timestamp::EPOCH)
            .await
            .unwrap();
        let changes = ids.iter().map(|id| ObjectChange {
            id: (*id).to_owned(),
            kind: ObjectType::User,
            life: Life::Present,
            facts: ToldFacts {
                synced: Told::Value(None),
                ..ToldFacts::default()
            },
        });
        let objects = ObjectPage {
            kind: ObjectType::User,
            round: 1,
            ends_round: false,
            asked: Vec::new(),
            changes: changes.collect(),
        };
        let outcome = PollOutcome::Partial;
        let commit = PollCommit {
            objects: Some(objects),
            ..PollCommit::bare(source.id, Timestamp::EPOCH, Timestamp::EPOCH, outcome)
        };
        let policy = LanePolicy::default();
        self.store.commit_poll(&commit, &policy).await.unwrap();
    }

    async fn managed(&self) -> String {
        let objects = self.store.objects_after("rowan", 0, 100).await.unwrap();
        let managed = objects
            .into_iter()
            .filter(|stored| stored.object.facts.cloud_managed);
        managed
            .map(|stored| stored.object.id)
            .collect::<Vec<_>>()
            .join(" ")
    }

    async fn members(&self) -> Option<String> {
        let members = self.store.group_members("rowan").await.unwrap();
        let mut ids: Vec<&str> = members.get(PILOT)?.iter().map(String::as_str).collect();
        ids.sort_unstable();
        Some(ids.join(" "))
    }

    /// The scope of the job names a group.
    fn scope_by_group(&self) {
        self.graph.on(&format!("{JOBS}/{OBJECTS}/schema"), |_| {
            let groups = ["CN=Pilot's Group,DC=rowan,DC=example"];
            let rule = json!({"groupFilter": {"includedGroups": groups}});
            (
                200,
                None,
                json!({"synchronizationRules": [rule]}).to_string(),
            )
        });
    }
}

fn group(id: &str, domain: &str, account: &str, synced: bool) -> Value {
    json!({
        "id": id, "onPremisesDomainName": domain, "onPremisesSamAccountName": account,
        "onPremisesSyncEnabled": synced,
    })
}

#[tokio::test]
async fn users_whose_authority_moved_are_known_until_they_move_back() {
    let mut world = world(|_| ()).await;
    world.told(&["a", "b", "c"]).await;
    let moved_back = Arc::new(AtomicBool::new(false));
    let back = Arc::clone(&moved_back);
    world.graph.on(USERS, move |asked| {
        match (asked.token(), back.load(Ordering::Relaxed)) {
            (None, _) => {
                let filter = &asked.query["$filter"];
                assert_eq!(filter, "onPremisesSyncBehavior/isCloudManaged eq true");
                assert_eq!(asked.query["$count"], "true");
                page_before(&ids(&["A"]), &asked.link("p2"))
            }
            (Some("p2"), _) => page_before(&[], &asked.link("p3")),
            (Some(_), false) => page(&ids(&["b"])),
            (Some(_), true) => page(&[]),
        }
    });
    let did = world.run_to(0).await;
    assert_eq!(ends(&did, Poll::CloudManaged), [RunEnd::Read]);
    assert_eq!(world.managed().await, "a b");
    moved_back.store(true, Ordering::Relaxed);
    world.restart();
    world.run_to(16).await;
    assert_eq!(world.managed().await, "a");
}

#[tokio::test]
async fn a_list_that_is_refused_is_no_outage_and_changes_nothing() {
    for (status, code, failure) in [
        (
            403,
            "Authorization_RequestDenied",
            ReadFailure::RightMissing,
        ),
        (400, "Request_UnsupportedQuery", ReadFailure::NotAvailable),
    ] {
        let mut world = world(|_| ()).await;
        world.told(&["a", "b"]).await;
        let refused = Arc::new(AtomicBool::new(false));
        let is_refused = Arc::clone(&refused);
        world.graph.on(USERS, move |_| {
            if is_refused.load(Ordering::Relaxed) {
                refusal(status, code, "No.")
            } else {
                page(&ids(&["a"]))
            }
        });
        world.run_to(0).await;
        refused.store(true, Ordering::Relaxed);
        let did = world.run_to(16).await;
        assert_eq!(ends(&did, Poll::CloudManaged), [RunEnd::Failed(failure)]);
        assert!(!failure.is_outage());
        assert_eq!(world.managed().await, "a");
    }
}

#[tokio::test]
async fn members_are_read_of_the_one_group_that_can_be_meant() {
    let mut world = world(|_| ()).await;
    world.scope_by_group();
    world.graph.on(GROUPS, |asked| {
        assert_eq!(asked.query["$filter"], "displayName eq 'Pilot''s Group'");
        page(&[
            group("g0", "elder.example", "Pilot's Group", true),
            group("g1", "Rowan.example", "PILOT'S GROUP", true),
            group("g2", "rowan.example", "Pilot's Group", false),
        ])
    });
    let reads = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&reads);
    world.graph.on(MEMBERS, move |asked| {
        let read = counted.fetch_add(1, Ordering::Relaxed);
        match asked.token() {
            None => page_before(&ids(&["B"]), &asked.link("p2")),
            Some(_) if read < 2 => page(&ids(&["a"])),
            Some(_) => page(&ids(&["c"])),
        }
    });
    world.run_to(150).await;
    assert_eq!(world.members().await.as_deref(), Some("b c"));
    assert!(reads.load(Ordering::Relaxed) > 2);

    // Another group of that name: now it cannot be told which one is meant.
    world.graph.on(GROUPS, |_| {
        page(&[
            group("g1", "rowan.example", "Pilot's Group", true),
            group("g9", "rowan.example", "Pilot2", true),
        ])
    });
    world.run_to(170).await;
    assert_eq!(world.members().await, None);
}

#[tokio::test]
async fn a_group_that_cannot_be_told_has_no_members() {
    let cases: [&[Value]; 3] = [
        &[],
        &[group("g1", "elder.example", "Pilot's Group", true)],
        &[group("g1", "rowan.example", "Pilot2", true)],
    ];
    for groups in cases {
        let mut world = world(|_| ()).await;
        world.scope_by_group();
        let groups = groups.to_vec();
        world.graph.on(GROUPS, move |_| page(&groups));
        let did = world.run_to(150).await;
        assert!(
            ends(&did, Poll::GroupMembers)
                .iter()
                .all(|end| *end == RunEnd::Read)
        );
        assert_eq!(world.members().await, None);
        assert_eq!(world.graph.count(MEMBERS), 0);
    }
}

#[tokio::test]
async fn members_stay_what_they_were_while_graph_cannot_be_read() {
    let mut world = world(|_| ()).await;
    world.scope_by_group();
    world.graph.on(GROUPS, |_| {
        page(&[group("g1", "rowan.example", "Pilot's Group", true)])
    });
    world.graph.on(MEMBERS, |_| page(&ids(&["a"])));
    world.run_to(150).await;
    assert_eq!(world.members().await.as_deref(), Some("a"));
    world.graph.on(MEMBERS, |asked| match asked.token() {
        None => page_before(&[], &asked.link("p2")),
        Some(_) => refusal(503, "serviceNotAvailable", "busy"),
    });
    world.run_to(170).await;
    assert_eq!(world.members().await.as_deref(), Some("a"));
    world.graph.on(MEMBERS, |_| {
        refusal(404, "Request_ResourceNotFound", "gone")
    });
    world.run_to(200).await;
    assert_eq!(world.members().await, None);
}
