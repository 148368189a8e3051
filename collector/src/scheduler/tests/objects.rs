//! Rounds of delta queries: they go on after a restart, and begin anew when a token is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use syncwatch_domain::clock::SystemClock;
use syncwatch_domain::object::Life;
use tokio_util::task::TaskTracker;

use super::*;

const DELTA: &str = "/v1.0/users/delta";

/// Users by the token of the page that tells of them; the last page names the next round.
fn answer(asked: &Asked, users: &[&str], next: &str) -> Reply {
    let rows: Vec<Value> = users
        .iter()
        .map(|id| json!({"id": id, "onPremisesSyncEnabled": true, "onPremisesDistinguishedName": format!("CN={id},DC=rowan")}))
        .collect();
    let (name, token) = if next.starts_with("round") {
        ("@odata.deltaLink", "$deltatoken")
    } else {
        ("@odata.nextLink", "$skiptoken")
    };
    let link = format!("{}{DELTA}?{token}={next}", asked.base);
    (200, None, json!({"value": rows, name: link}).to_string())
}

fn token(asked: &Asked) -> String {
    let of = |name: &str| asked.query.get(name).cloned();
    of("$skiptoken")
        .or_else(|| of("$deltatoken"))
        .unwrap_or_default()
}

impl World {
    async fn users(&self) -> Vec<(String, Life)> {
        let objects = self.store.objects_after("rowan", 0, 100).await.unwrap();
        let mut users: Vec<_> = objects
            .into_iter()
            .map(|stored| (stored.object.id, stored.object.life))
            .collect();
        users.sort_unstable();
        users
    }

