//! The loop of the service, on the real clock of the runtime.

use syncwatch_domain::alert::AlertId;

use super::*;

/// The running deliverer, until it is stopped.
struct Running {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Running {
    fn start(deliverer: Deliverer) -> Self {
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        tracker.spawn(deliverer.run(stop.clone()));
        tracker.close();
        Self { stop, tracker }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tracker.wait().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_hangs_does_not_hold_up_another_one() {
    let hang = Answer {
        hang: true,
        ..Answer::default()
    };
    let stuck = HttpSink::start((0..50).map(|_| hang.clone())).await;
    let well = HttpSink::start([]).await;
    let bench = Bench::new(vec![
        webhook_receiver("stuck", &stuck.url("/")),
        webhook_receiver("well", &well.url("/")),
    ])
    .await;
    let running = Running::start(bench.deliverer());
    for rule in Rule::ALL {
        bench.tell(&["stuck", "well"], &firing(*rule)).await;
    }
    let requests = well.wait_for(Rule::ALL.len()).await;
    assert_eq!(requests.len(), Rule::ALL.len());
    assert!(
        stuck.requests().len() > 1,
        "the other one was tried as well"
    );
    // Not stopped: that would wait until the attempts that hang run into their limit.
    drop(running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_is_under_way_and_writes_it_down() {
    let sink = HttpSink::start([]).await;
    let bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    for rule in Rule::ALL {
        bench.tell(&["hook"], &firing(*rule)).await;
    }
    let running = Running::start(bench.deliverer());
    sink.wait_for(1).await;
    running.stop().await;
    let sent = sink.requests().len();
    let mut delivered = 0;
    for rule in Rule::ALL {
        for (_, state, attempts) in bench.states(&alert(*rule)).await {
            delivered += usize::from(state == DeliveryState::Delivered && attempts == 1);
        }
    }
    assert_eq!(delivered, sent, "everything that was sent is on record");
    let rest = Rule::ALL.len() - sent;
    let next = bench.deliverer();
    assert_eq!(bench.round(&next).await.delivered, rest);
    assert_eq!(
        sink.requests().len(),
        Rule::ALL.len(),
        "nothing was sent twice"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_burst_arrives_completely_and_once() {
    const COUNT: usize = 700;
    let sink = HttpSink::start([]).await;
    let bench = Bench::new(vec![webhook_receiver("hook", &sink.url("/"))]).await;
    let running = Running::start(bench.deliverer());
    let alerts: Vec<Alert> = (0..COUNT)
        .map(|n| {
            let mut one = alert(Rule::WindowMissed);
            one.subject.path = format!("lane/{n}");
            one.id = AlertId::of(one.rule, &one.subject, START);
            one
        })
        .collect();
    let judgement = Judgement {
        now: START,
        lanes: Vec::new(),
        deliveries: alerts
            .iter()
            .map(|alert| NewDelivery {
                receiver: "hook".into(),
                notification: notification(Firing, alert.clone()),
                due_at: START,
            })
            .collect(),
        alerts,
        seen: Seen::default(),
    };
    bench.store.commit_judgement(&judgement).await.unwrap();
    let requests = sink.wait_for(COUNT).await;
    running.stop().await;
    let keys: std::collections::BTreeSet<_> = requests
        .iter()
        .map(|one| one.header("idempotency-key").to_owned())
        .collect();
    assert_eq!((keys.len(), sink.requests().len()), (COUNT, COUNT));
    assert_eq!(bench.store.outbox().await.unwrap().depth, 0);
}
