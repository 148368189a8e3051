//! Alerts on record and messages that wait.

use syncwatch_store::{AlertTotal, OutboxDepth};

use crate::catalogue;
use crate::labels::labels;
use crate::page::Page;

pub(super) fn render(totals: &[AlertTotal], outbox: OutboxDepth, page: &mut Page) {
    let mut samples = page.family(&catalogue::ALERTS);
    for total in totals {
        let labels = labels(&[
            ("tenant", &total.tenant),
            ("rule", total.rule.as_str()),
            ("severity", total.severity.as_str()),
            ("state", total.state.as_str()),
        ]);
        samples.sample(&labels, total.count);
    }
    page.family(&catalogue::OUTBOX_DEPTH)
        .sample("", outbox.depth);
    if let Some(at) = outbox.oldest_created_at {
        page.family(&catalogue::OUTBOX_OLDEST).sample("", at);
    }
}
