use std::sync::atomic::{AtomicBool, Ordering};

use syncwatch_store::CommitProbe;

use super::*;
use crate::testing::graph::page_before;

async fn rows(world: &World) -> i64 {
    world.store.log_row_count().await.unwrap()
}

#[tokio::test]
async fn overlapping_reads_keep_every_row_once_and_rows_of_others_not_at_all() {
    let mut world = world(|_| ()).await;
    world.graph.on(PROVISIONING, |asked| {
        let mut all: Vec<_> = (0..30)
            .map(|n| (START + n * MINUTE - 20 * MINUTE, n))
            .collect();
        all.retain(|(at, _)| wanted(asked, *at));
        let mut rows: Vec<_> = all.into_iter().map(|(at, n)| row(n, OBJECTS, at)).collect();
        let mut foreign = row(999, "scim.0123.44", START);
        foreign["servicePrincipal"] = json!({"id": "someone-else"});
        rows.push(foreign);
        page(&rows)
    });
    world.run_to(14).await;
    assert_eq!(rows(&world).await, 30);
}

#[tokio::test]
async fn the_own_budget_is_kept_and_reading_goes_on_where_it_stopped() {
    let mut world = world(|config| {
        config
            .polls
            .get_mut(&Poll::DirectoryAudits)
            .unwrap()
            .enabled = false;
    })
    .await;
    world.graph.on(PROVISIONING, |asked| {
        let n: u32 = asked.token().map_or(0, |token| token.parse().unwrap());
        let rows = [row(n, OBJECTS, START - MINUTE)];
        if n == 9 {
            page(&rows)
        } else {
            page_before(&rows, &asked.link(&(n + 1).to_string()))
        }
    });
    let report = world.collector.run_once(START).await.unwrap();
    assert_eq!(ends(&report.did, Poll::ProvisioningLogs), [RunEnd::Paused]);
    assert_eq!(world.graph.count(PROVISIONING), 4);
    assert_eq!(
        world.source(Poll::ProvisioningLogs).await.read_at,
        None,
        "not complete yet"
    );
    world.run_to(1).await;
    let source = world.source(Poll::ProvisioningLogs).await;
    assert_eq!(
        source.read_at,
        Some(START),
        "it covers what happened before it began"
    );
    assert_eq!(rows(&world).await, 10);
}

#[tokio::test]
async fn an_ended_page_token_starts_the_window_again() {
    let mut world = world(|_| ()).await;
    let expired = Arc::new(Mutex::new(true));
    world
        .graph
        .on(PROVISIONING, move |asked| match asked.token() {
            None => page_before(&[row(1, OBJECTS, START)], &asked.link("second")),
            Some(_) if std::mem::replace(&mut *expired.lock().unwrap(), false) => refusal(
                400,
                "",
                "Token not found: token is either invalid or expired",
            ),
            Some(_) => page(&[row(2, OBJECTS, START)]),
        });
    world.run_to(1).await;
    assert_eq!(world.source(Poll::ProvisioningLogs).await.failure, None);
    assert_eq!(rows(&world).await, 2);
}

/// Two pages, of which the second is answered as wanted.
fn second_page(world: &World, second: impl Fn() -> Reply + Send + Sync + 'static) {
    world
        .graph
        .on(PROVISIONING, move |asked| match asked.token() {
            None => page_before(&[row(1, OBJECTS, START)], &asked.link("second")),
            Some(_) => second(),
        });
}

#[tokio::test]
async fn a_page_is_kept_though_the_next_one_cannot_be_had() {
    let expired = || {
        refusal(
            400,
            "",
            "Token not found: token is either invalid or expired",
        )
    };
    type Case = (fn() -> Reply, Option<ReadFailure>);
    let answers: [Case; 4] = [
        // The window is begun again until the own budget is used up, which is no failure.
        (expired, None),
        (
            || (429, Some("90"), String::new()),
            Some(ReadFailure::Throttled),
        ),
        (
            || raw(200, "<html>blocked</html>"),
            Some(ReadFailure::BadAnswer),
        ),
        (
            || page_before(&[row(2, OBJECTS, START)], "https://evil.example/"),
            Some(ReadFailure::BadAnswer),
        ),
    ];
    for (answer, failure) in answers {
        let mut world = world(|_| ()).await;
        second_page(&world, answer);
        world.collector.run_once(START).await.unwrap();
        let source = world.source(Poll::ProvisioningLogs).await;
        let (status, _, body) = answer();
        assert_eq!(source.read_at, None, "{status} {body}");
        assert_eq!(source.failure, failure, "{status} {body}");
        assert_eq!(rows(&world).await, 1, "{status} {body}");
        second_page(&world, || page(&[row(2, OBJECTS, START)]));
        world.run_to(12).await;
        assert_eq!(world.source(Poll::ProvisioningLogs).await.failure, None);
        assert_eq!(rows(&world).await, 2, "{status} {body}");
    }
}

