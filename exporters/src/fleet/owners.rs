//! Objects by their owners.

use syncwatch_store::OwnerCount;

use crate::catalogue;
use crate::labels::labels;
use crate::page::Page;

pub(super) fn render(counts: &[OwnerCount], page: &mut Page) {
    let mut samples = page.family(&catalogue::OBJECTS);
    for count in counts {
        let labels = labels(&[
            ("tenant", &count.tenant),
            ("domain", &count.domain),
            ("type", count.kind.as_str()),
            ("owner", count.owner.as_str()),
        ]);
        samples.sample(&labels, count.objects);
    }
}
