//! Middle and edge of samples.

/// The middle of the values; of an even number the mean of the two in the middle. 0 without values.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The smallest value that at least `percent` of all values do not exceed (nearest rank). 0 without values.
#[must_use]
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let sorted = sorted(values);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// The largest value; 0 without values.
#[must_use]
pub fn maximum(values: &[f64]) -> f64 {
    sorted(values).last().copied().unwrap_or(0.0)
}

/// The smallest value; 0 without values.
#[must_use]
pub fn minimum(values: &[f64]) -> f64 {
    sorted(values).first().copied().unwrap_or(0.0)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// A count as a number to calculate with.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a measurement are far below 2^53"
)]
pub fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_and_ranks_are_those_of_the_textbook() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (percentile(&hundred, 50), percentile(&hundred, 99)),
            (50.0, 99.0)
        );
        assert_eq!(percentile(&[7.0, 9.0], 99), 9.0);
        assert_eq!((minimum(&hundred), maximum(&hundred)), (1.0, 100.0));
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(
            (median(&[]), percentile(&[], 99), maximum(&[])),
            (0.0, 0.0, 0.0)
        );
    }
}
