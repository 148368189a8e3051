//! Cloud Sync jobs and the rows of their logs.

use syncwatch_domain::job::{ErrorGroup, Job, JobStatus};
use syncwatch_store::EventTotal;

use crate::catalogue::{self, NO_ERROR_GROUP};
use crate::labels::labels;
use crate::page::Page;

pub(super) fn render_status(jobs: &[Job], page: &mut Page) {
    let mut samples = page.family(&catalogue::JOB_STATUS);
    for job in jobs {
        let labels = labels(&[
            ("tenant", &job.tenant),
            ("domain", &job.domain),
            ("job", &job.job_id),
        ]);
        for status in JobStatus::ALL {
            samples.member(&labels, "status", status.as_str(), job.status == *status);
        }
    }
}

pub(super) fn render_events(events: &[EventTotal], page: &mut Page) {
    let mut samples = page.family(&catalogue::PROVISIONING_EVENTS);
    for total in events {
        let labels = labels(&[
            ("tenant", &total.tenant),
            ("job", &total.job_id),
            ("action", total.action.as_str()),
            ("status", total.status.as_str()),
            (
                "error_group",
                total.error_group.map_or(NO_ERROR_GROUP, ErrorGroup::as_str),
            ),
        ]);
        samples.sample(&labels, total.count);
    }
}
