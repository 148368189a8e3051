//! Cloud Sync jobs, the rows of their logs, and provisioning agents.

use syncwatch_domain::job::{ErrorGroup, Job, JobStatus};
use syncwatch_store::EventTotal;

use super::Snapshot;
use super::snapshot::Agent;
use crate::catalogue::{self, NO_ERROR_GROUP};
use crate::labels::labels;
use crate::page::Page;

pub(super) fn render(snapshot: &Snapshot, page: &mut Page) {
    render_jobs(&snapshot.jobs, page);
    render_agents(&snapshot.agents, page);
    render_events(&snapshot.events, page);
}

fn render_jobs(jobs: &[Job], page: &mut Page) {
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

/// An agent that was installed anew is listed twice for days, the old registration as inactive: the machine is up if
/// one of its registrations is.
fn render_agents(agents: &[Agent], page: &mut Page) {
    let mut samples = page.family(&catalogue::AGENT_UP);
    let of_machines = agents
        .chunk_by(|one, other| (&one.tenant, &one.machine) == (&other.tenant, &other.machine));
    for registrations in of_machines {
        let labels = labels(&[
            ("tenant", &registrations[0].tenant),
            ("agent", &registrations[0].machine),
        ]);
        samples.sample(&labels, registrations.iter().any(|agent| agent.active));
    }
    let mut samples = page.family(&catalogue::AGENT_INFO);
    for agent in agents {
        let labels = labels(&[
            ("tenant", &agent.tenant),
            ("agent", &agent.machine),
            ("id", &agent.id),
        ]);
        samples.sample(&labels, 1);
    }
}

fn render_events(events: &[EventTotal], page: &mut Page) {
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
