//! Agents of both kinds, and the sync servers that ours report of.

use syncwatch_domain::report::Role;

use super::snapshot::{LocalAgent, ProvisioningAgent};
use crate::catalogue::{self, PROVISIONING, SYNCWATCH};
use crate::labels::labels;
use crate::page::Page;
use crate::value::Value;

/// A version is a short word; anything longer is none.
const LONGEST_VERSION: usize = 64;

pub(super) fn render(provisioning: &[ProvisioningAgent], local: &[LocalAgent], page: &mut Page) {
    render_up(provisioning, local, page);
    render_info(provisioning, local, page);
    render_reports(local, page);
    render_servers(local, page);
}

/// A provisioning agent that was installed anew is listed twice for days, the old registration as inactive: the machine
/// is up if one of its registrations is.
fn render_up(provisioning: &[ProvisioningAgent], local: &[LocalAgent], page: &mut Page) {
    let mut samples = page.family(&catalogue::AGENT_UP);
    let of_machines = provisioning
        .chunk_by(|one, other| (&one.tenant, &one.machine) == (&other.tenant, &other.machine));
    for registrations in of_machines {
        let labels = labels(&[
            ("tenant", &registrations[0].tenant),
            ("agent", &registrations[0].machine),
            ("kind", PROVISIONING),
        ]);
        samples.sample(&labels, registrations.iter().any(|agent| agent.active));
    }
    for agent in local.iter().filter(|agent| agent.reported_at.is_some()) {
        let labels = labels(&[
            ("tenant", &agent.tenant),
            ("agent", &agent.host),
            ("kind", SYNCWATCH),
        ]);
        samples.sample(&labels, !agent.silent);
    }
}

fn render_info(provisioning: &[ProvisioningAgent], local: &[LocalAgent], page: &mut Page) {
    let mut samples = page.family(&catalogue::AGENT_INFO);
    for agent in provisioning {
        let labels = labels(&[
            ("tenant", &agent.tenant),
            ("agent", &agent.machine),
            ("kind", PROVISIONING),
            ("id", &agent.id),
        ]);
        samples.sample(&labels, 1);
    }
    for agent in local {
        let Some(known) = &agent.known else { continue };
        let version = known.identity.version.as_str();
        let is_one =
            version.len() <= LONGEST_VERSION && version.bytes().all(|b| b.is_ascii_graphic());
        let labels = labels(&[
            ("tenant", &agent.tenant),
            ("agent", &agent.host),
            ("kind", SYNCWATCH),
            ("version", if is_one { version } else { "" }),
        ]);
        samples.sample(&labels, 1);
    }
}

/// How the reports of our agents come home.
fn render_reports(local: &[LocalAgent], page: &mut Page) {
    let labels_of =
        |agent: &LocalAgent| labels(&[("tenant", &agent.tenant), ("agent", &agent.host)]);
    let mut samples = page.family(&catalogue::AGENT_LAST_REPORT);
    for agent in local {
        if let Some(at) = agent.reported_at {
            samples.sample(&labels_of(agent), at);
        }
    }
    let known = || {
        local
            .iter()
            .filter_map(|agent| Some((agent, agent.known.as_ref()?)))
    };
    let mut samples = page.family(&catalogue::AGENT_CLOCK_SKEW);
    for (agent, known) in known() {
        samples.sample(&labels_of(agent), Value::Millis(known.clock_ahead_ms));
    }
    let spools = || known().filter_map(|(agent, known)| Some((agent, known.spool.as_ref()?)));
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut samples = page.family(&catalogue::AGENT_WAITING_RECORDS);
    for (agent, spool) in spools() {
        samples.sample(&labels_of(agent), count(spool.waiting));
    }
    let mut samples = page.family(&catalogue::AGENT_LOST_RECORDS);
    for (agent, spool) in spools() {
        samples.sample(&labels_of(agent), count(spool.lost));
    }
}

/// What our agents report of their servers, as far as they have said it once.
fn render_servers(local: &[LocalAgent], page: &mut Page) {
    let labels_of =
        |agent: &LocalAgent| labels(&[("tenant", &agent.tenant), ("server", &agent.host)]);
    let mut samples = page.family(&catalogue::SERVER_ROLE);
    for agent in local {
        let Some(known) = &agent.known else { continue };
        // An agent that does not know yet says no role at all.
        if known.identity.roles.is_empty() {
            continue;
        }
        let labels = labels_of(agent);
        for role in Role::ALL {
            samples.member(
                &labels,
                "role",
                role.as_str(),
                known.identity.roles.contains(role),
            );
        }
    }
    let mut samples = page.family(&catalogue::SERVER_DATABASE);
    for agent in local {
        if let Some(bytes) = agent.database_bytes {
            samples.sample(&labels_of(agent), bytes);
        }
    }
}