#[tokio::test]
async fn a_commit_that_fails_loses_neither_its_page_nor_the_one_ahead() {
    let mut world = world(|_| ()).await;
    let dies = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&dies);
    world.graph.on(PROVISIONING, move |asked| {
        let n: u32 = asked.token().map_or(0, |token| token.parse().unwrap());
        let rows = [row(n, OBJECTS, START), row(n + 1, OBJECTS, START)];
        told.fetch_or(n == 1, Ordering::SeqCst);
        if n == 2 {
            page(&rows)
        } else {
            page_before(&rows, &asked.link(&(n + 1).to_string()))
        }
    });
    let url = format!(
        "sqlite:{}",
        world._folder.path().join("syncwatch.db").display()
    );
    // The first commit after the second page was asked for is the last one of this store.
    let probe = CommitProbe::new(move |_| !dies.load(Ordering::SeqCst));
    let mut options = StoreOptions::new(url, "test");
    options.probe = Some(probe);
    let sound = std::mem::replace(&mut world.store, Store::open(&options).await.unwrap());
    world.restart();
    world.collector.run_once(START).await.unwrap_err();
    world.store = sound;
    assert!(rows(&world).await < 4, "the rest was not committed");
    assert_eq!(world.source(Poll::ProvisioningLogs).await.read_at, None);
    world.restart();
    world.run_to(1).await;
    assert_eq!(rows(&world).await, 4, "each of them once");
}

#[tokio::test]
async fn a_refused_page_size_is_remembered_over_a_restart() {
    let mut world = world(|_| ()).await;
    world.graph.on(PROVISIONING, |asked| {
        if asked.query["$top"] == "1000" {
            return refusal(400, "BadRequest", "Invalid page size specified: '1000'.");
        }
        page(&[])
    });
    world.run_to(0).await;
    world.graph.take_asked();
    world.restart();
    world.run_to(2).await;
    let asked = world.graph.take_asked();
    let sizes: Vec<_> = asked
        .iter()
        .filter(|a| a.path == PROVISIONING)
        .map(|a| a.query["$top"].clone())
        .collect();
    assert_eq!(sizes, ["500", "500"]);
}

#[tokio::test]
async fn answers_that_cannot_be_read_fail_that_poll_and_harm_nothing() {
    for body in [
        "",
        "<html>blocked</html>",
        "{\"value\": [{\"id\": \"00000000-0000-4000-8000-000000000007\"",
        "{\"value\": [{\"id\": 5, \"activityDateTime\": \"2026-10-26T07:00:00Z\"}]}",
        "{\"value\": 1e999}",
        "\u{fffd}\u{0}",
        "{\"value\": [], \"@odata.nextLink\": \"https://evil.example/v1.0/auditLogs/provisioning\"}",
    ] {
        let mut world = world(|_| ()).await;
        world
            .graph
            .on(PROVISIONING, |_| page(&[row(1, OBJECTS, START)]));
        world.run_to(0).await;
        let before = world.source(Poll::ProvisioningLogs).await;
        let body = body.to_owned();
        let broken = body.clone();
        world.graph.on(PROVISIONING, move |_| raw(200, &broken));
        world.graph.on(JOBS, |_| raw(200, "<html>blocked</html>"));
        world.run_to(2).await;
        for poll in [Poll::ProvisioningLogs, Poll::Jobs] {
            let source = world.source(poll).await;
            assert_eq!(
                source.failure,
                Some(ReadFailure::BadAnswer),
                "{poll} {body:?}"
            );
            assert!(source.failure_text.unwrap().len() > 30, "{poll} {body:?}");
        }
        assert_eq!(
            world.source(Poll::ProvisioningLogs).await.read_at,
            before.read_at
        );
        assert_eq!(rows(&world).await, 1);
        let lane = world.lane(Engine::Cloud, LaneKind::Objects).await.unwrap();
        assert_eq!(
            (lane.facts.last_success_at, lane.idle_reason),
            (Some(START), None)
        );
        assert_eq!(world.store.jobs().await.unwrap().len(), 2);
        assert_eq!(world.source(Poll::DirectoryAudits).await.failure, None);
    }
}

#[tokio::test]
async fn after_a_restart_the_log_is_read_from_its_watermark_on() {
    let mut world = world(|_| ()).await;
    world.run_to(10).await;
    world.clock.set(START + 600 * MINUTE);
    world.restart();
    world.graph.take_asked();
    world.run_to(600).await;
    let asked = world.graph.take_asked();
    let first = asked
        .iter()
        .find(|asked| asked.path == PROVISIONING)
        .unwrap();
    assert!(
        wanted(first, START + 10 * MINUTE - 100 * MINUTE),
        "{:?}",
        first.query
    );
    let until = asked
        .iter()
        .filter(|a| a.path == PROVISIONING)
        .any(|a| wanted(a, START + 600 * MINUTE));
    assert!(until, "in several windows up to now");
}

#[tokio::test]
async fn a_wait_of_the_service_is_kept_to_the_second_by_both_logs() {
    let mut world = world(|_| ()).await;
    world
        .graph
        .on(PROVISIONING, |_| (429, Some("90"), String::new()));
    world.run_to(1).await;
    assert_eq!(world.graph.count(PROVISIONING), 1);
    assert_eq!(
        world.source(Poll::ProvisioningLogs).await.failure,
        Some(ReadFailure::Throttled)
    );
    world.graph.on(PROVISIONING, |_| page(&[]));
    for (seconds, asked) in [(89, 1), (90, 2)] {
        let now = START + Duration::from_secs(seconds);
        world.clock.set(now);
        world.collector.run_once(now).await.unwrap();
        assert_eq!(world.graph.count(PROVISIONING), asked, "at {seconds} s");
    }
    assert_eq!(world.source(Poll::ProvisioningLogs).await.failure, None);
    assert_eq!(world.source(Poll::DirectoryAudits).await.failure, None);
}
