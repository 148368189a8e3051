//! A store, receivers, and the time in hand.

use super::*;

/// A store with one deliverer on it, and the time in hand.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) store: Store,
    pub(super) clock: Arc<ScriptedClock>,
    pub(super) config: Notifications,
    pub(super) registry: Registry,
    pub(super) metrics: DeliveryMetrics,
}

impl Bench {
    pub(super) async fn new(receivers: Vec<ReceiverConfig>) -> Self {
        Self::probed(receivers, None).await
    }

    pub(super) async fn probed(receivers: Vec<ReceiverConfig>, probe: Option<CommitProbe>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder, probe).await;
        let registry = Registry::new();
        Self {
            store,
            folder,
            clock: Arc::new(ScriptedClock::new(START)),
            config: Notifications {
                receivers,
                routes: Vec::new(),
            },
            metrics: DeliveryMetrics::register(&registry).unwrap(),
            registry,
        }
    }

    pub(super) fn deliverer(&self) -> Deliverer {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let metrics = self.metrics.clone();
        Deliverer::new(self.store.clone(), clock, &self.config, None, metrics).unwrap()
    }

    /// The process dies and starts anew on the same file.
    pub(super) async fn restart(&mut self) {
        self.store = open(&self.folder, None).await;
    }

    /// Decides that `receivers` are told.
    pub(super) async fn tell(&self, receivers: &[&str], told: &Notification) {
        let deliveries = receivers.iter().map(|&receiver| NewDelivery {
            receiver: receiver.to_owned(),
            notification: told.clone(),
            due_at: self.now(),
        });
        let judgement = Judgement {
            now: self.now(),
            lanes: Vec::new(),
            alerts: vec![told.alert.clone()],
            deliveries: deliveries.collect(),
            seen: Seen::default(),
        };
        assert!(
            self.store
                .commit_judgement(&judgement)
                .await
                .unwrap()
                .committed
        );
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub(super) async fn round(&self, deliverer: &Deliverer) -> DeliveryReport {
        deliverer.run_once(self.now()).await.unwrap()
    }

    pub(super) async fn states(&self, alert: &Alert) -> Vec<(String, DeliveryState, i64)> {
        let known = self.store.deliveries_of(&alert.id.0).await.unwrap();
        known
            .into_iter()
            .map(|one| (one.receiver, one.state, one.attempts))
            .collect()
    }

    pub(super) fn counted(&self, receiver: &str, outcome: AttemptOutcome) -> u64 {
        self.metrics.value(receiver, outcome)
    }
}

pub(super) async fn open(folder: &TempDir, probe: Option<CommitProbe>) -> Store {
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let options = StoreOptions {
        probe,
        ..StoreOptions::new(url, "bench")
    };
    Store::open_and_migrate(&options).await.unwrap()
}

pub(super) fn firing(rule: Rule) -> Notification {
    notification(Firing, alert(rule))
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn state(
    receiver: &str,
    state: DeliveryState,
    attempts: i64,
) -> (String, DeliveryState, i64) {
    (receiver.to_owned(), state, attempts)
}
