//! Families that other parts count themselves, through handles of the shared registry.

use prometheus::Registry;
use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::catalogue::{self, Head, Kind, Unit};
use crate::labels::labels;
use crate::page::{Page, Samples};

/// Writes everything that is registered.
pub(crate) fn render(registry: &Registry, page: &mut Page) {
    for family in registry.gather() {
        let mut samples = page.family_with(head(&family));
        for metric in family.get_metric() {
            write(&mut samples, family.get_field_type(), metric);
        }
    }
}

/// The catalogue speaks for the families it knows; others are served as they were registered.
fn head(family: &MetricFamily) -> Head<'_> {
    let kind = match family.get_field_type() {
        MetricType::COUNTER if family.name().ends_with("_total") => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => Kind::Summary,
        // A counter without `_total` is one that OpenMetrics would refuse.
        MetricType::COUNTER | MetricType::UNTYPED => Kind::Untyped,
    };
    match catalogue::family(family.name()) {
        Some(known) if known.head.kind == kind => known.head,
        _ => Head {
            name: family.name(),
            kind,
            unit: Unit::None,
            help: family.help(),
        },
    }
}

fn write(samples: &mut Samples<'_>, kind: MetricType, metric: &Metric) {
    let pairs = metric
        .get_label()
        .iter()
        .map(|pair| (pair.name(), pair.value()))
        .collect::<Vec<_>>();
    let labels = labels(&pairs);
    match kind {
        MetricType::COUNTER => samples.sample(&labels, metric.get_counter().get_value()),
        MetricType::GAUGE => samples.sample(&labels, metric.get_gauge().get_value()),
        MetricType::HISTOGRAM => histogram(samples, &labels, metric),
        MetricType::SUMMARY => summary(samples, &labels, metric),
        // The library has no way to make one.
        MetricType::UNTYPED => {}
    }
}

fn histogram(samples: &mut Samples<'_>, labels: &str, metric: &Metric) {
    let histogram = metric.get_histogram();
    for bucket in histogram.get_bucket() {
        samples.part(
            "_bucket",
            labels,
            Some(("le", bucket.upper_bound())),
            count(bucket.cumulative_count()),
        );
    }
    let total = count(histogram.get_sample_count());
    if histogram
        .get_bucket()
        .last()
        .is_none_or(|bucket| bucket.upper_bound().is_finite())
    {
        samples.part("_bucket", labels, Some(("le", f64::INFINITY)), total);
    }
    samples.part("_sum", labels, None, histogram.get_sample_sum());
    samples.part("_count", labels, None, total);
}

fn summary(samples: &mut Samples<'_>, labels: &str, metric: &Metric) {
    let summary = metric.get_summary();
    for quantile in summary.get_quantile() {
        samples.part(
            "",
            labels,
            Some(("quantile", quantile.quantile())),
            quantile.value(),
        );
    }
    samples.part("_sum", labels, None, summary.sample_sum());
    samples.part("_count", labels, None, count(summary.sample_count()));
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
