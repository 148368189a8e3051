//! Provisioning agents as the cloud sees them: documented for signed-in users only, so a refusal
//! is the normal case and no outage.

use serde_json::json;
use syncwatch_domain::source::ReadFailure;

use super::{Learned, PollError, PollRun, Ran, fact, pages, taken_back};
use crate::graph::{Endpoint, GraphError, Next};
use crate::parse::agents::agents;

/// Reads the agents with their groups.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let path = "beta/onPremisesPublishingProfiles/provisioning/agents";
    let listed = pages(
        run,
        Endpoint::Agents,
        path,
        &[("$expand", "agentGroups")],
        agents,
    )
    .await
    .map_err(as_missing_right)?;
    let mut facts: Vec<_> = listed
        .into_iter()
        .map(|agent| {
            let value =
                json!({ "machine": agent.machine, "status": agent.status, "groups": agent.groups });
            fact(format!("agent/{}", agent.id), value)
        })
        .collect();
    facts.extend(taken_back(run, "agent/", &facts));
    Ok(Ran::Learned(Box::new(Learned {
        facts,
        ..Learned::default()
    })))
}

/// This surface refuses applications also with an HTML page.
fn as_missing_right(error: GraphError) -> GraphError {
    if error.status == Some(403) {
        return GraphError {
            failure: ReadFailure::RightMissing,
            next: Next::Slowly,
            ..error
        };
    }
    error
}
