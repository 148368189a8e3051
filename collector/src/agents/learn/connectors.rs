//! Section `connectors`: the one complete list of them. What it does not name any more is over.

use std::collections::BTreeSet;

use syncwatch_domain::lane::LaneKind;
use syncwatch_domain::report::connectors;
use syncwatch_domain::report::forms::ShapeError;
use syncwatch_domain::sync_server::{Part, Runs};

use super::known::Known;
use super::lanes::gone;
use super::{Learned, Reading};
use crate::agents::Who;

pub(super) fn learn(
    who: &Who,
    reading: &Reading<'_>,
    known: &mut Known,
) -> Result<Learned, ShapeError> {
    let read = connectors::read(&reading.record.data, &reading.forms())?;
    let names: BTreeSet<&str> = read
        .iter()
        .map(|connector| connector.name.as_str())
        .collect();
    let lanes = gone(who, known, LaneKind::Objects, &names);
    let before: Option<Runs> = known.part(Part::Runs);
    let pruned = before.and_then(|mut runs| {
        let count = runs.connectors.len();
        runs.connectors
            .retain(|known| read.iter().any(|connector| connector.id == known.id));
        (runs.connectors.len() < count).then_some(runs)
    });
    Ok(Learned {
        facts: pruned
            .map(|runs| known.learn(Part::Runs, &runs))
            .into_iter()
            .collect(),
        lanes,
        ..Learned::of(reading)
    })
}
