#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use syncwatch_domain::alert::Finding;
use syncwatch_domain::window::judge;

use super::*;
use crate::detect::testing::{assert_told, due_lane, lane_key, minute, source_key};

/// The conditions of a lane read and judged at a minute.
fn at(lane: &mut DueLane, minutes: i64) -> Vec<Condition> {
    lane.facts.read_at = Some(minute(minutes));
    conditions(lane, &judge(&lane.facts, minute(minutes)), minute(minutes))
}

#[test]
fn a_late_lane_is_a_warning_with_its_facts() {
    assert_told!("lane_late", at(&mut due_lane(), 61));
}

#[test]
fn a_missed_window_is_critical_and_stamped_with_its_deadline() {
    let found = at(&mut due_lane(), 145);
    assert_eq!(found[0].occurred_at, minute(120));
    assert_told!("window_missed", found);
}

#[test]
fn every_kind_of_lane_has_its_own_advice() {
    let mut found = Vec::new();
    for (engine, kind) in [
        (Engine::Cloud, LaneKind::PasswordHash),
        (Engine::Connect, LaneKind::Objects),
        (Engine::Connect, LaneKind::PasswordHash),
    ] {
        let mut lane = due_lane();
        lane.key = lane_key(engine, kind);
        if engine == Engine::Connect {
            lane.job_id = None;
            lane.source_key = source_key(syncwatch_domain::source::Poll::Organization, "");
            lane.intervals = syncwatch_domain::cadence::Intervals::default();
        }
        found.extend(at(&mut lane, 145));
    }
    assert_told!("window_missed_by_kind", found);
}

#[test]
fn the_basis_of_the_interval_is_named() {
    let mut lane = due_lane();
    lane.intervals.configured = Some(Duration::from_secs(20 * 60));
    let found = at(&mut lane, 145);
    let interval = found[0]
        .evidence
        .iter()
        .find(|fact| fact.name == "interval")
        .unwrap();
    assert_eq!(interval.value, "20m (configured)");
}

#[test]
fn a_seen_success_ends_both_alerts() {
    assert_told!("lane_on_time_again", at(&mut due_lane(), 30));
}

#[test]
fn a_window_that_began_anew_without_a_success_ends_nothing() {
    let mut lane = due_lane();
    lane.facts.late_at = Some(minute(200));
    lane.facts.deadline_at = Some(minute(260));
    assert_eq!(at(&mut lane, 145), []);
    lane.facts.last_success_at = None;
    assert_eq!(at(&mut lane, 145), []);
}

#[test]
fn a_paused_lane_says_that_it_did_not_recover() {
    let mut lane = due_lane();
    lane.facts.paused = true;
    lane.idle_reason = Some("paused in the config".into());
    assert_told!("lane_paused", at(&mut lane, 145));
}

#[test]
fn a_blind_or_unknown_lane_says_nothing() {
    let mut lane = due_lane();
    lane.facts.read_at = Some(minute(100));
    lane.facts.failing_since = Some(minute(101));
    let verdict = judge(&lane.facts, minute(145));
    assert_eq!(verdict.status, LaneStatus::Blind);
    assert_eq!(conditions(&lane, &verdict, minute(145)), []);
    lane.facts.late_at = None;
    assert_eq!(at(&mut lane, 145), []);
}

#[test]
fn only_late_and_missed_lanes_hold_anything() {
    for (minutes, rule) in [
        (10, None),
        (61, Some(Rule::LaneLate)),
        (121, Some(Rule::WindowMissed)),
    ] {
        let found = at(&mut due_lane(), minutes);
        let holding = found
            .iter()
            .find(|condition| condition.finding == Finding::Holds);
        assert_eq!(
            holding.map(|condition| condition.rule),
            rule,
            "at {minutes}"
        );
    }
}
