//! The two limits that matter: the small bucket of the reporting API and the resource units of the directory.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::chance::Seed;
use crate::graph::error::GraphError;
use crate::story::Settings;

/// Length of the directory's window.
const UNITS_WINDOW_MS: i64 = 10_000;

/// Spent budgets of one tenant, per application.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    reports: HashMap<String, VecDeque<i64>>,
    units: HashMap<String, VecDeque<(i64, u32)>>,
    refused: u64,
}

impl Buckets {
    /// Counts a call to `auditLogs`, or refuses it.
    pub(crate) fn report(
        &mut self,
        app: &str,
        now: i64,
        seed: Seed,
        settings: &Settings,
    ) -> Result<(), GraphError> {
        if settings.reports_limit == 0 {
            return Ok(());
        }
        let window = settings.reports_window.as_ms();
        let calls = self.reports.entry(app.to_owned()).or_default();
        calls.retain(|at| *at > now - window && *at <= now);
        if calls.len() < settings.reports_limit as usize {
            calls.push_back(now);
            return Ok(());
        }
        self.refused += 1;
        let draw = seed.corner("429").nth(self.refused);
        let wait = calls
            .front()
            .map_or(0, |first| (first + window - now + 999) / 1000)
            .max(1);
        Err(reports_refusal(
            draw.happens(settings.retry_after_share)
                .then_some(wait.unsigned_abs()),
            draw,
        ))
    }

    /// Counts the resource units of a directory call; tells the share of the limit that is spent.
    pub(crate) fn spend(
        &mut self,
        app: &str,
        now: i64,
        cost: u32,
        limit: u32,
    ) -> Result<f64, GraphError> {
        let spent = self.units.entry(app.to_owned()).or_default();
        spent.retain(|(at, _)| *at > now - UNITS_WINDOW_MS && *at <= now);
        let total: u32 = spent.iter().map(|(_, cost)| cost).sum::<u32>() + cost;
        if total > limit {
            let wait = spent
                .front()
                .map_or(1, |(first, _)| (first + UNITS_WINDOW_MS - now + 999) / 1000)
                .max(1);
            return Err(directory_refusal(wait.unsigned_abs()));
        }
        spent.push_back((now, cost));
        Ok(f64::from(total) / f64::from(limit.max(1)))
    }
}

/// A 429 of the reporting API: one of two bodies, with or without Retry-After.
pub(crate) fn reports_refusal(retry_after: Option<u64>, draw: Seed) -> GraphError {
    let error = if draw.corner("long").happens(0.5) {
        let text = "This request is throttled. Please try again after the value specified in the Retry-After header.";
        GraphError::new(
            429,
            "TooManyRequests",
            format!("{text} CorrelationId: {}", draw.guid()),
        )
    } else {
        GraphError::new(429, "UnknownError", "Too Many Requests")
    };
    match retry_after {
        Some(seconds) => error.with("Retry-After", seconds.to_string()),
        None => error,
    }
}

fn directory_refusal(retry_after: u64) -> GraphError {
    GraphError::new(429, "TooManyRequests", "Too many requests.")
        .with("Retry-After", retry_after.to_string())
        .with("x-ms-throttle-information", "ResourceUnitLimitExceeded")
        .with("x-ms-throttle-limit-percentage", "1.2")
}

/// Documented limit by tenant size.
pub(crate) fn units_limit(settings: &Settings, users: usize) -> u32 {
    match (settings.directory_units, users) {
        (0, 0..50) => 3500,
        (0, 50..=500) => 5000,
        (0, _) => 8000,
        (limit, _) => limit,
    }
}

/// Cost of a directory call.
pub(crate) fn units(first_segment: &str, select: bool, expand: bool, small_top: bool) -> u32 {
    let base: i32 = match first_segment {
        "users" | "applications" => 2,
        _ => 1,
    };
    let cost = base - i32::from(select) + i32::from(expand) - i32::from(small_top);
    cost.max(1).unsigned_abs()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_report_in_ten_seconds_is_refused() {
        let settings = Settings::default();
        let mut buckets = Buckets::default();
        for n in 0..5 {
            buckets.report("app", n * 1000, Seed(1), &settings).unwrap();
        }
        assert_eq!(
            buckets
                .report("app", 9999, Seed(1), &settings)
                .unwrap_err()
                .status,
            429
        );
        buckets.report("other", 9999, Seed(1), &settings).unwrap();
        buckets.report("app", 10_000, Seed(1), &settings).unwrap();
    }

    #[test]
    fn some_refusals_carry_retry_after_and_some_do_not() {
        let settings = Settings {
            reports_limit: 1,
            ..Settings::default()
        };
        let mut buckets = Buckets::default();
        buckets.report("app", 0, Seed(1), &settings).unwrap();
        let with: Vec<bool> = (0..20)
            .map(|_| {
                buckets
                    .report("app", 1, Seed(1), &settings)
                    .unwrap_err()
                    .headers
                    .iter()
                    .any(|(name, _)| *name == "Retry-After")
            })
            .collect();
        assert!(with.contains(&true) && with.contains(&false));
    }

    #[test]
    fn units_follow_the_published_table() {
        assert_eq!(units("users", false, false, false), 2);
        assert_eq!(units("users", true, false, true), 1);
        assert_eq!(units("servicePrincipals", false, true, false), 2);
        let mut buckets = Buckets::default();
        assert!(buckets.spend("app", 0, 3400, 3500).unwrap() > 0.9);
        assert_eq!(buckets.spend("app", 1, 200, 3500).unwrap_err().status, 429);
        buckets.spend("app", 10_001, 200, 3500).unwrap();
    }
}
