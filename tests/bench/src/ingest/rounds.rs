//! Rates of contenders that ran round about.

use std::time::Duration;

use crate::report::{Report, short};
use crate::stats::{median, number};

/// What one contender reached, one entry per round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates(Vec<f64>);

impl Rates {
    pub(crate) fn add(&mut self, rows: u64, took: Duration) {
        self.0.push(number(rows) / took.as_secs_f64());
    }

    pub(crate) fn median(&self) -> f64 {
        median(&self.0)
    }

    /// The middle of the ratios of each round: what disturbs a round disturbs both sides of its ratio.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        let ratios: Vec<f64> = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(own, other)| own / other)
            .collect();
        median(&ratios)
    }
}

/// Shows contenders beside the first one.
pub(crate) fn show(report: &Report, contenders: &[(&str, &Rates)]) {
    let mut rows = vec![
        ["contender", "events/s", "first is x of it", "rounds"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let Some((_, first)) = contenders.first() else {
        return;
    };
    for (name, rates) in contenders {
        let each: Vec<String> = rates.0.iter().map(|rate| short(*rate)).collect();
        rows.push(vec![
            (*name).to_owned(),
            short(rates.median()),
            short(first.ratio_to(rates)),
            each.join(" "),
        ]);
    }
    report.table(&rows);
}
