//! The life of a job, step by step.

use super::*;
use crate::times::Span;

fn job(state: JobStart) -> JobState {
    let spec = Job {
        template: "AD2AADProvisioning".to_owned(),
        interval: Span::mins(20),
        cadence: Span::mins(2),
        jitter: 0.1,
        takes: Span::secs(5),
        objects: 3,
        rows: 3,
        state,
    };
    JobState::new(
        Seed(4),
        "11111111-2222-4333-8444-555555555555",
        "werke.example",
        &spec,
        0,
        100,
    )
}

#[test]
fn advancing_in_steps_equals_advancing_at_once() {
    let settings = Settings::default();
    let (mut steps, mut once) = (job(JobStart::Active), job(JobStart::Active));
    let mut ends: Vec<i64> = Vec::new();
    for minute in 0..=60 {
        ends.extend(
            steps
                .advance(minute * 60_000, &settings)
                .iter()
                .map(|cycle| cycle.ended),
        );
    }
    let all: Vec<i64> = once
        .advance(3_600_000, &settings)
        .iter()
        .map(|cycle| cycle.ended)
        .collect();
    assert_eq!(ends, all);
    assert!(
        (27..=33).contains(&all.len()),
        "{} cycles in an hour",
        all.len()
    );
}

#[test]
fn a_stopped_job_keeps_its_healthy_face() {
    let settings = Settings::default();
    let mut job = job(JobStart::Active);
    job.advance(600_000, &settings);
    let before = job.status.last_steady;
    job.mode = Mode::Stopped;
    assert!(job.advance(3_600_000, &settings).is_empty());
    assert_eq!(
        (job.status.code, job.status.last_steady),
        ("Active", before)
    );
    job.resume(3_600_000);
    assert!(!job.advance(3_700_000, &settings).is_empty());
}

#[test]
fn quarantine_backs_off_and_ends_disabled() {
    let settings = Settings::default();
    let mut job = job(JobStart::Active);
    job.quarantine(0, "EncounteredQuarantineException", "TimeOut", &settings);
    let hour = 3_600_000;
    job.advance(19 * hour, &settings);
    let seen = job
        .status
        .quarantine
        .clone()
        .map(|q| (q.series_count, q.next_attempt));
    assert_eq!(seen, Some((3, 42 * hour)), "6 h, 18 h, then 24 h later");
    job.advance(30 * DAY_MS, &settings);
    assert_eq!(
        (job.mode.clone(), job.status.code),
        (Mode::Disabled, "Paused")
    );
}

#[test]
fn an_initial_cycle_shows_progress_and_zero_dates() {
    let settings = Settings::default();
    let mut job = job(JobStart::NotRun);
    job.begin_initial(0, 100_000);
    job.advance(50_000, &settings);
    assert_eq!(job.status.progress, Some((50, 100, 50_000)));
    assert_eq!(job.status.last_steady, None);
    job.advance(100_000, &settings);
    assert_eq!(job.status.progress, None);
    assert_eq!(job.status.first_steady, Some(100_000));
}

#[test]
fn repeated_failures_end_in_quarantine_if_the_story_says_so() {
    let settings = Settings {
        quarantine_after: Some(3),
        ..Settings::default()
    };
    let mut job = job(JobStart::Active);
    job.mode = Mode::Failing {
        code: "TimeOut".to_owned(),
    };
    job.advance(600_000, &settings);
    assert_eq!(job.status.code, "Quarantine");
    assert_eq!(job.status.failures, 4);
}
