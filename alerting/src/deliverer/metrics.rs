//! What the deliverer counts.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};
use syncwatch_domain::delivery::AttemptOutcome;

/// From a fraction of what the deadline engine promises up to what a broken receiver causes.
const LATENCY_SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0, 1_800.0, 7_200.0,
];

/// Handles of the metrics; cheap to clone.
#[derive(Clone, Debug)]
pub struct DeliveryMetrics {
    notifications: IntCounterVec,
    latency: Histogram,
}

impl DeliveryMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// When the registry has metrics of the same names.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let notifications = IntCounterVec::new(
            Opts::new(
                "syncwatch_notifications_total",
                "Attempts to tell a receiver, by how they ended: delivered, retry, given_up.",
            ),
            &["receiver", "outcome"],
        )?;
        let latency = Histogram::with_opts(
            HistogramOpts::new(
                "syncwatch_notification_latency_seconds",
                "From the decision to tell a receiver to its acknowledgement.",
            )
            .buckets(LATENCY_SECONDS.to_vec()),
        )?;
        registry.register(Box::new(notifications.clone()))?;
        registry.register(Box::new(latency.clone()))?;
        Ok(Self {
            notifications,
            latency,
        })
    }

    /// Shows the counters of a receiver from the start: a rate needs a first value.
    pub(super) fn prepare(&self, receiver: &str) {
        for outcome in AttemptOutcome::ALL {
            self.notifications
                .with_label_values(&[receiver, outcome.as_str()]);
        }
    }

    /// Counts an attempt.
    pub(super) fn attempted(&self, receiver: &str, outcome: AttemptOutcome) {
        self.notifications
            .with_label_values(&[receiver, outcome.as_str()])
            .inc();
    }

    /// Notes how long an acknowledgement took, all attempts and waits included.
    pub(super) fn acknowledged(&self, after: Duration) {
        self.latency.observe(after.as_secs_f64());
    }

    /// The count so far.
    #[cfg(test)]
    pub(super) fn value(&self, receiver: &str, outcome: AttemptOutcome) -> u64 {
        self.notifications
            .with_label_values(&[receiver, outcome.as_str()])
            .get()
    }
}
