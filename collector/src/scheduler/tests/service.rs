//! The endless loop, on the clock of the machine.

use std::sync::atomic::{AtomicU32, Ordering};

use syncwatch_domain::clock::SystemClock;
use syncwatch_store::Topic;
use tokio_util::task::TaskTracker;

use super::*;

/// Longest time a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running collector whose lanes close their window two seconds after their success.
struct Service {
    graph: Arc<FakeGraph>,
    store: Store,
    handle: CollectorHandle,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<Collector>,
    success: Timestamp,
    _folder: tempfile::TempDir,
}

fn policy(grace: Span) -> LanePolicy {
    LanePolicy {
        rules: vec![LaneRule {
            interval: Some(Span::secs(1)),
            grace: Some(grace),
            late_after: Some(Span::secs(2)),
            ..LaneRule::default()
        }],
    }
}

async fn service(prepare: impl FnOnce(&FakeGraph)) -> Service {
    service_every("1h", |graph, _| prepare(graph)).await
}

/// A service that reads jobs on a schedule; the objects' success is told while it is prepared.
async fn service_every(schedule: &str, prepare: impl FnOnce(&FakeGraph, Timestamp)) -> Service {
    let World {
        graph,
        store,
        mut config,
        _folder,
        ..
    } = world(|_| ()).await;
    let success = SystemClock.now();
    graph.on(JOBS, move |_| page(&[job(OBJECTS, success)]));
    prepare(&graph, success);
    let settings = config.polls.get_mut(&Poll::Jobs).unwrap();
    settings.schedule = schedule.parse().unwrap();
    let mut collector = Collector::new(Parts {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        tenants: vec![config],
        policy: policy(Span::secs(1)),
        registry: &Registry::new(),
    })
    .unwrap();
    let handle = collector.handle();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let ended = TaskTracker::new().spawn(async move {
        collector.run(stopped).await.unwrap();
        collector
    });
    Service {
        graph,
        store,
        handle,
        stop,
        ended,
        success,
        _folder,
    }
}

impl Service {
    /// Waits until the lane of the objects is as told.
    async fn until(&self, what: &str, is: impl Fn(&LaneView) -> bool) -> LaneView {
        let mut wake = self.store.feed().subscribe(Topic::Observed);
        let mut last = None;
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let lanes = self.store.lanes(&LaneFilter::default()).await.unwrap();
                last = lanes
                    .into_iter()
                    .find(|lane| lane.job_id.as_deref() == Some(OBJECTS));
                if let Some(lane) = last.take_if(|lane| is(lane)) {
                    return lane;
                }
                wake.changed().await.unwrap();
            }
        })
        .await;
        waited.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    async fn end(self) -> Collector {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.ended)
            .await
            .unwrap()
            .unwrap()
    }
}

fn is_confirmed(lane: &LaneView) -> bool {
    lane.facts.deadline_at.is_some() && lane.facts.read_at >= lane.facts.deadline_at
}

#[tokio::test]
async fn a_window_that_closes_is_read_at_once_however_slow_another_source_is() {
    let service = service(|graph| {
        graph.hold("/v1.0/organization");
        graph.hold(AUDITS);
    })
    .await;
    let lane = service
        .until("a read after the deadline", is_confirmed)
        .await;
    assert_eq!(lane.facts.last_success_at, Some(service.success));
    assert_eq!(
        service.graph.count("/v1.0/organization"),
        1,
        "still waiting for its answer"
    );
    let reads = service
        .graph
        .take_asked()
        .iter()
        .filter(|asked| asked.path == JOBS)
        .count();
    assert_eq!(reads, 2, "when it was found and at the deadline");
    service.graph.release("/v1.0/organization");
    service.graph.release(AUDITS);
    service.end().await;
}

#[tokio::test]
async fn a_window_that_closes_is_read_at_once_although_the_long_list_of_its_jobs_is_under_way() {
    let single = format!("{JOBS}/{OBJECTS}");
    let service = service_every("1s", |graph, success| {
        let lists = AtomicU32::new(0);
        let held = graph.held();
        graph.on(JOBS, move |_| {
            // The first list is answered; the next one begins before the deadline and hangs.
            if lists.fetch_add(1, Ordering::Relaxed) == 0 {
                held.send_modify(|held| {
                    held.insert(JOBS.to_owned());
                });
            }
            let others = (0..5).map(|n| {
                let id = format!("AD2AADProvisioning.0123456789abcdef0123456789abcdef.{n}");
                let mut other = job(&id, success + 60 * MINUTE);
                other["synchronizationJobSettings"][0]["value"] = json!(format!("{n}.example"));
                other
            });
            let mut jobs: Vec<_> = others.collect();
            jobs.push(job(OBJECTS, success));
            page(&jobs)
        });
        graph.on(&format!("{JOBS}/{OBJECTS}"), move |_| {
            raw(200, &job(OBJECTS, success).to_string())
        });
    })
    .await;
    let lane = service
        .until("a read after the deadline", is_confirmed)
        .await;
    assert_eq!(lane.key.partition, "ad.rowan.example");
    assert!(service.graph.count(&single) >= 1);
    assert_eq!(service.graph.count(JOBS), 2, "the second still hangs");
    service.graph.release(JOBS);
    service.end().await;
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way_and_a_new_run_goes_on() {
    let service = service(|graph| graph.hold("/v1.0/organization")).await;
    service
        .until("the first read", |lane| lane.facts.read_at.is_some())
        .await;
    service.stop.cancel();
    service.graph.release("/v1.0/organization");
    let (store, graph) = (service.store.clone(), Arc::clone(&service.graph));
    let mut collector = service.end().await;
    let sources = store.sources(None).await.unwrap();
    let organization = sources
        .iter()
        .find(|source| source.state.key.poll == Poll::Organization)
        .unwrap();
    assert!(
        organization.state.read_at.is_some(),
        "and what it brought is kept"
    );

    graph.take_asked();
    let stop = CancellationToken::new();
    stop.cancel();
    collector.run(stop).await.unwrap();
    assert!(
        graph.take_asked().is_empty(),
        "a run that is stopped before it begins asks nothing"
    );
}

#[tokio::test]
async fn a_new_policy_moves_the_confirm_read() {
    let service = service(|_| ()).await;
    service
        .until("the first read", |lane| lane.facts.read_at.is_some())
        .await;
    let hour = policy(Span::minutes(60));
    service
        .store
        .apply_policy(&hour, SystemClock.now())
        .await
        .unwrap();
    service.handle.set_policy(hour);
    let sooner = policy(Span::secs(2));
    service
        .store
        .apply_policy(&sooner, SystemClock.now())
        .await
        .unwrap();
    service.handle.set_policy(sooner);
    let lane = service
        .until("a read after the new deadline", is_confirmed)
        .await;
    assert_eq!(
        lane.facts.deadline_at,
        Some(service.success + Duration::from_secs(3))
    );
    service.end().await;
}