    async fn present(&self) -> String {
        let users = self.users().await.into_iter();
        let present = users.filter(|(_, life)| *life == Life::Present);
        present.map(|(id, _)| id).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn a_round_is_followed_by_what_changed() {
    let mut world = world(|_| ()).await;
    world.graph.on(DELTA, |asked| match token(asked).as_str() {
        "" => {
            assert!(asked.query["$select"].contains("onPremisesDistinguishedName"));
            answer(asked, &["a", "b"], "p2")
        }
        "p2" => answer(asked, &[], "p3"),
        "p3" => answer(asked, &["c"], "round1"),
        "round1" => answer(asked, &["d"], "round2"),
        _ => answer(asked, &[], "round2"),
    });
    let did = world.run_to(0).await;
    assert_eq!(ends(&did, Poll::Users), [RunEnd::Read]);
    assert_eq!(world.present().await, "a b c");
    world.run_to(20).await;
    assert_eq!(world.present().await, "a b c d");
}

#[tokio::test]
async fn a_restart_goes_on_in_the_middle_of_a_round() {
    let mut world = world(|_| ()).await;
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    world
        .graph
        .on(DELTA, move |asked| match token(asked).as_str() {
            "" => answer(asked, &["a"], "p2"),
            _ if is_broken.load(Ordering::Relaxed) => refusal(503, "serviceNotAvailable", "busy"),
            "p2" => answer(asked, &["b"], "round1"),
            _ => answer(asked, &[], "round2"),
        });
    world.run_to(0).await;
    assert_eq!(world.present().await, "a", "each page counts");
    broken.store(false, Ordering::Relaxed);
    world.restart();
    world.graph.take_asked();
    world.run_to(20).await;
    assert_eq!(world.present().await, "a b");
    let asked = world.graph.take_asked();
    let anew = asked
        .iter()
        .any(|asked| asked.path == DELTA && token(asked).is_empty());
    assert!(!anew, "nothing is asked twice");
}

#[tokio::test]
async fn a_lost_token_begins_anew_and_only_its_end_tells_who_is_gone() {
    for lost in [
        (410, "resyncRequired", "Resync required."),
        (
            404,
            "syncStateNotFound",
            "The sync state generation is not found.",
        ),
        (
            400,
            "Directory_ExpiredPageToken",
            "The page token has expired.",
        ),
    ] {
        let mut world = world(|_| ()).await;
        let broken = Arc::new(AtomicBool::new(false));
        let is_broken = Arc::clone(&broken);
        world
            .graph
            .on(DELTA, move |asked| match token(asked).as_str() {
                "" if is_broken.load(Ordering::Relaxed) => answer(asked, &["a"], "q2"),
                "" => answer(asked, &["a", "b"], "round1"),
                "round1" => refusal(lost.0, lost.1, lost.2),
                "q2" if is_broken.load(Ordering::Relaxed) => {
                    refusal(503, "serviceNotAvailable", "busy")
                }
                "q2" => answer(asked, &["c"], "round2"),
                _ => answer(asked, &[], "round3"),
            });
        world.run_to(0).await;
        broken.store(true, Ordering::Relaxed);
        world.run_to(16).await;
        assert_eq!(world.present().await, "a b", "{lost:?}: the round goes on");
        broken.store(false, Ordering::Relaxed);
        world.run_to(60).await;
        assert_eq!(world.present().await, "a c", "{lost:?}");
        assert!(world.users().await.contains(&("b".to_owned(), Life::Gone)));
    }
}

#[tokio::test]
async fn a_link_to_elsewhere_is_not_followed() {
    let mut world = world(|_| ()).await;
    world.graph.on(DELTA, |_| {
        let body = json!({"value": [{"id": "a"}], "@odata.nextLink": "https://evil.example/v1.0/users/delta?$skiptoken=x"});
        (200, None, body.to_string())
    });
    let did = world.run_to(0).await;
    assert_eq!(
        ends(&did, Poll::Users),
        [RunEnd::Failed(ReadFailure::BadAnswer)]
    );
}

#[tokio::test]
async fn a_scope_that_mentions_more_asks_for_everything_anew() {
    let mut world = world(|_| ()).await;
    world.graph.on(DELTA, |asked| {
        let with_nickname = asked
            .query
            .get("$select")
            .is_some_and(|select| select.contains("mailNickname"));
        match (token(asked).as_str(), with_nickname) {
            ("", false) => answer(asked, &["a", "b"], "round1"),
            ("", true) => answer(asked, &["a"], "round9"),
            _ => answer(asked, &[], "round9"),
        }
    });
    world.run_to(0).await;
    assert_eq!(world.present().await, "a b");
    world.graph.on(&format!("{JOBS}/{OBJECTS}/schema"), |_| {
        let clause = json!({"operatorName": "IS NOT NULL", "sourceOperandName": "mailNickname"});
        let mapping =
            json!({"sourceObjectName": "user", "scope": {"groups": [{"clauses": [clause]}]}});
        (
            200,
            None,
            json!({"synchronizationRules": [{"objectMappings": [mapping]}]}).to_string(),
        )
    });
    world.run_to(150).await;
    assert_eq!(world.present().await, "a");
}

#[tokio::test]
async fn a_long_round_gives_others_their_turn() {
    const PAGES: u32 = 120;
    let mut world = world(|_| ()).await;
    world.graph.on(DELTA, |asked| {
        let number: u32 = token(asked).parse().unwrap_or(0);
        let next = if number < PAGES {
            (number + 1).to_string()
        } else {
            "round1".to_owned()
        };
        answer(asked, &[&format!("user{number}")], &next)
    });
    let did = world.run_to(0).await;
    assert_eq!(
        ends(&did, Poll::Users),
        [RunEnd::Paused, RunEnd::Paused, RunEnd::Read]
    );
    assert_eq!(world.graph.count(DELTA), 121);
    assert_eq!(world.users().await.len(), 100, "a page of the store");
}

#[tokio::test]
async fn pages_that_go_in_circles_are_an_error_and_not_on_record() {
    let mut world = world(|_| ()).await;
    world
        .graph
        .on(DELTA, |asked| answer(asked, &["a"], "again"));
    let did = world.run_to(0).await;
    let failed = RunEnd::Failed(ReadFailure::BadAnswer);
    assert_eq!(ends(&did, Poll::Users), [failed]);
    assert_eq!(world.graph.count(DELTA), 2);
    world
        .graph
        .on(DELTA, |asked| answer(asked, &["b"], "round1"));
    world.run_to(20).await;
    assert_eq!(
        world.present().await,
        "a b",
        "it goes on behind the first page"
    );
}

#[tokio::test]
async fn a_service_that_is_told_to_wait_is_not_asked_before() {
    let mut world = world(|_| ()).await;
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = Arc::clone(&busy);
    world
        .graph
        .on(DELTA, move |asked| match token(asked).as_str() {
            "" => answer(asked, &["a"], "p2"),
            "p2" if is_busy.swap(false, Ordering::Relaxed) => {
                let (status, _, body) = refusal(429, "TooManyRequests", "Too many requests.");
                (status, Some("600"), body)
            }
            _ => answer(asked, &["b"], "round1"),
        });
    world.run_to(9).await;
    assert_eq!(world.graph.count(DELTA), 2);
    assert_eq!(world.present().await, "a");
    world.run_to(11).await;
    assert_eq!(world.present().await, "a b");
}

#[tokio::test]
async fn lanes_are_judged_while_users_are_still_read() {
    const PATIENCE: Duration = Duration::from_secs(30);
    let World {
        graph,
        store,
        config,
        _folder,
        ..
    } = world(|_| ()).await;
    graph.on(DELTA, |asked| answer(asked, &["a"], "round1"));
    graph.hold(DELTA);
    let mut collector = Collector::new(Parts {
        store,
        clock: Arc::new(SystemClock),
        tenants: vec![config],
        policy: LanePolicy::default(),
        registry: &Registry::new(),
    })
    .unwrap();
    let mut caught_up = collector.caught_up();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let ended = TaskTracker::new().spawn(async move { collector.run(stopped).await });
    let waited = tokio::time::timeout(PATIENCE, caught_up.wait_for(|caught_up| *caught_up)).await;
    waited.expect("it does not wait for the users").unwrap();
    assert!(graph.count(DELTA) <= 1);
    graph.release(DELTA);
    stop.cancel();
    ended.await.unwrap().unwrap();
}
