//! What is polled.

use syncwatch_domain::source::{ReadFailure, SourceState};

use crate::catalogue;
use crate::labels::LabelBlocks;
use crate::page::Page;

pub(super) fn render(sources: &[SourceState], page: &mut Page) {
    let watched = sources
        .iter()
        .filter(|source| !source.retired)
        .collect::<Vec<_>>();
    let mut blocks = LabelBlocks::default();
    for source in &watched {
        let key = &source.key;
        blocks.push(&[
            ("tenant", &key.tenant),
            ("poll", key.poll.as_str()),
            ("configuration", &key.instance),
        ]);
    }

    let mut samples = page.family(&catalogue::SOURCE_UP);
    for (labels, source) in blocks.iter().zip(&watched) {
        if let Some(up) = is_up(source) {
            samples.sample(labels, up);
        }
    }
    let mut samples = page.family(&catalogue::SOURCE_LAST_SUCCESS);
    for (labels, source) in blocks.iter().zip(&watched) {
        if let Some(at) = source.read_at {
            samples.sample(labels, at);
        }
    }
}

/// Whether the source can be read. Nothing can be said before the first attempt, and of a poll that is switched off
/// because a right, licence or feature is missing: that is a finding with an alert of its own, not an outage.
fn is_up(source: &SourceState) -> Option<bool> {
    match source.failing_since {
        None => source.read_at.map(|_| true),
        Some(_) => source
            .failure
            .is_none_or(ReadFailure::is_outage)
            .then_some(false),
    }
}
