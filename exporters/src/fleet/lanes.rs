//! Lanes and their cycles.

use syncwatch_domain::cadence::IntervalBasis;
use syncwatch_domain::lane::{LaneKey, LaneStatus};
use syncwatch_store::{CycleTotal, LaneView};

use crate::catalogue;
use crate::labels::LabelBlocks;
use crate::page::Page;
use crate::value::Value;

pub(super) fn render(lanes: &[LaneView], cycles: &[CycleTotal], page: &mut Page) {
    let mut blocks = LabelBlocks::default();
    for lane in lanes {
        push_key(&mut blocks, &lane.key);
    }
    let each = || blocks.iter().zip(lanes);

    let mut samples = page.family(&catalogue::LANE_LAST_SUCCESS);
    for (labels, lane) in each() {
        if let Some(at) = lane.facts.last_success_at {
            samples.sample(labels, at);
        }
    }
    let mut samples = page.family(&catalogue::LANE_DEADLINE);
    for (labels, lane) in each() {
        if let Some(at) = lane.facts.deadline_at {
            samples.sample(labels, at);
        }
    }
    let mut samples = page.family(&catalogue::LANE_STATUS);
    for (labels, lane) in each() {
        for status in LaneStatus::ALL {
            samples.member(labels, "status", status.as_str(), lane.status == *status);
        }
    }
    let mut samples = page.family(&catalogue::LANE_INTERVAL);
    for (labels, lane) in each() {
        for basis in IntervalBasis::ALL {
            let interval = match basis {
                IntervalBasis::Configured => lane.intervals.configured,
                IntervalBasis::Promised => lane.intervals.promised,
                IntervalBasis::Learned => lane.intervals.learned,
            };
            if let Some(interval) = interval {
                samples.member(labels, "basis", basis.as_str(), interval);
            }
        }
    }
    let mut samples = page.family(&catalogue::MISSED_WINDOWS);
    for (labels, lane) in each() {
        samples.sample(labels, lane.missed_windows);
    }
    render_cycles(cycles, page);
}

fn render_cycles(cycles: &[CycleTotal], page: &mut Page) {
    // The sum over outcomes needs the totals of a lane side by side, whatever order the store gives them in.
    let mut ordered = cycles.iter().collect::<Vec<_>>();
    ordered.sort_by(|one, other| (&one.key, one.outcome).cmp(&(&other.key, other.outcome)));
    let of_lanes = || ordered.chunk_by(|one, other| one.key == other.key);
    let mut blocks = LabelBlocks::default();
    for totals in of_lanes() {
        push_key(&mut blocks, &totals[0].key);
    }

    let mut samples = page.family(&catalogue::CYCLES);
    for (labels, totals) in blocks.iter().zip(of_lanes()) {
        for total in totals {
            samples.member(labels, "outcome", total.outcome.as_str(), total.count);
        }
    }
    let mut samples = page.family(&catalogue::CYCLE_DURATION);
    for (labels, totals) in blocks.iter().zip(of_lanes()) {
        let timed = totals.iter().map(|total| total.timed).sum::<i64>();
        if timed > 0 {
            let length = totals.iter().map(|total| total.duration_ms).sum();
            samples.part("_sum", labels, None, Value::Millis(length));
            samples.part("_count", labels, None, timed);
        }
    }
}

fn push_key(blocks: &mut LabelBlocks, key: &LaneKey) {
    blocks.push(&[
        ("tenant", &key.tenant),
        ("engine", key.engine.as_str()),
        ("kind", key.kind.as_str()),
        ("partition", &key.partition),
    ]);
}
