//! Scopes of one Cloud Sync configuration: the schemas of its provisioning jobs.
//!
//! A scope names containers and groups by distinguished name and is not told when one of them is
//! renamed, so agents look them up ([`crate::agents`]).

use syncwatch_domain::scope::cloud::{self, CloudScope};
use syncwatch_store::Fact;

use super::{Learned, PollError, PollRun, Ran, fact, jobs, readable, taken_back};
use crate::graph::{Endpoint, GraphError};
use crate::parse::jobs::template_of;
use crate::parse::schemas::scope;

/// Template of the job that provisions users, groups and contacts.
const PROVISIONING: &str = "AD2AADProvisioning";

/// Reads the schema of each provisioning job of the source's configuration.
pub(crate) async fn read(run: &PollRun<'_>) -> Result<Ran, PollError> {
    let principal = &run.source.state.key.instance;
    let mut facts = Vec::new();
    for job_id in provisioning_jobs(run) {
        if let Some(scope) = scope_of(run, &job_id).await? {
            facts.push(kept(principal, &job_id, &scope));
        }
    }
    facts.extend(taken_back(run, &cloud::fact_name(principal, ""), &facts));
    Ok(Ran::Learned(Box::new(Learned {
        facts,
        ..Learned::default()
    })))
}

/// Provisioning jobs of the configuration, as the jobs poll saw them last.
fn provisioning_jobs(run: &PollRun<'_>) -> Vec<String> {
    let shared = run.tenant.shared();
    let jobs = shared.book.jobs_of(&run.source.state.key.instance);
    jobs.filter(|job_id| template_of(job_id) == Some(PROVISIONING))
        .map(str::to_owned)
        .collect()
}

fn kept(principal: &str, job_id: &str, scope: &CloudScope) -> Fact {
    fact(
        cloud::fact_name(principal, job_id),
        serde_json::to_value(scope).unwrap_or_default(),
    )
}

/// The scope of a job. One that was never started, or never edited, has no schema of its own:
/// then its template's holds. `None` where there is neither.
async fn scope_of(run: &PollRun<'_>, job_id: &str) -> Result<Option<CloudScope>, GraphError> {
    if let Some(scope) = schema(run, &format!("{}/{job_id}", jobs::path(run))).await? {
        return Ok(Some(scope));
    }
    let template = format!(
        "v1.0/servicePrincipals/{}/synchronization/templates/{PROVISIONING}",
        run.source.state.key.instance
    );
    let scope = schema(run, &template).await?;
    Ok(scope.map(|scope| CloudScope {
        from_template: true,
        ..scope
    }))
}

/// The schema of a job or template; `None` when it has none.
async fn schema(run: &PollRun<'_>, of: &str) -> Result<Option<CloudScope>, GraphError> {
    let graph = &run.tenant.graph;
    let url = graph.url(&format!("{of}/schema"), &[]);
    match graph.get(Endpoint::Schema, &url).await {
        Ok(body) => readable(run, Endpoint::Schema, &body, scope(&body)).map(Some),
        Err(error) if error.status == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}
