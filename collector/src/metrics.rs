//! Metrics of the collector; labels come from closed sets.

use std::time::Duration;

use prometheus::{CounterVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use syncwatch_domain::source::Poll;

use crate::graph::Endpoint;

/// From a fast answer on loopback to the longest request timeout.
const BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Handles shared by all tenants.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    polls: HistogramVec,
    requests: IntCounterVec,
    throttled: CounterVec,
}

impl Metrics {
    /// Makes the handles and registers them.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            polls: HistogramVec::new(
                HistogramOpts::new(
                    "syncwatch_poll_duration_seconds",
                    "Length of polls, whatever their outcome.",
                )
                .buckets(BUCKETS.to_vec()),
                &["tenant", "poll"],
            )?,
            requests: IntCounterVec::new(
                Opts::new(
                    "syncwatch_graph_requests_total",
                    "Requests to Microsoft Graph by HTTP status, or by failure where there was no answer.",
                ),
                &["tenant", "endpoint", "code"],
            )?,
            throttled: CounterVec::new(
                Opts::new(
                    "syncwatch_graph_throttled_seconds_total",
                    "Waiting time that Microsoft Graph asked for.",
                ),
                &["tenant"],
            )?,
        };
        registry.register(Box::new(metrics.polls.clone()))?;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.throttled.clone()))?;
        Ok(metrics)
    }

    /// The handles of one tenant.
    pub(crate) fn of(&self, tenant: &str) -> TenantMetrics {
        TenantMetrics {
            tenant: tenant.to_owned(),
            all: self.clone(),
        }
    }
}

/// Handles of one tenant.
#[derive(Clone, Debug)]
pub(crate) struct TenantMetrics {
    tenant: String,
    all: Metrics,
}

impl TenantMetrics {
    pub(crate) fn request(&self, endpoint: Endpoint, code: &str) {
        let labels = [self.tenant.as_str(), endpoint.as_str(), code];
        self.all.requests.with_label_values(&labels).inc();
    }

    pub(crate) fn throttled(&self, wait: Duration) {
        self.all
            .throttled
            .with_label_values(&[&self.tenant])
            .inc_by(wait.as_secs_f64());
    }

    pub(crate) fn polled(&self, poll: Poll, took: Duration) {
        let labels = [self.tenant.as_str(), poll.as_str()];
        self.all
            .polls
            .with_label_values(&labels)
            .observe(took.as_secs_f64());
    }
}
