//! From a path to the code that answers it, past limits and permissions.

use crate::graph::error::GraphError;
use crate::graph::{
    Ask, Outcome, Scene, agents, apps, audits, delta, health, jobs, members, objects, organization,
};
use crate::graph::{provisioning, rights, schema, throttle};

/// Answers a request whose token has been checked.
pub(crate) fn answer(scene: &mut Scene<'_>, ask: &Ask<'_>) -> Outcome {
    let path = ask.path.clone();
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let seed = scene.tenant.seed;
    if let Some(retry_after) = scene.tenant.faults.take_throttle(&path) {
        return Err(throttle::reports_refusal(
            retry_after,
            seed.corner("told").nth(scene.now.unsigned_abs()),
        ));
    }
    let reports = segments.first() == Some(&"auditLogs");
    let mut spent = None;
    if reports {
        scene
            .tenant
            .buckets
            .report(&ask.app, scene.now, seed, scene.settings)?;
    } else {
        spent = Some(spend(scene, ask, &segments)?);
    }
    rights::check(&segments, &ask.roles, scene.settings)?;
    if scene.tenant.faults.premium_off && segments == ["auditLogs", "provisioning"] {
        return Err(rights::premium_refusal());
    }
    let mut answer = dispatch(scene, ask, &segments)?;
    if let Some((units, share)) = spent {
        answer
            .headers
            .push(("x-ms-resource-unit", units.to_string()));
        if share > 0.8 {
            answer
                .headers
                .push(("x-ms-throttle-limit-percentage", format!("{share:.2}")));
            let scope = format!(
                "Tenant_Application/ReadWrite/{}/{}",
                ask.app, scene.tenant.spec.id
            );
            answer.headers.push(("x-ms-throttle-scope", scope));
        }
    }
    Ok(answer)
}

fn spend(
    scene: &mut Scene<'_>,
    ask: &Ask<'_>,
    segments: &[&str],
) -> Result<(u32, f64), GraphError> {
    let small = ask
        .query
        .get("top")
        .and_then(|top| top.parse::<u32>().ok())
        .is_some_and(|top| top < 20);
    let first = segments.first().copied().unwrap_or("");
    let cost = throttle::units(
        first,
        ask.query.get("select").is_some(),
        ask.query.get("expand").is_some(),
        small,
    );
    let limit = throttle::units_limit(scene.settings, scene.tenant.directory.users.len());
    let share = scene
        .tenant
        .buckets
        .spend(&ask.app, scene.now, cost, limit)?;
    Ok((cost, share))
}

fn dispatch(scene: &mut Scene<'_>, ask: &Ask<'_>, segments: &[&str]) -> Outcome {
    if ask.method == "POST" {
        return match segments {
            ["users", mailbox, "sendMail"] => health::send_mail(scene, ask, mailbox),
            _ => Err(method_not_allowed()),
        };
    }
    if ask.method != "GET" {
        return Err(method_not_allowed());
    }
    match segments {
        ["servicePrincipals"] => apps::service_principals(scene, ask),
        ["servicePrincipals", id, "synchronization", "jobs"] => jobs::list(scene, ask, id),
        ["servicePrincipals", id, "synchronization", "jobs", job] => {
            jobs::single(scene, ask, id, job)
        }
        [
            "servicePrincipals",
            id,
            "synchronization",
            "jobs",
            job,
            "schema",
        ] => schema::schema(scene, ask, id, job),
        [
            "servicePrincipals",
            id,
            "synchronization",
            "templates",
            template,
            "schema",
        ] => schema::of_template(scene, ask, id, template),
        ["servicePrincipals", id, "synchronization", "templates"] => {
            jobs::templates(scene, ask, id)
        }
        ["servicePrincipals", id, "appRoleAssignedTo"] => apps::assigned_to(scene, ask, id),
        ["servicePrincipals", id] => apps::service_principal(scene, ask, id),
        [by_app_id, "appRoleAssignedTo"] if by_app_id.starts_with("servicePrincipals(") => {
            apps::assigned_to(scene, ask, by_app_id)
        }
        [by_app_id] if by_app_id.starts_with("servicePrincipals(") => {
            apps::service_principal(scene, ask, by_app_id)
        }
        ["applications"] => apps::applications(scene, ask),
        ["auditLogs", "provisioning"] => provisioning::list(scene, ask),
        ["auditLogs", "directoryAudits"] => audits::list(scene, ask),
        ["organization"] => organization::organization(scene, ask),
        ["directory", "onPremisesSynchronization"] => {
            organization::synchronization(scene, ask, None)
        }
        ["directory", "onPremisesSynchronization", id] => {
            organization::synchronization(scene, ask, Some(id))
        }
        ["directory", "deletedItems", "microsoft.graph.user"] => objects::deleted_users(scene, ask),
        ["directory", "deletedItems", "microsoft.graph.group"] => {
            objects::deleted_groups(scene, ask)
        }
        ["users"] => objects::users(scene, ask),
        ["users", "$count"] => objects::count_users(scene, ask),
        ["users", "delta"] => delta::users(scene, ask),
        ["users", id, "onPremisesSyncBehavior"] => objects::sync_behavior(scene, ask, id),
        ["users", id] => objects::user(scene, ask, id),
        ["groups"] => objects::groups(scene, ask),
        ["groups", "$count"] => objects::count_groups(scene, ask),
        ["groups", "delta"] => delta::groups(scene, ask),
        ["groups", id, "members"] => members::members(scene, ask, id),
        ["admin", "serviceAnnouncement", "healthOverviews"] => health::overviews(scene, ask),
        ["admin", "serviceAnnouncement", "issues"] => health::issues(scene, ask),
        ["onPremisesPublishingProfiles", "provisioning", rest @ ..] if ask.beta() => {
            agents::answer(scene, ask, rest)
        }
        ["reports", "healthMonitoring", "alerts"] if ask.beta() => health::alerts(scene, ask),
        _ => Err(no_segment(segments)),
    }
}

fn method_not_allowed() -> GraphError {
    GraphError::new(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )
}

fn no_segment(segments: &[&str]) -> GraphError {
    let segment = segments.first().copied().unwrap_or("");
    GraphError::new(
        400,
        "BadRequest",
        format!("Resource not found for the segment '{segment}'."),
    )
}
